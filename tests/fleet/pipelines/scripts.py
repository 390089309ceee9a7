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
    if "github" in name:
        yield from (step["run"] for job in pipeline["jobs"].values() for step in job["steps"] if "run" in step)
        return
    for job in pipeline.values():
        for key in ("before_script", "script", "after_script"):
            lines = job.get(key, ()) if isinstance(job, dict) else ()
            yield "\n".join(line for line in lines if isinstance(line, str))


def brqos_calls(script: str) -> Iterator[list[str]]:
    """The words after `brqos` of each call, as the shell would split them."""
    whole = script.replace("\\\n", " ")
    for line in whole.splitlines():
        for found in re.finditer(r"(?:^|\$\(|\s)brqos ([a-z][^|>)]*)", line):
            if line.lstrip().startswith(("#", "echo", "printf")):
                continue
            yield shlex.split(found[1])
