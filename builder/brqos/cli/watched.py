"""How `brqos watch` tells people what it found."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from brqos.console import Console
    from brqos.fleet.watch.bump import Bump
    from brqos.fleet.watch.changelog import ReleaseNotes
    from brqos.fleet.watch.difference import Difference
    from brqos.fleet.watch.model import Report, Watched

# So many lines of one file's diff are shown: a whole template that comes or goes has hundreds.
_SHOWN = 40


def show_table(console: "Console", report: "Report") -> None:
    """One row for each pin."""
    rows = [_row(one, report) for one in report.watched]
    rows += [[pin.variant, pin.ref, "-", "!cannot be told", "-", "-"] for pin, _ in report.failed]
    console.table(["VARIANT", "PINNED", "NEWEST", "BEHIND", "UPSTREAM", "EKS"], rows)
    console.line(f"EKS: as of {report.eks.read}, {report.eks.source}")


def show_details(console: "Console", report: "Report") -> None:
    """What the changelog says, once for all variants that go the same way; then what changes for each of them."""
    for one, group in _groups(report):
        newest = one.position.newest
        console.line("")
        console.line(f"{one.pin.ref} to {newest.name if newest else '-'}", style="bold")
        _show_notes(console, one.notes)
        changes: dict[str, list[str]] = {}
        for member in group:
            changes.setdefault(_would_change(member), []).append(member.pin.variant)
        for words, variants in changes.items():
            console.line(f"  {', '.join(variants)}: {words}")


def show_bump(line: Callable[[str], None], bump: "Bump | None", path: Path) -> None:
    """The difference of the overlay, for every variant that the pin is of."""
    if bump is None:
        line(f"Nothing to write into {path}: no newer release has all of its variants.")
        return
    for one, difference in bump.differences:
        line("")
        line(f"The overlay of {one.pin.variant} from {bump.old} to {bump.new}: {_summary(difference)}")
        for file in difference.files:
            size = "upstream's part only" if file.is_upstreams else f"+{file.insertions} -{file.deletions}"
            line(f"  {file.how:8} {file.path}  ({size})")
        for file in difference.files:
            for text in file.diff[:_SHOWN]:
                line(f"    {text}")
            if len(file.diff) > _SHOWN:
                line(f"    ... {_counted(len(file.diff) - _SHOWN, 'line')} more of {file.path}; --json has all of them")
    line("")
    for one in bump.held_back:
        newest = one.position.newest.name if one.position.newest else "a newer one"
        line(
            f"{one.pin.variant} could have {newest}; {bump.new} is the newest release that all variants of {path} have."
        )


def _row(one: "Watched", report: "Report") -> list[str]:
    place = one.position
    behind = f"~{_counted(place.releases_behind, 'release')}, {_counted(place.days_behind, 'day')}"
    end = place.end_of_life
    return [
        one.pin.variant,
        one.pin.ref,
        place.newest.name if place.newest else "-",
        behind if place.is_behind else "+newest",
        f"!dropped in {end.gone_in.name}" if end else "+carried",
        _eks(one, report),
    ]


def _eks(one: "Watched", report: "Report") -> str:
    from brqos.upstream.eks_support import Support

    return {
        Support.STANDARD: f"+standard until {one.eks.standard_until}",
        Support.EXTENDED: f"~extended until {one.eks.extended_until}",
        Support.ENDED: f"!ended on {one.eks.extended_until}",
        Support.UNKNOWN: "~unknown",
    }[report.support(one)]


def _groups(report: "Report") -> "Iterable[tuple[Watched, list[Watched]]]":
    groups: dict[tuple[str, str], list[Watched]] = {}
    for one in report.watched:
        if one.position.is_behind and one.position.newest:
            groups.setdefault((one.pinned.commit, one.position.newest.commit), []).append(one)
    return [(members[0], members) for members in groups.values()]


def _show_notes(console: "Console", notes: "tuple[ReleaseNotes, ...]") -> None:
    if not notes:
        console.line("  The changelog says nothing about these releases.")
        return
    fixes = [(note, text) for note in notes for text in note.security]
    console.line("  Security" if fixes else "  Security: no line of the changelog speaks of it.")
    for note, text in fixes:
        console.line(f"    {_tag(note)}: {text}")
    console.line("  Changelog")
    for note in notes:
        day = f" ({note.day})" if note.day else ""
        headings = ", ".join(f"{heading.title} {heading.entries}" for heading in note.headings if heading.entries)
        console.line(f"    {_tag(note)}{day}: {headings or 'no entries'}")


def _tag(note: "ReleaseNotes") -> str:
    from brqos.upstream.releases import tag_of

    return tag_of(note.version)


def _would_change(one: "Watched") -> str:
    if one.unplanned:
        return f"what would change cannot be told: {one.unplanned.what}. {one.unplanned.why}".rstrip()
    return _summary(one.difference) if one.difference else "nothing is known"


def _summary(difference: "Difference") -> str:
    delivery = _move("delivery", *(delivery.value for delivery in difference.delivery))
    kit = _move("core kit", *difference.core_kit)
    settings = "other kubelet settings" if difference.changes_settings else "the same kubelet settings"
    theirs = sum(file.is_upstreams for file in difference.files)
    ours = len(difference.files) - theirs
    files = f"{_counted(ours, 'file')} of the overlay would change" if ours else "the overlay would stay the same"
    beside = f"; in {_counted(theirs, 'file')} that it edits only upstream's part is another" if theirs else ""
    return f"{delivery}, {kit}, {settings}; {files}{beside}"


def _move(what: str, old: str, new: str) -> str:
    return f"{what} {old} as before" if old == new else f"{what} {old} -> {new}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
