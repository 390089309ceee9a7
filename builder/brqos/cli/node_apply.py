"""`brqos nodegroup --apply`: the launch template made in EC2, and the command that has EKS use it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brqos.errors import AwsError, ConfigurationError, UsageError

if TYPE_CHECKING:
    from brqos.aws.session import AwsSession
    from brqos.console import Console
    from brqos.nodes.launch_template.plan import Step
    from brqos.nodes.made import NodeFile
    from brqos.nodes.request import NodegroupRequest


def apply(console: "Console", made: "NodeFile", session: "AwsSession | None", parameters: Mapping[str, Any]) -> None:
    """Make the launch template of each request, or show what would be made; raises BrqosError."""
    if made.requests[0].rehearsal:
        raise UsageError("--apply does not go with the AMI of a rehearsal", todo="Build without --rehearse.")
    if session is None:
        raise AwsError(
            "the launch template cannot be made without a login to AWS",
            todo="Set up credentials (`aws configure`, a profile, a role) and leave --no-aws out.",
        )
    work = _planned if parameters["dry_run"] else _applied
    results = [work(console, request, session, parameters) for request in made.requests]
    if console.json_output:
        console.data({"dry_run": parameters["dry_run"], "launch_templates": results})
    elif parameters["dry_run"]:
        console.line("Nothing was done (--dry-run).")


def _planned(
    console: "Console", request: "NodegroupRequest", session: "AwsSession", _parameters: Mapping[str, Any]
) -> dict[str, object]:
    from brqos.nodes.launch_template.apply import look, probe
    from brqos.nodes.launch_template.plan import plan_apply

    templates = session.launch_templates(request.region)
    step = plan_apply(request, look(request, templates))
    result = probe(step, templates)
    allowed = None if result is None else result.permission.value
    console.line(f"{step.region}: {step.action} {step.name}" + (f" (permission: {allowed})" if allowed else ""))
    console.line(f"  description = {json.dumps(step.description, ensure_ascii=False)}")
    console.line(f"  tags = {json.dumps(dict(step.tags), ensure_ascii=False)}")
    for key, value in step.data.items():
        console.line(f"  {key} = {json.dumps(value, ensure_ascii=False)}")
    return {**_step(step), "permission": allowed, "data": step.data}


def _applied(
    console: "Console", request: "NodegroupRequest", session: "AwsSession", parameters: Mapping[str, Any]
) -> dict[str, object]:
    from brqos.nodes.launch_template import apply as making
    from brqos.nodes.launch_template.nodegroup import nodegroup_json
    from brqos.nodes.write import write_file

    # What could stop this comes first: the version stays, once it is made.
    exists = _exists(console, request, session)
    file = None if exists else _nodegroup_file(console, request)
    if file is not None and not parameters["force"]:
        _check_replaceable(file, request)
    done = making.apply(request, session.launch_templates(request.region), console)
    console.line(f"{request.region}: launch template {done.template}, version {done.version}")
    command = None
    if file is not None:
        text = json.dumps(nodegroup_json(request, done.template, done.version), indent=2) + "\n"
        console.line(f"{file} ({write_file(file, text, force=True)})")
    if exists or file is not None:
        command = making.next_command(request, done, nodegroup_exists=exists, file=str(file))
        console.note(f"Next: {command}")
    return {
        "region": request.region,
        "template": done.template,
        "version": done.version,
        "made": done.made,
        "nodegroup": None if file is None else str(file),
        "next": command,
    }


def _exists(console: "Console", request: "NodegroupRequest", session: "AwsSession") -> bool:
    """Whether the cluster has the nodegroup already; who may not ask is told so, and gets the template all the same."""
    from brqos.aws.errors import AwsCallError

    try:
        return session.eks(request.region).has_nodegroup(request.cluster, request.name)
    except AwsCallError as error:
        console.warn(
            f"whether {request.cluster} has a nodegroup {request.name} is not known ({error.what}): one that is there "
            "gets the new version by `aws eks update-nodegroup-version`"
        )
        return False


def _nodegroup_file(console: "Console", request: "NodegroupRequest") -> Path | None:
    """The file of the current folder for what `aws eks create-nodegroup` takes, where role and subnets are known."""
    if request.spec.node_role is None or not request.spec.subnets:
        console.note(
            f"The nodegroup {request.name} has to be made with this template; with --node-role and --subnet brqos "
            "writes what `aws eks create-nodegroup` takes."
        )
        return None
    return Path(f"{request.name}.nodegroup.json")


def _check_replaceable(file: Path, request: "NodegroupRequest") -> None:
    """Refuse a file that has more than another version of the template; raises ConfigurationError."""
    from brqos.nodes.launch_template.nodegroup import is_nodegroup_json
    from brqos.nodes.write import read_file

    if file.exists() and not is_nodegroup_json(read_file(file), request):
        raise ConfigurationError(
            f"{file} exists and has other content",
            why="It may have been changed by hand, or other wishes than these were written there. No launch template "
            "was made.",
            todo="Add --force to replace it, or move it away.",
        )


def _step(step: "Step") -> dict[str, object]:
    return {
        "region": step.region,
        "name": step.name,
        "action": step.action,
        "template": step.template,
        "description": step.description,
        "tags": dict(step.tags),
    }
