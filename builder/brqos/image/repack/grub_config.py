"""grub.cfg: where the root hash is, and nothing else of it is changed.

twoliter, embedded/rpm2img and imghelper (generate_verity_root): one line sets `dm_verity_root`, the table of the
device-mapper target that the kernel makes its root device of. Everything in that line is known; what is not as expected
is refused, since a kernel that cannot make its root device does not boot.
"""

import re
from dataclasses import dataclass

from brqos.errors import ConfigurationError
from brqos.image.repack.verity import BLOCK, VerityParameters

_SECTORS_PER_BLOCK = BLOCK // 512
_LINE = re.compile(
    r'^(?P<before>set dm_verity_root="root,,,ro,0 )(?P<sectors>\d+)'
    r"(?P<devices> verity 1 PARTUUID=\S+ PARTUUID=\S+ 4096 4096 )(?P<blocks>\d+)"
    r"(?P<algorithm> 1 sha256 )(?P<root_hash>[0-9a-f]{64}) (?P<salt>[0-9a-f]+|-)"
    r'(?P<after> \d+(?: [a-z_]+)*")$',
    re.MULTILINE,
)
_ENTRY = re.compile(r'^menuentry "(?P<name>[^"]*)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class GrubConfig:
    """The text of a grub.cfg and the one place in it that matters here."""

    text: str
    verity: VerityParameters

    def with_verity(self, verity: VerityParameters) -> "GrubConfig":
        """The same with other numbers, salt and root hash."""
        match = _only_line(self.text)
        line = (
            f"{match['before']}{verity.data_blocks * _SECTORS_PER_BLOCK}{match['devices']}{verity.data_blocks}"
            f"{match['algorithm']}{verity.root_hash.hex()} {verity.salt.hex() or '-'}{match['after']}"
        )
        return parse(self.text[: match.start()] + line + self.text[match.end() :])

    def with_entry_name(self, name: str) -> "GrubConfig":
        """The same with another name in the boot menu; `name` has no quotes or dollar signs."""
        return GrubConfig(_ENTRY.sub(lambda _: f'menuentry "{name}"', self.text, count=1), self.verity)


def parse(text: str) -> GrubConfig:
    """Read a grub.cfg; raises ConfigurationError where the line is not there exactly once, or not as expected."""
    match = _only_line(text)
    blocks = int(match["blocks"])
    if int(match["sectors"]) != blocks * _SECTORS_PER_BLOCK:
        raise _unknown(f"{match['sectors']} sectors and {blocks} blocks of 4096 bytes are not the same size")
    salt = b"" if match["salt"] == "-" else bytes.fromhex(match["salt"])
    return GrubConfig(text, VerityParameters(blocks, salt, bytes.fromhex(match["root_hash"])))


def _only_line(text: str) -> re.Match[str]:
    found = list(_LINE.finditer(text))
    if len(found) != 1 or text.count("set dm_verity_root=") != 1:
        lines = [line for line in text.splitlines() if "dm_verity_root=" in line]
        shown = f"It has: {lines[0][:200]}" if lines else "It has no line that sets dm_verity_root."
        raise _unknown(shown.removesuffix("."))
    return found[0]


def _unknown(why: str) -> ConfigurationError:
    return ConfigurationError(
        "the boot configuration of the image (grub.cfg) is not as expected",
        why=f"{why}.",
        todo="Give an OS image of Bottlerocket's own; an image that was changed by other tools is not known here.",
    )
