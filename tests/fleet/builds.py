"""Entries, records and AMIs as tests of fleets need them: small, and alike where nothing else is said."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from brqos.ami.model import RegionAmi
from brqos.ami.names import default_name
from brqos.architecture import Architecture
from brqos.aws.ec2 import DescribedImage
from brqos.config.ami import AmiSpec
from brqos.config.model import BuildSection, BuildSpec, Delivery, Engine, UpstreamSpec
from brqos.config.repack import RepackSpec
from brqos.fleet.expand import Entry
from brqos.image.hashing import hash_image
from brqos.image.model import BuildResult, ImageRole
from brqos.monitor import Silent
from brqos.pipeline.foresee import Foreseen, order_of_spec
from brqos.pipeline.generate import settings_of
from brqos.pipeline.identity import source_build, source_inputs
from brqos.pipeline.register import wanted_amis
from brqos.record import BuildRecord, StageRecord, StoredBuild, UpstreamRecord, recordable
from brqos.stages import Stage

COMMIT = "d" * 40
TIME = datetime(2026, 1, 1, tzinfo=UTC)


def spec(variant: str = "aws-k8s-1.29", arch: Architecture = Architecture.X86_64, **sections: Any) -> BuildSpec:
    wanted = {"upstream": UpstreamSpec(ref="v1.50.0"), **sections}
    return BuildSpec(variant=variant, arch=arch, **wanted)


def entry(wanted: BuildSpec | None = None, file: str = "brqos.toml") -> Entry:
    wanted = wanted or spec()
    return Entry(f"{wanted.variant}-{wanted.arch}", Path(file), wanted)


def foreseen(wanted: BuildSpec, commit: str = COMMIT) -> Foreseen:
    order = order_of_spec(wanted)
    inputs = source_inputs(order, commit, rehearsal=False)
    return Foreseen("1.50.0", commit, source_build(order, "1.50.0", inputs, rehearsal=False), inputs)


def stored(
    folder: Path,
    wanted: BuildSpec,
    *,
    amis: dict[str, str] | None = None,
    done: bool = True,
    future: Foreseen | None = None,
) -> StoredBuild:
    """A finished build as `run_build` leaves it; `amis` are ids by region, with all done that the spec wishes."""
    future = future or foreseen(wanted)
    images = []
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for role in ImageRole:
        file = folder / "images" / f"{role.value}.img"
        file.write_bytes(role.value.encode() * 100_000)
        images.append(hash_image(role, file, Silent()).model_copy(update={"file": file.relative_to(folder)}))
    record = BuildRecord(
        id=future.build,
        created=TIME,
        updated=TIME,
        spec=recordable(wanted),
        variant=wanted.variant_name.memory_qos,
        delivery=Delivery.DROP_IN,
        upstream=UpstreamRecord(
            repository=wanted.upstream.repository, ref=wanted.upstream.ref or "", commit="c" * 40, release="1.50.0"
        ),
        overlay_commit=future.commit,
        files=(),
        kubelet_configuration=settings_of(wanted).configuration(),
        result=BuildResult(image_version=future.image_version, images=tuple(images), secure_boot=False),
        stages={Stage.BUILD: StageRecord(inputs=future.inputs, started=TIME, finished=TIME)},
    )
    build = StoredBuild(folder, record)
    inputs = wanted_amis(build, wanted.ami)
    name = default_name(record.variant, wanted.arch, future.image_version)
    made = {
        region: RegionAmi(id=ami, name=name, snapshots={}, inputs=inputs[region] if done else "")
        for region, ami in (amis or {}).items()
    }
    build.save(amis=made)
    return build


def ami(wanted: BuildSpec, **changed: Any) -> DescribedImage:
    """The AMI that the spec's build publishes, as DescribeImages tells it."""
    future, variant = foreseen(wanted), wanted.variant_name.memory_qos
    told: dict[str, Any] = {
        "id": "ami-1",
        "name": default_name(variant, wanted.arch, future.image_version),
        "state": "available",
        "reason": "",
        "tags": {
            "brqos:tool": "brqos",
            "brqos:build": future.build,
            "brqos:variant": variant,
            "brqos:arch": wanted.arch.value,
            "brqos:image-version": future.image_version,
        },
        "attributes": {},
        "mappings": {},
    }
    return DescribedImage(**{**told, **changed})


def in_regions(*regions: str, **keys: Any) -> AmiSpec:
    return AmiSpec(regions=regions, **keys)


def repacked(**keys: Any) -> dict[str, Any]:
    """The sections of a build by the repack engine."""
    return {"build": BuildSection(engine=Engine.REPACK), "repack": RepackSpec(unsigned=True, **keys)}
