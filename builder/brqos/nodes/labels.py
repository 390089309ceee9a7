"""Labels and taints of nodes: their syntax, and which of them a nodegroup may set.

The syntax is Kubernetes' (apimachinery, pkg/util/validation: IsQualifiedName, IsValidLabelValue).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from brqos.errors import ConfigurationError

EKS_EFFECTS = {"NoSchedule": "NO_SCHEDULE", "PreferNoSchedule": "PREFER_NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}
"""The effects of taints, with EKS's own words for them (EKS API Reference, Taint)."""
EFFECTS = tuple(EKS_EFFECTS)

KUBELET_LABELS = frozenset(
    {
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)
"""Labels that a kubelet may set on its own node (k8s.io/kubelet, pkg/apis/well_known_labels.go)."""

KUBELET_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
"""Domains, with all below them, whose labels a kubelet may set on its own node (the same file)."""

_KUBERNETES_DOMAINS = ("kubernetes.io", "k8s.io")
_OVERWRITTEN = ("alpha.eksctl.io/cluster-name", "alpha.eksctl.io/nodegroup-name")
_EKS_DOMAIN = "eks.amazonaws.com"
_EKS_KEY_LENGTH = 63
_EKS_TAINTS = 50

_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", re.ASCII)
_TAINT = re.compile(r"(?P<key>[^=:]+)(?:=(?P<value>[^=:]*))?:(?P<effect>[^=:]+)")


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint; `value` may be empty."""

    key: str
    value: str
    effect: str

    @classmethod
    def parse(cls, text: str) -> "Taint":
        """`key=value:Effect` or `key:Effect`, as kubectl takes it; raises ConfigurationError."""
        match = _TAINT.fullmatch(text)
        if match is None:
            raise ConfigurationError(
                f"“{text}” is not a taint",
                todo="Write it as key=value:Effect or key:Effect, for example dedicated=spark:NoSchedule.",
            )
        taint = cls(match["key"], match["value"] or "", match["effect"])
        if taint.effect not in EFFECTS:
            raise ConfigurationError(
                f"the taint “{text}” has an unknown effect, “{taint.effect}”",
                todo=f"Effects are {', '.join(EFFECTS[:-1])} and {EFFECTS[-1]}, written exactly so.",
            )
        _check_key("taint", taint.key)
        _check_value("taint", taint.key, taint.value)
        return taint

    def manifest(self) -> dict[str, str]:
        """The taint as Kubernetes' objects have it, without an empty value."""
        value = {"value": self.value} if self.value else {}
        return {"key": self.key, **value, "effect": self.effect}

    def for_eks(self) -> dict[str, str]:
        """The same in EKS's words."""
        return {**self.manifest(), "effect": EKS_EFFECTS[self.effect]}


def check_labels(labels: Mapping[str, str], *, managed: bool) -> None:
    """Refuse labels with which the nodegroup could not be made, or its nodes would never join."""
    for key, value in labels.items():
        _check_key("label", key)
        _check_value("label", key, value)
        _check_owner(key, managed=managed)
        if managed:
            _check_eks_key("label", key)
            _check_eks_value(key, value)


def check_taints(texts: Sequence[str], *, managed: bool, by_effect: bool | None = None) -> tuple[Taint, ...]:
    """The taints, parsed; refuses wrong ones, and two that cannot stand together.

    Kubernetes, EKS and Karpenter tell taints apart by key and effect (`by_effect`; as `managed` where it is not given).
    eksctl writes a self-managed nodegroup's into a map by key, where the last one wins (eksctl 0.231,
    pkg/nodebootstrap/bottlerocket.go: taintsToMap). EKS takes 50.
    """
    by_effect = managed if by_effect is None else by_effect
    taints = tuple(Taint.parse(text) for text in texts)
    seen: set[tuple[str, str]] = set()
    for taint in taints:
        identity = (taint.key, taint.effect if by_effect else "")
        if identity in seen:
            raise ConfigurationError(
                f"there are two taints “{taint.key}”" + (f" with the effect {taint.effect}" if by_effect else ""),
                why="Kubernetes allows one taint per key and effect."
                if by_effect
                else "eksctl hands a self-managed nodegroup's taints over by key, so that all but the last are lost.",
                todo="Keep one of them.",
            )
        seen.add(identity)
        if managed:
            _check_eks_key("taint", taint.key)
    if managed and len(taints) > _EKS_TAINTS:
        raise ConfigurationError(
            f"{len(taints)} taints are too many: EKS takes {_EKS_TAINTS} per managed nodegroup",
            todo="Leave some out, or use --self-managed.",
        )
    return taints


def _check_key(what: str, key: str) -> None:
    prefix, slash, name = key.rpartition("/")
    right_prefix = not slash or (len(prefix) <= 253 and _PREFIX.fullmatch(prefix))
    if not right_prefix or not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"“{key}” cannot be the key of a {what}",
            why="A key is a name of up to 63 letters, digits, “-”, “_” and “.”, which begins and ends with a letter or "
            "digit; a domain in small letters and a slash may stand before it.",
            todo="Write it for example as team or example.com/team.",
        )


def _check_value(what: str, key: str, value: str) -> None:
    if value and not _NAME.fullmatch(value):
        raise ConfigurationError(
            f"“{value}” cannot be the value of the {what} “{key}”",
            why="A value has up to 63 letters, digits, “-”, “_” and “.”, and begins and ends with a letter or digit.",
            todo="Choose another value; what does not fit can be an annotation.",
        )


def _check_owner(key: str, *, managed: bool) -> None:
    domain = key.rpartition("/")[0]
    if key in _OVERWRITTEN:
        raise ConfigurationError(
            f"the label “{key}” is set by eksctl itself", why="It would overwrite yours.", todo="Leave it out."
        )
    if _is_in(domain, _KUBERNETES_DOMAINS) and key not in KUBELET_LABELS and not _is_in(domain, KUBELET_DOMAINS):
        raise ConfigurationError(
            f"the label “{key}” is Kubernetes' own",
            why="A kubelet may not set it on its own node: one that is told to does not start, and eksctl refuses it.",
            todo=f"Use a domain of your own, or one that kubelets may set, such as {KUBELET_DOMAINS[1]}/...; labels "
            "like "
            "node-role.kubernetes.io/... can be set with `kubectl label` once the nodes are there.",
        )
    if managed and _is_in(domain, (_EKS_DOMAIN,)):
        raise ConfigurationError(
            f"the label “{key}” is EKS's own",
            why=f"EKS refuses labels below {_EKS_DOMAIN} on a managed nodegroup.",
            todo="Use a domain of your own.",
        )


def _check_eks_key(what: str, key: str) -> None:
    if len(key) > _EKS_KEY_LENGTH:
        raise ConfigurationError(
            f"the key of the {what} “{key}” has {len(key)} characters",
            why=f"EKS takes {_EKS_KEY_LENGTH} with the domain (CreateNodegroup), fewer than Kubernetes itself.",
            todo="Shorten it, or use --self-managed.",
        )


def _check_eks_value(key: str, value: str) -> None:
    if not value:
        raise ConfigurationError(
            f"the label “{key}” has no value",
            why="EKS takes no empty label values on a managed nodegroup (CreateNodegroup).",
            todo=f"Give it one, for example {key}=true, or use --self-managed.",
        )


def _is_in(domain: str, parents: Sequence[str]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)
