"""What the engine `repack` needs: the distribution's tools for disk images, and Python packages of two extras.

The least versions are those that have what the engine uses; where that is as old as anything, those it was tried with.
The program `lz4` is not needed: images are packed and unpacked by the Python package that brqos depends on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from brqos.doctor.model import Check, Status
from brqos.doctor.probe import Probe
from brqos.doctor.programs import Program, PythonPackage, check_program, check_python_package
from brqos.doctor.remedies import Packages
from brqos.stages import Stage

_E2FSPROGS = Packages("e2fsprogs", "e2fsprogs")
_MTOOLS = Packages("mtools", "mtools")
_SBSIGNTOOL = Packages("sbsigntool", "sbsigntools")
_GNUPG = Packages("gnupg", "gnupg2")

# Before 1.46.2 debugfs' `write` does not look for the folder and makes a file with slashes in its name (commit
# bc50f5ab of e2fsprogs); E2FSPROGS_FAKE_TIME is from 1.44, `?offset=` and attributes in `stat` are older. The tests of
# the file systems pass with 1.46.2.
_E2FSPROGS_LEAST = (1, 46, 2)
# Tried with; `@@` and SOURCE_DATE_EPOCH are older.
_MTOOLS_LEAST = (4, 0, 32)
# Tried with; 0.9.2 wrote wrong checksums.
_SBSIGNTOOL_LEAST = (0, 9, 4)
# `gpgconf --kill all` is from 2.1.18, a development release.
_GNUPG_LEAST = (2, 2)

PROGRAMS = (
    Program("sgdisk", ("--version",), (1, 0), Packages("gdisk", "gdisk")),
    Program("debugfs", ("-V",), _E2FSPROGS_LEAST, _E2FSPROGS),
    Program("e2fsck", ("-V",), _E2FSPROGS_LEAST, _E2FSPROGS),
    # It has no option for that: without arguments it tells its version and how it is used, and ends with 1.
    Program("resize2fs", (), _E2FSPROGS_LEAST, _E2FSPROGS, status=1),
    # `--extract` with a folder and `--no-preserve` are from 1.5.
    Program("fsck.erofs", ("-V",), (1, 5), Packages("erofs-utils", "erofs-utils")),
    # `verify` reads plain files, without root and loop devices (lib/verity/verity_hash.c), in all of 2.x.
    Program("veritysetup", ("--version",), (2, 0), Packages("cryptsetup-bin", "veritysetup")),
    *(Program(name, ("--version",), _MTOOLS_LEAST, _MTOOLS) for name in ("mcopy", "mdel", "mdir", "mtype")),
)
SIGNING_PROGRAMS = (
    Program("sbsign", ("--version",), _SBSIGNTOOL_LEAST, _SBSIGNTOOL),
    Program("sbverify", ("--version",), _SBSIGNTOOL_LEAST, _SBSIGNTOOL),
    Program("gpg", ("--version",), _GNUPG_LEAST, _GNUPG),
    Program("gpgconf", ("--version",), _GNUPG_LEAST, _GNUPG),
)
# As in pyproject.toml, which a test compares.
CRYPTOGRAPHY = PythonPackage("cryptography", (42,), "repack")
VIRT_FIRMWARE = PythonPackage("virt-firmware", (26, 2), "repack")
OFFICIAL_PACKAGES = (
    PythonPackage("tuf", (7, 0, 1), "official", below=(8,)),
    PythonPackage("securesystemslib", (1, 6), "official"),
)

_FOR_BUILD = (Stage.BUILD,)
_TO_SIGN = "only to sign with your keys"
_FOR_OFFICIAL = "only for official images: --from-release"


def check_repack(probe: Probe, *, signed: bool, official: bool, with_optional: bool) -> Iterator[Check]:
    """The engine's tools: those for all images, for `signed` ones, and for taking `official` ones.

    What is not asked for is optional, and left out unless `with_optional`.
    """
    host = check_host(probe)
    yield host
    if host.stops:
        # Remedies for tools that the system does not have would lead nowhere.
        return
    for program in PROGRAMS:
        yield _program(probe, program)
    if signed or with_optional:
        yield from _perhaps(_signing(probe), needed=signed, why=_TO_SIGN)
    if official or with_optional:
        checks = (check_python_package(probe, package, _FOR_BUILD) for package in OFFICIAL_PACKAGES)
        yield from _perhaps(checks, needed=official, why=_FOR_OFFICIAL)
    if signed or official or with_optional:
        # python-tuf checks signatures with it.
        check = check_python_package(probe, CRYPTOGRAPHY, _FOR_BUILD)
        yield from _perhaps([check], needed=signed or official, why="only for signed or official images")


def check_host(probe: Probe) -> Check:
    """Any Linux will do, of whichever architecture: nothing of the image is run."""
    host = f"{probe.system} {probe.machine}"
    if probe.system == "Linux":
        return Check("host", Status.FOUND, _FOR_BUILD, host, "Linux")
    remedy = (
        "veritysetup and sbsign are there for Linux only: repack on a Linux machine, or in a container (it needs no "
        "privileges)."
    )
    return Check("host", Status.MISSING, _FOR_BUILD, host, "Linux", remedy)


def _signing(probe: Probe) -> Iterator[Check]:
    for program in SIGNING_PROGRAMS:
        yield _program(probe, program)
    check = check_python_package(probe, VIRT_FIRMWARE, _FOR_BUILD)
    # Its program, from wherever it may be, is all that is needed of it.
    if probe.package(VIRT_FIRMWARE.name) is None and probe.which("virt-fw-vars"):
        check = Check(check.name, Status.FOUND, check.needed_for, "", check.needed)
    yield check


def _program(probe: Probe, program: Program) -> Check:
    check = check_program(probe, program, _FOR_BUILD)
    if check.status is not Status.TOO_OLD:
        return check
    # Updating brings nothing where the distribution itself is older.
    return replace(check, remedy=_remarked(check.remedy, "new enough in Debian 12 and later"))


def _perhaps(checks: Iterable[Check], *, needed: bool, why: str) -> Iterator[Check]:
    for check in checks:
        if needed:
            yield check
        else:
            yield replace(check, optional=True, remedy=_remarked(check.remedy, why))


def _remarked(remedy: str, remark: str) -> str:
    """A remedy with a remark behind it, which may not be its first."""
    if not remedy:
        return ""
    return f"{remedy[:-1]}; {remark})" if remedy.endswith(")") else f"{remedy}   ({remark})"
