"""Which settings below `settings.kubernetes` reach a node that Karpenter starts.

Karpenter reads user data into structs of its own and writes the merged TOML from these (v1.14.1, pkg/providers/
amifamily/bootstrap/bottlerocketsettings.go: BottlerocketKubernetes, BootstrapCommand). A key that they do not have is
gone without a word (karpenter-provider-aws#8126, #9427); a value of another type makes it refuse all of the user data,
and no node starts. What stands beside `kubernetes` and `bootstrap-commands` is handed on as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from brqos.errors import ConfigurationError
from brqos.nodes.user_data.known import MEMORY_QOS

RELEASE = "v1.14"


class Kind(StrEnum):
    """What a single value has to be, in words."""

    TEXT = "a text in quotes"
    AMOUNT = 'an amount in quotes, such as "1Gi"'
    NUMBER = "a whole number"
    SWITCH = "true or false"
    TEXTS = "a list of texts"
    COMMANDS = "a list of commands, each a list of texts"


@dataclass(frozen=True, slots=True)
class Each:
    """A table with names of the user's choice, whose values all look the same."""

    model: "Model"


@dataclass(frozen=True, slots=True)
class Members:
    """A table with these names and no others; `required` ones have to be there."""

    models: Mapping[str, "Model"]
    required: tuple[str, ...] = ()


Model = Kind | Each | Members

_TEXTS_OF_TABLE = Each(Kind.TEXT)
# Without a mode Karpenter writes an empty one, which Bottlerocket does not know.
_BOOTSTRAP_COMMANDS = Each(
    Members({"commands": Kind.COMMANDS, "mode": Kind.TEXT, "essential": Kind.SWITCH}, required=("commands", "mode"))
)

MODELLED: Mapping[str, Model] = {
    "allowed-unsafe-sysctls": Kind.TEXTS,
    "cloud-provider": Kind.TEXT,
    "cluster-domain": Kind.TEXT,
    "container-log-max-files": Kind.NUMBER,
    "container-log-max-size": Kind.TEXT,
    "container-log-max-workers": Kind.NUMBER,
    "container-log-monitor-interval": Kind.TEXT,
    "cpu-cfs-quota-enforced": Kind.SWITCH,
    "cpu-manager-policy": Kind.TEXT,
    "cpu-manager-policy-options": Kind.TEXTS,
    "cpu-manager-reconcile-period": Kind.TEXT,
    "credential-providers": Each(
        Members(
            {
                "enabled": Kind.SWITCH,
                "cache-duration": Kind.TEXT,
                "image-patterns": Kind.TEXTS,
                "environment": _TEXTS_OF_TABLE,
            }
        )
    ),
    "device-ownership-from-security-context": Kind.SWITCH,
    "event-burst": Kind.NUMBER,
    "event-qps": Kind.NUMBER,
    "eviction-max-pod-grace-period": Kind.NUMBER,
    "eviction-soft": _TEXTS_OF_TABLE,
    "eviction-soft-grace-period": _TEXTS_OF_TABLE,
    "hostname-override-source": Kind.TEXT,
    "ids-per-pod": Kind.NUMBER,
    "image-gc-high-threshold-percent": Kind.TEXT,
    "image-gc-low-threshold-percent": Kind.TEXT,
    "kube-api-burst": Kind.NUMBER,
    "kube-api-qps": Kind.NUMBER,
    "log-level": Kind.NUMBER,
    "memory-manager-policy": Kind.TEXT,
    "memory-manager-reserved-memory": Each(
        Members(
            {"enabled": Kind.SWITCH, "memory": Kind.AMOUNT, "hugepages-2Mi": Kind.AMOUNT, "hugepages-1Gi": Kind.AMOUNT},
            required=("enabled",),
        )
    ),
    "pod-pids-limit": Kind.NUMBER,
    "registry-burst": Kind.NUMBER,
    "registry-qps": Kind.NUMBER,
    "seccomp-default": Kind.SWITCH,
    "server-tls-bootstrap": Kind.SWITCH,
    "shutdown-grace-period": Kind.TEXT,
    "shutdown-grace-period-for-critical-pods": Kind.TEXT,
    "single-process-oom-kill": Kind.SWITCH,
    "static-pods": Each(Members({"enabled": Kind.SWITCH, "manifest": Kind.TEXT})),
    "topology-manager-policy": Kind.TEXT,
    "topology-manager-policy-options": Members(
        {"prefer-closest-numa-nodes": Kind.SWITCH, "max-allowable-numa-nodes": Kind.NUMBER}
    ),
    "topology-manager-scope": Kind.TEXT,
}
"""What may stand below `settings.kubernetes` of an EC2NodeClass's user data, and arrives."""

OWNED: Mapping[str, str] = {
    "api-server": "Leave it out: Karpenter knows it.",
    "cluster-certificate": "Leave it out: Karpenter knows it.",
    "cluster-name": "Leave it out: Karpenter knows it.",
    "node-labels": "Give labels of the nodes (--label): they go into the NodePool, where Karpenter sees them.",
    "node-taints": "Give taints of the nodes (--taint): they go into the NodePool, where Karpenter sees them.",
}
"""What Karpenter overwrites (bootstrap/bottlerocket.go: Script), or should not be surprised by; and what to do."""


def check_modelled(settings: Mapping[str, Any]) -> None:
    """Refuse settings that would not arrive as they are written; raises ConfigurationError.

    `settings` is what stands below `settings`, without what goes into spec.kubelet.
    """
    for key, value in settings.get("kubernetes", {}).items():
        path = ("kubernetes", str(key))
        if key in OWNED:
            raise ConfigurationError(
                f"Karpenter sets {_full(path)} itself",
                why="What user data says of it is overwritten, or hidden from Karpenter's scheduling.",
                todo=OWNED[key],
            )
        if key not in MODELLED:
            raise _dropped(path)
        _check(MODELLED[key], value, path)
    if "bootstrap-commands" in settings:
        _check(_BOOTSTRAP_COMMANDS, settings["bootstrap-commands"], ("bootstrap-commands",))


def _check(model: Model, value: object, path: tuple[str, ...]) -> None:
    if value in ({}, []):
        raise ConfigurationError(
            f"{_full(path)} is empty",
            why=f"Karpenter drops what is empty ({RELEASE}): the image's own default would stay.",
            todo="Leave it out.",
        )
    if isinstance(model, Kind):
        if not _is(model, value):
            raise _unreadable(path, model)
    elif not isinstance(value, Mapping):
        raise _unreadable(path, "a table")
    elif isinstance(model, Each):
        for name, item in value.items():
            _check(model.model, item, (*path, str(name)))
    else:
        _check_members(model, value, path)


def _check_members(model: Members, values: Mapping[str, object], path: tuple[str, ...]) -> None:
    for name in model.required:
        if name not in values:
            raise ConfigurationError(
                f"{_full((*path, name))} is missing",
                why="Karpenter writes an empty value where nothing is said, whatever the image's own default is.",
                todo=f"Say it: {model.models[name]}.",
            )
    for name, item in values.items():
        here = (*path, str(name))
        if name not in model.models:
            raise _dropped(here)
        _check(model.models[name], item, here)


def _is(kind: Kind, value: object) -> bool:
    match kind:
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.AMOUNT:
            return isinstance(value, str) and value != ""
        case Kind.NUMBER:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.SWITCH:
            return isinstance(value, bool)
        case Kind.TEXTS:
            return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        case Kind.COMMANDS:
            return isinstance(value, list | tuple) and all(_is(Kind.TEXTS, item) for item in value)


def _dropped(path: tuple[str, ...]) -> ConfigurationError:
    todo = "Make it a default of the image, or use nodes of another kind (--kind launch-template, for example)."
    if path[-1] in MEMORY_QOS:
        todo = "Leave it out, and bake it into the image: brqos build --bake, with --factor or --policy."
    return ConfigurationError(
        f"Karpenter drops {_full(path)}",
        why=f"It writes a node's settings.kubernetes itself, from the settings that it knows ({RELEASE}). This one is "
        "not among them and would be gone without a word (karpenter-provider-aws#8126).",
        todo=todo,
    )


def _unreadable(path: tuple[str, ...], wanted: str) -> ConfigurationError:
    return ConfigurationError(
        f"Karpenter takes nothing but {wanted} for {_full(path)}",
        why=f"It reads this setting itself ({RELEASE}), and refuses all of the user data over a value of another type, "
        "even one that Bottlerocket would take: no node would start.",
        todo=f"Write {wanted}.",
    )


def _full(path: tuple[str, ...]) -> str:
    return ".".join(("settings", *path))
