"""Probes are removed whatever the cluster answers, and other runs' probes are left alone."""

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from brqos.kube.kubectl import Kubectl
from brqos.kube.refusals import KubeCallError, Refusal
from brqos.monitor import Silent
from brqos.verify.interrupts import cleaned_after
from brqos.verify.owner import is_gone, this_process
from brqos.verify.probe_pods import MANAGED_BY, OWNER_ANNOTATION, RUN_LABEL
from brqos.verify.removing import Removal, remove_leftovers

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def probe(name: str, run: str, owner: str = "elsewhere/1/1", made: datetime = NOW) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "labels": {**MANAGED_BY, RUN_LABEL: run},
            "annotations": {OWNER_ANNOTATION: owner},
            "creationTimestamp": made.isoformat().replace("+00:00", "Z"),
        },
        "spec": {"activeDeadlineSeconds": 100},
    }


class Cluster(Kubectl):
    """Pods in a dictionary; `refuse` answers a call with an error instead."""

    def __init__(self, *pods: dict[str, Any]) -> None:
        super().__init__()
        self.pods = {pod["metadata"]["name"]: pod for pod in pods}
        self.refuse: Callable[[str, dict[str, str]], Refusal | None] = lambda _call, _query: None
        self.deleted: list[tuple[str, str]] = []

    def _check(self, call: str, query: dict[str, str]) -> None:
        kind = self.refuse(call, query)
        if kind is not None:
            raise KubeCallError("no", kind=kind, why="because")

    def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        self._check("list", query)
        key, _, run = query["labelSelector"].partition("=")
        return [pod for pod in self.pods.values() if key != RUN_LABEL or pod["metadata"]["labels"][key] == run]

    def delete(self, path: str, **query: str) -> None:
        call = "delete" if path.rpartition("/")[2] in self.pods else "delete-all"
        self._check(call, query)
        grace = query["gracePeriodSeconds"]
        names = (
            [path.rpartition("/")[2]] if call == "delete" else [p["metadata"]["name"] for p in self.items("", **query)]
        )
        for name in names:
            self.deleted.append((name, grace))
            self.pods.pop(name)


def removal(cluster: Cluster, *names: str, **options: Any) -> Removal:
    times: Any = {"pause": lambda _seconds: None, "patience": 0.2, "polite": 0.05, **options}
    return Removal(cluster, "ns", "run", Silent(), list(names), **times)


def test_all_at_once_and_politely() -> None:
    cluster = Cluster(probe("a", "run"), probe("b", "run"), probe("c", "other"))
    work = removal(cluster, "a", "b")
    work()
    assert work.left == ()
    assert cluster.deleted == [("a", "1"), ("b", "1")]
    assert list(cluster.pods) == ["c"]


def test_one_after_another_where_all_at_once_is_forbidden() -> None:
    cluster = Cluster(probe("a", "run"), probe("b", "run"))
    cluster.refuse = lambda call, _query: Refusal.FORBIDDEN if call == "delete-all" else None
    work = removal(cluster, "a", "b")
    work()
    assert (work.left, cluster.pods) == ((), {})


def test_by_name_where_nothing_can_be_listed() -> None:
    cluster = Cluster(probe("a", "run"))
    cluster.refuse = lambda call, _query: Refusal.FORBIDDEN if call in ("list", "delete-all") else None
    removal(cluster, "a", "never-made")()
    assert cluster.pods == {}


def test_by_force_where_the_node_is_gone() -> None:
    cluster = Cluster(probe("a", "run"))

    def keep(call: str, query: dict[str, str]) -> Refusal | None:
        return Refusal.OTHER if call != "list" and query["gracePeriodSeconds"] != "0" else None

    cluster.refuse = keep
    work = removal(cluster, "a")
    work()
    assert (work.left, cluster.deleted) == ((), [("a", "0")])


def test_what_cannot_go_is_told() -> None:
    cluster = Cluster(probe("a", "run"))
    cluster.refuse = lambda call, _query: Refusal.CONNECTION if call != "list" else None
    said: list[str] = []
    work = removal(cluster, "a", "b")
    work.monitor = type("M", (Silent,), {"warn": lambda _self, text: said.append(text)})()
    work()
    assert work.left == ("a",)
    assert "kubectl delete pods --namespace=ns --selector=brqos/run=run" in said[0]


def test_a_pod_that_appears_late_is_removed_too() -> None:
    cluster = Cluster()
    waited: list[float] = []

    def pause(seconds: float) -> None:
        if not waited:
            cluster.pods["a"] = probe("a", "run")
        waited.append(seconds)

    work = removal(cluster, "a", pause=pause, patience=5)
    work()
    assert cluster.deleted == [("a", "1")]


def test_leftovers_go_and_living_runs_stay() -> None:
    mine = this_process()
    machine, pid, started = mine.split("/")
    dead = f"{machine}/{pid}/{int(started) - 100}"
    cluster = Cluster(
        probe("ours", "run", mine),
        probe("living", "x", mine),
        probe("crashed", "y", dead),
        probe("expired", "z", made=NOW - timedelta(seconds=200)),
        probe("elsewhere", "w", made=NOW - timedelta(seconds=50)),
    )
    assert remove_leftovers(cluster, "ns", "run", NOW, Silent()) == ["crashed", "expired"]
    assert set(cluster.pods) == {"ours", "living", "elsewhere"}
    assert remove_leftovers(cluster, "ns", "run", None, Silent()) == []


def test_owners() -> None:
    assert not is_gone(this_process())
    for text in ("", "a", "a/b/c", "elsewhere/1/1"):
        assert not is_gone(text)
    assert is_gone(f"{this_process().split('/')[0]}/4194304/1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_cleaning_is_done_and_not_interrupted(number: signal.Signals) -> None:
    done: list[str] = []
    before = signal.getsignal(number)

    def clean() -> None:
        os.kill(os.getpid(), number)
        done.append("cleaned")

    with pytest.raises(KeyboardInterrupt), cleaned_after(clean):
        os.kill(os.getpid(), number)
        done.append("never")
    with pytest.raises(KeyboardInterrupt), cleaned_after(clean):
        done.append("worked")
    with pytest.raises(ZeroDivisionError), cleaned_after(lambda: done.append("cleaned")):
        raise ZeroDivisionError
    assert done == ["cleaned", "worked", "cleaned", "cleaned"]
    assert signal.getsignal(number) is before
