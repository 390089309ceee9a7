"""The table says what was measured, and slow is no failure."""

from pathlib import Path
from typing import NoReturn

import pytest

import bench.__main__ as command
from bench.repack import Repacking
from bench.timing import Line, median_seconds, table
from bench.trees import miniature, real
from image.repack.synthetic import MissingError

FAST = Line("brqos --help", 1.2, 1.5, "x", "0.30 s")
SLOW = Line("generate", 12.0, 10, "s")
MANY = Line("puts", 850.0, 800, "/s", at_least=True)


def test_table_says_what_was_promised() -> None:
    assert table([FAST, SLOW, MANY]).splitlines() == [
        "what          measured   promised",
        "brqos --help  1.20 x     <= 1.5 x   ok                    0.30 s",
        "generate      12.00 s    <= 10 s    slower than promised",
        "puts          850.00 /s  >= 800 /s  ok",
    ]


def test_median_runs_once_more_to_warm_up() -> None:
    calls: list[int] = []
    assert median_seconds(lambda: calls.append(1), 3) >= 0
    assert len(calls) == 4


def test_slow_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "releases.json").write_text(
        '{"releases": {"1.9.0": {}, "1.21.0": {"commit": "a", "core_kit_commit": "b", "aws_k8s_variants": []}}}'
    )
    for name in ("start_up", "one_tree", "all_trees", "matrix", "follow"):
        monkeypatch.setattr(command, name, lambda *_: SLOW)
    monkeypatch.setattr(command, "launcher", lambda *_: None)
    for name in ("explain_many", "upload"):
        monkeypatch.setattr(command, name, lambda *_: (FAST,))
    monkeypatch.setattr(command, "repack", lambda *_: Repacking((SLOW,), ("repack: each step",)))
    trees = ["--releases", str(tmp_path / "releases.json"), "--bottlerocket", "b", "--core-kit", "k"]
    assert command.main(trees) == 0
    out = capsys.readouterr().out
    assert out.count("slower than promised") == 6
    assert "generate was measured on Bottlerocket v1.21.0\n" in out
    assert "scripts/brqos was not measured" in out
    assert "repack: each step\n" in out


def test_repacking_is_not_measured_without_its_tools(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise MissingError("not installed: sgdisk")

    monkeypatch.setattr(command, "repack", refuse)
    assert command.main(["--only", "repack"]) == 0
    assert capsys.readouterr().out == "repack was not measured: not installed: sgdisk\n"


def test_newest_release_is_taken(tmp_path: Path) -> None:
    (tmp_path / "r").write_text(
        '{"releases": {"1.9.0": {}, "1.21.0": {"commit": "a", "core_kit_commit": "b", "aws_k8s_variants": ["v"]}}}'
    )
    assert real(tmp_path / "r", Path("b"), Path("k")).variants == ("v",)


@pytest.mark.processes
def test_without_trees_it_takes_a_miniature(tmp_path: Path) -> None:
    trees = miniature(tmp_path)
    assert "miniature" in trees.title
    assert "aws-k8s-1.29-nvidia" in trees.variants
    assert Path(trees.core_kit).is_dir()
