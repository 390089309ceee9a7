"""Who refused to go on, by what the serial console shows."""

import re
from dataclasses import dataclass
from enum import StrEnum

# Escape sequences, and the frames of shim's message box.
_SEQUENCE = re.compile(r"\x1b\[[0-9;=]*[A-Za-z]|[^\x20-\x7e\n]")
_SHIM_STARTED = r'BdsDxe: starting Boot\d+ "UEFI Misc Device"'
_GRUB_STARTED = r"Welcome to GRUB!"
_KERNEL_STARTED = r"\] Linux version "


class Refuser(StrEnum):
    """The links of the chain, in their order."""

    FIRMWARE = "firmware"
    SHIM = "shim"
    GRUB = "GRUB"
    VERITY = "dm-verity"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Who refused, and in which words."""

    by: Refuser
    words: str


@dataclass(frozen=True, slots=True)
class _Sign:
    """What a link says when it refuses, what is shown before that, and what is not shown at all."""

    by: Refuser
    words: str
    before: str
    never: str


# GRUB tells no error of its `configfile` (normal/main.c ignores it): what is left on its screen is the message with
# which upstream's early configuration ends.
_SIGNS = (
    _Sign(Refuser.FIRMWARE, r'failed to load Boot\d+ "UEFI Misc Device".*(Access Denied)', "", _GRUB_STARTED),
    _Sign(Refuser.SHIM, r"(Verification failed: \(0x1A\) Security Violation)", _SHIM_STARTED, _GRUB_STARTED),
    _Sign(Refuser.SHIM, r"error: (bad shim signature)", _GRUB_STARTED, _KERNEL_STARTED),
    _Sign(Refuser.GRUB, r"(boot failed) \(device", _GRUB_STARTED, "Booting `"),
    _Sign(Refuser.VERITY, r"device-mapper: verity: \S+ ((?:meta)?data block \d+ is corrupted)", _KERNEL_STARTED, "\0"),
)


def refusal(log: str) -> Refusal | None:
    """What stopped a boot; None if nothing in the log says so."""
    text = plain(log)
    for sign in _SIGNS:
        found = re.search(sign.words, text)
        if found and re.search(sign.before, text[: found.start()]) and not re.search(sign.never, text):
            return Refusal(sign.by, found[1])
    return None


def plain(log: str) -> str:
    """The log without what is only for a terminal."""
    return re.sub(r"  +", " ", _SEQUENCE.sub(" ", log))


def last_words(log: str) -> str:
    """What a boot said last, for one that ended otherwise than expected."""
    lines = [line.strip() for line in plain(log).splitlines() if line.strip()]
    return lines[-1] if lines else "nothing at all"
