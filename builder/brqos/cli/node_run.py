"""What `brqos nodegroup` does with its options: one of four things, after the same checks."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brqos.cli.node_apply import apply
from brqos.cli.node_flags import check_kind
from brqos.cli.node_images import requests_of
from brqos.errors import UsageError

if TYPE_CHECKING:
    from brqos.aws.session import AwsSession
    from brqos.config.nodegroup import NodegroupKind
    from brqos.console import Console
    from brqos.nodes.made import NodeFile
    from brqos.nodes.request import NodegroupRequest
    from brqos.nodes.rollout import RolloutStep

_STANDARD_OUTPUT = Path("-")
_OF_THE_ROLLOUT = ("--replace", "--canary")
_NOT_OF_ITS_COMMANDS = ("--json", "--dry-run")


def run(console: "Console", parameters: Mapping[str, Any]) -> None:
    """Write, merge, make by API, or print the steps of a rollout; raises BrqosError."""
    from brqos.image.progress import REHEARSAL_MARK
    from brqos.nodes.file import node_file

    _check_together(parameters)
    requests = requests_of(parameters, parameters["config"])
    if requests[0].rehearsal:
        console.mark = REHEARSAL_MARK
    _check_kind(requests[0].kind, parameters)
    # What is wrong in itself is said before AWS is asked anything.
    node_file(requests)
    session = None if requests[0].rehearsal else _login(console, parameters)
    if not requests[0].rehearsal:
        requests = _checked(console, requests, session, parameters)
    made = node_file(requests)
    for warning in made.warnings:
        console.warn(warning)
    if parameters["replace"] is not None:
        _show_rollout(console, made, parameters)
    elif parameters["apply"]:
        apply(console, made, session, parameters)
    elif parameters["merge"] is not None:
        _merge(console, made, parameters)
    else:
        _write(console, made, parameters)


def _check_together(parameters: Mapping[str, Any]) -> None:
    if parameters["kind"] is not None:
        # A word that is no kind is said before a build is looked for.
        check_kind(parameters["kind"])
    modes = [f"--{name}" for name in ("replace", "apply", "merge") if parameters[name] not in {None, False}]
    if len(modes) > 1:
        raise UsageError(f"{' and '.join(modes)} do not go together", todo="Do one after the other.")
    if parameters["canary"] and parameters["replace"] is None:
        raise UsageError("--canary needs --replace", todo="Name the nodegroup that goes: --replace OLD --canary 1")
    if modes and parameters["output"] and "--merge" not in modes:
        raise UsageError(f"--output does not go together with {modes[0]}", todo="Leave one of them out.")
    if parameters["dry_run"] and not modes:
        raise UsageError(
            "--dry-run needs --apply or --merge",
            why="Without them a file is written at most, and --output - shows it beforehand.",
            todo="Use --output -.",
        )


def _check_kind(kind: "NodegroupKind", parameters: Mapping[str, Any]) -> None:
    """Refuse what goes with some kinds only, whatever is asked for otherwise; raises UsageError."""
    from brqos.config.nodegroup import NodegroupKind

    if parameters["apply"] and kind is not NodegroupKind.LAUNCH_TEMPLATE:
        raise UsageError(
            f"--apply does not go with --kind {kind}",
            why="Only the launch template is made by brqos itself; the other files are for the tools that read them.",
            todo="Add --kind launch-template, or leave --apply out.",
        )
    if parameters["merge"] is not None and not kind.by_eksctl:
        raise UsageError(
            f"--merge does not go with --kind {kind}",
            why="It adds a nodegroup to eksctl's ClusterConfig.",
            todo="Leave it out: the file stands beside the others then.",
        )


def _checked(
    console: "Console",
    requests: "tuple[NodegroupRequest, ...]",
    session: "AwsSession | None",
    parameters: Mapping[str, Any],
) -> "tuple[NodegroupRequest, ...]":
    """The requests with what AWS told, after all of it was held against them; it is said what was not asked."""
    if session is None:
        known = "the build record" if not parameters["ami"] and not parameters["official"] else "the command line"
        why = "--no-aws" if not parameters["aws"] else "no AWS login"
        console.note(f"Checked from {known} alone ({why}): not whether the AMI is there and the cluster takes it.")
        return requests
    from brqos.nodes.checks.facts import ask
    from brqos.nodes.checks.hold import hold

    checked = hold(requests, ask(session, requests))
    for warning in checked.warnings:
        console.warn(warning)
    if checked.told:
        console.note(f"AWS says: {'; '.join(checked.told)}.")
    return checked.requests


def _login(console: "Console", parameters: Mapping[str, Any]) -> "AwsSession | None":
    """A session where there are credentials; a configuration that cannot be read counts only where it is needed."""
    if not parameters["aws"]:
        return None
    from brqos.aws.errors import AwsCallError
    from brqos.aws.session import AwsSession

    session = AwsSession(parameters["profile"])
    try:
        return session if session.has_credentials() else None
    except AwsCallError as error:
        if parameters["profile"] or parameters["apply"]:
            raise
        console.warn(f"AWS is not asked: {error.what}")
        return None


def _write(console: "Console", made: "NodeFile", parameters: Mapping[str, Any]) -> None:
    from brqos.nodes.write import write_file

    output: Path | None = parameters["output"]
    if output in {None, _STANDARD_OUTPUT}:
        if console.json_output:
            console.data(_result(made, None))
        else:
            console.text(made.text)
        return
    assert output is not None
    console.line(f"{output} ({write_file(output, made.text, force=parameters['force'])})")
    _say_what_is_next(console, made, output)
    if console.json_output:
        console.data(_result(made, output))


def _merge(console: "Console", made: "NodeFile", parameters: Mapping[str, Any]) -> None:
    from brqos.nodes.eksctl.file import only_its_own
    from brqos.nodes.eksctl.merge import merge
    from brqos.nodes.write import read_file, write_file

    source: Path = parameters["merge"]
    output: Path = parameters["output"] or source
    text = merge(read_file(source), made, replace=parameters["force"])
    if output == _STANDARD_OUTPUT or parameters["dry_run"]:
        if console.json_output:
            console.data({**_result(made, None), "text": text})
        else:
            console.text(text)
        return
    console.line(f"{output} ({write_file(output, text, force=output == source or parameters['force'])})")
    _say_what_is_next(console, only_its_own(made), output)
    if console.json_output:
        console.data(_result(made, output))


def _show_rollout(console: "Console", made: "NodeFile", parameters: Mapping[str, Any]) -> None:
    from brqos.nodes.rollout import Rollout, rollout, without
    from brqos.record import find

    emit = ("brqos", *without(sys.argv[1:], options=_OF_THE_ROLLOUT, flags=_NOT_OF_ITS_COMMANDS))
    if not any(parameters[name] for name in ("ami", "build", "record", "official")):
        # The latest build may be another one when the next step is taken.
        emit = (*emit, "--build", find(None, None).record.id)
    steps = rollout(Rollout(made, emit, parameters["replace"], parameters["canary"] or 0))
    if console.json_output:
        console.data({"steps": [_step(step) for step in steps]})
        return
    for number, step in enumerate(steps, start=1):
        console.line(f"# {number}. {step.title}. {step.why}")
        for command in step.commands:
            console.line(command)
        console.line("")


def _step(step: "RolloutStep") -> dict[str, object]:
    return {"title": step.title, "why": step.why, "commands": list(step.commands)}


def _say_what_is_next(console: "Console", made: "NodeFile", output: Path) -> None:
    console.note(f"Next: {' && '.join(made.commands_for(output))}")


def _result(made: "NodeFile", output: Path | None) -> dict[str, object]:
    first = made.requests[0]
    return {
        "nodegroup": None if output is None else str(output),
        "kind": first.kind,
        "cluster": first.cluster,
        "region": first.region,
        "rehearsal": first.rehearsal,
        "nodegroups": [
            {
                "name": request.name,
                "ami": request.ami,
                "variant": request.image.called,
                "architecture": request.architecture.ec2,
                "instance_types": [type_.name for type_ in request.instance_types],
            }
            for request in made.requests
        ],
        "document": made.document,
    }
