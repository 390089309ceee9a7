"""Twoliter's override file: other registries for kits and SDK, without a change of the tree.

`Twoliter.override` lies beside Twoliter.toml: `[<vendor>.<name>]` with `registry` and `name`, both optional. Twoliter
fetches from there and compares what it found, under the original's name, with Twoliter.lock: so a copy has to be the
same, byte for byte (twoliter 0.5.0, `twoliter/src/project/{mod,vendor}.rs` and `lock/image.rs`). Override files came
with twoliter 0.4.6 (its CHANGELOG), that is with Bottlerocket v1.23.0, whose .gitignore names the file from then on.
"""

from brqos.config.mirrors import MirrorsSpec
from brqos.errors import ConfigurationError
from brqos.upstream.locked_images import PinnedImage, is_older, pinned_images, twoliter_version
from brqos.upstream.placed import MARK, PlacedFile
from brqos.upstream.tree import UpstreamTree

FILE = "Twoliter.override"
FIRST_TWOLITER = (0, 4, 6)


def override_of(tree: UpstreamTree, mirrors: MirrorsSpec) -> str:
    """The text of the file that a tree needs, empty where it needs none.

    Raises ConfigurationError for a tree whose twoliter would not look at it, UpstreamError for one without its lock.
    """
    if not mirrors.has_images:
        return ""
    version = twoliter_version(tree.files)
    if is_older(version, FIRST_TWOLITER):
        raise ConfigurationError(
            f"{tree.label} cannot take kits or SDK from another registry",
            why=f"It is built with twoliter {version}; override files are known from v0.4.6 on, with Bottlerocket"
            " v1.23.0.",
            todo="Use a newer release, or take kits, sdk and images out of [mirrors] and let public.ecr.aws be reached"
            " through a proxy (HTTPS_PROXY).",
        )
    return override_text(pinned_images(tree.files), mirrors)


def override_text(images: tuple[PinnedImage, ...], mirrors: MirrorsSpec) -> str:
    """The file for these images; empty where all of them come from upstream's registry."""
    tables = []
    for image in images:
        place = mirrors.image_of(image.name, sdk=image.is_sdk)
        if place is None:
            continue
        registry, name = place
        lines = [f"[{image.vendor}.{image.name}]", f'registry = "{registry}"']
        tables.append("\n".join([*lines, f'name = "{name}"'] if name else lines))
    return "\n\n".join([MARK, *tables]) + "\n" if tables else ""


def unused(images: tuple[PinnedImage, ...], mirrors: MirrorsSpec) -> list[str]:
    """Names in `[mirrors.images]` that the tree does not pin: misspelt, or of other releases."""
    return sorted(mirrors.images.keys() - {image.name for image in images})


def placed(text: str) -> PlacedFile:
    """The file as it is put into a work tree."""
    return PlacedFile(FILE, text, "kits, sdk and images")
