"""The shipped variants, `variants/*.toml`: which releases carry them, and which one is built by default.

Data only: whether a tree has a variant, and how MemoryQoS gets into it, is found in the tree.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from brqos.config.base import Model
from brqos.errors import ConfigurationError
from brqos.resources import data_directory
from brqos.variant import KubernetesVersion, VariantName

Release = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
NEWEST_SEEN = "1.66.0"

PLAIN = "plain"


class Flavor(Model):
    """One flavor of a variant. Releases are Bottlerocket's, without the leading v of their tags.

    `tried` is the first and the last release on whose real tree all checks of `scripts/fidelity` passed.
    """

    first_release: Release
    last_release: Release | None = None
    default_release: Release
    tried: tuple[Release, Release] | None = None

    @property
    def default_is_tried(self) -> bool:
        """Whether the default release was checked on its real tree."""
        return self.tried is not None and _between(self.tried[0], self.default_release, self.tried[1])

    def carried_by(self, release: str) -> bool:
        """Whether a release is known to carry it; the newest ones are taken to."""
        return _between(self.first_release, release, self.last_release or release)

    @property
    def newest_release(self) -> str:
        """The newest release that is known to carry it."""
        return self.last_release or NEWEST_SEEN


class ShippedVariant(Model):
    """One file of `variants/`."""

    kubernetes: str
    note: str = ""
    flavors: dict[str, Flavor]

    @property
    def name(self) -> VariantName:
        """The plain variant."""
        return VariantName(KubernetesVersion.parse(self.kubernetes))


@cache
def shipped_variants() -> tuple[ShippedVariant, ...]:
    """All of `variants/`, oldest Kubernetes first; raises ConfigurationError for a broken file."""
    found = [_read(path) for path in data_directory("variants").glob("aws-k8s-*.toml")]
    return tuple(sorted(found, key=lambda variant: variant.name.kubernetes))


def shipped_flavor(variant: VariantName) -> Flavor | None:
    """What is shipped about a variant, or None for one that upstream has and we do not list."""
    for shipped in shipped_variants():
        if shipped.name.plain == variant.plain:
            return shipped.flavors.get(variant.flavor or PLAIN)
    return None


def shipped_path(variant: VariantName) -> Path:
    """The file that speaks of a variant."""
    return data_directory("variants") / f"{variant.plain}.toml"


def _read(path: Path) -> ShippedVariant:
    try:
        return ShippedVariant.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigurationError(
            f"the shipped variant file {path} is broken", why=str(error), todo="Reinstall brqos, or undo the change."
        ) from None


def _between(low: str, release: str, high: str) -> bool:
    first, middle, last = (tuple(map(int, text.split("."))) for text in (low, release, high))
    return first <= middle <= last
