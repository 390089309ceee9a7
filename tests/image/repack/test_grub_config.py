"""grub.cfg: the one line is found and rewritten, and all else stays."""

import pytest

from brqos.errors import ConfigurationError
from brqos.image.repack.grub_config import parse
from brqos.image.repack.verity import VerityParameters

ROOT_HASH, SALT = "ab" * 32, "cd" * 32
LINE = (
    f'set dm_verity_root="root,,,ro,0 800 verity 1 PARTUUID=$boot_uuid/PARTNROFF=1 PARTUUID=$boot_uuid/PARTNROFF=2 '
    f'4096 4096 100 1 sha256 {ROOT_HASH} {SALT} 2 restart_on_corruption ignore_zero_blocks"'
)
TEXT = f"""set superusers=""
set check_signatures="no"
set default="0"
{LINE}

menuentry "Bottlerocket OS 1.50.0" --unrestricted {{
   linux ($root)/vmlinuz \\
       dm-mod.create="$dm_verity_root"
   boot
}}
"""


def test_the_numbers_are_read() -> None:
    assert parse(TEXT).verity == VerityParameters(100, bytes.fromhex(SALT), bytes.fromhex(ROOT_HASH))


def test_only_the_numbers_change() -> None:
    other = VerityParameters(101, b"\x01" * 32, b"\x02" * 32)
    changed = parse(TEXT).with_verity(other)
    assert changed.verity == other
    expected = LINE.replace(" 800 ", " 808 ").replace(" 100 ", " 101 ")
    assert changed.text == TEXT.replace(LINE, expected.replace(ROOT_HASH, "02" * 32).replace(SALT, "01" * 32))
    assert changed.with_verity(parse(TEXT).verity).text == TEXT


def test_the_menu_tells_who_modified_it() -> None:
    changed = parse(TEXT).with_entry_name("Example's 1.50.0")
    assert changed.text == TEXT.replace("Bottlerocket OS 1.50.0", "Example's 1.50.0")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (LINE, "", "has no line that sets dm_verity_root"),
        (LINE, f"{LINE}\n{LINE}", "It has: set dm_verity_root"),
        ("sha256", "sha512", "It has: set dm_verity_root"),
        (" 4096 4096 ", " 4096 512 ", "It has: set dm_verity_root"),
        (" 800 ", " 801 ", "801 sectors and 100 blocks of 4096 bytes are not the same size"),
        ("verity 1 ", "linear 1 ", "It has: set dm_verity_root"),
        (ROOT_HASH, ROOT_HASH[:-1], "It has: set dm_verity_root"),
    ],
)
def test_what_is_not_as_expected_is_refused(old: str, new: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=r"\(grub\.cfg\) is not as expected") as refused:
        parse(TEXT.replace(old, new))
    assert why in refused.value.why
