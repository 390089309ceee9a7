"""A build: its log, its progress, its end. The programs are stand-ins, or the rehearsal's own `make`."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from brqos import process
from brqos.architecture import Architecture
from brqos.errors import BuildError, ConfigurationError, ToolError, UpstreamError
from brqos.image import containers
from brqos.image.build import build_images
from brqos.image.kits import repair
from brqos.image.model import ImageRole
from brqos.image.order import BuildOrder
from image.recorder import Recorder
from rehearsal.little_tree import VARIANT, commit, write_tree

REHEARSAL = (sys.executable, "-m", "brqos.rehearsal.make")
Lines = Callable[[str], None]


@pytest.fixture
def order(tmp_path: Path) -> BuildOrder:
    tree = write_tree(tmp_path / "tree")
    return BuildOrder(tree, VARIANT, Architecture.X86_64, program=REHEARSAL, make_env={"BRQOS_REHEARSAL_PACE": "0"})


def _prints(
    monkeypatch: pytest.MonkeyPatch, *lines: str, status: int = 0, then: type[BaseException] | None = None
) -> None:
    def stream(argv: object, *, on_line: Lines, cwd: Path, env: Mapping[str, str]) -> int:
        for line in lines:
            on_line(line)
        if then:
            raise then
        return status

    monkeypatch.setattr(process, "stream", stream)


def _build(order: BuildOrder, log: Path, said: Recorder) -> object:
    return build_images(order, image_version="1.50.0-0123456789ab", log=log, monitor=said)


@pytest.mark.processes
def test_rehearsed(order: BuildOrder, tmp_path: Path) -> None:
    short = commit(order.work_tree)
    said = Recorder()
    log = tmp_path / "logs" / "build.log"
    result = build_images(order, image_version=f"1.50.0-{short}", log=log, monitor=said)
    assert [image.role for image in result.images] == [ImageRole.OS, ImageRole.DATA]
    assert result.secure_boot
    assert result.uefi_data
    assert result.sbkeys_profile == str(order.work_tree / "sbkeys/local")
    assert result.ami_spec is None
    assert said.notes == [f"Log of the build: {log}"]
    assert said.tasks[0] == (f"Building {VARIANT} for x86_64", 3, "")
    assert "building package kubelet-memory-qos (1 of 3)" in said.described
    assert "building the image" in said.described
    lines = log.read_text().splitlines()
    assert lines[0] == f"$ cd {order.work_tree}"
    assert lines[1] == f"$ {order.shown}"
    assert lines[-1] == "# ended with status 0"
    assert all(line.startswith("[rehearsal] ") for line in lines[2:-1])
    again = build_images(order, image_version=f"1.50.0-{short}", log=log, monitor=Recorder())
    assert again == result


@pytest.mark.processes
def test_rehearsed_in_a_changed_tree(order: BuildOrder, tmp_path: Path) -> None:
    short = commit(order.work_tree)
    with (order.work_tree / "Release.toml").open("a") as file:
        file.write("# changed\n")
    with pytest.raises(BuildError, match="from a changed tree"):
        build_images(order, image_version=f"1.50.0-{short}", log=tmp_path / "log", monitor=Recorder())


@pytest.mark.processes
@pytest.mark.parametrize(
    ("name", "error"), [("source-cache", BuildError), ("docker-down", ToolError), ("unknown", BuildError)]
)
def test_rehearsed_failure(name: str, error: type[Exception], order: BuildOrder, tmp_path: Path) -> None:
    failing = replace(order, make_env={**order.make_env, "BRQOS_REHEARSAL_FAIL": name})
    log = tmp_path / "build.log"
    with pytest.raises(error, match=f"the build of {VARIANT} failed") as caught:
        _build(failing, log, Recorder())
    assert f"The whole log: {log}" in str(caught.value)
    assert log.read_text().endswith("# ended with status 1\n")


def test_known_failure(order: BuildOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _prints(monkeypatch, "one", "write /x: no space left on device", "error: other", status=101)
    with pytest.raises(BuildError) as caught:
        _build(order, tmp_path / "log", Recorder())
    assert caught.value.what == f"the build of {VARIANT} failed: the disk is full"
    assert caught.value.why == f"write /x: no space left on device\nThe whole log: {tmp_path / 'log'}"
    assert "brqos clean" in caught.value.todo


def test_unknown_failure(order: BuildOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _prints(monkeypatch, "all well", "error: something new", status=101)
    with pytest.raises(BuildError) as caught:
        _build(order, tmp_path / "log", Recorder())
    assert "status 101" in caught.value.what
    assert caught.value.why.startswith("error: something new\n")
    assert order.shown in caught.value.todo


def test_interrupted(order: BuildOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _prints(monkeypatch, "[cargo-make] INFO - Running Task: fetch-external-kits", then=KeyboardInterrupt)
    digest = order.work_tree / "build/external-kits/bottlerocket/bottlerocket-core-kit/x86_64/digest"
    digest.parent.mkdir(parents=True)
    digest.touch()
    said = Recorder()
    with pytest.raises(KeyboardInterrupt):
        _build(order, tmp_path / "log", said)
    assert "The build is stopped" in said.notes[-1]
    assert (tmp_path / "log").read_text().endswith("# interrupted; all its processes are stopped\n")
    # The kits were in the middle of being fetched: the next build unpacks them again.
    assert repair(order.work_tree) == (digest.parent,)


@pytest.mark.processes
def test_an_interrupt_leaves_nothing_running(order: BuildOrder, tmp_path: Path) -> None:
    # Other tests of this process may have children that outlive them.
    others = set(psutil.Process().children(recursive=True))

    class Impatient(Recorder):
        def describe(self, text: str) -> None:
            self.described.append(text)
            self.children = set(psutil.Process().children(recursive=True)) - others
            raise KeyboardInterrupt

    said = Impatient()
    slow = replace(order, make_env={"BRQOS_REHEARSAL_PACE": "30"})
    with pytest.raises(KeyboardInterrupt):
        _build(slow, tmp_path / "log", said)
    assert said.children
    assert not [child for child in said.children if child.is_running()]
    assert "The build is stopped" in said.notes[-1]


def test_interrupted_after_the_kits(order: BuildOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _prints(monkeypatch, "[cargo-make][1] INFO - Running Task: fetch-sdk", then=KeyboardInterrupt)
    monkeypatch.setattr(containers, "remove_left_over", lambda tree: ("buildsys-x-bypass",))
    said = Recorder()
    with pytest.raises(KeyboardInterrupt):
        _build(replace(order, program=("cargo", "make")), tmp_path / "log", said)
    assert "1 of its containers" in said.notes[-1]
    assert repair(order.work_tree) == ()


def test_secrets_stay_out_of_the_log(order: BuildOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _prints(monkeypatch, "+ curl --header hunter2-hunter2", "error: hunter2-hunter2 was refused", status=1)
    secret = replace(order, make_env={"GITHUB_TOKEN": "hunter2-hunter2"})
    with pytest.raises(BuildError) as caught:
        _build(secret, tmp_path / "log", Recorder())
    assert "hunter2" not in (tmp_path / "log").read_text() + str(caught.value)


def test_refused_before_anything_runs(order: BuildOrder, tmp_path: Path) -> None:
    with pytest.raises(UpstreamError):
        _build(replace(order, variant="aws-k8s-9.99-memoryqos"), tmp_path / "log", Recorder())
    with pytest.raises(ConfigurationError, match="no signing profile"):
        _build(replace(order, sbkeys_profile=tmp_path / "none"), tmp_path / "log", Recorder())
    assert not (tmp_path / "log").exists()
