"""Batches: starting, stopping, listing and telling them and their builds."""

import copy
import json
import uuid
from typing import Any

from brqos.rehearsal.emulator.codebuild import rules
from brqos.rehearsal.emulator.codebuild.buildspec import Task
from brqos.rehearsal.emulator.codebuild.call import Call, invalid, operation
from brqos.rehearsal.emulator.codebuild.progress import new_build
from brqos.rehearsal.emulator.codebuild.projects import check_roles
from brqos.rehearsal.emulator.codebuild.runs import Phase
from brqos.rehearsal.emulator.codebuild.state import DOWNLOAD, IN_PROGRESS, Batch, Project, TokenUse
from brqos.rehearsal.emulator.codebuild.told import batch_told, build_told
from brqos.rehearsal.emulator.paging import UnknownTokenError
from brqos.rehearsal.emulator.wire import ServiceError

_TOKEN_SECONDS = 300.0
_STATES = (IN_PROGRESS, "SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "STOPPED")
_OVERRIDES = {
    "imageOverride": "image",
    "computeTypeOverride": "computeType",
    "environmentTypeOverride": "type",
    "privilegedModeOverride": "privilegedMode",
}
_START_MEMBERS = (
    "projectName", "sourceTypeOverride", "sourceLocationOverride", "buildspecOverride", "idempotencyToken",
    "environmentVariablesOverride", "buildTimeoutInMinutesOverride", "queuedTimeoutInMinutesOverride",
    "buildBatchConfigOverride", "serviceRoleOverride", "logsConfigOverride", *_OVERRIDES,
)  # fmt: skip


def _start(call: Call) -> dict[str, Any]:
    name = call.text("projectName")
    project = call.project(name)
    token, parameters = call.asked.get("idempotencyToken"), json.dumps(call.asked, sort_keys=True)
    now = call.store.clock()
    place = (call.caller.account, call.caller.region, str(token))
    used = call.builds.tokens.get(place) if token else None
    if used is not None and now - used.used_at < _TOKEN_SECONDS:
        if used.parameters != parameters:
            raise invalid("Idempotency token was used with other parameters: parameter mismatch")
        return {"buildBatch": batch_told(call.builds.batches[used.batch])}
    batch = _new_batch(call, project, now)
    call.builds.batches[batch.id] = call.builds.unfinished[batch.id] = batch
    call.builds.builds[batch.download.id] = (batch, batch.download)
    if token:
        call.builds.tokens[place] = TokenUse(parameters, batch.id, now)
    return {"buildBatch": batch_told(batch)}


def _new_batch(call: Call, project: Project, now: float) -> Batch:
    merged = _overridden(call, project)
    if "buildBatchConfig" not in merged:
        raise invalid("Invalid input: the project has no batch configuration (buildBatchConfig)")
    rules.check_project({key: value for key, value in merged.items() if key in rules.MEMBERS}, call.caller.account)
    check_roles(call, merged)
    if merged["source"]["type"] != "S3" or not merged["source"].get("buildspec"):
        raise invalid("Batches without a source in S3 and an inline buildspec are not emulated")
    variables = rules.check_variables(call.asked.get("environmentVariablesOverride", []))
    project.batch_numbers += 1
    project.numbers += 1
    batch_id = f"{merged['name']}:{uuid.uuid4()}"
    arn = call.arn(f"build-batch/{batch_id}")
    download = new_build(arn, merged, Task(DOWNLOAD), project.numbers, now)
    download.started_at = download.queued_at = now
    return Batch(
        id=batch_id,
        arn=arn,
        number=project.batch_numbers,
        account=call.caller.account,
        region=call.caller.region,
        project=merged,
        variables=variables,
        started_at=now,
        spec_at=now + call.builds.spec_seconds,
        initiator=call.caller.arn.rpartition("/")[2],
        phases=[Phase("SUBMITTED", now, now, "SUCCEEDED"), Phase("DOWNLOAD_BATCHSPEC", now)],
        download=download,
    )


def _overridden(call: Call, project: Project) -> dict[str, Any]:
    """The project with what this start changes."""
    asked, merged = call.asked, copy.deepcopy(project.told)
    given = {asked_as: asked[asked_as] for asked_as in _OVERRIDES if asked_as in asked}
    merged["environment"] |= {_OVERRIDES[asked_as]: value for asked_as, value in given.items()}
    own = asked.get("environmentVariablesOverride", [])
    names = {item.get("name") for item in own if isinstance(item, dict)}
    kept = [item for item in merged["environment"].get("environmentVariables", []) if item["name"] not in names]
    merged["environment"]["environmentVariables"] = [*kept, *own]
    for asked_as, member in (("sourceTypeOverride", "type"), ("sourceLocationOverride", "location")):
        if asked_as in asked:
            merged["source"][member] = asked[asked_as]
    if asked.get("buildspecOverride"):
        merged["source"]["buildspec"] = asked["buildspecOverride"]
    for asked_as, member in (
        ("buildTimeoutInMinutesOverride", "timeoutInMinutes"),
        ("queuedTimeoutInMinutesOverride", "queuedTimeoutInMinutes"),
        ("buildBatchConfigOverride", "buildBatchConfig"),
        ("serviceRoleOverride", "serviceRole"),
        ("logsConfigOverride", "logsConfig"),
    ):
        if asked_as in asked:
            merged[member] = asked[asked_as]
    return merged


def _stop(call: Call) -> dict[str, Any]:
    batch = _own(call, call.text("id"))
    if batch is None:
        raise ServiceError("ResourceNotFoundException", f"Build batch cannot be found: {call.asked['id']}")
    if batch.ended_at is None and not batch.ends_as:
        call.progress.stop(batch, call.store.clock())
    return {"buildBatch": batch_told(batch)}


def _get_batches(call: Call) -> dict[str, Any]:
    found = {each: _own(call, each) for each in dict.fromkeys(call.ids())}
    return {
        "buildBatches": [batch_told(batch) for batch in found.values() if batch is not None],
        "buildBatchesNotFound": [each for each, batch in found.items() if batch is None],
    }


def _get_builds(call: Call) -> dict[str, Any]:
    now, told, unknown = call.store.clock(), [], []
    for each in dict.fromkeys(call.ids()):
        batch, build = call.builds.builds.get(each, (None, None))
        if batch is None or build is None or _own(call, batch.id) is None:
            unknown.append(each)
        else:
            told.append(build_told(batch, build, now))
    return {"builds": told, "buildsNotFound": unknown}


def _list_batches(call: Call) -> dict[str, Any]:
    project = call.project(call.text("projectName"))
    order = call.asked.get("sortOrder", "DESCENDING")
    if order not in ("ASCENDING", "DESCENDING"):
        raise invalid(f"Invalid sortOrder: {order!r}")
    size = call.asked.get("maxResults", 100)
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 100:
        raise invalid("Invalid maxResults: must be between 1 and 100")
    wanted = call.asked.get("filter", {}).get("status")
    if wanted is not None and wanted not in _STATES:
        raise invalid(f"Invalid filter.status: {wanted!r}")
    name = project.told["name"]
    mine = [
        batch
        for batch in call.builds.batches.values()
        if (batch.account, batch.region, batch.project["name"]) == call.place(name) and wanted in (None, batch.state)
    ]
    ids = [batch.id for batch in sorted(mine, key=lambda batch: batch.number, reverse=order == "DESCENDING")]
    query = f"ListBuildBatchesForProject {project.arn} {order} {wanted}"
    try:
        page, token = call.store.pager.page(query, ids, size, call.asked.get("nextToken"))
    except UnknownTokenError:
        raise invalid("Invalid nextToken") from None
    return {"ids": page, "nextToken": token}


def _own(call: Call, batch_id: str) -> Batch | None:
    batch = call.builds.batches.get(batch_id)
    place = (call.caller.account, call.caller.region)
    return batch if batch is not None and (batch.account, batch.region) == place else None


ACTIONS = {
    "StartBuildBatch": operation(_start, *_START_MEMBERS),
    "StopBuildBatch": operation(_stop, "id"),
    "BatchGetBuildBatches": operation(_get_batches, "ids"),
    "BatchGetBuilds": operation(_get_builds, "ids"),
    "ListBuildBatchesForProject": operation(
        _list_batches, "projectName", "sortOrder", "maxResults", "nextToken", "filter"
    ),
}
