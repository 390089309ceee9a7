"""The flags about nodes, and how they become values of `[nodegroup]`."""

import json
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brqos.cli.pairs import pairs
from brqos.config.shown import shortened
from brqos.errors import UsageError

if TYPE_CHECKING:
    from brqos.config.model import BuildSpec
    from brqos.config.nodegroup import NodegroupSpec

# Of options that are taken as they are: what the command calls them, and their key.
_PLAIN = {
    **{name: name.replace("_", "-") for name in (
        "kind", "cluster", "region", "name", "spot", "on_demand_base", "on_demand_percentage", "min_size", "max_size",
        "max_unavailable", "volume_size", "volume_type", "volume_iops", "volume_throughput", "volume_encrypted",
        "volume_kms_key", "private_networking", "node_role", "instance_profile", "permissions_boundary", "ssh_key",
        "admin_container", "control_container", "max_pods",
    )},
    "desired": "desired-capacity",
    "vpc": "vpc.id",
    "vpc_security_group": "vpc.security-group",
    "api_server": "endpoint.api-server",
    "cluster_certificate": "endpoint.certificate",
    "cluster_dns_ip": "endpoint.dns-ip",
    "ami_by": "karpenter.ami-by",
    "ssm_parameter": "karpenter.ssm-parameter",
    "expire_after": "karpenter.expire-after",
    "consolidate_after": "karpenter.consolidate-after",
}  # fmt: skip
_LISTS = {
    "instance_type": "instance-types",
    "subnet": "subnets",
    "security_group": "security-groups",
    "zone": "availability-zones",
    "iam_policy": "policies",
    "ssh_security_group": "ssh-security-groups",
    "taint": "taints",
}
_PAIRS = {
    "tag": "tags",
    "label": "labels",
    "kube_reserved": "kube-reserved",
    "system_reserved": "system-reserved",
    "eviction_hard": "eviction-hard",
    "vpc_private_subnet": "vpc.private-subnets",
    "vpc_public_subnet": "vpc.public-subnets",
    "limit": "karpenter.limits",
    "subnet_tag": "karpenter.subnet-tags",
    "security_group_tag": "karpenter.security-group-tags",
}
_EXAMPLES = {
    "label": "team=platform",
    "kube_reserved": "memory=500Mi",
    "system_reserved": "memory=200Mi",
    "eviction_hard": "memory.available=200Mi",
    "vpc_private_subnet": "eu-central-1a=subnet-0123456789abcdef0",
    "vpc_public_subnet": "eu-central-1a=subnet-0123456789abcdef0",
    "limit": "cpu=100",
    "subnet_tag": "karpenter.sh/discovery=example",
    "security_group_tag": "karpenter.sh/discovery=example",
}
_FLAG_NAMES = {f"nodegroup.{key}": f"--{name.replace('_', '-')}" for name, key in (_PLAIN | _LISTS | _PAIRS).items()}


def node_flags(parameters: Mapping[str, Any]) -> dict[str, object]:
    """Dotted keys of `[nodegroup]` with the values of the options that were given.

    `parameters` are all options of a command by the names that it calls them, as Typer's context has them; None or an
    empty list is an option that was not given. Raises UsageError for a word that is no KEY=VALUE.
    """
    given: dict[str, object] = {}
    readers: tuple[tuple[Mapping[str, str], Callable[[str, Any], object]], ...] = (
        (_PLAIN, lambda _name, value: value),
        (_LISTS, lambda _name, value: tuple(value)),
        (_PAIRS, lambda name, value: pairs(_option(name), value, example=_EXAMPLES.get(name, "name=value"))),
    )
    for keys, read in readers:
        for name, key in keys.items():
            value = parameters.get(name)
            if value not in (None, [], ()):
                given[key] = read(name, value)
    if parameters.get("setting"):
        given["settings"] = settings_of(parameters["setting"])
    return given | _kind(parameters)


def nodegroup_spec(
    parameters: Mapping[str, Any],
    config: Path | None,
    *,
    variant: str | None = None,
    recorded: "BuildSpec | None" = None,
) -> "NodegroupSpec":
    """The section `[nodegroup]`, flags over the file over a build's record; raises UsageError, ConfigurationError."""
    from brqos.config.resolve import resolve_nodegroup

    return resolve_nodegroup(node_flags(parameters), config, variant=variant, recorded=recorded, flag_names=_FLAG_NAMES)


def settings_of(words: Sequence[str]) -> dict[str, Any]:
    """`KEY=VALUE` words as a tree: keys with dots as TOML has them, values as TOML, or else as text.

    Raises UsageError for a word without `=`, a key that is none, and a setting with two values.
    """
    tree: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        read = _as_toml(key, value) or _as_toml(key, json.dumps(value, ensure_ascii=False))
        if not equals or read is None:
            raise UsageError(
                f"--setting {shortened(word)} is not of the form KEY=VALUE",
                why="A key is written as in TOML: parts with dots in them are in quotes.",
                todo="For example: --setting kubernetes.cpu-manager-policy=static",
            )
        _put(tree, read, word)
    return tree


def _as_toml(key: str, value: str) -> dict[str, Any] | None:
    # A line break would begin another setting.
    if "\n" in key or "\n" in value:
        return None
    try:
        read = tomllib.loads(f"{key} = {value}")
    except tomllib.TOMLDecodeError:
        return None
    return read if _is_plain(read) else None


def _is_plain(value: object) -> bool:
    """Whether a value is one that settings have: TOML's dates, nan and inf are texts that look like these."""
    match value:
        case dict():
            return all(_is_plain(item) for item in value.values())
        case list():
            return all(_is_plain(item) for item in value)
        case float():
            return math.isfinite(value)
        case _:
            return isinstance(value, str | int)


def _put(tree: dict[str, Any], read: Mapping[str, Any], word: str) -> None:
    for key, value in read.items():
        there = tree.get(key)
        if isinstance(there, dict) and isinstance(value, dict):
            _put(there, value, word)
        elif tree.setdefault(key, value) != value:
            raise UsageError(
                f"--setting {shortened(word)}: the setting has another value already", todo="Keep one of them."
            )


def _kind(parameters: Mapping[str, Any]) -> dict[str, object]:
    kind = parameters.get("kind")
    if parameters.get("self_managed"):
        if kind not in {None, "eksctl"}:
            raise UsageError(
                f"--self-managed does not go together with --kind {kind}",
                why="It is short for --kind eksctl.",
                todo="Keep one of them.",
            )
        kind = "eksctl"
    if kind is None:
        return {}
    check_kind(kind)
    # A file's self-managed = true would contradict the flag.
    return {"kind": kind, "self-managed": False}


def check_kind(kind: str) -> None:
    """Refuse what is no kind, and say it where somebody means EKS Auto Mode; raises UsageError."""
    from brqos.config.nodegroup import NodegroupKind, is_auto_mode, no_auto_mode

    if kind in set(NodegroupKind):
        return
    if is_auto_mode(kind):
        said = no_auto_mode()
        raise UsageError(said.what, why=said.why, todo=said.todo)
    raise UsageError(
        f"--kind {kind} is not known", todo=f"Write one of {', '.join(NodegroupKind)}; --help says what each is."
    )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
