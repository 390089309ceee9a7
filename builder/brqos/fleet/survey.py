"""All about a fleet at once: expanded, planned, compared. The way through this room; the commands ask here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brqos.config.model import BOTTLEROCKET, Engine
from brqos.config.variants import shipped_flavor
from brqos.errors import BrqosError, ConfigurationError
from brqos.fleet.amis import Amis, ask
from brqos.fleet.clashes import check_clashes
from brqos.fleet.expand import Entry, told_of
from brqos.fleet.known import Standing, standing
from brqos.fleet.records import Records, read_records
from brqos.fleet.sameness import not_compared, wanted_release
from brqos.monitor import Monitor
from brqos.pipeline.foresee import Outlook, foresee


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is of every build; `remarks` say what could not be compared, each with the number of builds.

    `outlooks` are what builds from source will be, by the ids of their entries.
    """

    standings: tuple[Standing, ...]
    remarks: tuple[str, ...]
    outlooks: Mapping[str, Outlook | None] = field(default_factory=dict)

    @property
    def open(self) -> tuple[Standing, ...]:
        """The builds that are still needed."""
        return tuple(one for one in self.standings if not one.is_done)


def survey(
    entries: Sequence[Entry], cache: Path, monitor: Monitor, *, records: Sequence[Path] | None = None, aws: bool = True
) -> Survey:
    """Tell of every build what there is of it already.

    `records` are folders of build records, those of the current folder without it; AWS is asked where there is a login,
    never without `aws`. Raises BrqosError for builds that cannot be made, or that clash.
    """
    known = read_records(records, monitor)
    outlooks = _outlooks(entries, cache, monitor)
    check_clashes(entries, outlooks)
    published = ask((entry.spec.ami for entry in entries), monitor) if aws else Amis()
    if not aws and any(entry.spec.ami.regions for entry in entries):
        monitor.note("AWS was not asked (--no-aws): what is published is known by records only.")
    standings = tuple(
        _standing(entry, outlook, known, published) for entry, outlook in zip(entries, outlooks, strict=True)
    )
    remarks = Counter(
        remark
        for entry, outlook in zip(entries, outlooks, strict=True)
        if (remark := not_compared(entry.spec, outlook))
    )
    return Survey(
        standings,
        tuple(f"{_counted(count)}: {remark}" for remark, count in remarks.items()),
        {entry.id: outlook for entry, outlook in zip(entries, outlooks, strict=True)},
    )


def _standing(entry: Entry, outlook: Outlook | None, known: Records, published: Amis) -> Standing:
    release = wanted_release(entry.spec) or entry.spec.repack.release or entry.spec.upstream.ref or ""
    try:
        return standing(entry, outlook, known.of(entry.spec, outlook), published, release=release)
    except ConfigurationError as error:
        raise told_of(entry.file, error) from None


def _outlooks(entries: Sequence[Entry], cache: Path, monitor: Monitor) -> list[Outlook | None]:
    """What each build from source will be; None for the repack engine's."""
    impossible = {entry.id: error for entry in entries if (error := _not_carried(entry))}
    # What is known to be impossible is refused before anything is fetched.
    _raise_errors(entries, impossible)
    from_source = [entry for entry in entries if entry.spec.build.engine is Engine.SOURCE]
    found = foresee([entry.spec for entry in from_source], cache, monitor)
    by_id = {entry.id: outlook for entry, outlook in zip(from_source, found, strict=True)}
    _raise_errors(entries, {one: outlook for one, outlook in by_id.items() if isinstance(outlook, BrqosError)})
    return [by_id.get(entry.id) for entry in entries]


def _not_carried(entry: Entry) -> ConfigurationError | None:
    """The error for a release that is known not to carry the variant."""
    spec, release = entry.spec, wanted_release(entry.spec)
    flavor = shipped_flavor(spec.variant_name)
    if release is None or flavor is None or flavor.carried_by(release) or spec.upstream.repository != BOTTLEROCKET:
        return None
    if spec.build.engine is Engine.REPACK and (spec.repack.image is not None or spec.repack.metadata_url is not None):
        return None
    last = f"to v{flavor.last_release}" if flavor.last_release else "on"
    return ConfigurationError(
        f"Bottlerocket v{release} has no variant {spec.variant}",
        why=f"Releases from v{flavor.first_release} {last} have it.",
        todo="Use one of those.",
    )


def _raise_errors(entries: Sequence[Entry], found: Mapping[str, BrqosError]) -> None:
    """Raise the only error there is, or one with all of them: whoever has many builds wants to hear of all at once."""
    errors: dict[tuple[Path, str], tuple[Entry, BrqosError]] = {}
    for entry in entries:
        if error := found.get(entry.id):
            errors.setdefault((entry.file, error.what), (entry, error))
    if not errors:
        return
    (entry, first), *others = errors.values()
    if not others:
        error = told_of(entry.file, first)
        todo = f"{error.todo} Or leave it out: {_leave_out(entry)}"
        raise type(error)(error.what, why=error.why, todo=todo) if isinstance(first, ConfigurationError) else error
    raise type(first)(
        f"{_counted(len(found))} cannot be made",
        why="\n".join(told_of(one.file, error).what for one, error in errors.values()),
        todo=f"Correct them, or leave them out: {_leave_out(entry)}",
    )


def _leave_out(entry: Entry) -> str:
    spec = entry.spec
    return f'exclude = [{{ variant = "{spec.variant}", arch = "{spec.arch}" }}] below [matrix].'


def _counted(number: int) -> str:
    return "1 build" if number == 1 else f"{number} builds"
