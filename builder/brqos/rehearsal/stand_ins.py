"""What stands in for the world in a rehearsal: a source repository, `cargo make`, and AWS.

Everything else of a rehearsal is brqos' real code. What stands in says so: the tree is a miniature, the image carries a
notice, and the ids of AMIs and snapshots have a form that no real one has.
"""

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from brqos.config.attest import AttestSpec, Signer
from brqos.config.model import BuildSpec, Delivery
from brqos.config.variants import NEWEST_SEEN, shipped_flavor
from brqos.errors import ConfigurationError
from brqos.overlay.expectation import expected_delivery
from brqos.rehearsal.emulator import ACCOUNT, Emulator
from brqos.rehearsal.emulator.partitions import partition_of
from brqos.rehearsal.miniature import Layout, bottlerocket, core_kit, write_repository
from brqos.resources import cache_directory
from brqos.upstream.tree import version_of

CLUSTER = "rehearsal"
REGION = "us-west-2"
PROGRAM = (sys.executable, "-m", "brqos.rehearsal.make")
_KEY = "11111111-1111-1111-1111-111111111111"

_ALIAS = re.compile(r"(arn:[a-z-]+:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:)?(?P<alias>alias/.+)")
_FIRST_WITH_KERNEL_KIT = (1, 28, 0)


@dataclass(frozen=True, slots=True)
class StandIns:
    """The spec with its sources replaced, where the emulator answers, and a folder that ends with the rehearsal."""

    spec: BuildSpec
    endpoint: str
    folder: Path


@contextlib.contextmanager
def stand_ins(spec: BuildSpec) -> Iterator[StandIns]:
    """Set up everything that a rehearsal of this spec needs; it is gone when the rehearsal ends."""
    with own_folder() as folder, Emulator(rehearsal=True) as emulator:
        rehearsed = rehearsed_spec(spec, folder)
        # All keys are there; what is called by an alias has to have one.
        emulator.store.kms_aliases.update(_alias(rehearsed.attest, rehearsed.ami.regions[0]))
        yield StandIns(rehearsed, emulator.endpoint, folder)


def _alias(wanted: AttestSpec, region: str) -> dict[str, str]:
    """The alias of the key that signs, and the key's ARN; nothing where it has none, or something else signs."""
    match = _ALIAS.fullmatch(wanted.key or "") if wanted.sign is Signer.KMS else None
    if match is None:
        return {}
    region = match["region"] or region
    return {match["alias"]: f"arn:{partition_of(region)}:kms:{region}:{ACCOUNT}:key/{_KEY}"}


@contextlib.contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for the sources of this process, which is gone when the rehearsal ends."""
    folder = _folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    """A folder for the sources of this process; those of rehearsals that were killed are removed."""
    import psutil

    runs = cache_directory() / "rehearsal" / "runs"
    for other in runs.glob("*"):
        if not (other.name.isdigit() and psutil.pid_exists(int(other.name))):
            shutil.rmtree(other, ignore_errors=True)
    own = runs / str(os.getpid())
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True)
    return own


def rehearsed_spec(spec: BuildSpec, folder: Path) -> BuildSpec:
    """The spec with sources of its own, which are written below the folder: the same for the same spec."""
    release = _release(spec)
    layout = _layout(spec, release)
    repository, kit = folder / "bottlerocket.git", folder / "bottlerocket-core-kit.git"
    names = _variants(spec, layout, release)
    write_repository(bottlerocket(layout, names=names, release=release), repository, tag=f"v{release}")
    write_repository(core_kit(layout, names=names), kit, tag=f"v{layout.core_kit}")
    upstream = spec.upstream.model_copy(
        update={"repository": str(repository), "ref": f"v{release}", "core_kit": str(kit), "core_kit_ref": None}
    )
    nodegroup = spec.nodegroup.model_copy(update={"cluster": spec.nodegroup.cluster or CLUSTER})
    ami = spec.ami.model_copy(update={"regions": spec.ami.regions or (REGION,), "profile": None})
    return spec.model_copy(update={"upstream": upstream, "nodegroup": nodegroup, "ami": ami})


def _variants(spec: BuildSpec, layout: Layout, release: str) -> list[str]:
    """What the miniature has: the variant that is wanted, unless it is known that the real release has it no more."""
    flavor = shipped_flavor(spec.variant_name)
    if flavor is None or flavor.carried_by(release):
        return [spec.variant]
    return [name.base for name in layout.variants if name.base != spec.variant]


def _release(spec: BuildSpec) -> str:
    """The release that the spec names; a branch or a commit cannot be rehearsed, so the newest stands in for it."""
    named = (spec.upstream.ref or "").removeprefix("v")
    release = named if named.count(".") == 2 and named.replace(".", "").isdigit() else NEWEST_SEEN
    if version_of(release) < (1, 21, 0):
        raise ConfigurationError(
            f"Bottlerocket v{release} cannot be built by brqos, so there is nothing to rehearse",
            why="Releases up to v1.20.5 have all packages in their own tree; brqos knows those from v1.21.0 on.",
            todo="Use a newer release.",
        )
    return release


def _layout(spec: BuildSpec, release: str) -> Layout:
    match expected_delivery(spec.variant_name.kubernetes, release):
        case Delivery.NATIVE:
            return Layout.NATIVE
        case Delivery.DROP_IN:
            return Layout.DROP_IN
        case Delivery.TEMPLATE:
            return Layout.MIDDLE if version_of(release) >= _FIRST_WITH_KERNEL_KIT else Layout.EARLY
