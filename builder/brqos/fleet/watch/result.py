"""A report as `--json` prints it. Keys are only ever added; days are ISO dates, releases the names of tags."""

from brqos.fleet.watch.bump import Bump
from brqos.fleet.watch.changelog import ReleaseNotes
from brqos.fleet.watch.difference import Difference, FileChange
from brqos.fleet.watch.model import Report, Watched
from brqos.fleet.watch.position import EndOfLife
from brqos.upstream.releases import Release, tag_of

Json = dict[str, object]


def report_json(report: Report) -> Json:
    """The whole report, without a bump."""
    return {
        "upstream": report.repository,
        "day": report.day.isoformat(),
        "newest": _release(report.newest),
        "behind": report.is_behind,
        "eks_table": {"source": report.eks.source, "read": report.eks.read.isoformat()},
        "variants": [_watched(one, report) for one in report.watched],
        "failed": [
            {"variant": pin.variant, "ref": pin.ref, "origin": pin.origin, "error": str(error)}
            for pin, error in report.failed
        ],
    }


def bump_json(bump: Bump | None, *, written: bool) -> Json | None:
    """What a bump changes, with the diffs; None where there is nothing to move."""
    if bump is None:
        return None
    return {
        "file": str(bump.path),
        "key": bump.key,
        "from": bump.old,
        "to": bump.new,
        "written": written,
        "held_back": [one.pin.variant for one in bump.held_back],
        "variants": [
            {"variant": one.pin.variant, **_difference(difference, diffs=True)} for one, difference in bump.differences
        ],
    }


def _watched(one: Watched, report: Report) -> Json:
    place = one.position
    return {
        "variant": one.pin.variant,
        "kubernetes": str(one.eks.kubernetes),
        "pin": {
            "ref": one.pin.ref,
            "key": one.pin.key,
            "origin": one.pin.origin,
            "release": tag_of(one.pinned.release),
            "commit": one.pinned.commit,
            "day": one.pinned.day.isoformat(),
        },
        "newest": _release(place.newest),
        "behind": place.is_behind,
        "releases_behind": place.releases_behind,
        "days_behind": place.days_behind,
        "upstream_end_of_life": _end(place.end_of_life),
        "eks": {
            "support": report.support(one).value,
            "standard_until": one.eks.standard_until.isoformat() if one.eks.standard_until else None,
            "extended_until": one.eks.extended_until.isoformat() if one.eks.extended_until else None,
        },
        "security": [
            {"release": tag_of(notes.version), "line": line} for notes in one.notes for line in notes.security
        ],
        "changelog": [_notes(notes) for notes in one.notes],
        "change": _difference(one.difference, diffs=False) if one.difference else None,
        "unplanned": str(one.unplanned) if one.unplanned else None,
    }


def _release(release: Release | None) -> Json | None:
    if release is None:
        return None
    return {"release": release.name, "commit": release.commit, "day": release.day.isoformat()}


def _end(end: EndOfLife | None) -> Json | None:
    return (
        {"last_release": end.last.name, "gone_in": end.gone_in.name, "day": end.gone_in.day.isoformat()}
        if end
        else None
    )


def _notes(notes: ReleaseNotes) -> Json:
    headings = [{"heading": heading.title, "entries": heading.entries} for heading in notes.headings]
    return {"release": tag_of(notes.version), "day": notes.day, "headings": headings}


def _difference(difference: Difference, *, diffs: bool) -> Json:
    (old_delivery, new_delivery), (old_kit, new_kit) = difference.delivery, difference.core_kit
    old, new = (settings.configuration() for settings in difference.settings)
    return {
        "delivery": {"from": old_delivery.value, "to": new_delivery.value, "changed": difference.changes_delivery},
        "core_kit": {"from": old_kit, "to": new_kit, "changed": old_kit != new_kit},
        "kubelet_configuration": {"from": old, "to": new, "changed": difference.changes_settings},
        "files": [_file(file, diffs=diffs) for file in difference.files],
        "all_files": difference.all_files,
    }


def _file(file: FileChange, *, diffs: bool) -> Json:
    return {
        "path": file.path,
        "change": file.how,
        "by_upstream_only": file.is_upstreams,
        "insertions": file.insertions,
        "deletions": file.deletions,
        **({"diff": "\n".join(file.diff)} if diffs else {}),
    }
