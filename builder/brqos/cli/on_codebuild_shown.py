"""How runs on CodeBuild are printed: what would be set up, what became of each build, how to go on."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from brqos.console import Console
    from brqos.fleet.codebuild.ordering import Order
    from brqos.fleet.codebuild.run import Run, RunEntry
    from brqos.fleet.codebuild.setup import Change


def show_setup(console: "Console", changes: "Sequence[Change]", order: "Order", before: "Run | None") -> None:
    """Print what would be set up and started, each call with its parameters."""
    if console.json_output:
        console.data(_plan(changes, order, before))
        return
    if before is not None:
        console.line(f"The run {before.id} makes these builds already; it would be followed, and nothing be started.")
    else:
        for change in changes:
            console.line(f"{change.action:8} {change.what}")
            for difference in change.differences:
                console.line(f"{'':10} {difference}")
            for operation, parameters in _calls(change, order.place.region):
                console.line(f"{'':10} {operation} {json.dumps(_shown(parameters), ensure_ascii=False)}")
        _show_builds(console, order)
    console.line("Nothing was done (--dry-run).")


def _show_builds(console: "Console", order: "Order") -> None:
    from brqos.fleet.codebuild.project import MOST_IN_BATCH

    size = len(order.bundle.data) / 2**20
    console.line(f"{'send':8} s3://{order.place.bucket}/{order.bundle.key} ({size:.1f} MiB)")
    count = len(order.members)
    batches = -(-count // MOST_IN_BATCH)
    console.line(f"{'start':8} {count} builds in {batches} batch{'es' if batches > 1 else ''}")
    rows = [
        [
            f"  {member.id}",
            member.machine.compute.value,
            "Docker" if member.machine.docker else "-",
            member.expected or "-",
        ]
        for member in order.members
    ]
    console.table(["  BUILD", "MACHINE", "", "WILL BE"], rows)


def _plan(changes: "Sequence[Change]", order: "Order", before: "Run | None") -> dict[str, object]:
    return {
        "dry_run": True,
        "follow": before.id if before is not None else None,
        "account": order.place.account,
        "region": order.place.region,
        "changes": [
            {
                "what": change.what,
                "action": change.action.value,
                "differences": list(change.differences),
                "calls": [
                    {"operation": operation, "parameters": _shown(parameters)}
                    for operation, parameters in _calls(change, order.place.region)
                ],
            }
            for change in changes
        ],
        "bundle": f"s3://{order.place.bucket}/{order.bundle.key}",
        "builds": [
            {
                "id": member.id,
                "compute": member.machine.compute.value,
                "docker": member.machine.docker,
                "expected": member.expected,
            }
            for member in order.members
        ],
    }


def _calls(change: "Change", region: str) -> "Iterator[tuple[str, Mapping[str, Any]]]":
    """The calls of AWS that a change consists of; making a bucket is several."""
    from brqos.aws.s3_bucket import settings_of

    for call in change.calls:
        if call.operation != "CreateBucket":
            yield call.operation, call.parameters
            continue
        name, tags, days = (call.parameters[key] for key in ("name", "tags", "expire_days"))
        yield call.operation, {"name": name}
        for setting, parameters in settings_of(name, region, tags, days):
            yield setting.operation, {"name": name, **parameters}


def _shown(parameters: object) -> object:
    """As it can be printed: JSON's own kinds."""
    return json.loads(json.dumps(parameters, default=dict))


def show_run(console: "Console", run: "Run") -> None:
    """Print what became of each build."""
    if console.json_output:
        console.data(result_of_run(run))
        return
    console.table(["BUILD", "STATE", "RECORD"], [_cells(entry) for entry in run.entries])
    good = sum(entry.verdict is not None and entry.verdict.is_good for entry in run.entries)
    console.line(f"{good} of {len(run.entries)} built, run {run.id}")
    if run.rehearsal:
        console.line(
            "This was a rehearsal: no CodeBuild, no image that boots, no AMI. For the real one leave out --rehearse."
        )


def result_of_run(run: "Run") -> dict[str, object]:
    """A run as data."""
    from brqos.record import BUILDS

    return {
        "run": run.id,
        "rehearsal": run.rehearsal,
        "account": run.account,
        "region": run.region,
        "project": run.project,
        "over": run.is_over,
        "batches": [{"number": batch.number, "id": batch.id, "builds": len(batch.entries)} for batch in run.batches],
        "builds": [
            {
                "id": entry.id,
                "variant": entry.variant,
                "arch": entry.arch,
                "state": state_of(entry),
                "attempts": run.attempt(entry.id, len(run.batches)),
                "build": entry.record or None,
                "record": str((BUILDS / entry.record / "build.json").absolute()) if entry.record else None,
                "why": entry.why,
                "log": entry.log or None,
            }
            for entry in run.entries
        ],
    }


def state_of(entry: "RunEntry") -> str:
    """How far a build is, in a word or two."""
    if entry.verdict is None:
        return "building"
    if entry.verdict.is_good and entry.native:
        return "nothing to build"
    return entry.verdict.value


def attach_hint(run: "Run") -> str:
    """How to go on with a run."""
    return f"Follow it: brqos status --follow {run.id}    Stop it: brqos stop {run.id}"


def _cells(entry: "RunEntry") -> list[str]:
    sign = "" if entry.verdict is None else "+" if entry.verdict.is_good else "!"
    return [entry.id, f"{sign}{state_of(entry)}", entry.record or entry.log or "-"]
