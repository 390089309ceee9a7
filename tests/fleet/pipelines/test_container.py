"""The container image's recipe: what it installs is what `brqos doctor` asks for, and it is a decent recipe."""

import itertools
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from brqos.config.model import Engine
from brqos.doctor.examine import examine
from brqos.doctor.model import Check
from brqos.doctor.probe import Answer
from brqos.fleet.pipelines.container import build_command, recipe
from brqos.stages import Stage
from doctor.machine import ANSWERS, PYTHON_PACKAGES, Machine
from fleet.pipelines.recipe import Instruction, instructions, packages

TEXT = recipe()["Containerfile"]
LOCK = recipe()["requirements.lock"]
ALL = instructions(TEXT)
FINAL = [one for one in ALL if one.stage == "brqos"]
INSTALLED = {name for one in FINAL if one.word == "RUN" for name in packages(one)}

# What the doctor asks for without naming Debian's package, and what of the image it is. None: no matter of an image.
OTHERWISE: dict[str, str | None] = {
    "cargo": "cargo",
    "cargo-make": "/usr/local/bin/cargo-make",
    "docker": "docker-cli",
    "docker buildx": "docker-buildx",
    "openssl headers": "libssl-dev",
    # It is a machine's, its socket is lent to the container; or --build-arg EXTRA_PACKAGES=docker.io.
    "docker daemon": None,
    # In no Debian; whoever makes nodegroups by it has an image of their own, or fetches it.
    "eksctl": None,
    "AWS credentials": None,
    "host": None,
    "disk": None,
    "disk of the cache": None,
    "memory": None,
    "cores": None,
}


def of_word(word: str) -> list[Instruction]:
    return [one for one in ALL if one.word == word]


def asked_for(tmp_path: Path) -> dict[str, Check]:
    """Everything that the doctor looks for, for both engines, on a machine that has nothing."""
    programs = {line.split()[0] for line in ANSWERS} | {"lz4", "gzip", "curl", "xz", "cc", "eksctl"}
    nothing = frozenset(programs | set(PYTHON_PACKAGES))
    silent = dict.fromkeys(ANSWERS, Answer(1, ""))
    # What belongs to Docker is looked for only where Docker is.
    machines = [Machine(missing=nothing, answers=silent), Machine(missing=nothing - {"docker"}, answers=silent)]
    found = {}
    for machine, engine in itertools.product(machines, Engine):
        stages = [Stage.GENERATE, Stage.BUILD, Stage.NODEGROUP]
        report = examine(stages, engine=engine, official=True, probe=machine, cache=tmp_path, output=tmp_path)
        found |= {check.name: check for check in report.checks if not check.is_there or check.name not in found}
    return found


def lacking(checks: dict[str, Check], installed: set[str]) -> list[str]:
    """What of it an image with these packages of Debian's would lack."""
    copied = {one.text.split()[-1] for one in FINAL if one.word == "COPY"}
    found = []
    for name, check in checks.items():
        if name in PYTHON_PACKAGES:
            there = re.search(rf"^{re.escape(name)}==", LOCK, re.MULTILINE) is not None
        elif check.packages is not None:
            there = set(check.packages.debian.split()) <= installed
        else:
            wanted = OTHERWISE[name]
            there = wanted is None or wanted in installed | copied
        if not there:
            found.append(name)
    return found


def test_the_image_has_what_the_doctor_asks_for(tmp_path: Path) -> None:
    found = asked_for(tmp_path)
    assert {"sgdisk", "sbsign", "cargo-make", "lz4", "tuf", "git", "docker buildx", "openssl headers"} <= set(found)
    assert lacking(found, INSTALLED) == []


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("gdisk", "sgdisk"),
        ("erofs-utils", "fsck.erofs"),
        ("docker-buildx", "docker buildx"),
        ("xz-utils", "xz"),
        ("git", "git"),
    ],
)
def test_a_package_less_would_be_missed(package: str, name: str, tmp_path: Path) -> None:
    assert lacking(asked_for(tmp_path), INSTALLED - {package}) == [name]


def test_the_image_has_what_pipelines_call() -> None:
    assert {"awscli", "jq", "kubectl", "curl", "tar"} <= INSTALLED


def test_it_is_made_of_known_instructions() -> None:
    assert {one.word for one in ALL} == {"ARG", "FROM", "RUN", "COPY", "LABEL", "USER", "WORKDIR", "ENTRYPOINT", "CMD"}
    # Each stage has a name, the last one is the image, and all are of one base.
    stages = [one.text.split(" AS ") for one in of_word("FROM")]
    assert [name for _, name in stages] == ["base", "cargo-make", "python", "brqos"]
    assert [base for base, _ in stages] == ["${BASE}", "base", "base", "base"]


def test_every_argument_is_used_and_every_one_that_is_told_of_is_there() -> None:
    arguments = {one.text.split("=")[0]: one for one in of_word("ARG")}
    for name, argument in arguments.items():
        users = [one for one in ALL if one.word in {"FROM", "RUN", "LABEL"} and re.search(rf"\$\{{?{name}\b", one.text)]
        assert users, name
        # An ARG holds in its own stage only.
        assert name == "BASE" or {one.stage for one in users} == {argument.stage}
    told = set(re.findall(r"--build-arg (\w+)=", TEXT))
    assert told <= set(arguments)
    assert {"BASE", "APT_MIRROR", "APT_SECURITY_MIRROR", "PIP_INDEX_URL", "CARGO_REGISTRY", "EXTRA_PACKAGES"} <= told


def test_no_secret_gets_into_a_layer() -> None:
    told = set(re.findall(r"--secret id=([a-z.-]+)", TEXT))
    mounted = {name for one in ALL for flag in one.flags for name in re.findall(r"type=secret,id=([a-z.-]+)", flag)}
    assert told == mounted
    assert mounted
    for one in of_word("ARG"):
        assert not re.search(r"TOKEN|PASSWORD|SECRET|KEY", one.text)


def test_packages_are_installed_decently() -> None:
    runs = [one for one in of_word("RUN") if "apt-get" in one.text]
    assert len(runs) == 3
    for run in runs:
        assert run.text.index("apt-get update") < run.text.index("apt-get install")
        assert "--no-install-recommends" in run.text
        assert "DEBIAN_FRONTEND=noninteractive" in run.text
    assert "rm -rf /var/lib/apt/lists/*" in runs[-1].text
    words = next(iter(re.findall(r"apt-get install ([^;>]*)", runs[-1].text))).split()
    names = [word for word in words if not word.startswith(("-", "$"))]
    assert names == sorted(set(names))


def test_what_is_fetched_is_pinned() -> None:
    text = " ".join(one.text for one in of_word("RUN"))
    assert re.search(r'cargo install [^;]*--locked --version "\$CARGO_MAKE"', text)
    assert re.search(r"ARG CARGO_MAKE=\d+\.\d+\.\d+\n", TEXT)
    assert "--require-hashes --only-binary :all:" in text
    # Whatever else pip gets is brqos itself.
    assert re.findall(r'\$pip install [^;]* ("?\$\w+"?|-r \S+);', text) == ["-r requirements.lock", '"$BRQOS"']
    assert "curl" not in text.replace("curl docker-buildx", "")


def test_it_runs_as_nobody_in_particular() -> None:
    assert [one.text for one in of_word("USER")] == ["1000:1000"]
    assert ALL[-2:] == [
        Instruction("ENTRYPOINT", (), '["brqos"]', "brqos"),
        Instruction("CMD", (), '["--help"]', "brqos"),
    ]
    (label,) = of_word("LABEL")
    names = set(re.findall(r"org\.opencontainers\.image\.(\w+)=", label.text))
    assert names == {"title", "description", "licenses", "version", "revision", "created"}


@pytest.mark.processes
def test_every_run_is_a_script() -> None:
    for run in of_word("RUN"):
        assert run.text.startswith("set -eu;") or run.text.startswith("ln -s")
        ran = subprocess.run(["sh", "-n"], input=run.text, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"{run.text}\n{ran.stderr}"


@pytest.mark.processes
@pytest.mark.parametrize("security", ["", "https://mirror.example.com/debian-security"])
def test_mirrors_of_debian(tmp_path: Path, security: str) -> None:
    script = next(one.text for one in of_word("RUN") if one.stage == "base")
    sources = tmp_path / "sources.list.d"
    sources.mkdir()
    (sources / "debian.sources").write_text("URIs: http://deb.example.org\n")
    (tmp_path / "os-release").write_text("VERSION_CODENAME=trixie\n")
    here = script.replace("/etc/apt/", f"{tmp_path}/").replace("/etc/os-release", f"{tmp_path}/os-release")
    env = {
        "PATH": "/usr/bin:/bin",
        "APT_MIRROR": "https://mirror.example.com/debian",
        "APT_SECURITY_MIRROR": security,
        "APT_VALID_UNTIL": "no",
    }
    subprocess.run(["sh", "-c", here], env=env, check=True)
    (written,) = sources.iterdir()
    stanzas = written.read_text().split("\n\n")
    assert len(stanzas) == (2 if security else 1)
    assert "Suites: trixie trixie-updates\n" in stanzas[0]
    assert "example.org" not in written.read_text()
    assert all("Check-Valid-Until: no" in stanza and "Signed-By: /usr/share" in stanza for stanza in stanzas)
    subprocess.run(["sh", "-c", here], env={**env, "APT_MIRROR": ""}, check=True)
    assert "mirror.example.com" in written.read_text()


def test_the_context_is_what_is_asked_for_and_no_more() -> None:
    lines = [line for line in recipe()["Containerfile.dockerignore"].splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert {line for line in lines if line.startswith("!")} == {
        "!builder",
        "!templates",
        "!variants",
        "!requirements.lock",
    }
    assert "**/.*" in lines


def test_the_command_builds_what_was_written() -> None:
    words = shlex.split(build_command(Path("a b"), "brqos==1.0"))
    assert words == [
        "docker", "build", "--file", "a b/Containerfile", "--build-arg", "BRQOS=brqos==1.0", "--tag", "brqos", "a b",
    ]  # fmt: skip
