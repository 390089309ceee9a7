"""Which variants are watched, and what each is pinned to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from brqos.config.model import BuildSpec, Engine
from brqos.config.resolve import FILE_NAME, resolve, resolve_matrix
from brqos.config.variants import PLAIN, shipped_variants
from brqos.errors import ConfigurationError
from brqos.variant import VariantName

REF = "upstream.ref"
REPACKED = "repack.release"


@dataclass(frozen=True, slots=True)
class Pin:
    """A variant and the release that it is pinned to: `ref` by the key `key`, which stands in `origin`."""

    spec: BuildSpec
    ref: str
    key: str
    origin: str

    @property
    def variant(self) -> str:
        """Upstream's name of it."""
        return self.spec.variant

    def at(self, ref: str) -> BuildSpec:
        """The same wishes for another release."""
        upstream = self.spec.upstream.model_copy(update={"ref": ref})
        return self.spec.model_copy(update={"upstream": upstream})


def configuration_file(config: Path | None) -> Path | None:
    """The file that counts: the one that was named, or `brqos.toml` of the current folder where there is one."""
    if config is not None:
        return config
    return Path(FILE_NAME) if Path(FILE_NAME).is_file() else None


def read_pins(
    variants: Sequence[str],
    config: Path | None,
    flags: Mapping[str, object],
    *,
    flag_names: Mapping[str, str] | None = None,
) -> list[Pin]:
    """The pins of the variants that are named, else of those in the file, else of all that brqos ships.

    In a file they are `[matrix] variants` less the ones left out there, or its `variant`. Raises ConfigurationError as
    `resolve` does, and for an image of the repack engine that is no release.
    """
    path = configuration_file(config)
    names: Sequence[str | None] = list(dict.fromkeys(variants)) or (_in_file(path) if path else _shipped())
    return [_pin(name, path, flags, flag_names or {}) for name in names]


def _pin(name: str | None, path: Path | None, flags: Mapping[str, object], flag_names: Mapping[str, str]) -> Pin:
    named = {"variant": VariantName.parse(name).base} if name else {}
    resolved = resolve({**flags, **named}, path, flag_names=flag_names)
    spec = resolved.spec
    if spec.build.engine is Engine.REPACK:
        if spec.repack.image is not None or spec.repack.release == "newest":
            what = f"release is {spec.repack.release}" if spec.repack.image is None else f"image is {spec.repack.image}"
            raise ConfigurationError(
                f"{spec.variant} is not pinned to a release: [repack] {what}",
                why="Only a release that is written down can be behind.",
                todo='Pin it, for example by release = "1.50.0" in [repack], or name other variants with --variant.',
            )
        if spec.repack.release is not None:
            return Pin(spec, f"v{spec.repack.release}", REPACKED, resolved.origins[REPACKED])
    if spec.upstream.ref is None:
        raise ValueError("a resolved spec names its release")
    return Pin(spec, spec.upstream.ref, REF, resolved.origins[REF])


def _shipped() -> list[str | None]:
    return [
        VariantName(shipped.name.kubernetes, "" if flavor == PLAIN else flavor).base
        for shipped in shipped_variants()
        for flavor in shipped.flavors
    ]


def _in_file(path: Path) -> list[str | None]:
    """The variants of the file; None stands for its `variant`."""
    matrix = resolve_matrix(path)
    left_out = {exclusion.variant for exclusion in matrix.exclude if exclusion.arch is None}
    return [name for name in matrix.variants if name not in left_out] or [None]
