"""The tools of the engine `repack`: each with its own finding and remedy, and none that it runs is forgotten."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

import brqos.image.repack
from brqos.doctor.model import Check, Status
from brqos.doctor.probe import Answer, ThisMachine
from brqos.doctor.repack import (
    CRYPTOGRAPHY,
    OFFICIAL_PACKAGES,
    PROGRAMS,
    SIGNING_PROGRAMS,
    VIRT_FIRMWARE,
    check_host,
    check_repack,
)
from doctor.machine import ANSWERS, Machine

ROOT = Path(__file__).parents[2]
EVERY_PROGRAM = {program.name: program for program in (*PROGRAMS, *SIGNING_PROGRAMS)}
PACKAGES = {package.name: package for package in (VIRT_FIRMWARE, CRYPTOGRAPHY, *OFFICIAL_PACKAGES)}
DEBIAN = {
    "sgdisk": "gdisk",
    "debugfs": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "resize2fs": "e2fsprogs",
    "fsck.erofs": "erofs-utils",
    "veritysetup": "cryptsetup-bin",
    "mcopy": "mtools",
    "mdel": "mtools",
    "mdir": "mtools",
    "mtype": "mtools",
    "sbsign": "sbsigntool",
    "sbverify": "sbsigntool",
    "gpg": "gnupg",
    "gpgconf": "gnupg",
}
# What may be run and is no tool of images.
NO_TOOLS = {"python"}


def _all(machine: Machine, *, signed: bool = True, official: bool = True, optional: bool = True) -> dict[str, Check]:
    found = check_repack(machine, signed=signed, official=official, with_optional=optional)
    return {check.name: check for check in found}


def _command(name: str) -> str:
    return " ".join((name, *EVERY_PROGRAM[name].asked))


def test_all_there() -> None:
    machine = Machine()
    checks = _all(machine)
    assert set(checks) == {"host", *DEBIAN, "virt-firmware", "cryptography", "tuf", "securesystemslib"}
    assert {check.status for check in checks.values()} == {Status.FOUND}
    assert not any(check.remedy or check.optional for check in checks.values())
    assert all(check.version for check in checks.values())
    assert (checks["resize2fs"].version, checks["resize2fs"].needed) == ("1.47.0", ">= 1.46.2")
    assert checks["gpg"].version == "2.2.40"
    assert checks["tuf"].needed == ">= 7.0.1, < 8"
    # Each is asked once.
    assert len(machine.asked) == len(set(machine.asked)) == len(DEBIAN)


@pytest.mark.parametrize("name", DEBIAN)
def test_each_program_missing(name: str) -> None:
    check = _all(Machine(missing=frozenset([name])))[name]
    assert (check.status, check.version) == (Status.MISSING, "")
    assert check.needed
    assert check.remedy == f"sudo apt-get install {DEBIAN[name]}"


@pytest.mark.parametrize("name", DEBIAN)
def test_each_program_too_old(name: str) -> None:
    old = Answer(EVERY_PROGRAM[name].status, re.sub(r"\d+\.[\d.]+", "0.9.3", ANSWERS[_command(name)].text, count=1))
    check = _all(Machine(answers={_command(name): old}))[name]
    assert (check.status, check.version) == (Status.TOO_OLD, "0.9.3")
    assert check.remedy == f"sudo apt-get install {DEBIAN[name]}   (new enough in Debian 12 and later)"


@pytest.mark.parametrize("name", DEBIAN)
def test_each_program_with_a_version_that_cannot_be_read(name: str) -> None:
    check = _all(Machine(answers={_command(name): Answer(EVERY_PROGRAM[name].status, f"{name} devel")}))[name]
    assert (check.status, check.version) == (Status.WARNING, "tells no version")
    assert not check.stops
    assert check.remedy.startswith(f"See what `{_command(name)}` says: it should be ")


@pytest.mark.parametrize("name", DEBIAN)
@pytest.mark.parametrize("answer", [Answer(127, "error while loading shared libraries"), Answer(None, "timed out")])
def test_each_program_that_does_not_run(name: str, answer: Answer) -> None:
    check = _all(Machine(answers={_command(name): answer}))[name]
    assert (check.status, check.version) == (Status.MISSING, "does not run")


def test_a_loader_that_talks_of_versions_is_not_the_program() -> None:
    said = "resize2fs: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by resize2fs)"
    check = _all(Machine(answers={"resize2fs": Answer(1, said)}))["resize2fs"]
    assert (check.status, check.version) == (Status.MISSING, "does not run")


@pytest.mark.parametrize(
    ("command", "said", "version", "status"),
    [
        ("debugfs -V", "debugfs 1.46.1 (9-Feb-2021)", "1.46.1", Status.TOO_OLD),
        ("debugfs -V", "debugfs 1.46.2 (28-Feb-2021)", "1.46.2", Status.FOUND),
        ("debugfs -V", "debugfs 1.47.4 (6-Mar-2026)", "1.47.4", Status.FOUND),
        ("fsck.erofs -V", "fsck.erofs 1.4", "1.4", Status.TOO_OLD),
        (
            "fsck.erofs -V",
            "fsck.erofs (erofs-utils) 1.8.10\navailable decompressors: lz4",
            "1.8.10",
            Status.FOUND,
        ),
        ("mcopy --version", "mcopy (GNU mtools) 4.0.49", "4.0.49", Status.FOUND),
        ("gpg --version", "gpg (GnuPG) 1.4.23", "1.4.23", Status.TOO_OLD),
        ("gpg --version", "gpg (GnuPG) 2.4.7\nlibgcrypt 1.11.0", "2.4.7", Status.FOUND),
    ],
)
def test_versions(command: str, said: str, version: str, status: Status) -> None:
    check = _all(Machine(answers={command: Answer(0, said)}))[command.split()[0]]
    assert (check.version, check.status) == (version, status)


@pytest.mark.parametrize(
    ("distribution", "remedy"),
    [
        ("debian", "sudo apt-get install cryptsetup-bin"),
        ("amzn fedora", "sudo dnf install veritysetup"),
        ("arch", "Install cryptsetup-bin (so called in Debian; veritysetup in Fedora)."),
    ],
)
def test_remedy_is_that_of_the_system(distribution: str, remedy: str) -> None:
    machine = Machine(distribution=distribution, missing=frozenset(["veritysetup"]))
    assert _all(machine)["veritysetup"].remedy == remedy


@pytest.mark.parametrize("name", PACKAGES)
def test_each_python_package_missing(name: str) -> None:
    check = _all(Machine(missing=frozenset([name, "virt-fw-vars"])))[name]
    assert check.status is Status.MISSING
    assert check.remedy == f"pip install 'brqos[{PACKAGES[name].extra}]'"


@pytest.mark.parametrize(
    ("name", "version", "status", "told"),
    [
        ("virt-firmware", "25.12", Status.TOO_OLD, "25.12"),
        ("virt-firmware", "26.2", Status.FOUND, "26.2"),
        ("cryptography", "41.0.7", Status.TOO_OLD, "41.0.7"),
        ("cryptography", "42", Status.FOUND, "42"),
        ("tuf", "6.0.0", Status.TOO_OLD, "6.0.0"),
        ("tuf", "7.1.0rc1", Status.FOUND, "7.1.0rc1"),
        ("tuf", "8.0.0", Status.MISSING, "too new: 8.0.0"),
        ("tuf", "unknown", Status.TOO_OLD, "unknown"),
    ],
)
def test_versions_of_python_packages(name: str, version: str, status: Status, told: str) -> None:
    check = _all(Machine(packages={name: version}))[name]
    assert (check.status, check.version) == (status, told)
    assert bool(check.remedy) is check.stops


def test_virt_firmware_of_the_distribution_will_do() -> None:
    check = _all(Machine(missing=frozenset(["virt-firmware"])))["virt-firmware"]
    assert (check.status, check.version, check.remedy) == (Status.FOUND, "", "")


def test_without_keys_the_tools_that_sign_are_optional() -> None:
    signing = {"sbsign", "sbverify", "gpg", "gpgconf", "virt-firmware"}
    machine = Machine(missing=frozenset([*signing, "virt-fw-vars", "cryptography", "tuf", "sgdisk"]))
    checks = _all(machine, signed=False, official=False)
    assert {name for name, check in checks.items() if check.stops} == {"sgdisk"}
    assert checks["sbsign"].remedy == "sudo apt-get install sbsigntool   (only to sign with your keys)"
    assert checks["tuf"].remedy == "pip install 'brqos[official]'   (only for official images: --from-release)"
    assert checks["cryptography"].remedy == "pip install 'brqos[repack]'   (only for signed or official images)"
    old = {"gpg --version": Answer(0, "gpg (GnuPG) 1.4.23")}
    assert _all(Machine(answers=old), signed=False)["gpg"].remedy == (
        "sudo apt-get install gnupg   (new enough in Debian 12 and later; only to sign with your keys)"
    )
    # What is there needs no remark.
    assert not checks["securesystemslib"].remedy


@pytest.mark.parametrize(
    ("signed", "official", "extra"),
    [
        (False, False, set()),
        (True, False, {"sbsign", "sbverify", "gpg", "gpgconf", "virt-firmware", "cryptography"}),
        (False, True, {"tuf", "securesystemslib", "cryptography"}),
    ],
)
def test_what_is_optional_can_be_left_out(signed: bool, official: bool, extra: set[str]) -> None:
    checks = _all(Machine(), signed=signed, official=official, optional=False)
    assert set(checks) == {"host", *(program.name for program in PROGRAMS), *extra}


def test_any_linux_will_do() -> None:
    assert check_host(Machine(machine="riscv64")).status is Status.FOUND
    mac = Machine(system="Darwin", machine="arm64")
    assert "in a container" in check_host(mac).remedy
    # Homebrew has not all of the tools: no remedy there would help.
    assert list(_all(mac)) == ["host"]
    assert not mac.asked


def test_no_tool_that_the_engine_runs_is_forgotten() -> None:
    ran = set()
    folder = Path(next(iter(brqos.image.repack.__path__)))
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                ran |= _programs(node)
    assert {"debugfs", "mcopy", "mtype", "fsck.erofs", "sbsign", "gpgconf"} <= ran
    assert ran - NO_TOOLS <= set(EVERY_PROGRAM)


def _programs(call: ast.Call) -> set[str]:
    """The program that a call of `run`, `stream`, or a method built on them begins with."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in {"run", "stream", "_run", "_change"} or not call.args:
        return set()
    first = call.args[0]
    if isinstance(first, ast.List | ast.Tuple) and first.elts:
        first = first.elts[0]
    text = first.value if isinstance(first, ast.Constant) else None
    return {text} if isinstance(text, str) and re.fullmatch(r"[a-z][a-z0-9._]+", text) else set()


def test_versions_of_python_packages_are_those_of_the_extras() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    written = {
        (extra, re.split(r"[\[><=]", requirement)[0]): re.sub(r"^[^><=]+", "", requirement)
        for extra, requirements in extras.items()
        for requirement in requirements
        if extra in {"repack", "official"}
    }
    ours = {}
    for package in PACKAGES.values():
        least = ".".join(map(str, package.least))
        below = f",<{'.'.join(map(str, package.below))}" if package.below else ""
        ours[package.extra, package.name] = f">={least}{below}"
    assert ours == written


@pytest.mark.processes
def test_the_programs_of_this_machine_are_understood() -> None:
    machine = ThisMachine()
    there = {name for name in DEBIAN if machine.which(name)}
    if machine.system != "Linux" or not there:
        pytest.skip("none of the programs is installed")
    for check in check_repack(machine, signed=True, official=True, with_optional=True):
        if check.name in there:
            assert check.version[:1].isdigit(), check
