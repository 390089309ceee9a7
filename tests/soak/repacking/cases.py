"""Which image meets which firmware, and what has to come of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from image.repack.synthetic import SyntheticImage
from soak.repacking.refusal import Refuser
from soak.repacking.scene import Repacked, Scene
from soak.repacking.tampering import (
    GRUB,
    SHIM,
    Tampering,
    bit_of_data,
    bit_of_file,
    bit_of_tree,
    changed_grub_config,
    changed_grub_config_signed_anew,
    grub_config_of,
    kernel_of,
    program_of,
    root_of,
    untouched,
)

# In the file that was added, and nowhere else; it is small, so neither file system compresses it.
_PART_OF_DROP_IN = b"memoryThrottlingFactor: 0.9"


class Firmware(Enum):
    """What the firmware trusts."""

    OWN = "own keys"
    ORIGINAL = "the original's keys"
    OFF = "Secure Boot off"


@dataclass(frozen=True, slots=True)
class Case:
    """A boot. Without `refused_by` it has to reach the files: those of `repacked`, or without it the original's.

    Before dm-verity refuses, some files may be read; they too have to be those of `repacked`.
    """

    title: str
    firmware: Firmware
    image: SyntheticImage = field(repr=False)
    refused_by: Refuser | None = None
    tampering: Tampering = untouched
    repacked: Repacked | None = field(default=None, repr=False)


def cases(scene: Scene) -> Iterator[Case]:
    """All boots of a scene; for each refusal there is a boot that differs in nothing else and succeeds."""
    original, signed, unsigned = scene.original, scene.signed, scene.unsigned
    own, theirs, off = Firmware.OWN, Firmware.ORIGINAL, Firmware.OFF

    yield Case("the original", theirs, original)
    yield Case("repacked", own, signed.image, repacked=signed)
    yield Case("repacked", off, signed.image, repacked=signed)
    yield Case("repacked, unsigned", off, unsigned.image, repacked=unsigned)
    resigned = changed_grub_config_signed_anew
    yield Case("grub.cfg changed and signed anew", own, signed.image, tampering=resigned, repacked=signed)

    def refused(title: str, firmware: Firmware, by: Refuser, tampering: Tampering = untouched) -> Case:
        return Case(title, firmware, signed.image, by, tampering, signed)

    yield refused("one bit of the added file flipped", own, Refuser.VERITY, bit_of_file(_PART_OF_DROP_IN))
    yield refused("one bit of other data flipped", own, Refuser.VERITY, bit_of_data)
    yield refused("one bit of the hash tree flipped", own, Refuser.VERITY, bit_of_tree)
    yield refused("the original's root and hash tree in it", own, Refuser.VERITY, root_of(original))
    yield refused("grub.cfg changed, signature kept", own, Refuser.GRUB, changed_grub_config)
    yield refused("grub.cfg changed, signature kept", off, Refuser.GRUB, changed_grub_config)
    yield refused("the original's signed grub.cfg in it", own, Refuser.GRUB, grub_config_of(original))
    yield refused("the original's kernel in it", own, Refuser.SHIM, kernel_of(original))
    yield refused("the original's GRUB in it", own, Refuser.SHIM, program_of(original, GRUB))
    yield refused("the original's shim in it", own, Refuser.FIRMWARE, program_of(original, SHIM))
    yield refused("repacked", theirs, Refuser.FIRMWARE)
    yield Case("the original", own, original, Refuser.FIRMWARE)
    yield Case("repacked, unsigned", own, unsigned.image, Refuser.FIRMWARE, repacked=unsigned)
    yield Case("repacked, unsigned", theirs, unsigned.image, Refuser.SHIM, repacked=unsigned)
