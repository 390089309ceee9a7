"""What the record says of a repacked image: what it was made of, what changed, who checked it."""

import contextlib
from pathlib import Path

from brqos.config.model import BuildSpec, Engine
from brqos.errors import ConfigurationError
from brqos.image.model import INVENTORY, BuildResult
from brqos.image.official.fetch import OfficialImages
from brqos.image.repack.result import Repacked, told
from brqos.pipeline.generate import settings_of
from brqos.record import (
    BuildRecord,
    FileRecord,
    InputRecord,
    RepackRecord,
    StoredBuild,
    UpstreamRecord,
    load,
    now,
    recordable,
)

# Of the build's folder: where its images are.
IMAGES = Path("images")


def recorded(folder: Path, spec: BuildSpec, official: OfficialImages | None, repacked: Repacked) -> StoredBuild:
    """A record of the image in its folder, written; `official` says how the input was verified, if it was fetched."""
    time, facts = now(), repacked.facts
    record = BuildRecord(
        id=folder.name,
        created=time,
        updated=time,
        spec=recordable_spec(spec),
        variant=repacked.variant,
        engine=Engine.REPACK,
        delivery=facts.delivery,
        upstream=UpstreamRecord(repository="", ref="", commit=facts.build_id, release=facts.release),
        repack=RepackRecord(
            inputs=tuple(
                InputRecord(file=item.file.name, sha256=item.sha256, bytes=item.bytes) for item in repacked.inputs
            ),
            official=_without_places(official) if official else None,
            signed=repacked.secure_boot,
            changes=_changes(repacked),
            checks=tuple(f"{item.what} ({item.tool})" for item in repacked.verified),
        ),
        files=tuple(
            FileRecord(path=f"{item.partition}{item.path}", operation=item.what.value, sha256=item.after.sha256)
            for item in repacked.difference.files
            if item.after is not None
        ),
        kubelet_configuration=settings_of(spec).configuration(),
    )
    with contextlib.suppress(ConfigurationError):
        # AMIs of an earlier image of this build are looked after by forget_others.
        before = load(folder).record
        record = record.model_copy(update={"created": before.created, "amis": before.amis, "result": before.result})
    stored = StoredBuild(folder, record)
    stored.save()
    return stored


def _changes(repacked: Repacked) -> tuple[str, ...]:
    return tuple(line for heading, lines in told(repacked) if heading in {"Files", "Partitions"} for line in lines)


def recordable_spec(spec: BuildSpec) -> BuildSpec:
    """The spec as it is written down: of files and folders of this machine only their names."""
    wanted, profile = spec.repack, spec.build.sbkeys_profile
    files = {key: getattr(wanted, key) for key in ("image", "data_image", "tuf_root")}
    urls = {key: getattr(wanted, key) for key in ("metadata_url", "targets_url")}
    update: dict[str, object] = {
        **{key: Path(file.absolute().name) if file else None for key, file in files.items()},
        **{key: url if url and _is_of_the_web(url) else None for key, url in urls.items()},
    }
    name = Path(profile.absolute().name) if profile else None
    build = spec.build.model_copy(update={"sbkeys_profile": name})
    return recordable(spec.model_copy(update={"build": build, "repack": wanted.model_copy(update=update)}))


def _is_of_the_web(address: str) -> bool:
    return "://" in address and not address.startswith("file:")


def _named(address: str) -> str:
    """An URL as it is; of a file or folder of this machine the name."""
    return address if _is_of_the_web(address) else Path(address).name


def _without_places(official: OfficialImages) -> dict[str, object]:
    """How the images were verified; where they lie on this machine is nobody else's matter."""
    where = {key: _named(getattr(official.repository, key)) for key in ("metadata", "targets", "root_origin")}
    told = official.model_copy(
        update={
            "os": official.os.model_copy(update={"address": _named(official.os.address)}),
            "data": official.data.model_copy(update={"address": _named(official.data.address)}),
            "repository": official.repository.model_copy(update=where),
        }
    )
    return told.model_dump(mode="json", exclude={"os": {"file", "from_cache"}, "data": {"file", "from_cache"}})


def result_of(repacked: Repacked, spec: BuildSpec) -> BuildResult:
    """The images in the build's folder, for registration."""
    images = tuple(image.model_copy(update={"file": IMAGES / image.file.name}) for image in repacked.images)
    return BuildResult(
        image_version=repacked.image_version,
        images=images,
        secure_boot=repacked.secure_boot,
        uefi_data=repacked.uefi_data,
        sbkeys_profile=spec.build.sbkeys_profile.name if spec.build.sbkeys_profile else None,
        inventory=IMAGES / INVENTORY if repacked.inventory is not None else None,
    )
