"""How to get a thing, on the system at hand."""

from collections.abc import Iterable
from dataclasses import dataclass

from brqos.doctor.probe import Probe


@dataclass(frozen=True, slots=True)
class Packages:
    """The names of one thing in Debian's and Fedora's archives and in Homebrew; empty where it is not in there."""

    debian: str
    fedora: str = ""
    homebrew: str = ""


def install(packages: Packages, probe: Probe) -> str:
    """The command that installs it."""
    if probe.system == "Darwin":
        return f"brew install {packages.homebrew or packages.debian}"
    family = probe.distribution.split()
    if {"fedora", "rhel", "amzn", "centos"} & set(family):
        return f"sudo dnf install {packages.fedora or packages.debian}"
    if {"debian", "ubuntu"} & set(family):
        return f"sudo apt-get install {packages.debian}"
    return f"Install {packages.debian} (so called in Debian; {packages.fedora or packages.debian} in Fedora)."


def install_all(every: Iterable[Packages], probe: Probe) -> str:
    """The command that installs several things at once; empty for fewer than two."""
    different = list(dict.fromkeys(every))
    if len(different) < 2:
        return ""
    together = Packages(
        debian=" ".join(packages.debian for packages in different),
        fedora=" ".join(packages.fedora or packages.debian for packages in different),
        homebrew=" ".join(packages.homebrew or packages.debian for packages in different),
    )
    return install(together, probe)


RUST = "curl https://sh.rustup.rs -sSf | sh   (or `rustup update stable`)"
CARGO_MAKE = "cargo install --locked cargo-make"
DOCKER = "https://docs.docker.com/engine/install/"
DOCKER_GROUP = "sudo usermod -aG docker $USER, then log in again"


def install_extra(name: str) -> str:
    """The command that installs a part of brqos that not everybody needs."""
    return f"pip install 'brqos[{name}]'"


def start_docker(probe: Probe) -> str:
    """How to start Docker's daemon."""
    if probe.system == "Darwin":
        return "Start Docker Desktop."
    if "DOCKER_HOST" in probe.environment:
        return f"DOCKER_HOST is {probe.environment['DOCKER_HOST']}: start the daemon there, or unset it."
    return "sudo systemctl start docker"
