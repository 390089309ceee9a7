"""From configuration files to builds: variants x architectures of each file. Reads the files, and nothing else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from brqos.ami.wishes import check_wishes
from brqos.architecture import Architecture
from brqos.config.codebuild import CodeBuildSpec
from brqos.config.matrix import MatrixSpec
from brqos.config.model import BuildSpec
from brqos.config.resolve import resolve, resolve_matrix
from brqos.errors import BrqosError, ConfigurationError
from brqos.pipeline.generate import settings_of

Pair = tuple[str, Architecture]


@dataclass(frozen=True, slots=True)
class Entry:
    """One build of a fleet: one image, in all of its regions.

    `id` follows from the file's name, the variant and the architecture alone, so it stays when others come and go. It
    has letters, digits, dashes, dots and underscores, as names of jobs and artefacts may.
    """

    id: str
    file: Path
    spec: BuildSpec

    @property
    def argv(self) -> tuple[str, ...]:
        """brqos's arguments for this build, run in the folder that the matrix was made in."""
        confirmed = ("--confirm-public",) if self.spec.ami.public else ()
        pair = ("--variant", self.spec.variant, "--arch", self.spec.arch.value)
        return ("build", "--config", str(self.file), *pair, *confirmed)

    @property
    def title(self) -> str:
        """The build in a message."""
        return f"{self.file}: {self.spec.variant} for {self.spec.arch}"


@dataclass(frozen=True, slots=True)
class Only:
    """What of the fleet is wanted; empty: all of it."""

    variants: frozenset[str] = frozenset()
    archs: frozenset[Architecture] = frozenset()

    def takes(self, pair: Pair) -> bool:
        """Whether that build is wanted."""
        variant, arch = pair
        return (not self.variants or variant in self.variants) and (not self.archs or arch in self.archs)


def expand(files: Sequence[Path], *, only: Only | None = None, offline: bool | None = None) -> list[Entry]:
    """All builds of the files, in their order; `offline` wins over what a file says.

    Raises ConfigurationError naming the file: for what `resolve` refuses, wishes that cannot be fulfilled, a file that
    is given twice, two builds with one id, and an `only` that nothing fits.
    """
    _check_files(files)
    flags = {} if offline is None else {"upstream.offline": offline}
    entries = [entry for file in files for entry in _of_file(file, flags)]
    _check_ids(entries)
    wanted = only or Only()
    _check_only(wanted, entries)
    return [entry for entry in entries if wanted.takes((entry.spec.variant, entry.spec.arch))]


def pairs_of(matrix: MatrixSpec, variant: str, arch: Architecture) -> list[Pair]:
    """The builds that a section stands for; `variant` and `arch` are the file's own.

    Raises ConfigurationError for an exclusion that leaves nothing out, which is a misspelt one.
    """
    pairs = [(one, other) for one in matrix.variants or (variant,) for other in matrix.archs or (arch,)]
    for exclusion in matrix.exclude:
        if not any(exclusion.covers(*pair) for pair in pairs):
            raise ConfigurationError(
                f"matrix.exclude has {exclusion}, and there is no such build",
                why=f"The builds are {_listed(pairs)}.",
                todo="Correct it, or leave it out.",
            )
    return [pair for pair in pairs if not any(exclusion.covers(*pair) for exclusion in matrix.exclude)]


def told_of(file: Path, error: BrqosError) -> BrqosError:
    """The error with the file that it is about, where it does not name it already."""
    if str(file) in error.what:
        return error
    return type(error)(f"{file}: {error.what}", why=error.why, todo=error.todo)


def _of_file(file: Path, flags: Mapping[str, object]) -> list[Entry]:
    try:
        matrix = resolve_matrix(file)
        named = {"variant": matrix.variants[0]} if matrix.variants else {}
        own = resolve({**flags, **named}, file).spec
        pairs = pairs_of(matrix, own.variant, own.arch)
        _check_one_image(own, pairs)
        specs = _specs(file, flags, pairs)
        for spec in specs:
            settings_of(spec)
            check_wishes(spec.ami)
    except ConfigurationError as error:
        raise told_of(file, error) from None
    return [Entry(_id(file, spec), file, spec) for spec in specs]


def _specs(file: Path, flags: Mapping[str, object], pairs: Sequence[Pair]) -> list[BuildSpec]:
    # A variant has a default release of its own; nothing depends on the architecture.
    of_variant = {variant: resolve({**flags, "variant": variant}, file).spec for variant, _ in pairs}
    # What builds are made together, and where, is of no build in particular.
    alone = {"matrix": MatrixSpec(), "codebuild": CodeBuildSpec()}
    return [of_variant[variant].model_copy(update={"arch": arch, **alone}) for variant, arch in pairs]


def _id(file: Path, spec: BuildSpec) -> str:
    label = _label(file)
    return f"{label}-{spec.variant}-{spec.arch}" if label else f"{spec.variant}-{spec.arch}"


def _label(file: Path) -> str:
    """`images/prod.toml` -> `images-prod`; nothing for the `brqos.toml` of the current folder."""
    absolute, here = file.absolute(), Path.cwd()
    below = absolute.relative_to(here) if absolute.is_relative_to(here) else file
    words = [*below.parent.parts, below.stem if below.stem != "brqos" else ""]
    return re.sub(r"[^a-z0-9._]+", "-", "-".join(words).lower()).strip("-._")


def _check_files(files: Sequence[Path]) -> None:
    seen: dict[Path, Path] = {}
    for file in files:
        other = seen.setdefault(file.resolve(), file)
        if other is not file:
            raise ConfigurationError(
                f"{file} is given twice" + ("" if other == file else f", the other time as {other}"),
                why="Its builds would be made twice.",
                todo="Leave one of them out.",
            )


def _check_ids(entries: Sequence[Entry]) -> None:
    seen: dict[str, Entry] = {}
    for entry in entries:
        other = seen.setdefault(entry.id, entry)
        if other is not entry:
            raise ConfigurationError(
                f"{other.file} and {entry.file} both have a build that would be called {entry.id}",
                why="Jobs and artefacts are called so. It follows from the file's name.",
                todo="Rename one of the files.",
            )


def _check_one_image(spec: BuildSpec, pairs: Sequence[Pair]) -> None:
    if spec.repack.image is not None and len(pairs) > 1:
        raise ConfigurationError(
            f"repack.image is one image, {spec.repack.image}, and the file stands for {len(pairs)} builds",
            why="An image is of one variant and one architecture.",
            todo="Write a file for each image, or give repack.release instead.",
        )


def _check_only(only: Only, entries: Sequence[Entry]) -> None:
    variants, archs = {entry.spec.variant for entry in entries}, {entry.spec.arch for entry in entries}
    absent = sorted([*(only.variants - variants), *(arch.value for arch in only.archs - archs)])
    if absent and entries:
        raise ConfigurationError(
            f"no file has a build of {' or '.join(absent)}",
            why=f"There are: {', '.join(sorted(variants))}; {', '.join(sorted(archs))}.",
            todo="Correct --variant or --arch, or add it to a file's [matrix].",
        )


def _listed(pairs: Sequence[Pair]) -> str:
    shown = [f"{variant} for {arch}" for variant, arch in pairs[:6]]
    return ", ".join(shown) + (f" and {len(pairs) - 6} more" if len(pairs) > 6 else "")
