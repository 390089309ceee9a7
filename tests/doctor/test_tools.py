"""Each step of each tool's ladder has its own finding and its own remedy."""

from itertools import chain

import pytest

from brqos.doctor.model import Check, Status
from brqos.doctor.probe import Answer
from brqos.doctor.tools import check_docker, check_eksctl, check_git, check_host, check_plain_programs, check_rust
from doctor.machine import Machine

DAEMON = "docker version --format {{.Server.Version}}"


def _all(machine: Machine) -> dict[str, Check]:
    checks = chain(
        [check_git(machine), check_host(machine)],
        check_rust(machine),
        check_docker(machine),
        check_plain_programs(machine),
    )
    return {check.name: check for check in checks}


def test_all_there() -> None:
    checks = _all(Machine())
    assert {check.status for check in checks.values()} == {Status.FOUND}
    assert not any(check.remedy for check in checks.values())
    assert checks["cargo"].version == "1.90.0"
    assert checks["cargo"].needed == ">= 1.78"
    assert checks["docker buildx"].version == "0.24.0"


@pytest.mark.parametrize("name", ["git", "cargo", "cargo-make", "docker", "lz4", "gzip", "curl", "xz", "cc"])
def test_each_program_missing(name: str) -> None:
    check = _all(Machine(missing=frozenset([name])))[name]
    assert check.status is Status.MISSING
    assert check.remedy


@pytest.mark.parametrize(
    ("distribution", "system", "remedy"),
    [
        ("ubuntu debian", "Linux", "sudo apt-get install xz-utils"),
        ("fedora", "Linux", "sudo dnf install xz"),
        ("amzn fedora", "Linux", "sudo dnf install xz"),
        ("", "Darwin", "brew install xz"),
        ("alpine", "Linux", "Install xz-utils (so called in Debian; xz in Fedora)."),
    ],
)
def test_remedy_is_that_of_the_system(distribution: str, system: str, remedy: str) -> None:
    machine = Machine(distribution=distribution, system=system, missing=frozenset(["xz"]))
    assert _all(machine)["xz"].remedy == remedy


@pytest.mark.parametrize(
    ("version", "status"),
    [("1.77.2", "too-old"), ("1.78.0", "found"), ("1.100.0", "found"), ("2.0.0", "found"), ("0.66.0", "too-old")],
)
def test_versions_of_cargo(version: str, status: str) -> None:
    check = _all(Machine(answers={"cargo --version": Answer(0, f"cargo {version} (abc 2024-01-01)")}))["cargo"]
    assert (check.status, check.version) == (status, version)
    assert bool(check.remedy) is check.stops


def test_rustup_without_a_toolchain() -> None:
    answer = Answer(1, "error: rustup could not choose a version of cargo to run, version 1.28.2")
    check = _all(Machine(answers={"cargo --version": answer}))["cargo"]
    assert (check.status, check.version) == (Status.MISSING, "does not run")


@pytest.mark.parametrize(
    ("answer", "status", "version", "remedy"),
    [
        (Answer(0, "22.0.1"), Status.TOO_OLD, "22.0.1", "docs.docker.com"),
        (Answer(0, "23.0.0"), Status.FOUND, "23.0.0", ""),
        (Answer(0, "20.10.27-ce"), Status.TOO_OLD, "20.10.27", "docs.docker.com"),
        (
            Answer(
                1,
                "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
            ),
            Status.MISSING,
            "no permission",
            "usermod -aG docker",
        ),
        (
            Answer(
                1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
            ),
            Status.MISSING,
            "not running",
            "systemctl start docker",
        ),
        (Answer(None, "timed out"), Status.MISSING, "does not answer", "systemctl start docker"),
    ],
)
def test_docker_daemon(answer: Answer, status: Status, version: str, remedy: str) -> None:
    check = _all(Machine(answers={DAEMON: answer}))["docker daemon"]
    assert (check.status, check.version) == (status, version)
    assert remedy in check.remedy


def test_docker_without_the_program_asks_nothing_more() -> None:
    machine = Machine(missing=frozenset(["docker"]))
    assert [check.name for check in check_docker(machine)] == ["docker"]
    assert not machine.asked


def test_docker_without_buildx() -> None:
    check = _all(Machine(answers={"docker buildx version": Answer(1, "docker: unknown command: docker buildx")}))
    assert check["docker buildx"].status is Status.MISSING
    assert "docker-buildx" in check["docker buildx"].remedy


def test_docker_elsewhere() -> None:
    down = {DAEMON: Answer(1, "Cannot connect to the Docker daemon at tcp://build:2375.")}
    check = _all(Machine(environment={"DOCKER_HOST": "tcp://build:2375"}, answers=down))["docker daemon"]
    assert "DOCKER_HOST is tcp://build:2375" in check.remedy
    assert "Docker Desktop" in _all(Machine(system="Darwin", answers=down))["docker daemon"].remedy


@pytest.mark.parametrize(
    ("system", "machine", "told"),
    [
        ("Linux", "x86_64", ""),
        ("Linux", "aarch64", ""),
        ("Linux", "riscv64", "runs on Linux only"),
        ("Darwin", "x86_64", "runs on Linux only"),
        ("Darwin", "arm64", "Mac with an ARM processor"),
    ],
)
def test_hosts(system: str, machine: str, told: str) -> None:
    check = check_host(Machine(system=system, machine=machine))
    assert check.stops is bool(told)
    assert told in check.remedy


def test_openssl_is_only_a_warning() -> None:
    for machine in (
        Machine(missing=frozenset(["pkg-config"])),
        Machine(answers={"pkg-config --modversion openssl": Answer(1, "not found")}),
    ):
        check = _all(machine)["openssl headers"]
        assert check.status is Status.WARNING
        assert "libssl-dev" in check.remedy


def test_eksctl_is_only_a_warning() -> None:
    assert check_eksctl(Machine()).status is Status.FOUND
    assert check_eksctl(Machine(missing=frozenset(["eksctl"]))).status is Status.WARNING
