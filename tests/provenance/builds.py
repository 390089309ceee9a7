"""Finished builds as tests of documents need them: the same each time, with small images."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lz4.frame

from brqos.ami.model import RegionAmi
from brqos.architecture import Architecture
from brqos.config.ami import AmiSpec
from brqos.config.model import BuildSection, BuildSpec, Delivery, Engine, UpstreamSpec
from brqos.image.hashing import hash_image
from brqos.image.model import INVENTORY, BuildResult, ImageRole
from brqos.monitor import Silent
from brqos.record import (
    BuildRecord,
    CoreKitRecord,
    FileRecord,
    InputRecord,
    OriginRecord,
    RepackRecord,
    StageRecord,
    StoredBuild,
    UpstreamRecord,
)
from brqos.stages import Stage
from brqos.upstream.pins import Pin, Pins, TwoliterPin

NAME = "bottlerocket-aws-k8s-1.34-memoryqos-x86_64-1.50.0-dddddddddddd"
TIME = datetime(2026, 1, 1, 12, 0, 5, tzinfo=UTC)
AMI = RegionAmi(
    id="ami-0123456789abcdef0",
    name="bottlerocket-aws-k8s-1.34-memoryqos-x86_64-v1.50.0-dddddddddddd",
    snapshots={ImageRole.OS: "snap-0123456789abcdef0", ImageRole.DATA: "snap-0123456789abcdef1"},
)
# Of v1.50.0 at 8037802: its Twoliter.lock and Makefile.toml.
PINS = Pins(
    kits=(
        Pin(
            name="bottlerocket-core-kit",
            version="10.9.0",
            vendor="bottlerocket",
            source="public.ecr.aws/bottlerocket/bottlerocket-core-kit:v10.9.0",
            sha256="f8e23210474218bd84f3e1995337049e7b2982074b9a357547a547d51dc2d028",
        ),
    ),
    sdk=Pin(
        name="bottlerocket-sdk",
        version="0.65.1",
        vendor="bottlerocket",
        source="public.ecr.aws/bottlerocket/bottlerocket-sdk:v0.65.1",
        sha256="cde05aac6817858354b094c31616458c405eb489d63e554143ca22da3d3f20a9",
    ),
    twoliter=TwoliterPin(version="v0.12.0", url="https://example.com/twoliter.tar.xz", sha256="ad" * 32),
)
ORIGIN = OriginRecord(
    builder="urn:brqos:builder:local",
    brqos="0.1.0",
    brqos_sha256="b" * 64,
    pins=PINS,
    log_sha256="1" * 64,
)
FILES = (
    FileRecord(path="Cargo.toml", operation="modify", sha256="2" * 64),
    FileRecord(path="packages/kubelet-memory-qos/900-memory-qos.conf", operation="create", sha256="3" * 64),
    FileRecord(path="packages/kubelet-memory-qos/Cargo.toml", operation="create", sha256="4" * 64),
    FileRecord(path="packages/kubelet-memory-qos/kubelet-memory-qos.spec", operation="create", sha256="5" * 64),
)


def package(name: str, **told: str) -> dict[str, str]:
    """An entry of an inventory as rpm2img writes it."""
    usual = {
        "Name": name,
        "Publisher": "Bottlerocket",
        "Version": "1.0",
        "Release": "1.1760000000.abcdef01.br1",
        "Epoch": "0",
        "InstalledTime": "2026-01-01T12:00:00Z",
        "ApplicationType": "Unspecified",
        "Architecture": "x86_64",
        "Url": "https://example.com/",
        "Summary": f"What {name} is",
    }
    return {**usual, **told}


PACKAGES = (
    package("bottlerocket-kernel-6.12", Version="6.12.40", Url=""),
    package("bottlerocket-kubelet-memory-qos", Version="0.1.0"),
    package("dbus-broker", Version="37", Epoch="1"),
)


def stored(
    folder: Path,
    *,
    inventory: Sequence[dict[str, str]] | None = PACKAGES,
    amis: bool = True,
    packed: bool = True,
    **changes: Any,
) -> StoredBuild:
    """A build from source with its images in the folder, finished; what lz4 makes of them differs by its version."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    images = []
    for role, end in ((ImageRole.OS, ""), (ImageRole.DATA, "-data")):
        file = folder / "images" / f"{NAME}{end}.img{'.lz4' if packed else ''}"
        content = role.value.encode() * 1000
        file.write_bytes(lz4.frame.compress(content) if packed else content)
        images.append(hash_image(role, file, Silent()).model_copy(update={"file": file.relative_to(folder)}))
    if inventory is not None:
        (folder / "images" / INVENTORY).write_text(json.dumps({"Content": inventory}))
    record = BuildRecord(
        id=folder.name,
        brqos="0.1.0",
        created=TIME,
        updated=TIME,
        spec=spec(),
        variant="aws-k8s-1.34-memoryqos",
        delivery=Delivery.DROP_IN,
        upstream=UpstreamRecord(
            repository="https://github.com/bottlerocket-os/bottlerocket.git", ref="v1.50.0", commit="c" * 40,
            release="1.50.0",
        ),
        core_kit=CoreKitRecord(version="10.9.0", commit="e" * 40),
        overlay_commit="d" * 40,
        files=FILES,
        kubelet_configuration={"memoryThrottlingFactor": 0.9},
        tools={"docker": "28.1.0", "cargo": "1.90.0"},
        log=Path("build.log"),
        result=BuildResult(
            image_version="1.50.0-dddddddddddd",
            images=tuple(images),
            secure_boot=True,
            inventory=Path("images") / INVENTORY if inventory is not None else None,
        ),
        amis={"eu-west-1": AMI} if amis else {},
        stages={Stage.BUILD: StageRecord(inputs="i", started=TIME.replace(second=0), finished=TIME)},
        origin=ORIGIN,
    ).model_copy(update=changes)  # fmt: skip
    build = StoredBuild(folder, record)
    build.save()
    build.record = record
    return build


def spec(**sections: Any) -> BuildSpec:
    """What was asked for."""
    wanted = {"upstream": UpstreamSpec(ref="v1.50.0"), "ami": AmiSpec(regions=("eu-west-1",)), **sections}
    return BuildSpec(variant="aws-k8s-1.34", arch=Architecture.X86_64, **wanted)


def repacked(folder: Path, *, official: dict[str, Any] | None = None) -> StoredBuild:
    """A build that changed an image."""
    path = "BOTTLEROCKET-ROOT-A/x86_64-bottlerocket-linux-gnu/sys-root/usr/share/factory/etc/900-memory-qos.conf"
    return stored(
        folder,
        engine=Engine.REPACK,
        spec=spec(build=BuildSection(engine=Engine.REPACK)),
        upstream=UpstreamRecord(repository="", ref="", commit="abcdef01", release="1.50.0"),
        core_kit=None,
        overlay_commit="",
        files=(FileRecord(path=path, operation="added", sha256="6" * 64),),
        origin=ORIGIN.model_copy(update={"pins": None, "log_sha256": None}),
        log=None,
        repack=RepackRecord(
            inputs=(
                InputRecord(file="in.img.lz4", sha256="7" * 64, bytes=9),
                InputRecord(file="in-data.img.lz4", sha256="8" * 64, bytes=9),
            ),
            official=official,
            signed=False,
            changes=("a file",),
            checks=("fsck (e2fsck)",),
        ),
    )
