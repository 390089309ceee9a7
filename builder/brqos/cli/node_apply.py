"""`brqos nodegroup --apply`: the launch template made in EC2, and the command that has EKS use it."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brqos.errors import AwsError, UsageError

if TYPE_CHECKING:
    from brqos.aws.session import AwsSession
    from brqos.console import Console
    from brqos.nodes.launch_template.apply import Applied
    from brqos.nodes.launch_template.plan import Step
    from brqos.nodes.made import NodeFile
    from brqos.nodes.request import NodegroupRequest


def apply(console: "Console", made: "NodeFile", session: "AwsSession | None", parameters: Mapping[str, Any]) -> None:
    """Make the launch template of each request, or show what would be made; raises BrqosError."""
    from brqos.config.nodegroup import NodegroupKind

    first = made.requests[0]
    if first.kind is not NodegroupKind.LAUNCH_TEMPLATE:
        raise UsageError(
            f"--apply does not go with --kind {first.kind}",
            why="Only the launch template is made by brqos itself; the other files are for the tools that read them.",
            todo="Add --kind launch-template, or leave --apply out.",
        )
    if first.rehearsal:
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
    for key, value in step.data.items():
        console.line(f"  {key} = {json.dumps(value, ensure_ascii=False)}")
    return {**_step(step), "permission": allowed, "data": step.data}


def _applied(
    console: "Console", request: "NodegroupRequest", session: "AwsSession", parameters: Mapping[str, Any]
) -> dict[str, object]:
    from brqos.nodes.launch_template import apply as making

    done = making.apply(request, session.launch_templates(request.region), console)
    console.line(f"{request.region}: launch template {done.template}, version {done.version}")
    exists = session.eks(request.region).nodegroup(request.cluster, request.name) is not None
    file = None if exists else _write_nodegroup(console, request, done, force=parameters["force"])
    command = making.next_command(request, done, nodegroup_exists=exists, file=shlex.quote(str(file)))
    if exists or file is not None:
        console.note(f"Next: {command}")
    return {
        "region": request.region,
        "template": done.template,
        "version": done.version,
        "made": done.made,
        "nodegroup": None if file is None else str(file),
        "next": command if exists or file is not None else None,
    }


def _write_nodegroup(console: "Console", request: "NodegroupRequest", done: "Applied", *, force: bool) -> Path | None:
    """What `aws eks create-nodegroup` takes, in a file of the current folder, where role and subnets are known."""
    from brqos.nodes.launch_template.nodegroup import nodegroup_json
    from brqos.nodes.write import write_file

    if request.spec.node_role is None or not request.spec.subnets:
        console.note(
            f"The nodegroup {request.name} has to be made with this template; with --node-role and --subnet brqos "
            "writes what `aws eks create-nodegroup` takes."
        )
        return None
    file = Path(f"{request.name}.nodegroup.json")
    text = json.dumps(nodegroup_json(request, done.template, done.version), indent=2) + "\n"
    console.line(f"{file} ({write_file(file, text, force=force)})")
    return file


def _step(step: "Step") -> dict[str, object]:
    return {"region": step.region, "name": step.name, "action": step.action, "template": step.template}
