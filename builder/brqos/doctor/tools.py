"""The programs that the stages need, each by a ladder: is it there, is it new enough, may it be used, does it answer.

The needs of the build are those of upstream's BUILDING.md and of twoliter: docker, gzip and lz4 are asked for by its
task `setup-build`, Docker >= 23 by its preflight check (Dockerfile syntax 1.4), and curl, tar and xz install it.
"""

from collections.abc import Iterator

from brqos.doctor import remedies
from brqos.doctor.model import Check, Status
from brqos.doctor.probe import Probe
from brqos.doctor.programs import Program, Version, check_program, numbers, text, version_in, versioned
from brqos.doctor.remedies import Packages
from brqos.stages import Stage

# The first that can be told to leave the user's configuration alone (GIT_CONFIG_GLOBAL; git's release notes).
_GIT: Version = (2, 32)
# Lock files of version 4, which upstream has had since v1.37 (the change log of cargo 1.78).
_CARGO: Version = (1, 78)
_DOCKER: Version = (23,)

_PLAIN = {
    "lz4": Packages("lz4", "lz4", "lz4"),
    "gzip": Packages("gzip", "gzip", "gzip"),
    "curl": Packages("curl", "curl", "curl"),
    "xz": Packages("xz-utils", "xz", "xz"),
    "cc": Packages("build-essential", "gcc make", "gcc"),
}
_FOR_BUILD = (Stage.BUILD,)


def check_host(probe: Probe) -> Check:
    """Upstream's build runs on Linux; on a Mac with an ARM processor its SDK's containers do not work."""
    host = f"{probe.system} {probe.machine}"
    if probe.system == "Linux" and probe.machine in {"x86_64", "aarch64", "arm64"}:
        return Check("host", Status.FOUND, _FOR_BUILD, host, "Linux on x86_64 or aarch64")
    arm_mac = probe.system == "Darwin" and probe.machine == "arm64"
    why = "does not work on a Mac with an ARM processor" if arm_mac else "runs on Linux only"
    remedy = (
        f"Upstream's build {why}: build on a Linux machine, an EC2 instance for example. Everything else works here."
    )
    return Check("host", Status.MISSING, _FOR_BUILD, host, "Linux on x86_64 or aarch64", remedy)


def check_git(probe: Probe, stages: tuple[Stage, ...] = (Stage.GENERATE, Stage.BUILD)) -> Check:
    """Git, for the mirror, the work trees, and the image's version."""
    return check_program(probe, Program("git", ("--version",), _GIT, Packages("git", "git", "git")), stages)


def check_eksctl(probe: Probe) -> Check:
    """Eksctl, which takes the nodegroup file; brqos itself writes it without."""
    path = probe.which("eksctl")
    remedy = (
        "" if path else "https://eksctl.io/installation/ (it makes the nodegroup; brqos writes its file without it)"
    )
    return Check("eksctl", Status.FOUND if path else Status.WARNING, (Stage.NODEGROUP,), remedy=remedy)


def check_rust(probe: Probe) -> Iterator[Check]:
    """Cargo and cargo-make."""
    yield versioned(probe, "cargo", ("cargo", "--version"), _CARGO, _FOR_BUILD, remedies.RUST)
    yield versioned(probe, "cargo-make", ("cargo-make", "make", "--version"), None, _FOR_BUILD, remedies.CARGO_MAKE)


def check_plain_programs(probe: Probe) -> Iterator[Check]:
    """Programs of which any version does."""
    for program, packages in _PLAIN.items():
        path = probe.which(program)
        status = Status.FOUND if path else Status.MISSING
        remedy = "" if path else remedies.install(packages, probe)
        yield Check(program, status, _FOR_BUILD, remedy=remedy, packages=None if path else packages)
    yield _openssl(probe)


def _openssl(probe: Probe) -> Check:
    answer = probe.ask("pkg-config", "--modversion", "openssl")
    if answer.status == 0:
        return Check("openssl headers", Status.FOUND, _FOR_BUILD, version_in(answer.text))
    # They are needed only where twoliter has to be built from source, because no binary fits.
    packages = Packages("pkg-config libssl-dev", "pkgconf-pkg-config openssl-devel", "pkg-config openssl")
    return Check("openssl headers", Status.WARNING, _FOR_BUILD, remedy=remedies.install(packages, probe))


def check_docker(probe: Probe) -> Iterator[Check]:
    """The ladder of Docker: the program, its plug-in for builds, the permission, the daemon, the daemon's version."""
    if probe.which("docker") is None:
        yield Check("docker", Status.MISSING, _FOR_BUILD, needed=text(_DOCKER), remedy=remedies.DOCKER)
        return
    yield Check("docker", Status.FOUND, _FOR_BUILD, version_in(probe.ask("docker", "--version").text))
    buildx = probe.ask("docker", "buildx", "version")
    if buildx.status == 0:
        yield Check("docker buildx", Status.FOUND, _FOR_BUILD, version_in(buildx.text))
    else:
        # Docker's own archive calls it so; Debian's, Ubuntu's and Homebrew's call it docker-buildx.
        packages = Packages("docker-buildx-plugin", "docker-buildx-plugin", "docker-buildx")
        remedy = f"{remedies.install(packages, probe)}   (docker-buildx where Docker is the distribution's)"
        yield Check("docker buildx", Status.MISSING, _FOR_BUILD, remedy=remedy)
    yield _docker_daemon(probe)


def _docker_daemon(probe: Probe) -> Check:
    def check(status: Status, version: str, remedy: str = "") -> Check:
        return Check("docker daemon", status, _FOR_BUILD, version, text(_DOCKER), remedy)

    answer = probe.ask("docker", "version", "--format", "{{.Server.Version}}")
    if answer.status == 0:
        version = version_in(answer.text)
        if numbers(version) >= _DOCKER:
            return check(Status.FOUND, version)
        return check(Status.TOO_OLD, version, remedies.DOCKER)
    if "permission denied" in answer.text:
        return check(Status.MISSING, "no permission", remedies.DOCKER_GROUP)
    if answer.status is None:
        return check(Status.MISSING, "does not answer", remedies.start_docker(probe))
    return check(Status.MISSING, "not running", remedies.start_docker(probe))
