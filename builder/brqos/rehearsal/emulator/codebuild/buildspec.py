"""Buildspecs (version 0.2): what a batch is made of, and what one build runs.

Rules: CodeBuild user guide, "Build specification reference" and "Batch build buildspec reference". What is not emulated
(matrices, fan-outs, Windows, parameters from elsewhere) is refused, as is whatever those pages do not know.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

PHASES = ("install", "pre_build", "build", "post_build")
MOST_BUILDS = 100
_VERSION = "0.2"
_MEMBERS = {"version", "env", "phases", "batch", "artifacts", "cache", "reports"}
_PHASE_MEMBERS = {"commands", "finally", "on-failure", "runtime-versions"}
_TASK_MEMBERS = {"identifier", "env", "ignore-failure", "depend-on"}
_TASK_ENV = {"compute-type", "image", "privileged-mode", "type", "variables"}
_ON_FAILURE = ("ABORT", "CONTINUE")
_SHELLS = ("sh", "bash")
_ELSEWHERE = ("parameter-store", "secrets-manager")
# As the API reference says of a sourceIdentifier; all of the guide's own identifiers are so.
_IDENTIFIER = re.compile(r"[A-Za-z0-9_]{1,127}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class BuildspecError(Exception):
    """The buildspec is not one; the text is what CodeBuild says after YAML_FILE_ERROR."""


@dataclass(frozen=True, slots=True)
class Task:
    """One build of a batch; the overrides are None where the project's own hold."""

    identifier: str
    depends_on: tuple[str, ...] = ()
    ignore_failure: bool = False
    compute_type: str | None = None
    image: str | None = None
    type: str | None = None
    privileged: bool | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The `batch` section."""

    tasks: tuple[Task, ...]
    fast_fail: bool = False


@dataclass(frozen=True, slots=True)
class PhaseSpec:
    """One phase: its commands, and those that run whatever became of them; `on_failure` is empty by default."""

    name: str
    commands: tuple[str, ...]
    at_last: tuple[str, ...] = ()
    on_failure: str = ""


@dataclass(frozen=True, slots=True)
class Buildspec:
    """What one build runs, and in which shell; `elsewhere` names the sections of `env` that other services have."""

    phases: tuple[PhaseSpec, ...]
    variables: Mapping[str, str]
    shell: str = "sh"
    elsewhere: tuple[str, ...] = ()


def read_batch(text: str) -> BatchPlan:
    """The batch that a buildspec describes; raises BuildspecError."""
    batch = _parsed(text).get("batch")
    if batch is None:
        raise BuildspecError("batch yaml definition is required in buildspec")
    batch = _mapping("batch", batch, {"fast-fail", "build-list", "build-graph", "build-matrix", "build-fanout"})
    kinds = sorted(set(batch) - {"fast-fail"})
    if len(kinds) != 1:
        raise BuildspecError("batch must have exactly one of build-list, build-graph, build-matrix and build-fanout")
    kind = kinds[0]
    if kind not in ("build-list", "build-graph"):
        raise BuildspecError(f"batch/{kind} is not emulated")
    listed = batch[kind]
    if not isinstance(listed, list) or not listed:
        raise BuildspecError(f"batch/{kind} must be a list of builds")
    tasks = tuple(
        _task(f"batch/{kind}[{number}]", item, graph=kind == "build-graph") for number, item in enumerate(listed)
    )
    _check_graph(tasks)
    return BatchPlan(tasks, _flag("batch/fast-fail", batch.get("fast-fail", False)))


@lru_cache(maxsize=16)
def read_build(text: str) -> Buildspec:
    """What a build runs; raises BuildspecError."""
    spec = _parsed(text)
    env = _mapping("env", spec.get("env", {}), {"shell", "variables", "exported-variables", *_ELSEWHERE})
    for name in _ELSEWHERE:
        _variables(f"env/{name}", env.get(name, {}))
    shell = env.get("shell", "sh")
    if shell not in _SHELLS:
        raise BuildspecError(f"env/shell {shell} is not emulated, or not known")
    phases = _mapping("phases", spec.get("phases"), set(PHASES))
    if not phases:
        raise BuildspecError("phases: at least one phase is required")
    found = tuple(_phase(name, phases[name]) for name in PHASES if name in phases)
    elsewhere = tuple(name for name in _ELSEWHERE if env.get(name))
    return Buildspec(found, _variables("env/variables", env.get("variables", {})), shell, elsewhere)


# All builds of a batch have the same one, and reading it takes long.
@lru_cache(maxsize=16)
def _parsed(text: str) -> dict[str, Any]:
    try:
        spec = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise BuildspecError(f"wrong YAML: {' '.join(str(error).split())}") from None
    spec = _mapping("the buildspec", spec, _MEMBERS)
    if str(spec.get("version")) != _VERSION:
        raise BuildspecError(f"version {spec.get('version')} is not emulated; {_VERSION} is")
    return spec


def _task(where: str, item: object, *, graph: bool) -> Task:
    members = _TASK_MEMBERS if graph else _TASK_MEMBERS - {"depend-on"}
    task = _mapping(where, item, members)
    identifier = task.get("identifier")
    if not isinstance(identifier, str) or not _IDENTIFIER.fullmatch(identifier):
        raise BuildspecError(f"{where}/identifier may have letters, digits and underscores only, and less than 128")
    env = _mapping(f"{where}/env", task.get("env", {}), _TASK_ENV)
    depends = task.get("depend-on", [])
    if not isinstance(depends, list) or not all(isinstance(each, str) for each in depends):
        raise BuildspecError(f"{where}/depend-on must be a list of identifiers")
    privileged = env.get("privileged-mode")
    return Task(
        identifier=identifier,
        depends_on=tuple(depends),
        ignore_failure=_flag(f"{where}/ignore-failure", task.get("ignore-failure", False)),
        compute_type=_text(f"{where}/env/compute-type", env.get("compute-type")),
        image=_text(f"{where}/env/image", env.get("image")),
        type=_text(f"{where}/env/type", env.get("type")),
        privileged=None if privileged is None else _flag(f"{where}/env/privileged-mode", privileged),
        variables=_variables(f"{where}/env/variables", env.get("variables", {})),
    )


def _check_graph(tasks: tuple[Task, ...]) -> None:
    if len(tasks) > MOST_BUILDS:
        raise BuildspecError(f"a batch may have {MOST_BUILDS} builds, here are {len(tasks)}")
    known = {task.identifier: task for task in tasks}
    if len(known) < len(tasks):
        raise BuildspecError("the identifiers of builds must be unique in a batch")
    for task in tasks:
        if missing := sorted(set(task.depends_on) - set(known)):
            raise BuildspecError(f"{task.identifier} depends on {missing[0]}, which is not in the batch")
    left = set(known)
    while free := {name for name in left if not left & set(known[name].depends_on)}:
        left -= free
    if left:
        raise BuildspecError(f"builds depend on one another: {', '.join(sorted(left))}")


def _phase(name: str, item: object) -> PhaseSpec:
    phase = _mapping(f"phases/{name}", item, _PHASE_MEMBERS)
    on_failure = phase.get("on-failure", "")
    if on_failure and on_failure not in _ON_FAILURE:
        raise BuildspecError(f"phases/{name}/on-failure {on_failure} is not emulated, or not known")
    return PhaseSpec(
        name,
        _commands(f"phases/{name}/commands", phase.get("commands", [])),
        _commands(f"phases/{name}/finally", phase.get("finally", [])),
        on_failure,
    )


def _commands(where: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BuildspecError(f"{where}: expected a list of commands, each a string")
    return tuple(value)


def _variables(where: str, value: object) -> dict[str, str]:
    found = _mapping(where, value, None)
    for name, item in found.items():
        if not _VARIABLE.fullmatch(name) or isinstance(item, dict | list) or item is None:
            raise BuildspecError(f"{where}/{name} is no variable")
    # YAML's own spelling of truth, as it would be read back.
    return {name: str(item).lower() if isinstance(item, bool) else str(item) for name, item in found.items()}


def _mapping(where: str, value: object, members: set[str] | None) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise BuildspecError(f"{where} must be a mapping")
    if members is not None and (unknown := sorted(set(value) - members)):
        raise BuildspecError(f"{where}: {unknown[0]} is not emulated, or not known")
    return dict(value)


def _flag(where: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BuildspecError(f"{where} must be true or false")
    return value


def _text(where: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise BuildspecError(f"{where} must be a string")
    return value
