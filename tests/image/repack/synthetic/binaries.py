"""The programs of the boot chain: shim, MokManager, GRUB and the kernel; Debian's or made up, signed or not."""

import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import debian, grub, pe
from .model import Binaries, ImageOptions, MissingError
from .profile import ConfigSigner, certificate_der, sign_pe
from .tools import need, run

_RETURN = {"x86_64": b"\x31\xc0\xc3", "aarch64": b"\x00\x00\x80\xd2\xc0\x03\x5f\xd6"}
_SHIM_SBAT = b"sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\nshim,4,UEFI shim,shim,1,x\n"


@dataclass(frozen=True, slots=True)
class BootChain:
    """Signed if the image has a profile; `kernel` is vmlinuz."""

    shim: bytes
    mok_manager: bytes
    grub: bytes
    kernel: bytes


def make_chain(options: ImageOptions, signer: ConfigSigner | None) -> BootChain:
    """All programs. `signer` holds the key that GRUB shall trust; None for an image without Secure Boot.

    Raises MissingError if Debian's packages are not there.
    """
    public_key = None if signer is None else signer.public_key()
    vendor = b"" if options.profile is None else certificate_der(options.profile, "vendor")
    chain = (_fake if options.binaries is Binaries.FAKE else _real)(options, public_key, vendor)
    if options.profile is None:
        return chain
    return BootChain(
        shim=sign_pe(chain.shim, options.profile, "shim-sign"),
        mok_manager=sign_pe(chain.mok_manager, options.profile, "code-sign"),
        grub=sign_pe(chain.grub, options.profile, "code-sign"),
        kernel=sign_pe(chain.kernel, options.profile, "code-sign"),
    )


def _fake(options: ImageOptions, public_key: bytes | None, vendor: bytes) -> BootChain:
    def image(name: str, *sections: pe.Section, size: int = 8192) -> bytes:
        code = _RETURN[options.architecture] + random.Random(name).randbytes(size)
        text = pe.Section(".text", code, pe.CODE)
        return pe.build(options.architecture, [text, pe.Section(".data", f"fake {name}".encode(), pe.DATA), *sections])

    key = () if public_key is None else (pe.Section(".pubkey", public_key),)
    return BootChain(
        shim=image("shim", pe.Section(".vendor_cert", pe.cert_table(vendor)), pe.Section(".sbat", _SHIM_SBAT)),
        mok_manager=image("MokManager", pe.Section(".sbat", _SHIM_SBAT)),
        grub=image("GRUB", pe.Section("mods", bytes(2048), pe.DATA), *key, pe.Section(".sbat", grub.SBAT.encode())),
        kernel=image("kernel", size=500_000),
    )


def _real(options: ImageOptions, public_key: bytes | None, vendor: bytes) -> BootChain:
    if options.architecture != "x86_64":
        raise MissingError("Debian's binaries for aarch64 are in packages of another architecture")
    kernel = options.kernel or debian.find_kernel().image
    return BootChain(
        shim=_with_vendor(debian.shim_file("shimx64.efi"), vendor),
        mok_manager=debian.shim_file("mmx64.efi"),
        grub=grub.make_grub(public_key),
        kernel=_unsigned(kernel.read_bytes()),
    )


def _with_vendor(shim: bytes, vendor: bytes) -> bytes:
    """Replace the certificate as rpm2img does; the section keeps its size, which at Debian is that of its own CA."""
    table = pe.cert_table(vendor)
    size = len(pe.sections(shim)[".vendor_cert"])
    assert size >= len(table)
    return _objcopy(shim, ".vendor_cert", table.ljust(size, b"\x00"))


def _objcopy(image: bytes, section: str, content: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path, replacement = Path(folder) / "image", Path(folder) / "section"
        path.write_bytes(image)
        replacement.write_bytes(content)
        run(["objcopy", "--update-section", f"{section}={replacement}", path])
        return path.read_bytes()


def _unsigned(kernel: bytes) -> bytes:
    need("sbattach")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vmlinuz"
        path.write_bytes(kernel)
        run(["sbattach", "--remove", path])
        return path.read_bytes()
