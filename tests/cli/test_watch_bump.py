"""`brqos watch --bump`: the pin written anew, never without showing what that changes."""

import os
from pathlib import Path

import pytest

from brqos.cli import watch as command
from brqos.rehearsal.miniature import Layout, bottlerocket
from brqos.upstream.git import git
from fleet.history import History, add_release

pytestmark = pytest.mark.processes


def test_bump_shows_the_overlay_and_writes_only_the_pin(brqos, configured) -> None:
    path = configured("aws-k8s-1.29", "v1.36.0")
    path.chmod(0o600)
    before = path.read_text()
    out = brqos("watch", "--bump", "--yes").out
    assert "removed  packages/kubelet-memory-qos/kubelet-config-memory-qos" in out
    assert "    +++ b/packages/kubelet-memory-qos/900-memory-qos.conf" in out
    assert "more of packages/kubelet-memory-qos/kubelet-config-memory-qos" in out
    assert out.rstrip().endswith('Written: upstream.ref = "v1.50.0" in brqos.toml')
    assert path.read_text() == before.replace("v1.36.0", "v1.50.0")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "Nothing to write" in brqos("watch", "--bump", "--yes").out


def test_a_dry_run_of_bump_writes_nothing_and_has_all_diffs(brqos, configured) -> None:
    path = configured("aws-k8s-1.29", "v1.36.0")
    before = path.read_text()
    assert "Not written (--dry-run)" in brqos("watch", "--bump", "--dry-run").out
    ran = brqos("watch", "--bump", "--dry-run", "--json")
    bump = ran.json["bump"]
    assert {key: bump[key] for key in ("key", "from", "to", "written", "held_back")} == {
        "key": "upstream.ref",
        "from": "v1.36.0",
        "to": "v1.50.0",
        "written": False,
        "held_back": [],
    }
    diffs = {file["path"]: file["diff"] for file in bump["variants"][0]["files"]}
    assert "+++ /dev/null" in diffs["packages/kubelet-memory-qos/kubelet-config-memory-qos"]
    assert "900-memory-qos.conf" in ran.err
    assert path.read_text() == before


def test_without_a_pin_in_the_file_bump_writes_the_first(brqos, configured) -> None:
    path = configured("aws-k8s-1.34", None)
    before = path.read_text()
    assert brqos("watch", "--bump", "--yes", "--json").json["bump"]["written"] is True
    assert 'ref = "v1.66.0"\n' in path.read_text()
    assert path.read_text().replace('ref = "v1.66.0"\n', "") == before


def test_one_pin_goes_to_the_newest_release_that_all_variants_have(brqos, configured) -> None:
    path = configured(ref="v1.36.0", more='[matrix]\nvariants = ["aws-k8s-1.30", "aws-k8s-1.32"]\n')
    ran = brqos("watch", "--bump", "--yes")
    assert "aws-k8s-1.32 could have v1.66.0; v1.50.0 is the newest" in ran.out
    assert 'ref = "v1.50.0"' in path.read_text()
    assert "Nothing to write" in brqos("watch", "--bump", "--yes").out


def test_no_variant_is_moved_back(brqos, configured, history: History, tmp_path: Path) -> None:
    # Without a pin of its own the file has the shipped ones, v1.50.0 and v1.66.0; one release between has both.
    between = tmp_path / "between"
    git("clone", "--quiet", "--bare", history.bottlerocket, between)
    tree = bottlerocket(Layout.NATIVE, names=["aws-k8s-1.30", "aws-k8s-1.36"], release="1.60.0")
    add_release(between, tree, "v1.60.0", "2026-03-01")
    path = configured(ref=None, more='[matrix]\nvariants = ["aws-k8s-1.30", "aws-k8s-1.36"]\n')
    path.write_text(path.read_text().replace(str(history.bottlerocket), str(between)))
    before = path.read_text()
    assert "would move aws-k8s-1.36 back to v1.60.0" in brqos("watch", "--bump", "--yes", code=3).err
    assert path.read_text() == before


def test_a_branch_is_not_bumped(brqos, configured, history: History, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    git("clone", "--quiet", "--bare", history.bottlerocket, copy)
    git("branch", "old", history.commits["v1.50.0"], at=copy)
    path = configured(ref="old")
    path.write_text(path.read_text().replace(str(history.bottlerocket), str(copy)))
    assert "is a branch" in brqos("watch", "--bump", "--yes", code=3).err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--bump"], "There is no terminal"),
        (["--bump", "--json"], "Standard output is for the JSON"),
        (["--bump", "--yes", "--variant", "aws-k8s-1.34"], "--bump and --variant"),
        (["--yes"], "about --bump"),
        (["--dry-run"], "about --bump"),
    ],
)
def test_flags_that_do_not_go_together(brqos, configured, words: list[str], told: str) -> None:
    path = configured()
    before = path.read_text()
    assert told in brqos("watch", *words, code=2).err
    assert path.read_text() == before


def test_bump_needs_a_file(brqos) -> None:
    assert "there is none here" in brqos("watch", "--bump", "--yes", code=2).err
    assert "no configuration file" in brqos("watch", "--config", "gone.toml", code=3).err


@pytest.mark.parametrize(("answer", "written"), [(True, True), (False, False)])
def test_on_a_terminal_bump_asks(brqos, configured, monkeypatch, answer: bool, written: bool) -> None:
    path = configured()
    before = path.read_text()
    monkeypatch.setattr(command, "_check_bump", lambda *_, **__: None)
    monkeypatch.setattr(command.typer, "confirm", lambda *_, **__: answer)
    out = brqos("watch", "--bump").out
    assert ("Written" if written else "Not written: ") in out
    assert (path.read_text() != before) is written


def test_a_file_that_changes_while_it_is_looked_at_is_not_overwritten(brqos, configured, monkeypatch) -> None:
    path = configured()

    def meanwhile(*_: object, **__: object) -> bool:
        path.write_text(path.read_text() + "# later\n")
        return True

    monkeypatch.setattr(command, "_check_bump", lambda *_, **__: None)
    monkeypatch.setattr(command.typer, "confirm", meanwhile)
    assert "was changed while" in brqos("watch", "--bump", code=3).err
    assert 'ref = "v1.50.0"' in path.read_text()
    assert path.read_text().endswith("# later\n")


def test_a_link_stays_a_link(brqos, configured, tmp_path: Path) -> None:
    path = configured()
    real = tmp_path / "elsewhere" / "shared.toml"
    real.parent.mkdir()
    path.rename(real)
    path.symlink_to(os.path.relpath(real, path.parent))
    brqos("watch", "--bump", "--yes")
    assert path.is_symlink()
    assert "v1.66.0" in real.read_text()
