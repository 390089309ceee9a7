"""How far a probe pod is, read from its object. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brqos.verify.probe_pods import CONTAINER

# Waiting longer does not mend these.
_HOPELESS = {
    "InvalidImageName": "The image's name is not one.",
    "ErrImageNeverPull": "The image is not on the node and may not be pulled.",
    "CreateContainerConfigError": "The container's configuration was refused.",
}
_KINDS_OF_HELP = {
    "ErrImagePull": "The node cannot get the image: name one that it can reach with --image (and --pull-secret).",
    "ImagePullBackOff": "The node cannot get the image: name one that it can reach with --image (and --pull-secret).",
    "InvalidImageName": "Correct --image.",
    "ErrImageNeverPull": "Use an image that the node may pull, with --image.",
    "OutOfmemory": "The node has no room for 32Mi more of requests; free some, or verify another node.",
    "OutOfcpu": "The node has no room for 50m more of CPU; free some, or verify another node.",
    "OutOfpods": "The node has as many pods as it may have; free one, or verify another node.",
    "Evicted": "The node was short of something while the probe ran; see the node's events.",
    "StartError": "The image needs a shell at /bin/sh; name another one with --image.",
    "ContainerCannotRun": "The image needs a shell at /bin/sh; name another one with --image.",
    "RunContainerError": "The image needs a shell at /bin/sh; name another one with --image.",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` is true once its log can be read, `failed` once it never will; `reason` and `message` are Kubernetes'."""

    done: bool = False
    failed: bool = False
    reason: str = ""
    message: str = ""

    @property
    def todo(self) -> str:
        """What helps against the reason."""
        return _KINDS_OF_HELP.get(self.reason, "")

    @property
    def words(self) -> str:
        """Reason and message in one."""
        return ": ".join(part for part in (self.reason, self.message) if part) or "it has not begun"


def progress_of(pod: Mapping[str, Any]) -> Progress:
    """How far it is.

    The container's own state counts, not the pod's phase: a container that somebody put beside it may run on.
    """
    status = pod.get("status") or {}
    state = _state(status)
    if terminated := state.get("terminated"):
        if terminated.get("exitCode") == 0:
            return Progress(done=True)
        reason, message = str(terminated.get("reason") or "Error"), str(terminated.get("message") or "")
        return Progress(failed=True, reason=reason, message=message or f"exit status {terminated.get('exitCode')}")
    if status.get("phase") == "Failed":
        return Progress(
            failed=True, reason=str(status.get("reason") or "Failed"), message=str(status.get("message") or "")
        )
    if status.get("phase") == "Succeeded":
        return Progress(done=True)
    if waiting := state.get("waiting"):
        reason, message = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
        return Progress(failed=reason in _HOPELESS, reason=reason, message=message or _HOPELESS.get(reason, ""))
    return Progress(reason=str(status.get("reason") or ""), message=str(status.get("message") or ""))


def _state(status: Mapping[str, Any]) -> Mapping[str, Any]:
    for container in status.get("containerStatuses") or []:
        if container.get("name") == CONTAINER:
            state = container.get("state")
            return state if isinstance(state, dict) else {}
    return {}


def event_lines(events: Sequence[Mapping[str, Any]], most: int = 5) -> str:
    """The last events, a line each."""
    lines = [f"{event.get('type')} {event.get('reason')}: {event.get('message')}" for event in events]
    return "\n".join(lines[-most:])
