"""A GRUB made of Debian's modules that behaves as upstream's does where signatures are concerned.

Bottlerocket's GRUB has a patch (packages/grub, 0045, until Bottlerocket 1.20; kernel kit since): the key it trusts is
not among the modules but in a PE section of its own, `.pubkey`, and signatures are enforced if that section is there.
Debian's grub-mkimage only knows the key among the modules. What is made here has room for a key among its modules, and
one more module that runs before pgp: it copies the section's bytes there, or strikes the room out if the section is
gone. So whoever replaces or removes the section sees what he would see with upstream's GRUB.

The other difference: Debian has no gptprio.next and no search by a partition's label; the boot and the private
partition are found by the UUIDs that the maker gives their filesystems.
"""

import tempfile
from pathlib import Path

from .model import MissingError, guid
from .pe import Section, insert
from .tools import need, run

MODULES = Path("/usr/lib/grub/x86_64-efi")
SBAT = (
    "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
    "grub,5,Free Software Foundation,grub,2.06,https://www.gnu.org/software/grub/\n"
    "grub.synthetic,1,Synthetic,grub,2.06,https://example.invalid/\n"
)
# What the section can hold. Upstream's is as large (packages/grub/grub.spec: truncate -s 4096 empty.pubkey).
KEY_ROOM = 4096

# Upstream's list without gptprio and zstd, with search and probe in gptprio's place.
_LOADED = ("configfile", "echo", "ext2", "linux", "normal", "part_gpt", "reboot", "sleep", "search", "probe", "efi_gop")
_LOADED_TO_VERIFY = ("pgp", "crypto", "gcry_sha256", "gcry_sha512", "gcry_dsa", "gcry_rsa")

# Not by a file's name: search opens it, and refuses one that has no signature.
_EARLY_CONFIG = f"""\
set no_modules=y
terminal_output console
search --no-floppy --set root --fs-uuid {guid("boot")}
probe --set boot_uuid --part-uuid $root
set prefix=($root)/grub
export boot_uuid
search --no-floppy --set private --fs-uuid {guid("private")}
export private
configfile /grub/grub.cfg
echo "boot failed (device ($root), uuid $boot_uuid)"
sleep 5
reboot
"""

_MODULE = "pubkeysection"
# kern/dl.c wants these sections and symbols of a module; include/grub/kernel.h has the list that is walked: 8 bytes of
# type and size before each object, 4 for a key, the list's offset at 8 and its end at 16 of the header.
_MODULE_SOURCE = """\
        .section .modname, "a"
        .asciz "pubkeysection"
        .section .module_license, "a"
        .asciz "LICENSE=GPLv3+"
        .text
        .globl grub_mod_init, grub_mod_fini
        .type grub_mod_init, @function
        .type grub_mod_fini, @function
grub_mod_init:
        movabsq $grub_modbase, %rax
        movq    (%rax), %rdx            # where the section "mods" was loaded
        movq    %rdx, %rsi
search_image:                           # the image begins at a page, with "MZ"
        cmpw    $0x5a4d, (%rsi)
        je      image_found
        subq    $0x1000, %rsi
        jmp     search_image
image_found:
        movq    %rsi, %r8
        movl    0x3c(%rsi), %eax
        addq    %rax, %rsi
        movzwl  6(%rsi), %r9d           # number of sections
        movzwl  20(%rsi), %eax
        leaq    24(%rsi,%rax), %rsi     # the first section's header
        movq    %rdx, %rdi
        addq    8(%rdx), %rdi           # the first object
        movq    %rdx, %r10
        addq    16(%rdx), %r10          # the end of all
search_room:
        cmpq    %r10, %rdi
        jae     done
        cmpl    $4, (%rdi)              # OBJ_TYPE_PUBKEY
        je      room_found
        movl    4(%rdi), %eax
        addq    $7, %rax
        andq    $-8, %rax
        addq    %rax, %rdi
        jmp     search_room
room_found:
        movabsq $0x0079656b6275702e, %rax       # ".pubkey"
search_section:
        testl   %r9d, %r9d
        jz      no_section
        cmpq    %rax, (%rsi)
        je      section_found
        addq    $40, %rsi
        decl    %r9d
        jmp     search_section
no_section:
        movl    $0x7f, (%rdi)           # of no type that anybody loads
        jmp     done
section_found:
        movl    8(%rsi), %ecx           # its size in memory
        cmpl    $KEY_ROOM, %ecx
        jbe     copy
        movl    $KEY_ROOM, %ecx
copy:
        movl    12(%rsi), %esi
        addq    %r8, %rsi
        addq    $8, %rdi
        cld
        rep movsb
done:
        ret
grub_mod_fini:
        ret
"""


def make_grub(public_key: bytes | None) -> bytes:
    """An unsigned grubx64.efi; without a key it has no section .pubkey and checks no signatures."""
    need("grub-mkimage", "as")
    if not (MODULES / "moddep.lst").is_file():
        raise MissingError("not installed: Debian's package grub-efi-amd64-bin")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        modules = _modules_with_ours(folder / "modules")
        files = {"early.cfg": _EARLY_CONFIG.encode(), "sbat.csv": SBAT.encode(), "room": bytes(KEY_ROOM)}
        for file, content in files.items():
            (folder / file).write_bytes(content)
        run(
            [
                *("grub-mkimage", "-d", modules, "-O", "x86_64-efi", "-p", "/EFI/BOOT"),
                *("-c", folder / "early.cfg", "--sbat", folder / "sbat.csv", "--pubkey", folder / "room"),
                *("-o", folder / "grubx64.efi", _MODULE, *_LOADED, *_LOADED_TO_VERIFY),
            ]
        )
        image = (folder / "grubx64.efi").read_bytes()
    if public_key is None:
        return image
    assert len(public_key) <= KEY_ROOM
    return insert(image, Section(".pubkey", public_key), before=".sbat")


def _modules_with_ours(folder: Path) -> Path:
    folder.mkdir()
    for path in MODULES.iterdir():
        if path.name != "moddep.lst":
            (folder / path.name).symlink_to(path)
    (folder / "moddep.lst").write_text((MODULES / "moddep.lst").read_text() + f"{_MODULE}:\n")
    source = f"        .equ KEY_ROOM, {KEY_ROOM}\n{_MODULE_SOURCE}"
    run(["as", "--64", "-o", folder / f"{_MODULE}.mod", "-"], stdin=source.encode())
    return folder
