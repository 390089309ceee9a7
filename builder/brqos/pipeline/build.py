"""`brqos build`: generate, build, register, write the nodegroup; each stage only where something has changed."""

import contextlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from brqos.ami.wishes import check_wishes
from brqos.doctor.examine import require
from brqos.image.build import build_images
from brqos.image.model import INVENTORY, BuildResult, Image
from brqos.image.order import BuildOrder
from brqos.image.sbkeys import read_profile
from brqos.locks import lock_of, locked
from brqos.monitor import Monitor
from brqos.pipeline.attest import attest_build, check_signing, origin_of, write_unless_off
from brqos.pipeline.generate import Planned, settings_of, work_tree
from brqos.pipeline.identity import source_build, source_inputs
from brqos.pipeline.nodegroup import check_nodegroup, write_nodegroup
from brqos.pipeline.register import register_build
from brqos.pipeline.results import Delivery
from brqos.pipeline.surroundings import Surroundings
from brqos.provenance.own_code import own_digest
from brqos.record import (
    BUILDS,
    FILE,
    BuildRecord,
    CoreKitRecord,
    FileRecord,
    StoredBuild,
    UpstreamRecord,
    load,
    now,
    recordable,
)
from brqos.stages import Stage
from brqos.upstream.git import rewritten
from brqos.upstream.mirror import without_credentials
from brqos.upstream.worktree import WorkTree, work_tree_path


def run_build(
    planned: Planned,
    around: Surroundings,
    monitor: Monitor,
    *,
    root: Path = BUILDS,
    tools: Mapping[str, str] | None = None,
    force: bool = False,
    wait: bool = True,
    delivery: Delivery | None = None,
) -> StoredBuild:
    """Carry a planned build through all stages that its spec asks for, and return it with its record.

    `tools` are the versions that the record keeps; `delivery` is told which build it is. A stage whose inputs are those
    of the last time is skipped, unless `force`. Raises the error of the stage that failed; what was finished before is
    in the record, and the next run goes on from there.
    """
    path = work_tree_path(around.cache, planned.tree.commit, planned.overlay.variant.memory_qos)
    with contextlib.ExitStack() as build_lock:
        with work_tree(planned, path, monitor, purpose="building", wait=wait) as tree:
            started = now()
            order = order_of(around, tree.path)
            inputs = source_inputs(order, tree.commit, rehearsal=around.rehearsal)
            folder = root / source_build(order, planned.tree.release, inputs, rehearsal=around.rehearsal)
            if delivery is not None:
                delivery.check(folder.name, tree.commit)
            # Taken before the tree is free again and held to the end: two runs of the same build write one record.
            build_lock.enter_context(locked(lock_of(folder), f"building {folder.name}", wait=wait, monitor=monitor))
            stored = _stored(planned, around, tree, folder)
            if delivery is not None:
                delivery.stored = stored
            stored.save(tools={**stored.record.tools, **(tools or {})})
            stored.finish(Stage.GENERATE, tree.commit, started)
            _build(stored, planned, order, tree, inputs, monitor, force=force)
            write_unless_off(stored, around, monitor)
        publish(stored, around, monitor, force=force)
    return stored


def publish(stored: StoredBuild, around: Surroundings, monitor: Monitor, *, force: bool = False) -> None:
    """The stages that follow an image, whatever made it: the AMIs, and the nodegroup that uses them."""
    if around.spec.ami.regions:
        released = register_build(stored, around, monitor, force=force, restart=force)
        if released is not None:
            released.check()
        if around.spec.nodegroup.cluster:
            write_nodegroup(stored, around, monitor, force=force)
    # Last, since nothing else waits for a signature.
    attest_build(stored, around, monitor)


def stages_of(around: Surroundings) -> tuple[Stage, ...]:
    """The stages that the spec asks for."""
    wanted = [Stage.GENERATE, Stage.BUILD]
    if around.spec.ami.regions:
        wanted.append(Stage.REGISTER)
        if around.spec.nodegroup.cluster:
            wanted.append(Stage.NODEGROUP)
    return tuple(wanted)


def check_before(around: Surroundings, monitor: Monitor, *, tools: bool = True) -> dict[str, str]:
    """Refuse in seconds what would fail after an hour: wrong wishes, an incomplete profile, missing tools.

    Returns the versions of the tools, for the record. Raises ConfigurationError for wishes and profile, ToolError with
    all that is missing; `tools` is false for a plan, which needs none.
    """
    settings_of(around.spec)
    check_wishes(around.spec.ami)
    if around.signs:
        check_signing(around.spec.attest, around.aws, tools=tools and not around.rehearsal)
    if around.spec.build.sbkeys_profile is not None:
        read_profile(around.spec.build.sbkeys_profile)
    # Upstream's scripts cannot take every path; the cache's is known before anything is in it.
    order_of(around, work_tree_path(around.cache, "", around.spec.variant_name.memory_qos))
    if Stage.NODEGROUP in stages_of(around):
        check_nodegroup(around)
    elif around.spec.nodegroup.cluster:
        monitor.warn("without a region no AMI is registered, and so no nodegroup file is written: add --region")
    if not tools:
        return {}
    # A rehearsal needs git only; all else it brings.
    needed = (Stage.GENERATE,) if around.rehearsal else stages_of(around)
    report = require(needed, monitor=monitor, profile=around.spec.ami.profile, regions=around.spec.ami.regions)
    return {check.name: check.version for check in report.checks if check.version and not check.name.startswith("AWS")}


def order_of(around: Surroundings, path: Path) -> BuildOrder:
    """The build that the spec asks for, in a work tree."""
    build = around.spec.build
    return BuildOrder(
        work_tree=path,
        variant=around.spec.variant_name.memory_qos,
        arch=around.spec.arch,
        jobs=build.jobs,
        pretty_name=build.pretty_name,
        sbkeys_profile=build.sbkeys_profile,
        make_env=build.make_env,
        mirrors=around.spec.mirrors.make_settings,
        variables=rewritten(around.spec.mirrors.git, os.environ),
        program=around.program,
    )


def _stored(planned: Planned, around: Surroundings, tree: WorkTree, folder: Path) -> StoredBuild:
    """The build's record: a new one, or the one that the same inputs gave before."""
    time = now()
    if (folder / FILE).is_file():
        stored = load(folder)
        # Regions and nodegroup may be others than the last time; they do not change the image.
        stored.save(spec=recordable(around.spec), work_tree=str(tree.path))
        return stored
    overlay, kubelet = planned.overlay, planned.kubelet
    record = BuildRecord(
        id=folder.name,
        rehearsal=around.rehearsal,
        created=time,
        updated=time,
        spec=recordable(around.spec),
        variant=overlay.variant.memory_qos,
        delivery=overlay.delivery,
        upstream=UpstreamRecord(
            repository=without_credentials(planned.tree.repository),
            ref=planned.tree.ref,
            commit=planned.tree.commit,
            release=planned.tree.release,
        ),
        core_kit=CoreKitRecord(version=kubelet.version, commit=kubelet.commit) if kubelet else None,
        overlay_commit=tree.commit,
        work_tree=str(tree.path),
        files=tuple(FileRecord(path=file.path, operation=file.operation, sha256=file.sha256) for file in overlay.files),
        kubelet_configuration=overlay.settings.configuration(),
    )
    stored = StoredBuild(folder, record)
    stored.save()
    return stored


def _build(
    stored: StoredBuild,
    planned: Planned,
    order: BuildOrder,
    tree: WorkTree,
    inputs: str,
    monitor: Monitor,
    *,
    force: bool,
) -> None:
    if not force and stored.is_done(Stage.BUILD, inputs):
        monitor.note("The image is built already from the same source and settings (--force builds it again).")
        return
    log = Path("build.log")
    started, code = now(), own_digest()
    version = f"{stored.record.upstream.release}-{tree.short_commit}"
    stored.save(log=log)
    result = build_images(order, image_version=version, log=stored.path(log), monitor=monitor)
    forget_others(stored, result, monitor)
    origin = origin_of(stored, planned.tree.files, code=code)
    stored.finish(Stage.BUILD, inputs, started, result=_kept(result, stored.folder), origin=origin)


def forget_others(stored: StoredBuild, result: BuildResult, monitor: Monitor) -> None:
    """Take out of the record what was made from another image: a nodegroup must never pair the new one with its AMI."""
    before, after = stored.record.result, {image.sha256 for image in result.images}
    if before is None or {image.sha256 for image in before.images} == after:
        return
    for region, ami in stored.record.amis.items():
        monitor.warn(f"{region}: {ami.id} was made from the image before; it stays in AWS and leaves the record")
    stages = {stage: done for stage, done in stored.record.stages.items() if stage is Stage.GENERATE}
    stored.save(amis={}, nodegroup=None, stages=stages)


def _kept(result: BuildResult, folder: Path) -> BuildResult:
    """The result with its images in the record's folder, so that it can be carried away and the tree thrown away."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    kept: list[Image] = []
    for image in result.images:
        target = images / image.file.name
        _link_or_copy(image.file, target)
        kept.append(image.model_copy(update={"file": target.relative_to(folder)}))
    inventory = images / INVENTORY
    # That of an image before would be told as this one's.
    inventory.unlink(missing_ok=True)
    if result.inventory is not None:
        _link_or_copy(result.inventory, inventory)
    kept_inventory = inventory.relative_to(folder) if result.inventory else None
    return result.model_copy(update={"images": tuple(kept), "inventory": kept_inventory})


def _link_or_copy(source: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), partial)
    except OSError:
        # Another file system, or one without links.
        shutil.copyfile(source, partial)
    partial.replace(target)
