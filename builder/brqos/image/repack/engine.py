"""All steps of a repacking in their order: from an image and wishes to an image that was checked.

The input is read once and never written. All work is done in a private folder beside the output; a file gets its name
only when everything was checked, so whatever happens there is a whole result or none.

The hash tree keeps its salt. A salt only has to make tables of digests worthless that were made beforehand, and so one
per image that somebody built is as good as another; with the old one, the same input and wishes give the same bytes
(signatures apart, which have a time), and the two trees tell of every block of the root file system whether it changed.
"""

import errno
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from brqos.errors import BrqosError, ConfigurationError, ToolError
from brqos.image.model import Image, ImageRole
from brqos.image.repack import check, difference, facts
from brqos.image.repack.boot_files import write_boot_files
from brqos.image.repack.data_image import DataImage, check_is_data_image, take_data_image
from brqos.image.repack.difference import Done
from brqos.image.repack.examine import Examined, examine
from brqos.image.repack.pack import Packed, pack, unpacked
from brqos.image.repack.plan import Plan, Wish, make_plan
from brqos.image.repack.publish import check_free, file_name, publish
from brqos.image.repack.result import Difference, Facts, Input, Repacked, Verified
from brqos.image.repack.signing.chain import sign_chain, unsigned
from brqos.image.repack.signing.model import BootFiles
from brqos.image.repack.steps import Steps
from brqos.image.repack.tools import require
from brqos.image.repack.verity import BLOCK, HashTree, VerityParameters, build_tree
from brqos.image.repack.working import WorkingCopy, check_is_file, copy_image, put_back
from brqos.image.repack.workplace import workplace
from brqos.monitor import Monitor

Result = TypeVar("Result")
_LEAST_FREE = 2**20
# A limit (ulimit -f, or the file system's own), a disk that fails or became read only: nobody's bug here.
_OF_THE_DISK = {errno.EFBIG, errno.EIO, errno.EROFS}


def repack(wish: Wish, output_folder: Path, monitor: Monitor) -> Repacked:
    """Put MemoryQoS into an image; the results are in `output_folder`, which is made where it is not there.

    Raises ConfigurationError for images, keys and wishes that do not fit and for a name that another file has,
    ToolError for a missing tool or a full disk, RefusedResultError where the result is not right.
    """
    require(signing=wish.keys is not None)
    check_is_file(wish.image)
    if wish.data_image is not None:
        check_is_data_image(wish.data_image)
    for remark in wish.keys.remarks if wish.keys else ():
        monitor.warn(remark)
    steps = Steps(monitor)
    # Absolute, since programs are started in folders of their own.
    output = output_folder.absolute()
    with steps.step("total"), workplace(output) as folder:
        try:
            work = _Work(wish, folder, monitor, steps)
            repacked = work.done(output)
        except (OSError, BrqosError) as error:
            if _is_full(folder, error):
                raise _full(output, error) from error
            if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
                raise _no_bug(output, error) from error
            raise
    return repacked.model_copy(update={"steps": steps.seconds})


@dataclass(frozen=True, slots=True)
class _Finished:
    """What was made, before it gets its name."""

    copy: WorkingCopy
    examined: Examined
    plan: Plan
    done: Done
    packed: Packed
    difference: Difference
    verified: tuple[Verified, ...]
    data: DataImage | None


@dataclass(frozen=True, slots=True)
class _Work:
    wish: Wish
    folder: Path
    monitor: Monitor
    steps: Steps

    def done(self, output: Path) -> Repacked:
        finished = self._finished()
        # Read from the working copy, which a raw image is until it gets its name.
        found = facts.find(finished.examined, finished.plan.delivery, finished.done.verity)
        inventory = facts.inventory(finished.examined)
        with self.steps.step("publish"):
            images = self._publish(finished, output)
        return self._told(finished, found, images).model_copy(update={"inventory": inventory})

    def _finished(self) -> _Finished:
        # A second thread for what needs nothing of the rest: on two processors it is there for the asking.
        with ThreadPoolExecutor(2, thread_name_prefix="repack") as threads:
            taking = threads.submit(self._take_data)
            copy = self._copy()
            examined, plan = self._examine(copy)
            data = taking.result()
            with self.steps.step("keep-digests", "Keeping digests of the image"):
                before = difference.take(examined, plan.changes)
            done = self._change(examined, plan)
            checking = threads.submit(self._check, examined, plan)
            comparing = threads.submit(self._compare, before, examined, done)
            packed = self._packed(copy)
            return _Finished(copy, examined, plan, done, packed, comparing.result(), checking.result(), data)

    def _copy(self) -> WorkingCopy:
        with self.steps.step("unpack"):
            return _while_unchanged(self.wish.image, lambda: copy_image(self.wish.image, self.folder, self.monitor))

    def _examine(self, copy: WorkingCopy) -> tuple[Examined, Plan]:
        with self.steps.step("examine", "Examining the image"):
            examined = examine(copy.path)
            plan = make_plan(examined, self.wish)
        for warning in facts.warnings(examined, self.wish):
            self.monitor.warn(warning)
        return examined, plan

    def _change(self, examined: Examined, plan: Plan) -> Done:
        with self.steps.step("write-files", "Writing the files"):
            examined.files.write(plan.changes)
        with self.steps.step("hash-tree", "Building the hash tree"):
            tree, verity = self._new_tree(examined)
        with self.steps.step("sign", "Signing" if self.wish.keys else "Taking the signatures away"):
            boot_files = self._boot_files(examined, verity)
        with self.steps.step("write-boot-files", "Writing the boot files"):
            write_boot_files(examined.boot_partitions, examined.boot_files, boot_files)
        return Done(plan.changes, tree, verity, boot_files)

    def _new_tree(self, examined: Examined) -> tuple[HashTree, VerityParameters]:
        old, layout = examined.grub.verity, examined.layout
        # Never fewer: what lies behind the file system was covered before, and is so again.
        covered = max(old.data_blocks, -(-examined.files.size // BLOCK))
        parameters = VerityParameters(covered, old.salt, b"")
        with examined.image.open("rb") as disk:
            tree = build_tree(disk, layout.root.start, parameters, device_uuid=examined.tree_uuid)
        put_back(examined.image, layout.hash, tree.content)
        return tree, replace(parameters, root_hash=tree.root_hash)

    def _boot_files(self, examined: Examined, verity: VerityParameters) -> BootFiles:
        name = f"{self.wish.pretty_name} {examined.release.version_id}"
        text = examined.grub.with_verity(verity).with_entry_name(name).text
        files = replace(examined.boot_files, grub_cfg=text.encode())
        return sign_chain(files, self.wish.keys) if self.wish.keys else unsigned(files)

    def _check(self, examined: Examined, plan: Plan) -> tuple[Verified, ...]:
        folder = self.folder / "check"
        folder.mkdir(mode=0o700)
        with self.steps.step("check", "Checking the result with independent tools"):
            return check.verify(examined.image, check.Wanted(plan.changes, self.wish.keys), folder)

    def _compare(self, before: difference.Before, examined: Examined, done: Done) -> Difference:
        with self.steps.step("compare", "Comparing the result with the input"):
            return difference.compare(before, examined, done)

    def _packed(self, copy: WorkingCopy) -> Packed:
        with self.steps.step("pack"):
            if not self.wish.packed:
                return unpacked(copy.path, self.monitor)
            return pack(copy.path, self.folder / "os.img.lz4", self.monitor, level=self.wish.lz4_level)

    def _take_data(self) -> DataImage | None:
        image = self.wish.data_image
        if image is None:
            return None
        with self.steps.step("data-image"):
            return _while_unchanged(
                image,
                lambda: take_data_image(image, self.folder / "data", self.monitor, level=self.wish.lz4_level),
            )

    def _publish(self, finished: _Finished, output: Path) -> tuple[Image, ...]:
        """The data image first: where the OS image is, all is there."""
        examined, version = finished.examined, finished.plan.version
        os_image = self.folder / "os.img.lz4" if self.wish.packed else finished.copy.path
        results = [(ImageRole.OS, os_image, finished.packed)]
        if finished.data is not None:
            results.append((ImageRole.DATA, finished.data.file, finished.data.packed))
        names = {
            role: file_name(
                examined.variant,
                examined.architecture,
                version,
                role,
                suffix=".img.lz4" if file.suffix == ".lz4" else ".img",
            )
            for role, file, _ in results
        }
        for role, _, packed in results:
            check_free(output / names[role], packed.file_sha256)
        for role, file, packed in reversed(results):
            publish(file, output / names[role], packed.file_sha256)
        return tuple(
            Image(
                role=role,
                file=output / names[role],
                sha256=packed.sha256,
                bytes=packed.bytes,
                file_sha256=packed.file_sha256,
                file_bytes=packed.file_bytes,
            )
            for role, _, packed in results
        )

    def _told(self, finished: _Finished, found: Facts, images: tuple[Image, ...]) -> Repacked:
        wish, examined, plan = self.wish, finished.examined, finished.plan
        inputs = [Input(role=ImageRole.OS, file=wish.image, sha256=finished.copy.sha256, bytes=finished.copy.bytes)]
        if finished.data is not None and wish.data_image is not None:
            data = finished.data.packed
            inputs.append(Input(role=ImageRole.DATA, file=wish.data_image, sha256=data.sha256, bytes=data.bytes))
        return Repacked(
            images=images,
            image_version=plan.version,
            variant=examined.variant.memory_qos,
            secure_boot=wish.keys is not None,
            uefi_data=wish.keys.uefi_data if wish.keys else None,
            inputs=tuple(inputs),
            facts=found,
            difference=finished.difference,
            verified=finished.verified,
            updates_off=wish.updates_off,
            remarks=facts.warnings(examined, wish),
            steps=self.steps.seconds,
        )


def _while_unchanged(image: Path, read: Callable[[], Result]) -> Result:
    """Read an image that nobody writes at the same time; raises ConfigurationError for one that somebody did."""
    before = _identity(image)
    result = read()
    if _identity(image) != before:
        raise ConfigurationError(
            f"{image} was changed while it was read",
            why="Somebody writes it at this moment: a download, or a build.",
            todo="Wait until it is whole.",
        )
    return result


def _identity(image: Path) -> tuple[int, ...]:
    found = image.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _is_full(folder: Path, error: Exception) -> bool:
    """Tools have words of their own for a full disk, so what is left is looked at as well."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    return shutil.disk_usage(folder).free < _LEAST_FREE


def _full(output: Path, error: Exception) -> ToolError:
    told = str(error).replace("\n", " ")
    return ToolError(
        f"the disk of {output} is full",
        why=f"{told}. While an image is repacked there has to be room for it unpacked, for its root file system once "
        "more (twice with EROFS), and for the result: 4 GB for Bottlerocket's, 1 GB afterwards.",
        todo="Make room there, or name another output folder. Nothing was kept.",
    )


def _no_bug(output: Path, error: OSError) -> ToolError:
    return ToolError(
        f"the disk of {output} refuses what is written or read",
        why=f"{error.strerror}.",
        todo="Look at the disk, and at the limit for files (`ulimit -f`); or name another output folder. Nothing was "
        "kept.",
    )
