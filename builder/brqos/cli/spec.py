"""From flags to a BuildSpec: the same for every command that plans a build."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from brqos.cli.pairs import pairs
from brqos.errors import UsageError

if TYPE_CHECKING:
    from brqos.config.resolve import Resolved


# Flags that are not called like their key.
_FLAG_NAMES = {
    "upstream.repository": "--upstream",
    "kubelet.throttling-factor": "--factor",
    "kubelet.reservation-policy": "--policy",
    "kubelet.feature-gates": "--feature-gate",
    "build.make-env": "--make-env",
    "repack.release": "--from-release",
    "ami.regions": "--region",
    "nodegroup.instance-types": "--instance-type",
}


def resolved(config: Path | None, flags: dict[str, object | None], *, image: Path | None = None) -> "Resolved":
    """Resolve the configuration from the flags that were given (those that are not None) and the file.

    `image` is one that is to be repacked: its name tells variant and architecture, where nothing else does.
    """
    from brqos.ami.names import parse_image_name
    from brqos.config.resolve import resolve

    given = {key: value for key, value in flags.items() if value is not None}
    name = parse_image_name(image) if image is not None else None
    told = {"variant": name.variant, "arch": name.arch.value} if name else {}
    return resolve(given, config, flag_names=_FLAG_NAMES, image_name=told)


def upstream_flags(
    variant: str | None,
    upstream: str | None,
    ref: str | None,
    core_kit: str | None,
    core_kit_ref: str | None,
    offline: bool | None,
) -> dict[str, object | None]:
    """Where the source comes from."""
    return {
        "variant": variant,
        "upstream.repository": upstream,
        "upstream.ref": ref,
        "upstream.core-kit": core_kit,
        "upstream.core-kit-ref": core_kit_ref,
        "upstream.offline": offline,
    }


def kubelet_flags(
    factor: float | None, policy: str | None, gates: Sequence[str] | None, delivery: str | None, bake: bool | None
) -> dict[str, object | None]:
    """What the kubelet is told, and how it gets there."""
    return {
        "kubelet.throttling-factor": factor,
        "kubelet.reservation-policy": policy,
        "kubelet.feature-gates": _gates(gates) if gates else None,
        "build.delivery": delivery,
        "build.bake": bake,
    }


def _gates(words: Sequence[str]) -> dict[str, bool]:
    table: dict[str, bool] = {}
    for name, value in pairs("--feature-gate", words, example="GracefulNodeShutdown=true").items():
        if value.lower() not in {"true", "false"}:
            raise UsageError(f"--feature-gate {name}={value}: a gate is true or false", todo=f"Write {name}=true.")
        table[name] = value.lower() == "true"
    return table
