"""How plans and results of registering are shown, for people and for scripts."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from brqos.ami.calls import calls_of
from brqos.ami.ids import is_rehearsal
from brqos.ami.inspection.result import Inspection, Row, Verdict
from brqos.ami.layout import DEVICES
from brqos.errors import BrqosError

if TYPE_CHECKING:
    from brqos.ami.calls import PlannedCall
    from brqos.ami.everywhere import Outcome
    from brqos.ami.model import RegionAmi
    from brqos.ami.plan import AmiPlan
    from brqos.ami.policy.permissions import Findings
    from brqos.ami.publishing.promotion import Promotion
    from brqos.ami.release import Released
    from brqos.console import Console
    from brqos.image.model import ImageRole

_SIGNS = {Verdict.OK: "+", Verdict.DIFFERENT: "!", Verdict.UNKNOWN: "~"}


def show_plan(
    console: "Console",
    plans: "Sequence[AmiPlan]",
    permissions: "Outcome[Findings] | None",
    *,
    more: "Sequence[PlannedCall]" = (),
) -> None:
    """Every call with its parameters, `more` after them, and what is known of the permissions (None: nobody asked)."""
    last = {plan.region: [call for call in more if call.region == plan.region] for plan in plans}
    if console.json_output:
        console.data(
            {
                "name": plans[0].name,
                "images": _images(plans, {}),
                "calls": [
                    call.model_dump(mode="json") for plan in plans for call in (*calls_of(plan), *last[plan.region])
                ],
                "permissions": _permissions(permissions) if permissions else None,
                "rehearsal": False,
            }
        )
        return
    for plan in plans:
        console.line(f"{plan.region}: {plan.name}")
        for call in (*calls_of(plan), *last[plan.region]):
            console.line(f"  {call.service} {call.operation}")
            for key, value in call.parameters.items():
                console.line(f"    {key} = {json.dumps(value, ensure_ascii=False)}")
    if permissions is not None:
        _show_permissions(console, permissions)
    console.line("Nothing was done (--dry-run).")


def show_released(console: "Console", plans: "Sequence[AmiPlan]", released: "Released", seconds: float) -> None:
    """What there is now, in every region."""
    rate = round(released.puts / released.upload_seconds, 1) if released.upload_seconds else 0.0
    if console.json_output:
        console.data(
            {
                **_described(plans, released.amis, released.sent),
                "seconds": round(seconds, 3),
                "puts_per_second": rate,
                "verification": _rows(released.inspection),
                "promotion": released.promotion.model_dump(mode="json") if released.promotion else None,
                **_failures(released.failures),
            }
        )
        return
    console.line(plans[0].name)
    for region, ami in released.amis.items():
        console.line(f"  {region}  {_ami(ami)}")
    checks = sum(len(rows) for region, rows in released.inspection.regions.items() if region in released.amis)
    good = sum(row.verdict is Verdict.OK for rows in released.inspection.regions.values() for row in rows)
    if checks:
        console.line(f"  verified: {good} of {checks} checks good")
    if released.puts:
        console.line(f"  uploaded: {released.puts} blocks of 512 KiB, {rate:.0f} a second")
    _show_promotion(console, released.promotion)


def show_there_already(console: "Console", plans: "Sequence[AmiPlan]", amis: "Mapping[str, RegionAmi]") -> None:
    """The AMIs of a build of which nothing was left to do."""
    if console.json_output:
        described = _described(plans, amis, {})
        nothing = {"seconds": 0.0, "puts_per_second": 0.0, "verification": {}, "promotion": None}
        console.data({**described, **nothing})
        return
    console.line(plans[0].name)
    for region, ami in amis.items():
        console.line(f"  {region}  {_ami(ami)}")


def show_inspection(
    console: "Console",
    plans: "Sequence[AmiPlan]",
    amis: "Mapping[str, RegionAmi]",
    inspection: Inspection,
    failures: "Mapping[str, BrqosError]",
) -> None:
    """What was held against what was asked for, row by row."""
    if console.json_output:
        console.data({**_described(plans, amis, {}), "verification": _rows(inspection), **_failures(failures)})
        return
    console.line(plans[0].name)
    rows = [
        [region, row.check, row.found, _unless_found(row), f"{_SIGNS[row.verdict]}{row.verdict.value}", row.note]
        for region, found in inspection.regions.items()
        for row in found
    ]
    if rows:
        console.table(["REGION", "CHECK", "FOUND", "EXPECTED", "", ""], rows)


def _unless_found(row: Row) -> str:
    """What was expected, where that is not what was found: saying it twice would hide the differences."""
    return "" if row.expected == row.found else row.expected


def show_rollback(console: "Console", promotion: "Promotion", *, dry_run: bool) -> None:
    """What `latest` names now, or would name."""
    if console.json_output:
        console.data({"promotion": promotion.model_dump(mode="json"), "dry_run": dry_run})
        return
    _show_promotion(console, promotion)
    if dry_run:
        console.line("That is what it would be; nothing was done (--dry-run).")


def _show_promotion(console: "Console", promotion: "Promotion | None") -> None:
    for region, done in promotion.regions.items() if promotion else ():
        before = f", before {done.before}" if done.changed and done.before else ""
        console.line(f"  {region}  latest is {done.after} ({done.image_id}){before}")


def _show_permissions(console: "Console", permissions: "Outcome[Findings]") -> None:
    signs = {"allowed": "+", "denied": "!"}
    rows = [
        [region, item.action, f"{signs.get(item.permission, '~')}{item.permission.value}", item.words]
        for region, findings in permissions.results.items()
        for item in findings
    ]
    if rows:
        console.table(["REGION", "PERMISSION", "", ""], rows)
    for region, error in permissions.failures.items():
        console.warn(f"{region}: the permissions could not be probed: {error.what}")


def _permissions(permissions: "Outcome[Findings]") -> dict[str, object]:
    found = {
        region: [{"action": item.action, "permission": item.permission.value, "words": item.words} for item in findings]
        for region, findings in permissions.results.items()
    }
    return {**found, **{region: {"failed": str(error)} for region, error in permissions.failures.items()}}


def _described(
    plans: "Sequence[AmiPlan]", amis: "Mapping[str, RegionAmi]", sent: "Mapping[ImageRole, int]"
) -> dict[str, object]:
    return {
        "name": plans[0].name,
        "images": _images(plans, sent),
        "amis": {region: _for_scripts(ami) for region, ami in amis.items()},
        "rehearsal": any(is_rehearsal(ami.id) for ami in amis.values()),
    }


def _images(plans: "Sequence[AmiPlan]", sent: "Mapping[ImageRole, int]") -> list[dict[str, object]]:
    return [
        {
            "role": item.role.value,
            "file": str(item.image.file),
            "sha256": item.image.sha256,
            "bytes": item.image.bytes,
            "blocks": item.blocks,
            "blocks_sent": sent.get(item.role, 0),
        }
        for item in plans[0].snapshots
    ]


def _for_scripts(ami: "RegionAmi") -> dict[str, object]:
    return {
        "id": ami.id,
        "name": ami.name,
        "state": ami.state,
        "created": ami.created,
        "copied_from": ami.copied_from,
        "snapshots": {DEVICES[role]: snapshot for role, snapshot in ami.snapshots.items()},
        "shared_with": list(ami.shared_with),
        "parameters": ami.parameters,
    }


def _ami(ami: "RegionAmi") -> str:
    snapshots = ", ".join(f"{role} {snapshot}" for role, snapshot in ami.snapshots.items())
    words = [f"copied from {ami.copied_from}" if ami.copied_from else "", "" if ami.created else "was there already"]
    if ami.shared_with:
        words.append(f"shared with {', '.join(ami.shared_with)}")
    return "  ".join([ami.id, f"({snapshots})", *filter(None, words)])


def _rows(inspection: Inspection) -> dict[str, object]:
    return {region: [row.model_dump(mode="json") for row in rows] for region, rows in inspection.regions.items()}


def _failures(failures: "Mapping[str, BrqosError]") -> dict[str, object]:
    return {"failures": {region: str(error) for region, error in failures.items()}} if failures else {}
