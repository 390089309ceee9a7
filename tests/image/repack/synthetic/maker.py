"""An image from its options: all partitions made one after the other, each in a file of its own, then put in place."""

import hashlib
import hmac
import os
import shutil
import stat
import tempfile
from contextlib import ExitStack
from pathlib import Path

from .binaries import BootChain, make_chain
from .filesystem import make_boot, make_efi_system, make_private, make_root
from .grub_config import grub_config
from .model import MIB, ImageOptions, SyntheticImage, Verity
from .partitions import BOOT, EFI_SYSTEM, HASH, PRIVATE, ROOT, write_data_table, write_os_table
from .profile import ConfigSigner, certificate_der
from .root_files import RootFile, root_files
from .tools import need, run
from .verity import format_tree

PROGRAMS = ("sgdisk", "mke2fs", "debugfs", "resize2fs", "mkfs.erofs", "veritysetup", "mkfs.fat", "mmd", "mcopy")

# FIPS: sha512hmac's key, which anybody may know; twoliter's imghelper uses it for the kernel.
_HMAC_KEY = b"FIPS-FTW-RHT2009"
# bootconfig(8) -a: data, size, checksum, and this.
_BOOTCONFIG_MAGIC = b"#BOOTCONFIG\n"


def make_image(options: ImageOptions, folder: Path) -> SyntheticImage:
    """Make `<name>.img` and `<name>-data.img` in a folder.

    The same options give the same bytes, signatures and keys apart. Raises MissingError if a program is not installed.
    """
    need(*PROGRAMS)
    folder.mkdir(parents=True, exist_ok=True)
    image, data_image = folder / f"{options.name}.img", folder / f"{options.name}-data.img"
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        work = Path(scratch)
        partitions = write_os_table(image, options)
        write_data_table(data_image, options)
        sizes = {part.label: part.size for part in partitions}

        make_root(work / ROOT, options, root_files(options))
        verity = format_tree(work / ROOT, work / HASH)
        with ExitStack() as stack:
            signer = None if options.profile is None else stack.enter_context(ConfigSigner(options.profile))
            chain = make_chain(options, signer)
            make_boot(work / BOOT, sizes[BOOT], _boot_files(options, verity, chain, signer))
        make_efi_system(work / EFI_SYSTEM, sizes[EFI_SYSTEM], _efi_files(options, chain))
        make_private(work / PRIVATE, sizes[PRIVATE], options.bootconfig or no_op_bootconfig())
        for part in partitions:
            if (content := work / (part.label or "none")).exists():
                _put(content, image, part.start, part.size)
    return SyntheticImage(image, data_image, options, verity, partitions)


def compress(image: Path, level: int = 1) -> Path:
    """`<image>.lz4` beside the image, by the stock lz4 (upstream takes level 9)."""
    target = image.with_name(f"{image.name}.lz4")
    run(["lz4", f"-{level}", "-f", "-q", image, target])
    return target


def no_op_bootconfig() -> bytes:
    """What `bootconfig -a` makes of upstream's empty settings."""
    text = b"kernel {}\ninit {}\n\x00"
    text = text.ljust(-(-len(text) // 4) * 4, b"\x00")
    return text + len(text).to_bytes(4, "little") + sum(text).to_bytes(4, "little") + _BOOTCONFIG_MAGIC


def _boot_files(
    options: ImageOptions, verity: Verity, chain: BootChain, signer: ConfigSigner | None
) -> tuple[RootFile, ...]:
    config = grub_config(options, verity).encode()
    digest = hmac.new(_HMAC_KEY, chain.kernel, hashlib.sha512).hexdigest()
    private = stat.S_IFREG | 0o600
    files = [
        RootFile(".vmlinuz.hmac", f"{digest}  vmlinuz\n".encode(), private),
        RootFile("config", b"CONFIG_DM_VERITY=y\nCONFIG_DM_INIT=y\n", private),
        RootFile("grub", mode=stat.S_IFDIR | 0o700),
        RootFile("grub/grub.cfg", config, private),
        RootFile("vmlinuz", chain.kernel, private),
    ]
    if signer is not None:
        files.insert(4, RootFile("grub/grub.cfg.sig", signer.sign(config), private))
    return tuple(files)


def _efi_files(options: ImageOptions, chain: BootChain) -> dict[str, bytes]:
    suffix = options.efi_architecture
    files = {
        f"EFI/BOOT/boot{suffix}.efi": chain.shim,
        f"EFI/BOOT/grub{suffix}.efi": chain.grub,
        f"EFI/BOOT/mm{suffix}.efi": chain.mok_manager,
    }
    if options.profile is not None:
        files["EFI/BOOT/db.crt"] = (options.profile / "db.crt").read_bytes()
        files["EFI/BOOT/db.cer"] = certificate_der(options.profile, "db")
    return files


def _put(content: Path, image: Path, offset: int, room: int) -> None:
    """Copy a file into the image, without its holes."""
    size = content.stat().st_size
    if size > room:
        raise ValueError(f"{content.name} has {size} bytes, its partition {room}")
    with content.open("rb") as source, image.open("r+b") as target:
        while block := source.read(MIB):
            if block.count(0) != len(block):
                target.seek(offset + source.tell() - len(block))
                target.write(block)


def copy(image: SyntheticImage, folder: Path) -> SyntheticImage:
    """Another copy of an image's files, for a test that changes them; holes stay holes."""
    folder.mkdir(parents=True, exist_ok=True)
    targets = [folder / path.name for path in (image.os_image, image.data_image)]
    for source, target in zip((image.os_image, image.data_image), targets, strict=True):
        with source.open("rb") as reader, target.open("wb") as writer:
            writer.truncate(os.fstat(reader.fileno()).st_size)
            _copy_data(reader.fileno(), writer.fileno())
        shutil.copymode(source, target)
    return SyntheticImage(targets[0], targets[1], image.options, image.verity, image.partitions)


def _copy_data(reader: int, writer: int) -> None:
    position, end = 0, os.fstat(reader).st_size
    while position < end:
        try:
            position = os.lseek(reader, position, os.SEEK_DATA)
        except OSError:
            return
        stop = os.lseek(reader, position, os.SEEK_HOLE)
        while position < stop:
            block = os.pread(reader, min(MIB, stop - position), position)
            os.pwrite(writer, block, position)
            position += len(block)
