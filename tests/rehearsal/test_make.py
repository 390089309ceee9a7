"""The rehearsal's `cargo make`: refuses like upstream, leaves what upstream leaves, and always says what it is."""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import lz4.frame
import pytest

from brqos import process
from brqos.image.sbkeys import read_uefi_data
from brqos.rehearsal import make
from brqos.rehearsal.disk import MIB, OS_PLAN, ROOT
from brqos.rehearsal.failures import WORDS
from rehearsal.little_tree import DROP_IN, VARIANT, commit, write_tree

FLAGS = ["-e", f"BUILDSYS_VARIANT={VARIANT}", "-e", "BUILDSYS_ARCH=x86_64", "-e", "BRQOS_REHEARSAL_PACE=0"]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_tree(tmp_path / "tree")
    monkeypatch.chdir(folder)
    return folder


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(line.startswith("[rehearsal] ") for line in lines)
    return [line.removeprefix("[rehearsal] ") for line in lines]


@pytest.mark.processes
def test_whole_run_as_a_program(tree: Path) -> None:
    short = commit(tree)
    argv = [sys.executable, "-m", "brqos.rehearsal.make", *FLAGS, "-e", "BUILDSYS_PRETTY_NAME=ACME's", "build"]
    done = process.run(argv, cwd=tree, check=False)
    assert (done.status, done.stderr) == (0, "")
    assert all(line.startswith("[rehearsal] ") for line in done.text.splitlines())
    versions = tree / "build/images" / f"x86_64-{VARIANT}"
    assert (versions / "latest").readlink() == Path(f"1.50.0-{short}")
    name = f"bottlerocket-{VARIANT}-x86_64-1.50.0-{short}"
    assert {file.name for file in (versions / "latest").iterdir()} == {
        f"{name}.img.lz4", f"{name}-data.img.lz4", "application-inventory.json",
    }  # fmt: skip
    inventory = (versions / "latest" / "application-inventory.json").read_bytes()
    (own,) = [item for item in json.loads(inventory)["Content"] if "kubelet-memory-qos" in item["Name"]]
    assert list(own) == [
        "Name", "Publisher", "Version", "Release", "Epoch", "InstalledTime", "ApplicationType", "Architecture", "Url",
        "Summary",
    ]  # fmt: skip
    assert own["Name"] == "bottlerocket-kubelet-memory-qos"
    assert "REHEARSAL" in own["Summary"]

    disk = lz4.frame.decompress((versions / "latest" / f"{name}.img.lz4").read_bytes())
    assert disk.startswith(b"BRQOS REHEARSAL: this is not a Bottlerocket image")
    offset = MIB + sum(p.mib for p in OS_PLAN[: [p.label for p in OS_PLAN].index(ROOT)]) * MIB
    with tarfile.open(fileobj=io.BytesIO(disk[offset:])) as root:
        files = {member.name: root.extractfile(member).read().decode() for member in root}  # type: ignore[union-attr]
    assert files["packages/kubelet-memory-qos/900-memory-qos.conf"] == DROP_IN
    assert files["usr/share/bottlerocket/application-inventory.json"] == inventory.decode()
    assert "packages/kubelet-memory-qos/kubelet-memory-qos.spec" not in files
    assert "ACME's (REHEARSAL)" in files["usr/lib/os-release"]
    assert f"VERSION_ID=1.50.0\nBUILD_ID={short}\n" in files["usr/lib/os-release"]
    assert read_uefi_data(tree / "sbkeys/local")
    # What the build leaves is no change of the tree.
    assert process.run(["git", "describe", "--always", "--dirty", "--exclude", "*"], cwd=tree).text.strip() == short


@pytest.mark.processes
def test_no_network_is_needed(tree: Path) -> None:
    commit(tree)
    code = (
        "import socket, sys\n"
        "def refuse(*a): raise SystemExit('network')\n"
        "socket.socket.connect = refuse\n"
        "from brqos.rehearsal.make import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    assert process.run([sys.executable, "-c", code, *FLAGS], cwd=tree).status == 0


def _without(tree: Path, file: str, text: str) -> None:
    path = tree / file
    before = path.read_text()
    assert text in before
    path.write_text(before.replace(text, ""))


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        (
            "packages/settings-defaults/settings-defaults.spec",
            f"settings-defaults({VARIANT})",
            "Unable to find a match: bottlerocket-settings-defaults",
        ),
        (
            "packages/kubelet-memory-qos/kubelet-memory-qos.spec",
            "kubelet-memory-qos",
            "Unable to find a match: bottlerocket-kubelet-memory-qos",
        ),
        ("Cargo.lock", "kubelet-memory-qos", "needs to be updated but --locked was passed"),
        ("Cargo.lock", "aws-k8s-1_29-memoryqos", "needs to be updated but --locked was passed"),
    ],
)
def test_refused_like_upstream(tree: Path, file: str, text: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    _without(tree, file, text)
    assert make.main(FLAGS) == 1
    assert any(told in line for line in _lines(capsys))
    assert not (tree / "build").exists()


def test_unknown_variant(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make.main(["-e", "BUILDSYS_VARIANT=aws-k8s-9.99", "-e", "BRQOS_REHEARSAL_PACE=0"]) == 1
    assert "error: manifest path `variants/aws-k8s-9.99/Cargo.toml` does not exist" in _lines(capsys)


def test_missing_build_dependency(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "packages/kubelet-memory-qos/Cargo.toml").unlink()
    assert make.main(FLAGS) == 1
    assert any("failed to load manifest for dependency `kubelet-memory-qos`" in line for line in _lines(capsys))


@pytest.mark.parametrize("name", WORDS)
def test_rehearsed_failures(name: str, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make.main([*FLAGS, "-e", f"BRQOS_REHEARSAL_FAIL={name}"]) == 1
    assert WORDS[name][0].replace("{tree}", str(tree)) in _lines(capsys)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-e", "BRQOS_REHEARSAL_FAIL=nothing-known"], "is none of disk-full"),
        (["-e", "BRQOS_REHEARSAL_PACE=fast"], "not a number"),
        (["-e", "BUILDSYS_ARCH=riscv"], "not an architecture"),
        (["--release"], "unexpected argument '--release'"),
        (["build", "-e", "A=b"], "unexpected argument 'build'"),
    ],
)
def test_wrong_flags(arguments: list[str], told: str, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make.main([*FLAGS, *arguments]) == 1
    assert told in "\n".join(_lines(capsys))


def test_a_profile_of_ones_own_is_not_written_to(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "keys" / "prod").mkdir(parents=True)
    own = ["-e", f"BUILDSYS_SBKEYS_DIR={tmp_path / 'keys'}", "-e", "BUILDSYS_SBKEYS_PROFILE=prod"]
    assert make.main([*FLAGS, *own]) == 1
    assert any("Incomplete Secure Boot signing profile" in line for line in _lines(capsys))
    assert not list((tmp_path / "keys" / "prod").iterdir())


@pytest.mark.processes
def test_stops_at_once(tree: Path) -> None:
    argv = [sys.executable, "-m", "brqos.rehearsal.make", *FLAGS[:-1], "BRQOS_REHEARSAL_PACE=60"]
    with subprocess.Popen(argv, cwd=tree, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline()
        run.terminate()
        assert run.wait(timeout=10) != 0
