"""The command: what it needs, all boots, a line for each, and a table."""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from brqos import process
from brqos.image.repack.tools import PACKAGES, SIGNING_PACKAGES
from image.repack.synthetic import Filesystem, MissingError
from image.repack.synthetic.bootable import CODE, BootOutcome, boot
from image.repack.synthetic.debian import SHIM, Kernel, fetch_kernel, find_kernel
from image.repack.synthetic.grub import MODULES
from image.repack.synthetic.maker import copy
from soak.repacking.cases import Case, Firmware, cases
from soak.repacking.scene import Keys, Scene, make_keys, make_scene, variables
from soak.repacking.verdict import Verdict, judge

# Beside what brqos itself needs: what makes and boots the originals. Debian's packages.
_PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "grub-mkimage": "grub-common",
    "as": "binutils",
    "busybox": "busybox-static",
    "dmsetup": "dmsetup",
    "lz4": "lz4",
    "openssl": "openssl",
    "mke2fs": "e2fsprogs",
    "mkfs.erofs": "erofs-utils",
    "mkfs.fat": "dosfstools",
    "mmd": "mtools",
}
_FILES = {CODE: "ovmf", SHIM / "shimx64.efi": "shim-unsigned", MODULES / "moddep.lst": "grub-efi-amd64-bin"}


@dataclass(frozen=True, slots=True)
class Boot:
    """A boot that was judged."""

    kind: Filesystem
    case: Case
    outcome: BootOutcome
    verdict: Verdict


def main(arguments: Sequence[str]) -> int:
    """0: all as it has to be; 1: not; 4: something is missing."""
    options = _options().parse_args(arguments)
    began = time.monotonic()
    if absent := missing():
        _say(f"soak needs {', '.join(absent)}")
        _say(f"On Debian: apt-get install --no-install-recommends {' '.join(sorted(set(absent.values())))}")
        return 4
    # A soak that is called off must not leave its images.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="brqos-soak-") as folder:
        try:
            kernel = _kernel(options.kernel_root, Path(folder))
        except (MissingError, RuntimeError) as error:
            _say(f"soak needs a kernel of Debian's with its modules: --kernel-root DIR. {error}")
            return 4
        done = _boot_all(kernel, Path(folder), options)
    _say("")
    _say(table(done))
    good = all(not each.verdict.problems for each in done)
    _say(
        f"{len(done)} boots in {time.monotonic() - began:.0f} s: {'all as they have to be' if good else 'NOT all good'}"
    )
    return int(not good)


def missing() -> dict[str, str]:
    """What is not installed, with the Debian package that has it."""
    programs = _PROGRAMS | PACKAGES | SIGNING_PACKAGES
    absent = {program: package for program, package in programs.items() if process.find(program) is None}
    return absent | {str(file): package for file, package in _FILES.items() if not file.is_file()}


def _kernel(root: Path | None, folder: Path) -> Kernel:
    """The one that is given, or this machine's, or a download (70 MB) by apt-get."""
    if root is not None:
        return find_kernel(root)
    try:
        return find_kernel()
    except MissingError:
        return fetch_kernel(folder / "kernel")


def _boot_all(kernel: Kernel, folder: Path, options: argparse.Namespace) -> list[Boot]:
    keys = make_keys(folder)
    _say(f"Linux {kernel.release}; keys made by brqos keys new")
    done: dict[tuple[Filesystem, int], Boot] = {}
    kinds = [kind for kind in Filesystem if options.filesystem in (None, kind.value)]
    with ThreadPoolExecutor(options.at_once) as pool:
        scenes = dict(zip(kinds, pool.map(lambda kind: _scene(kind, kernel, keys, folder), kinds), strict=True))
        running = {
            pool.submit(_boot, case, scenes[kind], keys, folder / f"{kind.value}-{number}", options): (kind, number)
            # The file systems take turns, so that whoever looks on sees both.
            for number, kind, case in _numbered(scenes)
        }
        for future in as_completed(running):
            kind, number = running[future]
            case, outcome, verdict = future.result()
            done[kind, number] = Boot(kind, case, outcome, verdict)
            _show(done[kind, number])
    return [done[place] for place in sorted(done, key=lambda place: (place[1], kinds.index(place[0])))]


def _numbered(scenes: dict[Filesystem, Scene]) -> Iterator[tuple[int, Filesystem, Case]]:
    for number, row in enumerate(zip(*(cases(scene) for scene in scenes.values()), strict=True)):
        yield from ((number, kind, case) for kind, case in zip(scenes, row, strict=True))


def _scene(kind: Filesystem, kernel: Kernel, keys: Keys, folder: Path) -> Scene:
    began = time.monotonic()
    scene = make_scene(kind, kernel, keys, folder / kind.value)
    _say(
        f"     {kind.value:5} image of {scene.original.os_image.stat().st_size / 2**20:.0f} MiB made and repacked in"
        f" {time.monotonic() - began:.0f} s: signed in {scene.signed.seconds:.1f}, unsigned in"
        f" {scene.unsigned.seconds:.1f}"
    )
    return scene


def _boot(
    case: Case, scene: Scene, keys: Keys, folder: Path, options: argparse.Namespace
) -> tuple[Case, BootOutcome, Verdict]:
    with tempfile.TemporaryDirectory(prefix=folder.name, dir=folder.parent) as name:
        image = copy(case.image, Path(name))
        case.tampering(image)
        store = None
        if case.firmware is Firmware.OWN:
            assert scene.signed.uefi_data is not None, "the record of the signed image has no UEFI data"
            store = variables(scene.signed.uefi_data, Path(name))
        profile = keys.original if case.firmware is Firmware.ORIGINAL else None
        outcome = boot(image.os_image, secure_boot_profile=profile, variables=store, timeout=options.seconds)
    if options.log:
        options.log.mkdir(parents=True, exist_ok=True)
        words = re.sub(r"\W+", "-", f"{folder.name} {case.title} {case.firmware.value}")
        (options.log / f"{words}.log").write_text(outcome.log)
    return case, outcome, judge(case, outcome)


def _show(done: Boot) -> None:
    case, verdict = done.case, done.verdict
    mark = "BAD " if verdict.problems else "ok  "
    title = f"{done.kind.value:5} {case.title} (firmware: {case.firmware.value})"
    _say(f"{mark} {title}: {verdict.told} ({verdict.words}), {done.outcome.seconds:.0f} s")
    for problem in verdict.problems:
        _say(f"     {problem}")


def table(done: Sequence[Boot]) -> str:
    """What came of each boot, the file systems side by side."""
    kinds = list(dict.fromkeys(each.kind for each in done))
    cells: dict[tuple[str, str], dict[Filesystem, str]] = {}
    for each in done:
        row = cells.setdefault((each.case.title, each.case.firmware.value), {})
        row[each.kind] = f"{'BAD, ' if each.verdict.problems else ''}{each.verdict.told}, {each.outcome.seconds:.0f} s"
    rows = [("image", "firmware", *(kind.value for kind in kinds))]
    rows += [(*names, *(row.get(kind, "") for kind in kinds)) for names, row in cells.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/soak --repack",
        description="Boot repacked images under QEMU and OVMF with Secure Boot, and show which ones do not boot.",
    )
    parser.add_argument(
        "--kernel-root",
        type=Path,
        metavar="DIR",
        help="folder with boot/vmlinuz-VERSION and lib/modules/VERSION of Debian's kernel package; by default this"
        " machine's, or a download of 70 MB by apt-get, which needs no privileges",
    )
    parser.add_argument("--filesystem", choices=[kind.value for kind in Filesystem], help="only this one")
    # One virtual processor each.
    parser.add_argument(
        "--at-once", type=int, default=min(os.cpu_count() or 1, 4), metavar="N", help="boots at the same time"
    )
    parser.add_argument("--seconds", type=float, default=300, metavar="N", help="how long a boot may take")
    parser.add_argument("--log", type=Path, metavar="DIR", help="keep what the systems said")
    return parser
