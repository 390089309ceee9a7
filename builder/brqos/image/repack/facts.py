"""What is told of an image and of what becomes of it, for the result."""

from brqos.config.model import Delivery
from brqos.image.model import INVENTORY
from brqos.image.repack.examine import Examined
from brqos.image.repack.filesystem.model import Kind
from brqos.image.repack.plan import Wish
from brqos.image.repack.result import Facts, VerityFacts
from brqos.image.repack.verity import VerityParameters

# Upstream's has some 60 KB.
_LARGEST_INVENTORY = 4 * 2**20


def find(examined: Examined, delivery: Delivery, verity: VerityParameters) -> Facts:
    """The facts of the input, and both hash trees."""
    return Facts(
        release=examined.release.version_id,
        build_id=examined.release.build_id,
        variant=examined.variant.base,
        architecture=examined.architecture,
        kubelet=examined.kubelet.version,
        kernel=_kernel(examined),
        filesystem=examined.files.name,
        delivery=delivery,
        was_signed=examined.is_signed,
        verity_before=_verity(examined.grub.verity),
        verity_after=_verity(verity),
    )


def inventory(examined: Examined) -> str | None:
    """Upstream's list of the packages (twoliter's rpm2img), or None: nothing here depends on it."""
    path = f"{examined.usr}/share/bottlerocket/{INVENTORY}"
    entry = examined.files.stat(path)
    if entry is None or entry.kind is not Kind.FILE or entry.size > _LARGEST_INVENTORY:
        return None
    content = examined.files.read(path)
    return content.decode(errors="replace") if content is not None else None


def warnings(examined: Examined, wish: Wish) -> tuple[str, ...]:
    """What the user has to know about the result."""
    found = []
    if wish.keys is None:
        signed = "all signatures are taken away" if examined.is_signed else "the image has no signatures"
        found.append(
            f"{signed}: instances boot it with Secure Boot switched off only, and nothing stops a changed kernel. "
            "Register it without UEFI data; for Secure Boot make keys of your own (`brqos keys new`)."
        )
    return tuple(found)


def _kernel(examined: Examined) -> str | None:
    """Its modules lie in a folder of its version (kernel kit, packages/kernel-*)."""
    found = examined.files.entries(f"{examined.usr}/lib/modules")
    return found[0] if len(found) == 1 else None


def _verity(parameters: VerityParameters) -> VerityFacts:
    return VerityFacts(
        data_blocks=parameters.data_blocks, root_hash=parameters.root_hash.hex(), salt=parameters.salt.hex()
    )
