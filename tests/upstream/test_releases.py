from pathlib import Path

import pytest

from brqos.rehearsal.miniature import Entry
from brqos.upstream.eks_support import Support, eks_table
from brqos.upstream.git import git
from brqos.upstream.releases import parse_release, read_releases
from brqos.variant import KubernetesVersion
from fleet.history import History, add_release, write_history

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return write_history(tmp_path_factory.mktemp("history"))


def test_only_tags_of_releases_count_oldest_first(history: History) -> None:
    found = read_releases(history.bottlerocket)
    assert [release.name for release in found] == ["v1.21.0", "v1.36.0", "v1.50.0", "v1.66.0"]
    assert {release.name: release.commit for release in found} == dict(history.commits)


def test_the_day_is_the_commits_and_not_the_tags(history: History) -> None:
    days = [str(release.day) for release in read_releases(history.bottlerocket)]
    assert days == ["2024-08-20", "2025-04-15", "2025-11-05", "2026-09-10"]


def test_each_tree_says_which_variants_it_carries(history: History) -> None:
    early, _, drop_in, native = read_releases(history.bottlerocket)
    assert "aws-k8s-1.24" in early.variants
    assert "aws-k8s-1.29-fips" in drop_in.variants
    assert "aws-k8s-1.29" not in native.variants
    assert "aws-k8s-1.37" in native.variants


def test_releases_are_ordered_as_numbers_and_a_tree_without_variants_has_none(tmp_path: Path) -> None:
    repository = tmp_path / "upstream"
    git("init", "--quiet", "--bare", repository)
    for tag in ("v1.9.0", "v1.10.0", "v1.9.1"):
        add_release(repository, {"README.md": Entry("no variants here\n")}, tag, "2024-01-01")
    add_release(repository, {"variants": Entry("a file\n")}, "v1.11.0", "2024-01-01")
    found = read_releases(repository)
    assert [release.name for release in found] == ["v1.9.0", "v1.9.1", "v1.10.0", "v1.11.0"]
    assert not any(release.variants for release in found)


def test_hundreds_of_tags_take_two_calls_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "upstream"
    git("init", "--quiet", "--bare", repository)
    tree = {"variants/aws-k8s-1.34/Cargo.toml": Entry("\n"), "variants/README.md": Entry("\n")}
    commit = add_release(repository, tree, "v1.0.0", "2024-01-01")
    lines = "".join(f"create refs/tags/v1.{number}.0 {commit}\n" for number in range(1, 400))
    git("update-ref", "--stdin", at=repository, stdin=lines.encode())
    calls = []
    monkeypatch.setattr(
        "brqos.upstream.releases.git", lambda *words, **more: calls.append(words) or git(*words, **more)
    )
    found = read_releases(repository)
    assert len(found) == 400
    assert all(release.variants == {"aws-k8s-1.34"} for release in found)
    assert len(calls) == 2


@pytest.mark.parametrize(("text", "version"), [("v1.50.0", (1, 50, 0)), ("1.50.10", (1, 50, 10))])
def test_a_release_is_written_with_or_without_its_v(text: str, version: tuple[int, int, int]) -> None:
    assert parse_release(text) == version


@pytest.mark.parametrize("text", ["v1.50", "v1.50.0-rc1", "develop", "vv1.2.3", "", "v1.50.0\n"])
def test_anything_else_is_no_release(text: str) -> None:
    assert parse_release(text) is None


def test_the_shipped_table_of_eks_is_whole() -> None:
    table = eks_table()
    assert table.source.startswith("https://docs.aws.amazon.com/eks/")
    minors = sorted(table.minors)
    assert minors == [KubernetesVersion(1, minor) for minor in range(24, 37)]
    ends = [table.of(minor) for minor in minors]
    assert all(row.standard_until < row.extended_until for row in ends)
    assert [row.standard_until for row in ends] == sorted(row.standard_until for row in ends)


def test_the_day_of_the_end_is_the_first_one_without() -> None:
    row = eks_table().of(KubernetesVersion(1, 29))
    assert row.on(row.standard_until.replace(day=22)) is Support.STANDARD
    assert row.on(row.standard_until) is Support.EXTENDED
    assert row.on(row.extended_until) is Support.ENDED
    assert eks_table().of(KubernetesVersion(1, 99)).on(row.extended_until) is Support.UNKNOWN
