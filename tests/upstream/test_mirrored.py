"""A repository that is fetched from another place is the same repository."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.errors import UpstreamError
from brqos.monitor import Silent
from brqos.rehearsal.miniature import Layout
from brqos.upstream.git import git, rewritten
from brqos.upstream.mirror import NotMirroredError, open_mirror

SILENT = Silent()
ORIGINAL = "https://upstream.example.com/bottlerocket.git"


@pytest.fixture
def place(miniature, tmp_path: Path) -> Path:
    copy = tmp_path / "copies" / "bottlerocket"
    git("clone", "--quiet", "--bare", miniature(Layout.DROP_IN).bottlerocket, copy)
    return copy


@pytest.mark.processes
def test_it_is_kept_under_the_originals_name_wherever_it_came_from(miniature, place: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    mirror = open_mirror(ORIGINAL, cache, offline=False, monitor=SILENT, place=place.as_uri())
    assert mirror.resolve("v1.50.0", SILENT) == miniature(Layout.DROP_IN).bottlerocket_commit
    assert (mirror.repository, mirror.origin) == (ORIGINAL, place.as_uri())
    assert git("config", "remote.origin.url", at=mirror.path).text.strip() == ORIGINAL
    # Offline and without a mirror the same copy is found.
    assert open_mirror(ORIGINAL, cache, offline=True, monitor=SILENT).path == mirror.path
    git("tag", "v1.51.0", "develop", at=place)
    assert mirror.resolve("v1.51.0", SILENT)


@pytest.mark.processes
def test_a_folder_is_read_where_it_lies_with_or_without_the_ending(place: Path, tmp_path: Path) -> None:
    for named in (place, place.with_suffix(".git")):
        mirror = open_mirror(ORIGINAL, tmp_path / "cache", offline=True, monitor=SILENT, place=str(named))
        assert (mirror.path, mirror.repository) == (place, ORIGINAL)
    assert not (tmp_path / "cache").exists()


@pytest.mark.processes
def test_errors_name_the_place_and_the_key(place: Path, tmp_path: Path) -> None:
    cache, gone = tmp_path / "cache", (tmp_path / "gone").as_uri()
    with pytest.raises(UpstreamError) as caught:
        open_mirror(ORIGINAL, cache, offline=False, monitor=SILENT, place=gone)
    assert caught.value.what == f"{gone}, the mirror of {ORIGINAL}, cannot be fetched"
    assert "mirrors.git" in caught.value.todo
    with pytest.raises(UpstreamError, match="there is no folder") as caught:
        open_mirror(ORIGINAL, cache, offline=False, monitor=SILENT, place=str(tmp_path / "gone"))
    assert "mirrors.git" in caught.value.todo
    with pytest.raises(UpstreamError, match="the mirror of"):
        open_mirror(ORIGINAL, cache, offline=False, monitor=SILENT, place=place.as_uri()).resolve("v9.9.9", SILENT)
    with pytest.raises(NotMirroredError):
        open_mirror(ORIGINAL, tmp_path / "other", offline=True, monitor=SILENT, place=place.as_uri())


@given(
    places=st.dictionaries(st.text("ab", min_size=1), st.text("cd", min_size=1), max_size=4),
    before=st.sampled_from(["", "0", "2", "x"]),
)
def test_git_is_told_behind_what_the_environment_tells_it(places: dict[str, str], before: str) -> None:
    environment = {"GIT_CONFIG_COUNT": before} if before else {}
    made = rewritten(places, environment)
    first = int(before) if before.isdigit() else 0
    told = {made[f"GIT_CONFIG_VALUE_{n}"]: made[f"GIT_CONFIG_KEY_{n}"] for n in range(first, first + len(places))}
    assert told == {original: f"url.{place}.insteadOf" for original, place in places.items()}
    assert made.get("GIT_CONFIG_COUNT") == (str(first + len(places)) if places else None)


@pytest.mark.processes
def test_git_itself_goes_where_it_is_told(place: Path) -> None:
    where = {"https://upstream.example.com/": f"{place.parent.as_uri()}/"}
    told = git("ls-remote", "https://upstream.example.com/bottlerocket", network=True, env=rewritten(where, {}))
    assert "refs/tags/v1.50.0" in told.text
