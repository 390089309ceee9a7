"""One program or Python package held against what is needed: is it there, does it run, is it new enough."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from brqos.doctor import remedies
from brqos.doctor.model import Check, Status
from brqos.doctor.probe import Probe
from brqos.doctor.remedies import Packages
from brqos.stages import Stage

Version = tuple[int, ...]

_VERSION = re.compile(r"(\d+(?:\.\d+)+)")
_RELEASE = re.compile(r"\d+(?:\.\d+)*")


@dataclass(frozen=True, slots=True)
class Program:
    """A program, its packages, how it is asked for its version, and the least one that does (None: any).

    `status` is what it ends with when it is asked.
    """

    name: str
    asked: tuple[str, ...]
    least: Version | None
    packages: Packages
    status: int = 0


@dataclass(frozen=True, slots=True)
class PythonPackage:
    """A Python package of one of brqos' extras, with the versions that do: from `least` on, and before `below`."""

    name: str
    least: Version
    extra: str
    below: Version | None = None


def check_program(probe: Probe, program: Program, stages: tuple[Stage, ...]) -> Check:
    """One program out of the distribution's packages."""
    check = versioned(
        probe,
        program.name,
        (program.name, *program.asked),
        program.least,
        stages,
        remedies.install(program.packages, probe),
        status=program.status,
    )
    return replace(check, packages=program.packages) if check.stops else check


def check_python_package(probe: Probe, package: PythonPackage, stages: tuple[Stage, ...]) -> Check:
    """One Python package, as it is installed for the Python that runs brqos."""
    needed = text(package.least) + (f", < {_dotted(package.below)}" if package.below else "")
    version = probe.package(package.name)
    remedy = remedies.install_extra(package.extra)
    if version is None:
        return Check(package.name, Status.MISSING, stages, needed=needed, remedy=remedy)
    found = _RELEASE.match(version)
    release = numbers(found[0]) if found else ()
    if release < package.least:
        return Check(package.name, Status.TOO_OLD, stages, version, needed, remedy)
    if package.below and release >= package.below:
        return Check(package.name, Status.MISSING, stages, f"too new: {version}", needed, remedy)
    return Check(package.name, Status.FOUND, stages, version, needed)


def versioned(
    probe: Probe,
    name: str,
    argv: Sequence[str],
    least: Version | None,
    stages: tuple[Stage, ...],
    remedy: str,
    *,
    status: int = 0,
) -> Check:
    """A program by the version that it tells; it ends with `status` then."""
    needed = text(least) if least else ""
    if probe.which(argv[0]) is None:
        return Check(name, Status.MISSING, stages, needed=needed, remedy=remedy)
    answer = probe.ask(*argv)
    version = version_in(answer.text)
    # Where it ends with another status than 0 anyway, its own first words tell that it was not the loader's.
    runs = answer.status == status and (status == 0 or answer.text.startswith(f"{argv[0]} {version}"))
    if not runs:
        # rustup's stand-ins, and macOS's for git, are there but do not work before something is installed.
        return Check(name, Status.MISSING, stages, "does not run", needed, remedy)
    if not version:
        told = f"See what `{' '.join(argv)}` says" + (f": it should be {_dotted(least)} or newer." if least else ".")
        return Check(name, Status.WARNING, stages, "tells no version", needed, told)
    if least and numbers(version) < least:
        return Check(name, Status.TOO_OLD, stages, version, needed, remedy)
    return Check(name, Status.FOUND, stages, version, needed)


def version_in(words: str) -> str:
    """The first thing that looks like a version."""
    found = _VERSION.search(words)
    return found[1] if found else ""


def numbers(version: str) -> Version:
    """A version to compare by."""
    return tuple(int(part) for part in version.split(".")) if version else ()


def text(version: Version) -> str:
    """What is needed, in words."""
    return f">= {_dotted(version)}"


def _dotted(version: Version) -> str:
    return ".".join(str(part) for part in version)
