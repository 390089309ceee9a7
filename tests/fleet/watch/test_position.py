from datetime import UTC, date, datetime

from brqos.fleet.watch.position import Pinned, newest_of_all, position
from brqos.upstream.releases import Release


def release(minor: int, *variants: str, patch: int = 0) -> Release:
    day = datetime(2025, 1, 1, 23, tzinfo=UTC).replace(month=minor)
    return Release((1, minor, patch), f"{minor}{patch}", day, frozenset(variants))


def pinned(minor: int) -> Pinned:
    return Pinned(f"v1.{minor}.0", (1, minor, 0), "c", date(2025, minor, 1))


ALL = (release(1, "a"), release(2, "a", "b"), release(3, "a", "b"), release(4, "b"), release(5, "b"))


def test_behind_are_the_releases_that_carry_it_and_their_days() -> None:
    found = position("b", pinned(2), ALL)
    assert (found.newest, found.releases_behind, found.days_behind) == (ALL[4], 3, 89)
    assert found.is_behind
    assert found.end_of_life is None


def test_a_variant_that_was_dropped_has_its_last_release() -> None:
    found = position("a", pinned(1), ALL)
    assert (found.newest, found.releases_behind) == (ALL[2], 2)
    assert found.end_of_life
    assert (found.end_of_life.last, found.end_of_life.gone_in) == (ALL[2], ALL[3])


def test_the_last_release_of_a_dropped_variant_is_not_behind() -> None:
    found = position("a", pinned(3), ALL)
    assert not found.is_behind
    assert found.end_of_life


def test_a_gap_is_no_end() -> None:
    found = position("a", pinned(1), (release(1, "a"), release(2), release(3, "a")))
    assert (found.releases_behind, found.end_of_life) == (1, None)


def test_a_pin_beyond_all_tags_is_not_behind() -> None:
    found = position("b", pinned(12), ALL)
    assert (found.releases_behind, found.days_behind) == (0, 0)


def test_a_patch_of_an_older_release_that_came_later_takes_no_days_away() -> None:
    late = Release((1, 1, 9), "p", datetime(2025, 12, 1, tzinfo=UTC), frozenset({"b"}))
    found = position("b", Pinned("v1.1.9", late.version, "p", late.day), (late, *ALL[1:]))
    assert (found.releases_behind, found.days_behind) == (4, 0)


def test_the_newest_that_all_variants_have() -> None:
    assert newest_of_all(["a", "b"], ALL) == ALL[2]
    assert newest_of_all(["b"], ALL) == ALL[4]
    assert newest_of_all(["c"], ALL) is None
    assert position("c", pinned(1), ALL).newest is None
