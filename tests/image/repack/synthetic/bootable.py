"""An image that boots under QEMU and OVMF up to reading files of its root, and the booting of it.

The chain: the firmware, whose db holds the profile's certificate, starts shim; shim starts GRUB, signed by a key of the
profile's vendor CA; GRUB reads grub.cfg, whose signature it checks with the key in `.pubkey`, and has shim check the
kernel; the kernel's initramfs opens the root by dm-verity with the hash from the command line. The initramfs lies where
upstream has bootconfig.data, on the private partition, so grub.cfg is the same as in any other image; nobody checks its
signature, just as nobody checks that of bootconfig.data.
"""

import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .debian import OVMF, Kernel
from .firmware import secure_boot_store
from .initramfs import MARK, make_initramfs
from .maker import make_image
from .model import MIDDLE, Binaries, ImageOptions, MissingError, SyntheticImage
from .profile import certificate_der
from .tools import find

CODE, EMPTY_VARIABLES = OVMF / "OVMF_CODE_4M.secboot.fd", OVMF / "OVMF_VARS_4M.fd"
# The firmware, shim or GRUB will not go on and wait for somebody at the console.
_REFUSED = re.compile(rb"Access Denied|Security Violation|bad shim signature|boot failed \(device")
# No “quiet”: a boot that fails is to be understood from its log.
_PARAMETERS = ("console=ttyS0,115200n8", "net.ifnames=0", "panic=-1")


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file as the booted system saw it; `mode` in octal digits, without the file's type."""

    content: bytes
    mode: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class BootOutcome:
    """How a boot ended. `booted` is true only if the whole root could be read; `log` is the serial console's text."""

    booted: bool
    secure_boot: bool
    files: dict[str, ShownFile]
    missing: tuple[str, ...]
    seconds: float
    log: str


def make_bootable(
    options: ImageOptions, kernel: Kernel, wanted: Sequence[str], folder: Path, *, read_all: bool = True
) -> SyntheticImage:
    """Make an image with Debian's binaries that shows the files `wanted` (absolute paths) when it is booted.

    A layout that is too small is replaced by MIDDLE. `read_all` has the system read every block of the root before it
    says that it is done.
    """
    if options.layout.private < MIDDLE.private and options.layout.total < 1024:
        options = replace(options, layout=MIDDLE)
    return make_image(
        replace(
            options,
            binaries=Binaries.REAL,
            kernel=kernel.image,
            bootconfig=make_initramfs(kernel, wanted, read_all=read_all),
            kernel_parameters=_PARAMETERS,
        ),
        folder,
    )


def boot(
    os_image: Path,
    *,
    secure_boot_profile: Path | None = None,
    variables: bytes | None = None,
    timeout: float = 300.0,
) -> BootOutcome:
    """Boot a raw image; it is not written to.

    With a profile the firmware has its PK, KEK and db, and Secure Boot is on; without one it has no keys, and Secure
    Boot is off. `variables` is a whole variable store of OVMF's instead. Raises MissingError without QEMU or OVMF; a
    boot that has not ended after `timeout` seconds is stopped.
    """
    qemu = find("qemu-system-x86_64")
    for file in (CODE, EMPTY_VARIABLES):
        if not file.is_file():
            raise MissingError(f"not installed: Debian's package ovmf ({file})")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store, log = folder / "variables.fd", folder / "serial.log"
        store.write_bytes(_variables(secure_boot_profile) if variables is None else variables)
        began = time.monotonic()
        command = _command(qemu, os_image, store, log)
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            try:
                _wait(process, log, began + timeout)
            finally:
                process.kill()
            trouble = process.stderr.read().decode() if process.stderr else ""
        # A signal is the one that we sent.
        if process.returncode > 0:
            raise RuntimeError(f"QEMU ended with status {process.returncode}: {trouble}")
        return _outcome(log.read_bytes(), time.monotonic() - began)


def _wait(process: subprocess.Popen[bytes], log: Path, deadline: float) -> None:
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
        if log.exists() and _REFUSED.search(log.read_bytes()):
            # Some more words may follow.
            time.sleep(1)
            return


def _variables(profile: Path | None) -> bytes:
    empty = EMPTY_VARIABLES.read_bytes()
    if profile is None:
        return empty
    return secure_boot_store(
        empty,
        platform=certificate_der(profile, "PK"),
        exchange=certificate_der(profile, "KEK"),
        database=certificate_der(profile, "db"),
    )


def _command(qemu: Path, image: Path, variables: Path, log: Path) -> list[str | Path]:
    # Not KVM: a kernel's that is itself virtual may refuse what OVMF wants, and half a minute is soon over.
    return [
        *(qemu, "-machine", "q35,smm=on", "-accel", "tcg", "-cpu", "max", "-m", "512"),
        *("-global", "driver=cfi.pflash01,property=secure,value=on"),
        *("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={CODE}"),
        *("-drive", f"if=pflash,unit=1,format=raw,file={variables}"),
        *("-drive", f"if=virtio,format=raw,snapshot=on,file={image}"),
        *("-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot", "-serial", f"file:{log}"),
    ]


def _outcome(raw: bytes, seconds: float) -> BootOutcome:
    log = raw.decode(errors="replace").replace("\r", "")
    files = {}
    # Kernel messages may come in between; they are not marked.
    for found in re.finditer(rf"{MARK} file: (\S+) (\d+) (\d+) (\d+) (\d+)\n(.*?){MARK} end\n", log, re.DOTALL):
        path, mode, uid, gid, _, text = found.groups()
        lines = re.findall(rf"^{MARK}\| (.*\n)", text, re.MULTILINE)
        files[path] = ShownFile("".join(lines).encode(), mode, int(uid), int(gid))
    return BootOutcome(
        booted=f"{MARK} done\n" in log,
        secure_boot=re.search(rf"{MARK} kernel: .*(Secure boot enabled|from EFI Secure Boot)", log) is not None,
        files=files,
        missing=tuple(re.findall(rf"{MARK} missing: (\S+)", log)),
        seconds=seconds,
        log=log,
    )
