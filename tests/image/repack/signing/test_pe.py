"""EFI programs: what is read is what other tools read, and nothing but the one section changes."""

import struct
from collections.abc import Callable
from pathlib import Path

import pefile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.image.repack.signing.pe import PeFile, checksum
from brqos.process import run
from conftest import missing

from ..synthetic import pe
from .programs import fake, optional_header, with_signatures

SHIM = Path("/usr/lib/shim")
GRUB = fake(Architecture.X86_64, "GRUB", pe.Section(".pubkey", b"key".ljust(4096, b"\x00")), pe.Section(".sbat", b"s"))


def parsed(data: bytes) -> PeFile:
    return PeFile.parse(data, "grubx64.efi")


def differences(one: bytes, other: bytes) -> set[int]:
    assert len(one) == len(other)
    return {index for index in range(len(one)) if one[index] != other[index]}


def test_a_section_gets_other_content_and_nothing_else_changes() -> None:
    before = parsed(GRUB)
    after = before.with_content(".pubkey", b"another key")
    section = before.section(".pubkey")
    assert section is not None
    assert after.content(".pubkey") == b"another key".ljust(4096, b"\x00")
    assert after.sections == before.sections
    checksum_at = before.optional_at + 64
    assert differences(GRUB, after.data) <= {
        *range(section.offset, section.offset + section.size),
        *range(checksum_at, checksum_at + 4),
    }
    assert parsed(after.data) == after


def test_a_section_grows_in_memory_into_the_room_that_it_has_in_the_file() -> None:
    program = fake(Architecture.X86_64, "x", pe.Section(".pubkey", b"short"), pe.Section(".sbat", b"s"))
    after = parsed(program).with_content(".pubkey", b"k" * 512)
    assert after.section(".pubkey").virtual_size == 512  # type: ignore[union-attr]
    with pytest.raises(ConfigurationError, match="has room for 512 bytes, and 513 are needed"):
        after.with_content(".pubkey", b"k" * 513)


def test_a_section_never_grows_into_the_next_one_in_memory() -> None:
    program = bytearray(GRUB)
    section = parsed(GRUB).section(".pubkey")
    assert section is not None
    # Half a page in memory, and the next section right behind it.
    struct.pack_into("<I", program, section.header_at + 8, 2048)
    struct.pack_into("<I", program, section.header_at + 40 + 12, section.address + 2048)
    with pytest.raises(ConfigurationError, match="may not be longer in memory"):
        parsed(bytes(program)).with_content(".pubkey", b"k" * 2049)


def test_a_section_that_is_taken_out_is_found_by_nobody() -> None:
    after = parsed(GRUB).without_section(".pubkey")
    assert after.section(".pubkey") is None
    assert b"pubkey" not in after.data
    assert b"key" not in after.data
    kept = [section for section in parsed(GRUB).sections if section.name != ".pubkey"]
    assert [section for section in after.sections if section.name != ".unused"] == kept
    assert set(pe.sections(after.data)) == {".text", ".data", ".unused", ".sbat"}


def test_all_signatures_are_taken_off() -> None:
    signed = parsed(with_signatures(GRUB, b"first", b"a longer second one"))
    assert [signature.rstrip(b"\x00") for signature in signed.signatures()] == [b"first", b"a longer second one"]
    bare = signed.without_signatures()
    assert bare.signatures() == ()
    # All but the checksum is as it was before anybody signed it.
    assert len(differences(GRUB, bare.data)) <= 4
    assert parsed(GRUB).without_signatures().data == GRUB
    assert signed.with_content(".pubkey", b"x").signatures() == ()
    assert signed.without_section(".pubkey").signatures() == ()


@given(st.binary(max_size=70).map(lambda data: data + b"\x00" * (len(data) % 2)), st.integers(0, 3))
def test_checksum_is_the_sum_of_words_with_carry(data: bytes, filled: int) -> None:
    data += b"\xff\xff" * filled
    total = 0
    for word in struct.unpack(f"<{len(data) // 2}H", data):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    # An all-zero file is the one case in which the two ways differ; it has no headers.
    assert checksum(data) == (total or 0xFFFF) + len(data)


def test_checksum_is_right_for_others() -> None:
    after = parsed(GRUB).with_content(".pubkey", b"another key")
    read = pefile.PE(data=after.data, fast_load=True)
    assert read.verify_checksum()
    assert [section.Name.rstrip(b"\x00") for section in read.sections] == [b".text", b".data", b".pubkey", b".sbat"]


@pytest.mark.processes
def test_objcopy_makes_and_reads_the_same(tmp_path: Path, tool: Callable[[str], Path]) -> None:
    objcopy = tool("objcopy")
    program, key, read = tmp_path / "grub.efi", tmp_path / "key", tmp_path / "read"
    key.write_bytes(b"k" * 1000)
    program.write_bytes(GRUB)
    run([objcopy, "--file-alignment", "4096", "--update-section", f".pubkey={key}", program])
    theirs = program.read_bytes()
    ours = parsed(GRUB).with_content(".pubkey", key.read_bytes())
    assert parsed(theirs).content(".pubkey") == ours.content(".pubkey")
    program.write_bytes(ours.data)
    run([objcopy, "--dump-section", f".pubkey={read}", program])
    assert read.read_bytes().rstrip(b"\x00") == key.read_bytes()


def test_debians_shim() -> None:
    if not (SHIM / "shimx64.efi.signed").is_file():
        missing("Debian's shim-signed is not installed")
    signed, unsigned = (SHIM / "shimx64.efi.signed").read_bytes(), (SHIM / "shimx64.efi").read_bytes()
    # Its name is in the table of strings.
    assert parsed(signed).content(".vendor_cert").startswith(struct.pack("<I", len(debian_ca(signed))))
    assert len(parsed(signed).signatures()) == 2
    bare = parsed(signed).without_signatures()
    changed = differences(unsigned, bare.data[: len(unsigned)])
    assert changed <= set(range(bare.optional_at + 64, bare.optional_at + 68))
    assert not any(bare.data[len(unsigned) :])
    after = parsed(signed).with_content(".vendor_cert", b"other")
    assert after.content(".vendor_cert").rstrip(b"\x00") == b"other"
    assert [section.name for section in after.sections] == [section.name for section in parsed(unsigned).sections]


def debian_ca(shim: bytes) -> bytes:
    content = pe.sections(shim)[".vendor_cert"]
    size, _, begin, _ = struct.unpack_from("<IIII", content)
    return content[begin : begin + size]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "MZ"),
        (b"ELF" * 100, "MZ"),
        (b"MZ" + bytes(100), "PE header"),
        (GRUB[:0x90], ""),
        (GRUB[: optional_header(GRUB) + 200], ""),
        (GRUB.replace(b"\x0b\x02", b"\x0b\x01", 1), "PE32"),
    ],
)
def test_no_program(data: bytes, why: str) -> None:
    with pytest.raises(ConfigurationError, match="is not an EFI program") as caught:
        parsed(data)
    assert why in caught.value.why


@given(st.integers(0, len(GRUB)))
def test_one_that_breaks_off_is_read_or_refused(length: int) -> None:
    try:
        parsed(GRUB[:length]).content(".pubkey")
    except ConfigurationError:
        assert length < len(GRUB)


def test_sections_that_are_not_as_they_should_be() -> None:
    with pytest.raises(ConfigurationError, match=r"has no section \.vendor_cert"):
        parsed(GRUB).content(".vendor_cert")
    with pytest.raises(ConfigurationError, match=r"is not inside the file"):
        parsed(GRUB[:-4096]).with_content(".pubkey", b"")
    with pytest.raises(ConfigurationError, match=r"has 2 sections \.data"):
        parsed(GRUB.replace(b".text\x00", b".data\x00", 1)).content(".data")


def test_signatures_that_are_not_as_they_should_be() -> None:
    signed = with_signatures(GRUB, b"signature")
    with pytest.raises(ConfigurationError, match="are not inside the file"):
        parsed(signed[:-8]).signatures()
    with pytest.raises(ConfigurationError, match="goes on behind its signatures"):
        parsed(signed + bytes(8)).without_signatures()
    with pytest.raises(ConfigurationError, match="is damaged"):
        parsed(signed[: len(GRUB)] + b"\xff" + signed[len(GRUB) + 1 :]).signatures()
    inside = bytearray(signed)
    struct.pack_into("<II", inside, optional_header(GRUB) + 112 + 8 * 4, 8, 8)
    with pytest.raises(ConfigurationError, match="are not inside the file"):
        parsed(bytes(inside)).without_signatures()
