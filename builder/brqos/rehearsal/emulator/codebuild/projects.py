"""Projects: making, changing and telling them."""

from typing import Any

from brqos.rehearsal.emulator.codebuild.call import Call, invalid, operation
from brqos.rehearsal.emulator.codebuild.rules import MEMBERS, check_project
from brqos.rehearsal.emulator.codebuild.state import Project
from brqos.rehearsal.emulator.codebuild.told import project_told
from brqos.rehearsal.emulator.errors import usual_error
from brqos.rehearsal.emulator.wire import ServiceError

_SERVICE = "codebuild.amazonaws.com"


def _get(call: Call) -> dict[str, Any]:
    names = call.ids("names")
    found = {name: call.builds.projects.get(call.place(name)) for name in dict.fromkeys(names)}
    return {
        "projects": [project_told(project) for project in found.values() if project is not None],
        "projectsNotFound": [name for name, project in found.items() if project is None],
    }


def _create(call: Call) -> dict[str, Any]:
    check_project(call.asked, call.caller.account)
    place, arn = call.place(call.asked["name"]), call.arn(f"project/{call.asked['name']}")
    if place in call.builds.projects:
        raise ServiceError("ResourceAlreadyExistsException", f"Project already exists: {arn}")
    check_roles(call, call.asked)
    now = call.store.clock()
    call.builds.projects[place] = project = Project(arn, _complete(call, dict(call.asked)), now, now)
    return {"project": project_told(project)}


def _update(call: Call) -> dict[str, Any]:
    project = call.project(call.text("name"))
    told = {**project.told, **call.asked}
    # How a limit and a network are taken away again (UpdateProject, concurrentBuildLimit).
    if told.get("concurrentBuildLimit") == -1:
        del told["concurrentBuildLimit"]
    if told.get("vpcConfig") == {}:
        del told["vpcConfig"]
    check_project(told, call.caller.account)
    check_roles(call, call.asked)
    project.told, project.modified_at = _complete(call, told), call.store.clock()
    return {"project": project_told(project)}


def check_roles(call: Call, asked: Any) -> None:  # noqa: ANN401 - what was asked for
    """Whether the caller may pass the roles, and CodeBuild may take them on; raises ServiceError."""
    roles, now = call.store.roles_of_iam, call.store.clock()
    for arn in (asked.get("serviceRole"), asked.get("buildBatchConfig", {}).get("serviceRole")):
        if arn is None:
            continue
        if not call.may(call.caller, "iam:PassRole"):
            message = f"User: {call.caller.arn} is not authorized to perform: iam:PassRole on resource: {arn}"
            raise usual_error("codebuild", "denied", message)
        role = roles.by_arn(arn)
        if role is None and not roles.required:
            continue
        if role is None or role.usable_at > now or not role.trusts_service(_SERVICE):
            raise invalid(f"CodeBuild is not authorized to perform: sts:AssumeRole on {arn}")


def _complete(call: Call, told: dict[str, Any]) -> dict[str, Any]:
    """With what CodeBuild adds where nothing is said."""
    key = f"arn:{call.caller.partition}:kms:{call.caller.region}:{call.caller.account}:alias/aws/s3"
    return {
        "timeoutInMinutes": 60,
        "queuedTimeoutInMinutes": 480,
        "encryptionKey": key,
        "cache": {"type": "NO_CACHE"},
        "tags": [],
        **told,
    }


ACTIONS = {
    "BatchGetProjects": operation(_get, "names"),
    "CreateProject": operation(_create, *MEMBERS),
    "UpdateProject": operation(_update, *MEMBERS),
}
