"""The scripts in a pipeline, and brqos's commands in a script."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import yaml

Job = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """PyYAML with GitLab's `!reference`."""


_Loader.add_constructor("!reference", lambda loader, node: ("!reference", *loader.construct_sequence(node)))


def load(text: str) -> dict[str, Any]:
    """A pipeline, read as PyYAML reads it: YAML 1.1."""
    found = yaml.load(text, _Loader)
    assert isinstance(found, dict)
    return found


def github_steps(text: str, job: str) -> list[dict[str, Any]]:
    return load(text)["jobs"][job]["steps"]


def scripts(name: str, text: str) -> Iterator[str]:
    """Every script of the pipeline with that name."""
    pipeline = load(text)
    if "codebuild" in name:
        yield from (command for spec in buildspecs(text).values() for command in commands(spec))
        return
    if "github" in name:
        yield from (step["run"] for job in pipeline["jobs"].values() for step in job["steps"] if "run" in step)
        return
    for job in pipeline.values():
        for key in ("before_script", "script", "after_script"):
            lines = job.get(key, ()) if isinstance(job, dict) else ()
            yield "\n".join(line for line in lines if isinstance(line, str))


def buildspecs(text: str) -> dict[str, dict[str, Any]]:
    """The buildspecs of a template, by the ids of their projects."""
    resources = load(text)["Resources"].items()
    projects = {name: one["Properties"] for name, one in resources if one["Type"] == "AWS::CodeBuild::Project"}
    return {name: load(properties["Source"]["BuildSpec"]) for name, properties in projects.items()}


def commands(buildspec: dict[str, Any]) -> Iterator[str]:
    """The commands of a buildspec, in their order; what comes in the end of a phase behind it."""
    for phase in buildspec["phases"].values():
        yield from (*phase.get("commands", ()), *phase.get("finally", ()))


def brqos_calls(script: str) -> Iterator[list[str]]:
    """The words after `brqos` of each call, as the shell would split them."""
    whole = script.replace("\\\n", " ")
    for line in whole.splitlines():
        for found in re.finditer(r"(?:^|\$\(|\s)brqos ([a-z][^|>)]*)", line):
            if line.lstrip().startswith(("#", "echo", "printf")):
                continue
            yield shlex.split(found[1])
