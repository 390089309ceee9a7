from brqos.fleet.watch.changelog import Heading, notes_between
from fleet.history import CHANGELOG


def test_the_sections_after_one_release_and_up_to_another_newest_first() -> None:
    found = notes_between(CHANGELOG, (1, 21, 0), (1, 50, 0))
    assert [(notes.version, notes.day) for notes in found] == [
        ((1, 50, 0), "2025-11-06"),
        ((1, 36, 0), "2025-04-16"),
    ]
    assert found[0].headings == [Heading("Release Highlights", 1), Heading("OS Changes", 3)]


def test_lines_about_security_are_told_apart_and_without_their_links() -> None:
    newest, middle, old = notes_between(CHANGELOG, (1, 21, 0), (1, 66, 0))
    assert newest.security == ["Patch runc once more"]
    assert middle.security == ["Update kernel to address CVE\N{NON-BREAKING HYPHEN}2025-1 CHANGELOG"]
    assert old.security == ["Apply GHSA-xxxx to docker"]


def test_what_only_contains_the_word_is_no_security_fix() -> None:
    text = (
        "# v1.2.0 (2025-01-01)\n## OS Changes\n* Add device-ownership-from-security-context\n* Add security guidance\n"
    )
    (notes,) = notes_between(text, (1, 1, 0), (1, 2, 0))
    assert notes.security == []


def test_a_changelog_of_another_shape_says_nothing() -> None:
    assert notes_between("", (1, 0, 0), (2, 0, 0)) == ()
    assert notes_between("## 1.2.0\n* CVE-2025-1\n# Version 1.2.0\n", (1, 0, 0), (2, 0, 0)) == ()


def test_a_release_without_a_date_or_with_a_space_counts_too() -> None:
    (notes,) = notes_between("# v 1.0.5\n* Fix\n## \n", (1, 0, 0), (1, 0, 5))
    assert (notes.day, notes.headings) == (None, [])
