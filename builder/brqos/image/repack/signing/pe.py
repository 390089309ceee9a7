"""EFI programs (PE32+ files): what their sections hold, other content for one, and signatures taken off.

Offsets are those of Microsoft's "PE Format": the COFF header has 20 bytes and follows `PE\\0\\0`, to which the 4 bytes
at 0x3C point; then come the optional header (the checksum at 64, the directories from 112; number 4 is the table of
signatures, whose "address" is an offset in the file) and 40 bytes for each section.

The layout of a file is never changed: a section gets other content in the room that it has. Upstream's packages make
`.pubkey` and `.vendor_cert` 4096 bytes long for that (bottlerocket-kernel-kit's grub.spec and shim.spec), and
the next section follows in memory at once, so that more room could not be had by moving things about either.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from brqos.errors import ConfigurationError

_COFF = struct.Struct("<HHIIIHH")
_SECTION = struct.Struct("<8sIIIIIIHHI")
_CERTIFICATE = struct.Struct("<IHH")
_SYMBOL_SIZE = 18
_PE32_PLUS = 0x20B
_CHECKSUM_AT = 64
_DIRECTORIES_AT = 112
_SIGNATURES = 4
_PKCS7 = 2
# 7 characters, as GRUB compares names as C strings and there is room for 8.
_UNUSED = b".unused\x00"

MACHINES = {0x8664: "x86_64", 0xAA64: "aarch64"}


@dataclass(frozen=True, slots=True)
class Section:
    """A section: `offset` and `size` in the file, `address` and `virtual_size` in memory, `header_at` in the table."""

    name: str
    address: int
    virtual_size: int
    offset: int
    size: int
    header_at: int


@dataclass(frozen=True, slots=True)
class PeFile:
    """An EFI program; `name` is what messages call it. Nothing changes it: what would gives another one."""

    name: str
    data: bytes
    machine: int
    optional_at: int
    sections: tuple[Section, ...]

    @classmethod
    def parse(cls, data: bytes, name: str) -> "PeFile":
        """Read the headers; raises ConfigurationError for what is not a PE32+ file, or breaks off."""
        try:
            return _parse(data, name)
        except (struct.error, ValueError, IndexError) as error:
            raise ConfigurationError(
                f"{name} is not an EFI program",
                why=str(error),
                todo="The image is damaged, or not one of Bottlerocket's with shim and GRUB: take it anew.",
            ) from None

    def section(self, name: str) -> Section | None:
        """The section of that name; raises ConfigurationError where there is more than one."""
        found = [section for section in self.sections if section.name == name]
        if len(found) > 1:
            raise self._refused(f"{self.name} has {len(found)} sections {name}")
        return found[0] if found else None

    def content(self, name: str) -> bytes:
        """All bytes that a section has in the file, with what fills it up; raises ConfigurationError without it."""
        section = self._needed(name)
        return self.data[section.offset : section.offset + section.size]

    def with_content(self, name: str, content: bytes) -> "PeFile":
        """The same program without signatures and with this in a section, filled up with zeros.

        Raises ConfigurationError if the section is not there, or has no room for it.
        """
        section = self._needed(name)
        if len(content) > section.size:
            raise self._refused(
                f"section {name} of {self.name} has room for {section.size} bytes, and {len(content)} are needed",
                todo="Use keys of 2048 or 3072 bits, and a signing key of GnuPG's with one user id and no photo.",
            )
        if len(content) > max(section.virtual_size, self._room(section)):
            raise self._refused(f"section {name} of {self.name} may not be longer in memory")
        bare = self.without_signatures()
        changed = bytearray(bare.data)
        changed[section.offset : section.offset + section.size] = content.ljust(section.size, b"\x00")
        struct.pack_into("<I", changed, section.header_at + 8, max(section.virtual_size, len(content)))
        return _program(changed, self.name)

    def without_section(self, name: str) -> "PeFile":
        """The same program without signatures, in which nobody finds that section: another name, and only zeros.

        Upstream takes the entry out of the table (imghelper, `unembed_grub`: `objcopy --remove-section`), which leaves
        a gap; under another name everything stays where it is.
        """
        section = self._needed(name)
        bare = self.without_signatures()
        changed = bytearray(bare.data)
        changed[section.header_at : section.header_at + len(_UNUSED)] = _UNUSED
        changed[section.offset : section.offset + section.size] = bytes(section.size)
        return _program(changed, self.name)

    def signatures(self) -> tuple[bytes, ...]:
        """The signatures that it carries, each PKCS #7 as DER (filled up to 8 bytes); raises ConfigurationError."""
        offset, size = self._signature_table()
        return tuple(_certificates(self.data[offset : offset + size], self.name))

    def without_signatures(self) -> "PeFile":
        """The same program with *all* its signatures taken off.

        `sbattach --remove` of sbsigntool 0.9.4 takes off the first one only, and `sbsign` adds to those that are there.
        """
        offset, size = self._signature_table()
        if not size:
            return self
        changed = bytearray(self.data[:offset])
        struct.pack_into("<II", changed, self.optional_at + _DIRECTORIES_AT + 8 * _SIGNATURES, 0, 0)
        return _program(changed, self.name)

    def _signature_table(self) -> tuple[int, int]:
        at = self.optional_at + _DIRECTORIES_AT + 8 * _SIGNATURES
        offset, size = struct.unpack_from("<II", self.data, at)
        if size and (offset < at or offset + size > len(self.data)):
            raise self._refused(f"the signatures of {self.name} are not inside the file")
        if size and len(self.data) - (offset + size) >= 8:
            raise self._refused(f"{self.name} goes on behind its signatures")
        return (offset, size) if size else (len(self.data), 0)

    def _room(self, section: Section) -> int:
        """How long a section may be in memory: up to the next one."""
        behind = [other.address for other in self.sections if other.address > section.address]
        end_of_image: int = struct.unpack_from("<I", self.data, self.optional_at + 56)[0]
        return min(behind, default=end_of_image) - section.address

    def _needed(self, name: str) -> Section:
        section = self.section(name)
        if section is None:
            raise self._refused(f"{self.name} has no section {name}")
        if section.offset < self.optional_at or section.offset + section.size > len(self.data):
            raise self._refused(f"section {name} of {self.name} is not inside the file")
        return section

    def _refused(self, what: str, todo: str = "") -> ConfigurationError:
        return ConfigurationError(
            what, todo=todo or "The image is damaged, or its boot chain is one that is not known here."
        )


def checksum(data: bytes | bytearray) -> int:
    """The checksum of a PE file in which the field for it is zero: 16-bit words with end-around carry, plus the length.

    Such a sum is the number that all words make together, modulo 0xFFFF.
    """
    return (int.from_bytes(data, "little") % 0xFFFF or 0xFFFF) + len(data)


def _program(changed: bytearray, name: str) -> PeFile:
    """A program of changed bytes, with its checksum put right."""
    at = PeFile.parse(bytes(changed), name).optional_at + _CHECKSUM_AT
    struct.pack_into("<I", changed, at, 0)
    struct.pack_into("<I", changed, at, checksum(changed))
    return PeFile.parse(bytes(changed), name)


def _parse(data: bytes, name: str) -> PeFile:
    if data[:2] != b"MZ":
        raise ValueError("It does not begin with MZ.")
    start: int = struct.unpack_from("<I", data, 0x3C)[0]
    if data[start : start + 4] != b"PE\x00\x00":
        raise ValueError("It has no PE header.")
    machine, count, _, symbols_at, symbols, optional_size, _ = _COFF.unpack_from(data, start + 4)
    optional_at = start + 4 + _COFF.size
    magic: int = struct.unpack_from("<H", data, optional_at)[0]
    directories: int = struct.unpack_from("<I", data, optional_at + _DIRECTORIES_AT - 4)[0]
    if magic != _PE32_PLUS or directories <= _SIGNATURES:
        raise ValueError("It is not PE32+ with a directory of signatures.")
    strings_at = symbols_at + _SYMBOL_SIZE * symbols if symbols_at else 0
    sections = tuple(
        _section(data, optional_at + optional_size + _SECTION.size * index, strings_at) for index in range(count)
    )
    return PeFile(name, data, machine, optional_at, sections)


def _section(data: bytes, at: int, strings_at: int) -> Section:
    raw, virtual_size, address, size, offset, *_ = _SECTION.unpack_from(data, at)
    return Section(_section_name(data, raw.rstrip(b"\x00"), strings_at), address, virtual_size, offset, size, at)


def _section_name(data: bytes, raw: bytes, strings_at: int) -> str:
    """A name of more than eight bytes (`.vendor_cert`) is in the table of strings: `/` and its offset there."""
    if strings_at and raw[:1] == b"/" and raw[1:].isdigit():
        begin = strings_at + int(raw[1:])
        raw = data[begin : data.index(b"\x00", begin)]
    return raw.decode("ascii", errors="replace")


def _certificates(table: bytes, name: str) -> Iterator[bytes]:
    at = 0
    while at + _CERTIFICATE.size <= len(table):
        length, _, kind = _CERTIFICATE.unpack_from(table, at)
        if length < _CERTIFICATE.size or at + length > len(table) or kind != _PKCS7:
            raise ConfigurationError(f"the table of signatures in {name} is damaged", todo="Take the image anew.")
        yield table[at + _CERTIFICATE.size : at + length]
        at += -(-length // 8) * 8
