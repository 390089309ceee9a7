"""What is wanted, and what is to be done about it once the image is known. Nothing is changed here."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from brqos.architecture import Architecture
from brqos.config.model import Delivery
from brqos.errors import ConfigurationError
from brqos.image.repack.edit import choose_delivery, plan_edit
from brqos.image.repack.examine import Examined
from brqos.image.repack.filesystem.model import FileChange
from brqos.image.repack.publish import image_version
from brqos.memoryqos.settings import KubeletSettings
from brqos.variant import VariantName

if TYPE_CHECKING:
    # Without the extra `repack` an image can still be repacked with --unsigned.
    from brqos.image.repack.signing.profile import SigningKeys


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted.

    `image` and `data_image` are `.img` or `.img.lz4`. `delivery` is found where it is None; `bake` asks for a changed
    image even where the official one knows the settings. Without `keys` all signatures are taken away (`--unsigned`).
    `variant` and `architecture`, where they are given, are what the image has to be. `commit` are hexadecimal digits
    that stand for all these wishes in the result's name (`publish.image_version`). Without `packed` the OS image stays
    raw, for an upload that follows at once.
    """

    image: Path
    settings: KubeletSettings
    pretty_name: str
    keys: "SigningKeys | None"
    data_image: Path | None = None
    delivery: Delivery | None = None
    bake: bool = False
    updates_off: bool = False
    lz4_level: int = 1
    variant: VariantName | None = None
    architecture: Architecture | None = None
    commit: str | None = None
    packed: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of the root file system, by the delivery that was chosen; `version` is `<release>-<commit>`."""

    delivery: Delivery
    changes: tuple[FileChange, ...]
    version: str


class NothingToDoError(ConfigurationError):
    """The image knows the settings itself: it needs user data, and no other image."""


def make_plan(examined: Examined, wish: Wish) -> Plan:
    """Decide what is to be done; raises ConfigurationError for an image that does not fit the wish."""
    _check_it_is_the_one(examined, wish)
    _check_text(examined)
    delivery = choose_delivery(examined.kubelet, wish.delivery, bake=wish.bake)
    if delivery is Delivery.NATIVE:
        raise NothingToDoError(
            f"{examined.variant} {examined.release.version_id} needs no repacking: it has settings for MemoryQoS",
            why="The template of its kubelet's configuration renders memory-throttling-factor and "
            "memory-reservation-policy.",
            todo="Use the official AMI with these settings in its user data (`brqos nodegroup` writes them), or have "
            "them baked in with build.bake.",
        )
    changes = plan_edit(
        examined.found, wish.settings, delivery, pretty_name=wish.pretty_name, updates_off=wish.updates_off
    )
    return Plan(delivery, changes, image_version(examined.release, wish.commit))


def _check_text(examined: Examined) -> None:
    # They are written anew as text: a byte that is none would become another one.
    texts = {
        "boot configuration of the image (grub.cfg)": examined.grub.text,
        "os-release of the image": examined.release.text,
        "template of the kubelet's configuration": examined.kubelet.template,
        "file with the defaults of the image's settings": examined.defaults.text,
    }
    if wrong := [name for name, text in texts.items() if "\N{REPLACEMENT CHARACTER}" in text]:
        raise ConfigurationError(
            f"the {wrong[0]} is not as expected",
            why="It is not text in UTF-8.",
            todo="Give an OS image of Bottlerocket's own; one that was changed by other tools is not known here.",
        )


def _check_it_is_the_one(examined: Examined, wish: Wish) -> None:
    wanted = wish.variant
    if wanted is not None and wanted != examined.variant:
        raise _another(f"variant is {wanted}", f"{examined.variant}")
    if wish.settings.kubernetes != examined.variant.kubernetes:
        raise _another(f"settings are for Kubernetes {wish.settings.kubernetes}", f"{examined.variant}")
    if wish.architecture not in (None, examined.architecture):
        raise _another(f"architecture is {wish.architecture}", f"for {examined.architecture}")


def _another(wanted: str, found: str) -> ConfigurationError:
    return ConfigurationError(
        f"the {wanted}, and the image is {found}",
        todo="Give the image of that variant and architecture, or ask for what this image is.",
    )
