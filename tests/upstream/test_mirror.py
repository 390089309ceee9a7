from pathlib import Path

import pytest

from brqos.errors import UpstreamError
from brqos.monitor import Silent
from brqos.process import ProcessError
from brqos.rehearsal.miniature import Layout
from brqos.upstream.git import git, text
from brqos.upstream.mirror import open_mirror, without_credentials

pytestmark = pytest.mark.processes
SILENT = Silent()


@pytest.fixture
def url(miniature, tmp_path: Path) -> str:
    """A repository of the test's own, by a URL that needs no network."""
    copy = tmp_path / "upstream.git"
    git("clone", "--quiet", "--bare", miniature(Layout.DROP_IN).bottlerocket, copy)
    return copy.as_uri()


def advance(url: str, tmp_path: Path) -> str:
    """One more commit on the branch `develop`."""
    repository = Path(url.removeprefix("file://"))
    tree = text("rev-parse", "develop^{tree}", at=repository)
    who = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b.invalid",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b.invalid",
    }
    commit = git("commit-tree", tree, "-p", "develop", "-m", "more", at=repository, env=who).text.strip()
    git("update-ref", "refs/heads/develop", commit, at=repository)
    return commit


def test_a_tag_a_branch_and_a_commit_name_the_same(miniature, url: str, tmp_path: Path) -> None:
    mirror = open_mirror(url, tmp_path / "cache", offline=False, monitor=SILENT)
    commit = miniature(Layout.DROP_IN).bottlerocket_commit
    for ref in ("v1.50.0", "1.50.0", "develop", commit, commit[:10]):
        assert mirror.resolve(ref, SILENT) == commit


def test_what_was_mirrored_once_is_usable_offline(url: str, tmp_path: Path) -> None:
    open_mirror(url, tmp_path / "cache", offline=False, monitor=SILENT)
    Path(url.removeprefix("file://")).rename(tmp_path / "gone")
    assert open_mirror(url, tmp_path / "cache", offline=True, monitor=SILENT).resolve("v1.50.0", SILENT)


def test_a_tag_is_answered_from_the_mirror_and_a_branch_is_asked_for_again(url: str, tmp_path: Path) -> None:
    mirror = open_mirror(url, tmp_path / "cache", offline=False, monitor=SILENT)
    old = mirror.resolve("v1.50.0", SILENT)
    new = advance(url, tmp_path)
    assert mirror.resolve("develop", SILENT) == new
    assert mirror.resolve("v1.50.0", SILENT) == old
    assert mirror.resolve(new, SILENT) == new


def test_offline_without_a_mirror_says_what_to_do(url: str, tmp_path: Path) -> None:
    with pytest.raises(UpstreamError) as caught:
        open_mirror(url, tmp_path / "cache", offline=True, monitor=SILENT)
    assert "Run once without --offline" in caught.value.todo


def test_an_unreachable_repository_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="cannot be fetched"):
        open_mirror((tmp_path / "nowhere").as_uri(), tmp_path / "cache", offline=False, monitor=SILENT)
    assert not [path for path in (tmp_path / "cache" / "mirrors").iterdir() if path.is_dir()]


def test_a_broken_mirror_is_made_again(url: str, tmp_path: Path) -> None:
    mirror = open_mirror(url, tmp_path / "cache", offline=False, monitor=SILENT)
    (mirror.path / "HEAD").unlink()
    again = open_mirror(url, tmp_path / "cache", offline=False, monitor=SILENT)
    assert again.resolve("v1.50.0", SILENT)


def test_an_unknown_ref_names_the_newest_tags(url: str, tmp_path: Path) -> None:
    mirror = open_mirror(url, tmp_path / "cache", offline=False, monitor=SILENT)
    with pytest.raises(UpstreamError) as caught:
        mirror.resolve("v9.9.9", SILENT)
    assert "v1.50.0" in caught.value.why


@pytest.mark.parametrize("ref", ["--upload-pack=touch", "a b", "v1.50.0;rm"])
def test_a_ref_is_never_an_option(url: str, tmp_path: Path, ref: str) -> None:
    mirror = open_mirror(url, tmp_path / "cache", offline=False, monitor=SILENT)
    with pytest.raises(UpstreamError):
        mirror.resolve(ref, SILENT)


def test_a_repository_on_this_machine_is_read_where_it_lies(miniature, tmp_path: Path) -> None:
    repositories = miniature(Layout.DROP_IN)
    mirror = open_mirror(str(repositories.bottlerocket), tmp_path / "cache", offline=True, monitor=SILENT)
    assert mirror.path == repositories.bottlerocket
    assert mirror.resolve("develop", SILENT) == repositories.bottlerocket_commit
    assert not (tmp_path / "cache").exists()


def test_a_path_that_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="no folder"):
        open_mirror(str(tmp_path / "nowhere"), tmp_path / "cache", offline=False, monitor=SILENT)
    with pytest.raises(UpstreamError, match="not a git repository"):
        open_mirror(str(tmp_path), tmp_path / "cache", offline=False, monitor=SILENT)


def test_credentials_in_a_url_are_never_shown() -> None:
    assert without_credentials("https://me:secret@git.example/x.git") == "https://git.example/x.git"
    assert without_credentials("git@git.example:x.git") == "git@git.example:x.git"


def test_git_says_why_it_failed(tmp_path: Path) -> None:
    with pytest.raises(ProcessError) as caught:
        git("rev-parse", "--verify", "HEAD", at=tmp_path)
    assert "not a git repository" in caught.value.reason
