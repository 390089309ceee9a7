import hashlib
from pathlib import Path

import pytest

from brqos.errors import UpstreamError
from brqos.overlay.apply import commit_overlay, patch
from brqos.overlay.model import Operation
from brqos.rehearsal.miniature import Layout
from brqos.upstream.git import git, text
from brqos.upstream.worktree import WorkTree, check_out

pytestmark = pytest.mark.processes


@pytest.fixture
def made(planning, tmp_path: Path):
    def make(name: str = "tree", layout: Layout = Layout.DROP_IN, variant: str = "aws-k8s-1.33", **wishes) -> WorkTree:
        planned = planning(layout, variant, None, **wishes)
        return check_out(
            planned.mirror,
            planned.tree.commit,
            tmp_path / name,
            planned.overlay.variant.memory_qos,
            lambda repository: commit_overlay(planned.overlay, repository),
        )

    return make


@pytest.mark.parametrize("layout", [Layout.EARLY, Layout.MIDDLE, Layout.DROP_IN])
def test_the_commit_is_just_the_overlay_on_top_of_upstreams(planning, made, layout: Layout) -> None:
    variant = layout.variants[-1].base
    overlay, tree = planning(layout, variant).overlay, made("tree", layout, variant)
    assert text("rev-parse", "HEAD^", at=tree.path) == tree.upstream_commit == overlay.upstream_commit
    assert text("rev-parse", "HEAD", at=tree.path) == tree.commit
    changed = set(text("diff", "--name-only", "HEAD^", "HEAD", at=tree.path).splitlines())
    assert changed == {file.path for file in overlay.files}
    for file in overlay.files:
        path = tree.path / file.path
        if file.operation is Operation.LINK:
            assert str(path.readlink()) == file.content
        else:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
    assert text("status", "--porcelain", at=tree.path) == ""
    assert text("describe", "--always", "--dirty", "--exclude", "*", at=tree.path) == tree.short_commit


HOSTILE = """
[user]
name = Somebody Else
email = else@example.invalid
[commit]
gpgSign = true
[core]
autocrlf = true
abbrev = 5
hooksPath = /nowhere
[init]
defaultBranch = x
[clone]
defaultRemoteName = x
[format]
useAutoBase = true
attach = true
signOff = true
coverLetter = true
subjectPrefix = MINE
from = true
[diff]
noprefix = true
context = 0
algorithm = histogram
[i18n]
logOutputEncoding = UTF-16
[protocol "file"]
allow = never
[safe]
bareRepository = explicit
"""


def test_the_same_input_gives_the_same_commit_whoever_runs_it(
    made, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    first = made("one")
    (home / ".gitconfig").write_text(HOSTILE)
    for name, value in {
        "TZ": "Asia/Tokyo",
        "GIT_DIR": "/nowhere",
        "GIT_COMMITTER_DATE": "2001-01-01T00:00:00",
        "GIT_AUTHOR_NAME": "Somebody",
        "GIT_DIFF_OPTS": "--unified=0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.abbrev",
        "GIT_CONFIG_VALUE_0": "7",
    }.items():
        monkeypatch.setenv(name, value)
    second = made("two")
    assert (first.commit, first.short_commit) == (second.commit, second.short_commit)
    assert text("rev-parse", "--short", "HEAD", at=second.path) == second.short_commit
    assert patch(first.path, first.commit) == patch(second.path, second.commit)


def test_a_commit_of_somebodys_own_is_not_left_behind(made) -> None:
    tree = made()
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.invalid", "GIT_COMMITTER_NAME": "a"}
    git("commit", "--allow-empty", "-m", "mine", at=tree.path, env={**who, "GIT_COMMITTER_EMAIL": "a@b.invalid"})
    with pytest.raises(UpstreamError, match="did not make"):
        made(throttling_factor=0.5)
    assert text("log", "-1", "--format=%s", at=tree.path) == "mine"


def test_another_wish_gives_another_commit_in_the_same_tree_and_build_output_stays(made) -> None:
    first = made()
    (first.path / "build").mkdir()
    (first.path / "build" / "kept").write_text("by upstream's build")
    second = made(throttling_factor=0.5)
    assert second.path == first.path
    assert second.commit != first.commit
    assert (second.path / "build" / "kept").is_file()
    assert "0.5" in (second.path / "packages/kubelet-memory-qos/900-memory-qos.conf").read_text()
    assert text("status", "--porcelain", at=second.path) == ""


def test_the_patch_gives_the_same_tree(made, tmp_path: Path, miniature) -> None:
    tree = made()
    clone = tmp_path / "clone"
    git("clone", "--quiet", miniature(Layout.DROP_IN).bottlerocket, clone)
    who = {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.invalid"}
    git("am", "--quiet", at=clone, stdin=patch(tree.path, tree.commit).encode(), env=who)
    assert text("rev-parse", "HEAD^{tree}", at=clone) == text("rev-parse", "HEAD^{tree}", at=tree.path)


def test_a_tree_that_was_changed_by_hand_is_refused_and_left_alone(made) -> None:
    tree = made()
    (tree.path / "Release.toml").write_text("mine\n")
    with pytest.raises(UpstreamError, match="changed by hand") as caught:
        made()
    assert "Release.toml" in caught.value.why
    assert (tree.path / "Release.toml").read_text() == "mine\n"


def test_a_folder_that_is_not_ours_is_refused_and_left_alone(made, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "precious").write_text("x")
    with pytest.raises(UpstreamError, match="did not make it"):
        made()
    assert [path.name for path in (tmp_path / "tree").iterdir()] == ["precious"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(UpstreamError, match="did not make it"):
        made("file")


def test_what_an_interrupted_run_left_is_repaired(made) -> None:
    tree = made()
    # As if git had been killed in the middle of a checkout.
    (tree.path / ".git" / "brqos.json").write_text('{"variant": "x", "upstream": "y", "ready": false}')
    (tree.path / ".git" / "index.lock").write_text("")
    (tree.path / "Release.toml").unlink()
    assert made().commit == tree.commit
    assert text("status", "--porcelain", at=tree.path) == ""


def test_an_interrupt_leaves_no_half_made_tree(planning, tmp_path: Path) -> None:
    planned = planning(Layout.DROP_IN, "aws-k8s-1.33")

    def interrupted(_: Path) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_out(planned.mirror, planned.tree.commit, tmp_path / "tree", "x", interrupted)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_taken(made, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    assert (made().path / "Release.toml").is_file()
