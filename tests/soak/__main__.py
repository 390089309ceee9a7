"""`scripts/soak`."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from brqos import process
from publishing import soak as publishing
from soak.guest import initramfs, parsed, run, script
from soak.pods import nodes
from soak.repacking import command as repacking
from soak.verdict import verdict

_PUBLISHING, _REPACK = "--publishing", "--repack"
_QEMU = "qemu-system-x86_64"
_PACKAGES = "apt-get install --no-install-recommends qemu-system-x86 linux-image-amd64 busybox-static"


def main(arguments: Sequence[str]) -> int:
    """0: all as predicted; 1: not; 4: a tool or the kernel is missing."""
    if _PUBLISHING in arguments:
        return publishing.main([word for word in arguments if word != _PUBLISHING])
    if _REPACK in arguments:
        return repacking.main([word for word in arguments if word != _REPACK])
    options = _options().parse_args(arguments)
    busybox, qemu = process.find("busybox"), process.find(_QEMU)
    kernel = options.kernel or _newest(Path("/boot"), "vmlinuz-*")
    modules = options.modules or (Path("/lib/modules") if kernel else None)
    version = kernel.name.removeprefix("vmlinuz-") if kernel else ""
    module = _newest(modules / version, "kernel/drivers/block/brd.ko") if modules else None
    if busybox is None or qemu is None or kernel is None or module is None:
        absent = {"busybox": busybox, _QEMU: qemu, "a kernel in /boot": kernel, "its module brd.ko": module}
        _say(f"soak needs {', '.join(name for name, found in absent.items() if found is None)}")
        _say(f"On Debian: {_PACKAGES}")
        return 4
    return _soak(busybox, qemu, kernel, module, options)


def _soak(busybox: Path, qemu: Path, kernel: Path, module: Path, options: argparse.Namespace) -> int:
    started = time.monotonic()
    planned = nodes()
    try:
        said = run(kernel, initramfs(busybox, module, script(planned)), str(qemu), options.seconds)
    except process.TimedOut:
        _say(f"the guest did not end within {options.seconds:g} seconds")
        return 1
    if options.log:
        options.log.write_text(said)
    lines = verdict(planned, parsed(said))
    for line in said.splitlines():
        if line.startswith("@@ kernel "):
            _say(f"Linux {line.removeprefix('@@ kernel ')} in a guest")
    for line in lines:
        _say(f"{'ok  ' if line.good else 'BAD '} {line.text}")
    _say(f"in {time.monotonic() - started:.0f} s")
    return int(not all(line.good for line in lines))


def _newest(folder: Path, pattern: str) -> Path | None:
    found = sorted(folder.glob(pattern), key=os.path.getmtime)
    return found[-1] if found else None


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/soak",
        description="Make the predicted cgroups in a real kernel and read them back, in a small QEMU guest.",
    )
    parser.add_argument(
        _PUBLISHING, action="store_true", help="soak publishing to AWS instead; see --publishing --help for its options"
    )
    parser.add_argument(
        _REPACK, action="store_true", help="boot repacked images instead; see --repack --help for its options"
    )
    parser.add_argument("--kernel", type=Path, metavar="FILE", help="vmlinuz-VERSION; the newest in /boot by default")
    parser.add_argument("--modules", type=Path, metavar="DIR", help="folder of VERSION's modules; /lib/modules")
    parser.add_argument("--seconds", type=float, default=600, metavar="N", help="how long the guest may take")
    parser.add_argument("--log", type=Path, metavar="FILE", help="keep what the guest said")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
