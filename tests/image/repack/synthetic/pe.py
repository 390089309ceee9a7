"""PE files: small ones made from nothing, and a section put into one that is there.

Offsets are those of Microsoft's "PE Format": a COFF header of 20 bytes after the signature, the PE32+ optional header
(its size at 56, the size of all headers at 60, the directories from 112), 40 bytes for each section. A name
of more than eight characters, such as .vendor_cert, is "/" and an offset into the table of strings, which follows the
table of symbols at the end of the file.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_MACHINES = {"x86_64": 0x8664, "aarch64": 0xAA64}
_DIRECTORIES = 16
_OPTIONAL = 112 + _DIRECTORIES * 8
_ALIGNMENT = 4096
_FILE_ALIGNMENT = 512
_EFI_APPLICATION = 10
_RELOCATIONS = 5

CODE = 0x60000020
DATA = 0xC0000040
READ_ONLY = 0x40000040


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a new file."""

    name: str
    content: bytes
    flags: int = READ_ONLY


def build(architecture: str, sections: Sequence[Section]) -> bytes:
    """An EFI application of these sections; it starts at the first one's first byte."""
    headers = _up(0x80 + 4 + 20 + _OPTIONAL + 40 * (len(sections) + 1), _FILE_ALIGNMENT)
    table, body, strings, address = b"", b"", b"", _ALIGNMENT
    for section in sections:
        raw = _up(len(section.content), _FILE_ALIGNMENT)
        name = section.name.encode()
        if len(name) > 8:
            name, strings = f"/{4 + len(strings)}".encode(), strings + name + b"\x00"
        table += _header(name, section, address, headers + len(body), raw)
        body += section.content.ljust(raw, b"\x00")
        address += _up(len(section.content), _ALIGNMENT)
    stub = b"MZ".ljust(0x3C, b"\x00") + struct.pack("<I", 0x80)
    symbols = headers + len(body) if strings else 0
    # 0x206: executable, no line numbers, debugging information stripped.
    coff = struct.pack("<HHIIIHH", _MACHINES[architecture], len(sections), 0, symbols, 0, _OPTIONAL, 0x206)
    optional = struct.pack(
        "<HBBIIIIIQIIHHHHHHIIIIHHQQQQII",
        *(0x20B, 2, 40, len(sections[0].content), len(body), 0, _ALIGNMENT, _ALIGNMENT),
        *(0, _ALIGNMENT, _FILE_ALIGNMENT, 0, 0, 0, 0, 0, 0, 0, address, headers, 0, _EFI_APPLICATION, 0),
        *(0, 0, 0, 0, 0, _DIRECTORIES),
    ).ljust(_OPTIONAL, b"\x00")
    end = struct.pack("<I", 4 + len(strings)) + strings if strings else b""
    return (stub.ljust(0x80, b"\x00") + b"PE\x00\x00" + coff + optional + table).ljust(headers, b"\x00") + body + end


def insert(image: bytes, section: Section, before: str) -> bytes:
    """The unsigned image with one more section, before the one called `before`; what follows moves up.

    Only for images in which nothing but the directory of relocations points into the sections that move, as is true of
    GRUB's .sbat and .reloc. That is where upstream's grub-mkimage puts .pubkey.
    """
    start = struct.unpack_from("<I", image, 0x3C)[0]
    count, optional_size = struct.unpack_from("<H12xH", image, start + 6)
    optional, table = start + 24, start + 24 + optional_size
    alignment, file_alignment = struct.unpack_from("<II", image, optional + 32)
    headers_size = struct.unpack_from("<I", image, optional + 60)[0]
    assert table + 40 * (count + 1) <= headers_size, "no room for another section header"
    entries = [image[table + 40 * i : table + 40 * (i + 1)] for i in range(count)]
    index = [entry[:8].rstrip(b"\x00").decode() for entry in entries].index(before)
    address, raw = struct.unpack_from("<4xI", entries[index], 8)[0], struct.unpack_from("<I", entries[index], 20)[0]
    raw_size = _up(len(section.content), file_alignment)
    shift = _up(len(section.content), alignment)

    moved = [_moved(entry, shift, raw_size) for entry in entries[index:]]
    entries[index:] = [_header(section.name.encode(), section, address, raw, raw_size), *moved]
    result = bytearray(image[:raw] + section.content.ljust(raw_size, b"\x00") + image[raw:])
    result[table : table + 40 * len(entries)] = b"".join(entries)
    struct.pack_into("<H", result, start + 6, len(entries))
    _add(result, optional + 8, raw_size)
    _add(result, optional + 56, shift)
    _add(result, optional + 112 + 8 * _RELOCATIONS, shift)
    return bytes(result)


def sections(image: bytes) -> dict[str, bytes]:
    """The content of each section, of its virtual size."""
    start = struct.unpack_from("<I", image, 0x3C)[0]
    count, symbols, number, optional_size = struct.unpack_from("<H4xIIH", image, start + 6)
    strings = symbols + 18 * number
    found = {}
    for index in range(count):
        name, size, _, raw_size, raw = struct.unpack_from("<8sIIII", image, start + 24 + optional_size + 40 * index)
        name = name.rstrip(b"\x00")
        if name.startswith(b"/"):
            name = image[strings + int(name[1:]) :].split(b"\x00", 1)[0]
        found[name.decode()] = image[raw : raw + min(size, raw_size)]
    return found


def cert_table(certificate: bytes) -> bytes:
    """The content of shim's .vendor_cert, 4096 bytes: sizes and offsets of two lists, the second empty."""
    table = struct.pack("<IIII", len(certificate), 0, 16, 16 + len(certificate))
    return (table + certificate).ljust(4096, b"\x00")


def _header(name: bytes, section: Section, address: int, raw: int, raw_size: int) -> bytes:
    assert len(name) <= 8
    return struct.pack("<8sIIIIIIHHI", name, len(section.content), address, raw_size, raw, 0, 0, 0, 0, section.flags)


def _moved(entry: bytes, shift: int, raw_size: int) -> bytes:
    moved = bytearray(entry)
    _add(moved, 12, shift)
    _add(moved, 20, raw_size)
    return bytes(moved)


def _add(buffer: bytearray, offset: int, amount: int) -> None:
    struct.pack_into("<I", buffer, offset, struct.unpack_from("<I", buffer, offset)[0] + amount)


def _up(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment
