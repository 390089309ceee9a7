"""The way of a repacked image: found or fetched, changed, recorded, and then published like any other."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from brqos.ami.names import data_sibling
from brqos.ami.wishes import check_wishes
from brqos.config.model import BuildSpec, Engine
from brqos.doctor.examine import require
from brqos.errors import ConfigurationError
from brqos.files import write_atomically
from brqos.image.hashing import file_digest
from brqos.image.model import INVENTORY
from brqos.image.official.fetch import OfficialImages, fetch_official
from brqos.image.official.fetch import Wish as OfficialWish
from brqos.image.official.repository import source_of
from brqos.image.official.root_of_trust import Trust
from brqos.image.repack.engine import repack
from brqos.image.repack.plan import Wish
from brqos.image.repack.result import Repacked
from brqos.image.repack.working import check_is_file
from brqos.image.repack.workplace import remove_left_over
from brqos.locks import lock_of, locked
from brqos.monitor import Monitor
from brqos.pipeline.attest import attest_build, check_signing, origin_of, write_unless_off
from brqos.pipeline.build import forget_others, publish
from brqos.pipeline.generate import settings_of
from brqos.pipeline.identity import repack_inputs
from brqos.pipeline.nodegroup import check_nodegroup, write_nodegroup
from brqos.pipeline.repack_record import IMAGES, recordable_spec, recorded, result_of
from brqos.pipeline.results import Delivery
from brqos.pipeline.surroundings import Surroundings
from brqos.provenance.own_code import own_digest
from brqos.record import BUILDS, FILE, StoredBuild, load, now
from brqos.stages import Stage

if TYPE_CHECKING:
    from brqos.image.repack.signing.profile import SigningKeys

# Of a digest of the inputs, in names: as many as of a commit.
DIGITS = 8
_NEW_IMAGES = "new-images"


@dataclass(frozen=True, slots=True)
class Sources:
    """The images to begin with; `official` says how they were verified, where they came from the update repository."""

    image: Path
    data_image: Path | None
    official: OfficialImages | None = None


def run_repack(
    around: Surroundings,
    monitor: Monitor,
    *,
    root: Path = BUILDS,
    force: bool = False,
    wait: bool = True,
    delivery: Delivery | None = None,
) -> StoredBuild:
    """Repack the image that the spec names, and go on to all stages that it asks for; returns the build's record.

    An image that was repacked already with the same wishes is taken, unless `force`; `delivery` is told which build it
    is. Raises BrqosError.
    """
    spec = around.spec
    keys = keys_of(spec)
    sources = sources_of(spec, around.cache, monitor)
    inputs = inputs_of(spec, sources, monitor)
    folder = root / f"{spec.variant_name.memory_qos}-{spec.arch}-repacked-{inputs[:DIGITS]}"
    if delivery is not None:
        delivery.check(folder.name, "")
    with locked(lock_of(folder), f"building {folder.name}", wait=wait, monitor=monitor):
        _clear(root, folder)
        stored = _done_before(folder, spec, inputs, monitor, force=force)
        if stored is None:
            started, code = now(), own_digest()
            with leaving_nothing(folder):
                repacked = _repack_anew(wish_of(spec, sources, keys, commit=inputs[:DIGITS]), folder, monitor)
            stored = recorded(folder, spec, sources.official, repacked)
            result = result_of(repacked, spec)
            forget_others(stored, result, monitor)
            stored.finish(Stage.BUILD, inputs, started, result=result, origin=origin_of(stored, None, code=code))
            write_unless_off(stored, around, monitor)
        if delivery is not None:
            delivery.stored = stored
        _publish(stored, around, monitor, force=force)
    return stored


def _clear(root: Path, folder: Path) -> None:
    """Take away what runs left that were killed: gigabytes, in folders that nothing else would look into again."""
    remove_left_over(root)
    remove_left_over(folder / _NEW_IMAGES)
    with contextlib.suppress(OSError):
        (folder / _NEW_IMAGES).rmdir()
        # With nothing in it, it is no build, and has to go like one that was never begun.
        folder.rmdir()


def _publish(stored: StoredBuild, around: Surroundings, monitor: Monitor, *, force: bool) -> None:
    """All that follows the image; one that was only made to be uploaded is not kept."""
    if _is_gone(stored):
        monitor.note("The AMIs are there already; their image was uploaded as it was made, and is not kept.")
        if around.spec.nodegroup.cluster:
            write_nodegroup(stored, around, monitor, force=force)
        attest_build(stored, around, monitor)
        return
    publish(stored, around, monitor, force=force)
    if around.spec.repack.stream:
        for image in stored.record.result.images if stored.record.result else ():
            stored.path(image.file).unlink(missing_ok=True)


def _is_gone(stored: StoredBuild) -> bool:
    images = stored.record.result.images if stored.record.result else ()
    return bool(images) and not any(stored.path(image.file).exists() for image in images)


@contextlib.contextmanager
def leaving_nothing(folder: Path) -> Iterator[None]:
    """Take away what was made of a folder and of those above it meanwhile, where nothing came to be in them."""
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            for place in made:
                place.rmdir()


def check_before_repack(around: Surroundings, monitor: Monitor, *, aws: bool = True, root: Path = BUILDS) -> None:
    """Refuse at once what would fail later: wrong wishes, keys that are missing or wrong, missing tools.

    `aws` is false for a plan, which needs no login. Raises ConfigurationError, ToolError.
    """
    spec = around.spec
    settings_of(spec)
    if around.signs:
        check_signing(spec.attest, around.aws, tools=aws)
    if spec.repack.image is not None and spec.repack.release is not None:
        raise ConfigurationError(
            f"the image {spec.repack.image} and the release {spec.repack.release} both say which image is changed",
            todo="Keep one of them: repack.image or repack.release in brqos.toml, --image or --from-release.",
        )
    if spec.repack.stream and not spec.ami.regions:
        raise ConfigurationError(
            "an image that is only uploaded needs a region",
            why="Nothing would be left of it: --stream keeps no file.",
            todo="Add --region, or leave --stream out.",
        )
    if spec.ami.regions and spec.nodegroup.cluster:
        check_nodegroup(around)
    check_wishes(spec.ami)
    require(
        (Stage.BUILD, *((Stage.REGISTER,) if spec.ami.regions and aws else ())),
        monitor=monitor,
        profile=spec.ami.profile,
        regions=spec.ami.regions,
        engine=Engine.REPACK,
        signed=not spec.repack.unsigned,
        official=spec.repack.image is None,
        output=root,
    )
    keys_of(spec)


def keys_of(spec: BuildSpec) -> "SigningKeys | None":
    """The keys to sign with, checked; None for an image without signatures. Raises ConfigurationError, ToolError."""
    profile = spec.build.sbkeys_profile
    if spec.repack.unsigned:
        if profile is not None:
            raise ConfigurationError(
                "a signing profile is given, and the image shall have no signatures",
                todo="Leave out --sbkeys-profile, or --unsigned.",
            )
        return None
    if profile is None:
        raise ConfigurationError(
            "a repacked image needs keys of your own, or none at all",
            why="Upstream's signatures stand for upstream's image: with another root hash they are worth nothing, and "
            "only upstream has its keys.",
            todo="Make keys once with `brqos keys new --output DIR` and give --sbkeys-profile DIR; or give --unsigned, "
            "for instances without Secure Boot.",
        )

    from brqos.image.repack.signing.profile import load_keys

    return load_keys(profile)


def sources_of(spec: BuildSpec, cache: Path, monitor: Monitor) -> Sources:
    """The image that is given, or the official one, fetched and verified; raises BrqosError."""
    wanted = spec.repack
    if wanted.image is not None:
        check_is_file(wanted.image)
        data_image = wanted.data_image or data_sibling(wanted.image)
        if data_image is None:
            monitor.warn(
                f"there is no data image beside {wanted.image}: the AMI has no data volume, which Bottlerocket's "
                "aws-k8s variants keep their containers on (--data-image names one)"
            )
        return Sources(wanted.image, data_image)
    release = wanted.release or (spec.upstream.ref or "").removeprefix("v")
    fetched = fetch_official(
        OfficialWish(
            variant=spec.variant,
            architecture=spec.arch,
            release=None if release in {"", "newest"} else release,
            source=source_of(wanted, spec.mirrors),
            trust=Trust(file=wanted.tuf_root, sha512=wanted.tuf_root_sha512),
        ),
        cache,
        monitor,
    )
    return Sources(fetched.os.file, fetched.data.file, fetched)


def wish_of(spec: BuildSpec, sources: Sources, keys: "SigningKeys | None", *, commit: str | None = None) -> Wish:
    """What the engine is asked for; `commit` is the part of the result's version that stands for it."""
    return Wish(
        image=sources.image,
        data_image=sources.data_image,
        settings=settings_of(spec),
        pretty_name=spec.build.pretty_name,
        keys=keys,
        delivery=spec.build.delivery,
        bake=spec.build.bake,
        updates_off=spec.repack.switch_updates_off,
        lz4_level=spec.repack.lz4_level,
        variant=spec.variant_name,
        architecture=spec.arch,
        commit=commit,
        packed=not spec.repack.stream,
    )


def inputs_of(spec: BuildSpec, sources: Sources, monitor: Monitor) -> str:
    """The digest of all that the image depends on; its first digits stand for it in names."""
    image, data = _digests(sources, monitor)
    return repack_inputs(spec, settings_of(spec), image, data)


def _digests(sources: Sources, monitor: Monitor) -> tuple[str, str | None]:
    """The SHA-256 of OS and data image, as the files lie there."""
    if sources.official is not None:
        return sources.official.os.file_sha256, sources.official.data.file_sha256
    data = file_digest(sources.data_image, monitor) if sources.data_image else None
    return file_digest(sources.image, monitor), data


def _done_before(folder: Path, spec: BuildSpec, inputs: str, monitor: Monitor, *, force: bool) -> StoredBuild | None:
    if force or not (folder / FILE).is_file():
        return None
    stored = load(folder)
    streamed = _is_gone(stored) and bool(spec.ami.regions) and set(spec.ami.regions) <= set(stored.record.amis)
    same = (done := stored.record.stages.get(Stage.BUILD)) is not None and done.inputs == inputs
    if not stored.is_done(Stage.BUILD, inputs) and not (same and streamed):
        return None
    # Regions and nodegroup may be others than the last time; they do not change the image.
    stored.save(spec=recordable_spec(spec))
    monitor.note("The image is repacked already from the same image and settings (--force does it again).")
    return stored


def _repack_anew(wish: Wish, folder: Path, monitor: Monitor) -> Repacked:
    """Repack beside the images that an earlier run left, which stay until there are new ones to take their place.

    The engine writes over nothing, and signatures have a time: the same wish gives other bytes under the same name.
    """
    beside, images = folder / _NEW_IMAGES, folder / IMAGES
    # What a run left that was killed after its work was done; what one left before that is the engine's matter.
    for left in (*beside.glob("*.img*"), beside / INVENTORY):
        left.unlink(missing_ok=True)
    with leaving_nothing(beside):
        repacked = repack(wish, beside, monitor)
        with contextlib.suppress(ConfigurationError):
            before = load(folder)
            # What the record says of its images is not true from now on.
            before.save(
                stages={stage: done for stage, done in before.record.stages.items() if stage is not Stage.BUILD}
            )
        if repacked.inventory is not None:
            write_atomically(beside / INVENTORY, repacked.inventory)
        shutil.rmtree(images, ignore_errors=True)
        beside.rename(images)
    return repacked
