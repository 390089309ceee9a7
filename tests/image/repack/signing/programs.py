"""EFI programs for tests, which nothing can run, and signatures that only look like some."""

import random
import struct

from brqos.architecture import Architecture

from ..synthetic import pe

GRUB_SBAT = b"sbat,1,SBAT Version,sbat,1,https://example.invalid\ngrub,5,x,grub,2.06,https://example.invalid\n"


def fake(architecture: Architecture, name: str, *sections: pe.Section, size: int = 4000) -> bytes:
    """A program whose code is random, always the same for a name."""
    code = pe.Section(".text", random.Random(name).randbytes(size), pe.CODE)
    return pe.build(architecture.value, [code, pe.Section(".data", name.encode(), pe.DATA), *sections])


def with_signatures(program: bytes, *signatures: bytes) -> bytes:
    """The program with a table of PKCS #7 signatures at its end, each filled up to 8 bytes."""
    program = program.ljust(-(-len(program) // 8) * 8, b"\x00")
    table = b""
    for signature in signatures:
        entry = struct.pack("<IHH", 8 + len(signature), 0x200, 2) + signature
        table += entry.ljust(-(-len(entry) // 8) * 8, b"\x00")
    changed = bytearray(program + table)
    struct.pack_into("<II", changed, optional_header(program) + 112 + 8 * 4, len(program), len(table))
    return bytes(changed)


def optional_header(program: bytes) -> int:
    start: int = struct.unpack_from("<I", program, 0x3C)[0]
    return start + 24
