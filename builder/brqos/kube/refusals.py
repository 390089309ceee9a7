"""What kubectl's failures mean: each becomes one KubeCallError with its kind, its reason and what to do."""

import re
from enum import StrEnum

from brqos.errors import ClusterUnreachableError


class Refusal(StrEnum):
    """What sort of failure a call met; callers go by it, never by an error's text."""

    FORBIDDEN = "forbidden"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    INVALID = "invalid"
    EXPIRED = "expired"
    THROTTLED = "throttled"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    CONFIGURATION = "configuration"
    UNAVAILABLE = "unavailable"
    GARBLED = "garbled"
    OTHER = "other"


class KubeCallError(ClusterUnreachableError):
    """A question to the cluster that brought no answer; `kind` tells why."""

    def __init__(self, what: str, *, kind: Refusal, why: str = "", todo: str = "") -> None:
        super().__init__(what, why=why, todo=todo)
        self.kind = kind


_LOG_IN = (
    "Log in to the cluster again (`aws eks update-kubeconfig --name CLUSTER`, `aws sso login`) and repeat the command."
)
_TODO = {
    Refusal.FORBIDDEN: "`brqos verify --rbac` prints the permissions that are needed; whoever manages the cluster can"
    " grant them.",
    Refusal.UNAUTHORIZED: _LOG_IN,
    Refusal.TIMEOUT: "Run it again, or give the cluster longer with --request-timeout.",
    Refusal.CONNECTION: "Check the network, the VPN and the proxy; `kubectl get nodes` has to work here.",
    Refusal.CONFIGURATION: "Choose the cluster with --context or --kubeconfig; `kubectl config get-contexts` helps.",
    Refusal.UNAVAILABLE: "Run it again in a moment.",
    Refusal.THROTTLED: "Run it again in a moment; the API server limits its callers.",
}

# The reasons of metav1.Status (k8s.io/apimachinery, pkg/apis/meta/v1/types.go), which kubectl prints in parentheses.
_REASONS = {
    "Forbidden": Refusal.FORBIDDEN,
    "Unauthorized": Refusal.UNAUTHORIZED,
    "NotFound": Refusal.NOT_FOUND,
    "AlreadyExists": Refusal.CONFLICT,
    "Conflict": Refusal.CONFLICT,
    "Invalid": Refusal.INVALID,
    "BadRequest": Refusal.INVALID,
    "Expired": Refusal.EXPIRED,
    "Gone": Refusal.EXPIRED,
    "TooManyRequests": Refusal.THROTTLED,
    "Timeout": Refusal.TIMEOUT,
    "ServerTimeout": Refusal.TIMEOUT,
    "ServiceUnavailable": Refusal.UNAVAILABLE,
    "InternalError": Refusal.UNAVAILABLE,
}
_FROM_SERVER = re.compile(r"Error from server(?: \((?P<reason>\w+)\))?: (?P<message>.*)")
# kubectl's own words, which have no reason in parentheses; looked for in this order.
_WORDS = (
    (Refusal.UNAUTHORIZED, ("(Unauthorized)", "You must be logged in", "provide credentials", "getting credentials")),
    (Refusal.INVALID, ("The request is invalid", " is invalid:")),
    (
        Refusal.TIMEOUT,
        ("Client.Timeout", "context deadline exceeded", "i/o timeout", "TLS handshake timeout", "timed out"),
    ),
    (
        Refusal.CONFIGURATION,
        (
            "no configuration has been provided",
            "cannot locate context",
            "does not exist",
            "Error loading config file",
            "error loading config",
            "invalid configuration",
            "localhost:8080 was refused",
            "current-context must exist",
            "stat ",
            "unknown command",
            "unknown flag",
            "invalid argument",
        ),
    ),
    (
        Refusal.CONNECTION,
        (
            "Unable to connect to the server", "was refused", "no such host", "connection reset", "EOF",
            "error dialing backend", "error upgrading connection", "unable to upgrade connection",
        ),
    ),
)  # fmt: skip


def refusal(doing: str, stderr: str) -> KubeCallError:
    """The error for what kubectl said on standard error while it was `doing` something."""
    if match := _FROM_SERVER.search(stderr):
        kind = _REASONS.get(match["reason"] or "", Refusal.OTHER)
        why = match["message"].strip()
        if kind in (Refusal.OTHER, Refusal.UNAVAILABLE, Refusal.INVALID) and _is_timeout(why):
            kind = Refusal.TIMEOUT
    else:
        kind, why = _by_words(stderr), "\n".join(line for line in stderr.splitlines() if line.strip())[-600:]
    return KubeCallError(_told(kind, doing), kind=kind, why=why or "kubectl gave no reason.", todo=_TODO.get(kind, ""))


def garbled(doing: str, why: str) -> KubeCallError:
    """The error for an answer that came but is not what it should be."""
    return KubeCallError(
        f"the cluster's answer to {doing} cannot be understood",
        kind=Refusal.GARBLED,
        why=why,
        todo="Is something between here and the API server that changes answers (a proxy, a login page)?",
    )


def too_slow(doing: str, seconds: float) -> KubeCallError:
    """The error for a kubectl that had to be stopped."""
    return KubeCallError(
        _told(Refusal.TIMEOUT, doing),
        kind=Refusal.TIMEOUT,
        why=f"kubectl did not end within {seconds:g} seconds and was stopped.",
        todo=_TODO[Refusal.TIMEOUT],
    )


def _told(kind: Refusal, doing: str) -> str:
    match kind:
        case Refusal.FORBIDDEN:
            return f"the cluster forbids {doing}"
        case Refusal.UNAUTHORIZED:
            return f"the cluster does not know who is asking ({doing})"
        case Refusal.TIMEOUT:
            return f"the cluster did not answer in time ({doing})"
        case Refusal.CONNECTION:
            return f"the cluster cannot be reached ({doing})"
        case Refusal.CONFIGURATION:
            return f"kubectl does not know which cluster to ask ({doing})"
        case Refusal.NOT_FOUND:
            return f"what was asked for is not in the cluster ({doing})"
    return f"{doing} failed"


def _by_words(stderr: str) -> Refusal:
    for kind, words in _WORDS:
        if any(word in stderr for word in words):
            return kind
    return Refusal.OTHER


def _is_timeout(message: str) -> bool:
    return any(word in message for word in ("i/o timeout", "context deadline exceeded", "Client.Timeout"))
