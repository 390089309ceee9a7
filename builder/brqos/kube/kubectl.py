"""kubectl, spoken in one place.

Whoever can use kubectl can use brqos: every kind of login works. Almost all goes through `--raw`, that is, the API's
own paths: no discovery, no cache in the home folder, the same bytes from every kubectl since 1.20. Only `exec` is
kubectl's own command.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from brqos import process
from brqos.kube.refusals import KubeCallError, Refusal, garbled, refusal, too_slow
from brqos.process import Completed

_PROGRAM = "kubectl"
_PAGE = 500
_SECONDS_TO_END = 10.0
_SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class Access:
    """Which cluster, and how patiently; what is not given is kubectl's own choice.

    `timeout` is seconds per request.
    """

    context: str | None = None
    kubeconfig: Path | None = None
    namespace: str | None = None
    timeout: float = 20.0

    def flags(self) -> tuple[str, ...]:
        """The flags that every call gets."""
        flags = [f"--request-timeout={self.timeout:g}s"]
        if self.context is not None:
            flags.append(f"--context={self.context}")
        if self.kubeconfig is not None:
            flags.append(f"--kubeconfig={self.kubeconfig}")
        return tuple(flags)


class Kubectl:
    """One cluster. All methods raise KubeCallError (exit code 9), and ToolError where there is no kubectl."""

    def __init__(self, access: Access = Access()) -> None:
        self.access = access

    def text(self, path: str, **query: str) -> str:
        """GET a path of the API, such as `/api/v1/nodes/NODE/proxy/metrics`, as text."""
        return self._run(["get", "--raw", _url(path, query)], f"GET {path}").text

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """GET a path of the API as a JSON object; `query` as the API names it (labelSelector, fieldSelector)."""
        return _object(self.text(path, **query), f"GET {path}")

    def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """All items of a list, page after page."""
        try:
            return self._pages(path, {**query, "limit": str(_PAGE)})
        except KubeCallError as error:
            if error.kind is not Refusal.EXPIRED:
                raise
            # A page's token lives for five minutes; whoever is slower gets all at once.
            return self._pages(path, query)

    def _pages(self, path: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        token = ""
        while True:
            page = self.get(path, **query, **({"continue": token} if token else {}))
            found, metadata = page.get("items"), page.get("metadata") or {}
            if found is None and str(page.get("kind", "")).endswith("List"):
                # Go writes an empty list as null.
                found = []
            if not isinstance(found, list) or not isinstance(metadata, dict):
                raise garbled(f"GET {path}", "It is not a list of Kubernetes objects.")
            if not all(isinstance(item, dict) for item in found):
                raise garbled(f"GET {path}", "An entry of the list is not an object.")
            items += found
            token = str(metadata.get("continue") or "")
            if not token:
                return items

    def create(self, path: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """POST an object to a collection, and return what the API server made of it."""
        body = json.dumps(manifest).encode()
        said = self._run(["create", "--raw", path, "-f", "-"], f"POST {path}", stdin=body)
        return _object(said.text, f"POST {path}")

    def delete(self, path: str, **query: str) -> None:
        """DELETE an object; one that is gone already is fine."""
        try:
            self._run(["delete", "--raw", _url(path, query)], f"DELETE {path}")
        except KubeCallError as error:
            if error.kind is not Refusal.NOT_FOUND:
                raise

    def execute(self, namespace: str, pod: str, container: str, command: Sequence[str]) -> Completed:
        """Run a command in a container; its status is the caller's to judge, a refusal of the cluster is raised."""
        doing = f"running {command[0]} in {namespace}/{pod} ({container})"
        words = ["exec", f"--namespace={namespace}", pod, f"--container={container}", "--", *command]
        completed = self._completed(words, doing, None)
        if completed.status != 0 and "Error from server" in completed.stderr:
            raise refusal(doing, completed.stderr)
        return completed

    def namespace(self) -> str:
        """The namespace to work in: the one that was given, else the context's, else `default`."""
        if self.access.namespace is not None:
            return self.access.namespace
        words = ["config", "view", "--minify", "--output", "jsonpath={..namespace}"]
        completed = self._completed(words, "reading the kubeconfig", None)
        if completed.status == 0:
            return completed.text.strip() or "default"
        if self.access.context is not None or self.access.kubeconfig is not None:
            raise refusal("reading the kubeconfig", completed.stderr)
        # In a pod there is no kubeconfig, and kubectl works with the service account's login and namespace.
        if "KUBERNETES_SERVICE_HOST" in os.environ and _SERVICE_ACCOUNT_NAMESPACE.is_file():
            return _SERVICE_ACCOUNT_NAMESPACE.read_text(encoding="utf-8").strip()
        return "default"

    def _run(self, words: Sequence[str], doing: str, stdin: bytes | None = None) -> Completed:
        completed = self._completed(words, doing, stdin)
        if completed.status != 0:
            raise refusal(doing, completed.stderr)
        return completed

    def _completed(self, words: Sequence[str], doing: str, stdin: bytes | None) -> Completed:
        seconds = self.access.timeout + _SECONDS_TO_END
        # Global flags stand before the command: what follows `--` belongs to the container.
        argv = [_PROGRAM, *self.access.flags(), *words]
        try:
            return process.run(argv, stdin=stdin, check=False, timeout=seconds)
        except process.TimedOut:
            raise too_slow(doing, seconds) from None


def _url(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _object(text: str, doing: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise garbled(doing, f"It is not JSON ({error}): {text[:80]!r}") from None
    if not isinstance(value, dict):
        raise garbled(doing, f"It is not a JSON object: {text[:80]!r}")
    return value
