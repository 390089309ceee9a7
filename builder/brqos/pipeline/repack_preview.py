"""What repacking would do, shown on the image itself: it is unpacked and examined, and nothing stays."""

from pathlib import Path

from brqos.ami.request import AmiRequest
from brqos.image.hashing import hash_image
from brqos.image.model import ImageRole
from brqos.image.repack.examine import examine
from brqos.image.repack.plan import make_plan
from brqos.image.repack.signing.chain import sign_chain
from brqos.image.repack.working import copy_image
from brqos.image.repack.workplace import workplace
from brqos.monitor import Monitor
from brqos.pipeline.preview import Step, attesting_steps, nodegroup_steps, registration_steps, unbuilt
from brqos.pipeline.repack import DIGITS, inputs_of, keys_of, leaving_nothing, sources_of, wish_of
from brqos.pipeline.surroundings import Surroundings
from brqos.record import BUILDS
from brqos.stages import Stage


def preview_repack(around: Surroundings, monitor: Monitor, *, root: Path = BUILDS) -> list[Step]:
    """All steps of a run, in order; raises BrqosError for what would be refused on the way."""
    spec = around.spec
    keys = keys_of(spec)
    sources = sources_of(spec, around.cache, monitor)
    wish = wish_of(spec, sources, keys, commit=inputs_of(spec, sources, monitor)[:DIGITS])
    with leaving_nothing(root), workplace(root) as folder:
        copy = copy_image(sources.image, folder, monitor)
        examined = examine(copy.path)
        plan = make_plan(examined, wish)
        if keys is not None:
            # Whether the image's own GRUB and shim have room for these keys shows when they are put in.
            sign_chain(examined.boot_files, keys)
    found = f"Bottlerocket {examined.release.version_id}, {examined.variant}, root file system {examined.files.name}"
    steps = [Step(Stage.BUILD, f"read {sources.image.name}: {found}")]
    steps += [Step(Stage.BUILD, f"write {change.path}: {change.why}") for change in plan.changes]
    steps.append(Step(Stage.BUILD, "build the hash tree of dm-verity anew, and put its root hash into grub.cfg"))
    signs = "sign grub.cfg, GRUB, shim, MokManager and kernel with your keys" if keys else "take all signatures away"
    steps += [Step(Stage.BUILD, signs), Step(Stage.BUILD, "check the result, and list its difference to the input")]
    if spec.ami.regions:
        # Of the data image nothing changes; it is read for its size.
        data = [hash_image(ImageRole.DATA, sources.data_image, monitor)] if sources.data_image else []
        request = AmiRequest(
            images=(unbuilt(ImageRole.OS, copy.bytes), *data),
            variant=examined.variant.memory_qos,
            arch=examined.architecture,
            image_version=plan.version,
            spec=spec.ami,
            secure_boot=keys is not None,
            uefi_data=keys.uefi_data if keys else None,
            upstream_commit=examined.release.build_id,
        )
        steps += registration_steps(request)
    return [*steps, *nodegroup_steps(around), *attesting_steps(around)]
