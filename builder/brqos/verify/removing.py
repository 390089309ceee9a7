"""Probe pods taken away again: our own at the end, and those that a run left behind that was killed."""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from brqos.kube import cluster
from brqos.kube.kubectl import Kubectl
from brqos.kube.kubelet import name_of
from brqos.kube.refusals import KubeCallError, Refusal
from brqos.monitor import Monitor
from brqos.verify.owner import is_gone
from brqos.verify.probe_pods import RUN_LABEL, SELECTOR, has_expired, owner_of, run_of

PATIENCE_SECONDS = 30.0
POLITE_SECONDS = 8.0


@dataclass(slots=True)
class Removal:
    """Removes the probes of one run. `names` are those that may have been made; `left` those that could not go."""

    kubectl: Kubectl
    namespace: str
    run: str
    monitor: Monitor
    names: list[str]
    left: tuple[str, ...] = ()
    pause: Callable[[float], None] = time.sleep
    patience: float = PATIENCE_SECONDS
    polite: float = POLITE_SECONDS

    def __call__(self) -> None:
        """Remove them, for at most `patience` seconds; never raises."""
        if not self.names:
            return
        self.left = self._remove()
        if self.left:
            self.monitor.warn(
                f"{len(self.left)} probe pod(s) could not be removed: {', '.join(self.left)}. They end by themselves;"
                f" remove them with: kubectl delete pods --namespace={self.namespace} --selector={RUN_LABEL}={self.run}"
            )

    def _remove(self) -> tuple[str, ...]:
        started = time.monotonic()
        asked: dict[str, str] = {}
        empty = 0
        pods: list[str] | None = None
        while (elapsed := time.monotonic() - started) < self.patience:
            pods = self._there()
            if pods == []:
                # A request that was under way when we were interrupted may still have made one.
                empty += 1
                if empty == 2 or len(asked) >= len(self.names):
                    return ()
            # By force at the end only: the pod of a node that is gone would stay for ever otherwise.
            grace = "1" if elapsed < self.polite else "0"
            self._ask(
                [name for name in (self.names if pods is None else pods) if asked.get(name) != grace], grace, asked
            )
            self.pause(0.3)
        return tuple(self.names if pods is None else pods)

    def _there(self) -> list[str] | None:
        """The probes of this run that are there; None where that cannot be asked."""
        try:
            found = cluster.pods_in(self.kubectl, self.namespace, f"{RUN_LABEL}={self.run}")
        except KubeCallError:
            return None
        return [name_of(pod) for pod in found]

    def _ask(self, names: list[str], grace: str, asked: dict[str, str]) -> None:
        if names and self._delete_all(grace):
            asked.update(dict.fromkeys(names, grace))
            return
        for name in names:
            if self._delete(name, grace):
                asked[name] = grace

    def _delete_all(self, grace: str) -> bool:
        """All probes of the run with one request; not everybody who may delete one may do that."""
        path, selector = cluster.pods_path(self.namespace), f"{RUN_LABEL}={self.run}"
        try:
            self.kubectl.delete(path, labelSelector=selector, gracePeriodSeconds=grace)
        except KubeCallError:
            return False
        return True

    def _delete(self, name: str, grace: str) -> bool:
        try:
            self.kubectl.delete(f"{cluster.pods_path(self.namespace)}/{name}", gracePeriodSeconds=grace)
        except KubeCallError:
            return False
        return True


def remove_leftovers(kubectl: Kubectl, namespace: str, run: str, now: datetime | None, monitor: Monitor) -> list[str]:
    """Remove probes of runs that are over: their process is gone from this machine, or their time is up.

    `now` is the API server's clock, where it is known. Another run that is under way is left alone. Raises
    nothing: what cannot be removed is told.
    """
    try:
        pods = cluster.pods_in(kubectl, namespace, SELECTOR)
    except KubeCallError as error:
        if error.kind is not Refusal.FORBIDDEN:
            monitor.warn(f"leftover probes could not be looked for: {error.what}")
        return []
    stale = [name_of(pod) for pod in _over(pods, run, now)]
    for name in stale:
        with contextlib.suppress(KubeCallError):
            kubectl.delete(f"{cluster.pods_path(namespace)}/{name}", gracePeriodSeconds="0")
    if stale:
        monitor.note(f"Removed {len(stale)} probe pod(s) that an earlier run left in the namespace {namespace}.")
    return stale


def _over(pods: Sequence[dict[str, Any]], run: str, now: datetime | None) -> list[dict[str, Any]]:
    return [
        pod
        for pod in pods
        if run_of(pod) != run and (is_gone(owner_of(pod)) or (now is not None and has_expired(pod, now)))
    ]
