"""The pairs, their shapes, the sample, and the table."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from brqos.rehearsal.miniature import Layout
from conftest import MiniatureRepositories
from fidelity.__main__ import main
from fidelity.case import CheckError, Pair, Source
from fidelity.matrix import pairs_of, sample, shape_of
from fidelity.report import table
from fidelity.rpm import alternatives
from fidelity.runner import Result

Miniature = Callable[[Layout], MiniatureRepositories]


def pairs_in(made: MiniatureRepositories, layout: Layout) -> list[Pair]:
    return [
        Pair(
            release=layout.release,
            variant=variant,
            upstream=Source(made.bottlerocket, made.bottlerocket_commit),
            core_kit=Source(made.core_kit, made.core_kit_commit),
            core_kit_version=layout.core_kit,
        )
        for variant in layout.variants
    ]


def test_pairs_come_from_the_list_of_releases(tmp_path: Path) -> None:
    releases = {
        f"1.{minor}.0": {
            "commit": "a" * 40, "core_kit": "2.3.3", "core_kit_commit": "b" * 40,
            "aws_k8s_variants": ["aws-k8s-1.28", "aws-k8s-1.28-nvidia"],
        }
        for minor in (30, 9)
    }  # fmt: skip
    releases["1.30.0"]["core_kit_commit_is_stand_in"] = True
    (tmp_path / "releases.json").write_text(json.dumps({"releases": releases}))
    pairs = pairs_of(tmp_path / "releases.json", tmp_path / "b", tmp_path / "k")
    assert [str(pair) for pair in pairs] == [
        "v1.9.0 aws-k8s-1.28", "v1.9.0 aws-k8s-1.28-nvidia", "v1.30.0 aws-k8s-1.28", "v1.30.0 aws-k8s-1.28-nvidia",
    ]  # fmt: skip
    assert [pair.version_is_stand_in for pair in pairs] == [False, False, True, True]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("layout", "delivery"),
    [(Layout.EARLY, {"template"}), (Layout.DROP_IN, {"drop-in"}), (Layout.NATIVE, {"drop-in", "native"})],
)
def test_delivery_is_read_from_the_kit(layout: Layout, delivery: set[str], miniature: Miniature) -> None:
    assert {pair.delivery for pair in pairs_in(miniature(layout), layout)} == delivery


@pytest.mark.processes
def test_sample_has_each_shape_and_release_once(miniature: Miniature) -> None:
    pairs = pairs_in(miniature(Layout.MIDDLE), Layout.MIDDLE) + pairs_in(miniature(Layout.DROP_IN), Layout.DROP_IN)
    chosen = sample(pairs)
    assert {shape_of(pair) for pair in chosen} == {shape_of(pair) for pair in pairs}
    assert len(chosen) == len({shape_of(pair) for pair in pairs}) < len(pairs)
    again = sample([*pairs, *(Pair("9.9.9", p.variant, p.upstream, p.core_kit, "1.0.0") for p in pairs)])
    assert [str(pair) for pair in again[len(chosen) :]] == ["v9.9.9 aws-k8s-1.26"]


@pytest.mark.processes
def test_shape_knows_how_requires_is_written(miniature: Miniature) -> None:
    early = {str(pair.variant): shape_of(pair) for pair in pairs_in(miniature(Layout.EARLY), Layout.EARLY)}
    forms = {name: next(part for part in shape if part.startswith("requires")) for name, shape in early.items()}
    assert forms["aws-k8s-1.26"] == "requires bare last 0"
    assert forms["aws-k8s-1.24"] == "requires single line not last 0"
    assert forms["aws-k8s-1.25"] == "requires single line last 0"
    assert forms["aws-k8s-1.29"] == "requires shrunk not last 1"


@pytest.mark.parametrize(
    ("requirement", "words"),
    [
        ("os-variant(a)", {"os-variant(a)"}),
        ("(os-variant(a) or os-variant(b-1.2))", {"os-variant(a)", "os-variant(b-1.2)"}),
        ("((os-variant(a) or os-variant(b)))", {"os-variant(a)", "os-variant(b)"}),
        ("rpmlib(Rich) <= 4.12", {"rpmlib(Rich) <= 4.12"}),
    ],
)
def test_alternatives(requirement: str, words: set[str]) -> None:
    assert alternatives([requirement]) == words


def test_requirement_of_all_is_no_choice() -> None:
    with pytest.raises(CheckError, match="no choice"):
        alternatives(["(os-variant(a) and os-variant(b))"])


@pytest.mark.processes
def test_table_counts_and_names_failures(miniature: Miniature) -> None:
    pairs = pairs_in(miniature(Layout.EARLY), Layout.EARLY)[:3]
    results = [Result(pair, seconds={"cargo": 1.0}) for pair in pairs]
    assert "3 of 3 pairs are right (3 checks)" in table(results)
    results[1].run("specs", lambda: alternatives(["(a and b)"]))
    results[2].run("specs", lambda: [][1])
    text = table(results)
    assert re.search(r"^v1\.21\.0 +2\.3\.3 +template +3 +1 +2$", text, re.MULTILINE)
    assert "FAILED v1.21.0 aws-k8s-1.24-nvidia (specs): a requirement that is no choice: (a and b)" in text
    assert "(specs): the check itself failed: IndexError" in text
    assert "1 of 3 pairs are right (5 checks)" in text


def test_without_trees_it_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brqos.process.find", lambda _: Path("/bin/true"))
    assert main(["--bottlerocket", "/nowhere/at/all"]) == 3
    assert "Nothing was checked: no releases, fields, bottlerocket, core_kit at hand." in capsys.readouterr().out


def test_without_tools_it_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brqos.process.find", lambda tool: None if tool == "rpmbuild" else Path("/bin/true"))
    assert main([]) == 4
    assert capsys.readouterr().out == "fidelity needs rpmbuild\n"
