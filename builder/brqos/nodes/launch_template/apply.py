"""Making the launch template by EC2's API: looking, asking for permission, and the one call."""

import shlex
from dataclasses import dataclass

from brqos.ami.waiting import wait_until
from brqos.aws.dry_run import Permission, ProbeResult
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.launch_templates import LaunchTemplates, WrittenVersion
from brqos.errors import AwsError
from brqos.monitor import Monitor
from brqos.nodes.launch_template.names import template_name
from brqos.nodes.launch_template.plan import Action, Existing, Step, plan_apply
from brqos.nodes.request import NodegroupRequest

# What was just made may be unknown to the next call: EC2 is consistent only after a while.
_UNKNOWN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Applied:
    """The version that the nodes shall have, and whether this call made it."""

    template: str
    version: int
    made: bool


def look(request: NodegroupRequest, templates: LaunchTemplates) -> Existing | None:
    """The template that has the request's name, with its latest version; raises AwsCallError."""
    template = templates.find(template_name(request))
    if template is None:
        return None
    return Existing(template, templates.version(template.id, template.latest_version))


def probe(step: Step, templates: LaunchTemplates) -> ProbeResult | None:
    """Ask EC2 whether the step would be allowed; None where there is nothing to do.

    Raises AwsError if it would not be, or if the endpoint did it instead of only being asked.
    """
    result = _asked(step, templates)
    if result is None:
        return None
    if result.ignored:
        raise AwsError(
            f"the endpoint took no notice of DryRun for {result.operation}",
            why="It has done what it was only asked about; EC2 itself never does that.",
            todo="Look at what it made, and use an endpoint that knows dry runs.",
        )
    if result.permission is Permission.DENIED:
        raise AwsError(
            f"AWS would not allow {result.operation} for {step.name} in {step.region}",
            why=result.words,
            todo="Ask whoever manages the account for this permission, and ec2:CreateTags with it; or deploy the "
            "CloudFormation file.",
        )
    return result


def carry_out(step: Step, templates: LaunchTemplates, monitor: Monitor) -> Applied:
    """Do the step; raises AwsError."""
    match step.action, step.template, step.version:
        case Action.NOTHING, str(template), int(version):
            monitor.note(f"{step.region}: the launch template {step.name} has this already, as version {version}")
            return Applied(template, version, made=False)
        case Action.NEW_VERSION, str(template), _:
            written = templates.create_version(template, step.data, description=step.description, token=step.token)
        case _:
            written = _created(step, templates)
    for warning in written.warnings:
        monitor.warn(f"{step.region}: EC2 keeps {step.name}, but has something against it: {warning}")
    monitor.note(f"{step.region}: {step.name} ({written.template}) has the version {written.number}")
    return Applied(written.template, written.number, made=True)


def apply(request: NodegroupRequest, templates: LaunchTemplates, monitor: Monitor) -> Applied:
    """Look, plan, ask and do; raises AwsError and ConfigurationError. Nothing is done where all is as asked.

    The version that `$Default` means is left alone: a nodegroup names its version, and whatever else uses the default
    shall not change by this.
    """
    step = plan_apply(request, look(request, templates))
    result = probe(step, templates)
    if result is not None and result.permission is Permission.UNKNOWN:
        monitor.warn(f"{step.region}: whether AWS allows {result.operation} is not known: {result.words}")
    return carry_out(step, templates, monitor)


def next_command(request: NodegroupRequest, applied: Applied, *, nodegroup_exists: bool, file: str) -> str:
    """What has the nodegroup use the version; `file` is where nodegroup_json was written, for a new one."""
    start = ["aws", "eks"]
    if not nodegroup_exists:
        return shlex.join(
            [*start, "create-nodegroup", "--region", request.region, "--cli-input-json", f"file://{file}"]
        )
    return shlex.join(
        [
            *start,
            "update-nodegroup-version",
            *("--region", request.region, "--cluster-name", request.cluster, "--nodegroup-name", request.name),
            *("--launch-template", f"id={applied.template},version={applied.version}"),
        ]
    )


def _asked(step: Step, templates: LaunchTemplates) -> ProbeResult | None:
    match step.action, step.template:
        case Action.NOTHING, _:
            return None
        case Action.NEW_VERSION, str(template):
            return templates.probe_create_version(template, step.data, description=step.description)
        case _:
            return templates.probe_create(step.name, step.data, description=step.description, tags=step.tags)


def _created(step: Step, templates: LaunchTemplates) -> WrittenVersion:
    try:
        written = templates.create(step.name, step.data, description=step.description, tags=step.tags, token=step.token)
    except AwsCallError as error:
        if error.kind is not ErrorKind.DUPLICATE_NAME:
            raise
        raise AwsError(
            f"the launch template {step.name} in {step.region} has been made by somebody else just now",
            why=error.why,
            todo="Run the same command again: it looks at what is there.",
        ) from error
    _check_there(step, templates, written.template)
    return written


def _check_there(step: Step, templates: LaunchTemplates, made: str) -> None:
    """Refuse an answer of an earlier time: a token that was used keeps its answer, though the template be deleted."""
    found = wait_until(lambda: templates.find(step.name), _UNKNOWN_SECONDS)
    if found is None or found.id != made:
        there = f"is {found.id}" if found is not None else "is not there"
        raise AwsError(
            f"EC2 says that it made {made}, but {step.name} in {step.region} {there}",
            why="An earlier one of this name was deleted, and EC2 gave the answer of that time again.",
            todo="Run the same command again; if EC2 still says the same, give another name of the nodegroup (--name).",
        )
