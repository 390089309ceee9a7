"""A pipeline on AWS's own engines, CodePipeline and CodeBuild, as one CloudFormation template. Pure.

Buildspecs are those of the CodeBuild User Guide, "Build specification reference" and "Batch build buildspec reference".
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from brqos.config.codebuild import IMAGE, CodeBuildSpec, Compute
from brqos.config.model import Engine
from brqos.fleet.codebuild.sizes import IMAGE_TO_REPACK, machine_of
from brqos.fleet.expand import Entry
from brqos.fleet.pipelines.access import SOURCE_FILE, Role, roles_of
from brqos.fleet.pipelines.compact import compact
from brqos.fleet.pipelines.cron import schedule_expression
from brqos.fleet.pipelines.fleet import Fleet
from brqos.fleet.pipelines.values import values_of
from brqos.fleet.pipelines.wishes import Wishes
from brqos.rendering import render

DEFAULT_FILE = "brqos.codebuild.yml"
STACK = "brqos"
"""What the stack is called in examples."""
LONGEST_BODY = 51_200
"""Bytes of a template that CloudFormation takes without a bucket (its quotas)."""

_STAGES = ("plan", "build", "register", "verify", "promote", "watch")


def template(fleet: Fleet, wishes: Wishes, settings: CodeBuildSpec, file: str = DEFAULT_FILE) -> str:
    """The template's text; `file` is where it will lie, `settings` the files' section `[codebuild]`.

    Raises ConfigurationError for a schedule that EventBridge Scheduler does not take.
    """
    values = values_of(fleet, wishes)
    images = _images(fleet, wishes, settings)
    image = wishes.image or settings.image
    repacks_there = image == IMAGE and values["repack"] and not wishes.rehearse
    return render(
        "pipelines/codebuild.yml",
        **values,
        title="Rehearses images" if wishes.rehearse else "Bottlerocket images with MemoryQoS",
        file=DEFAULT_FILE if file == "-" else file,
        stack=STACK,
        connection=wishes.connection,
        repository=wishes.repository,
        source_file=SOURCE_FILE,
        paths=[json.dumps(str(path)) for path in wishes.files],
        tags=" ".join(f"{key}={value}" for key, value in sorted(settings.tags.items())),
        sbkeys_secret=settings.sbkeys if settings.sbkeys and settings.sbkeys.startswith("arn:") else None,
        variables={key: json.dumps(value) for key, value in sorted(settings.variables.items())},
        vpc=_vpc(settings),
        in_image=not wishes.installs,
        image=image,
        build_image=IMAGE_TO_REPACK if repacks_there else image,
        images=images,
        sizes=sorted({one["compute"] for one in images}),
        small=Compute.SMALL.type,
        medium=Compute.MEDIUM.type,
        roles=[_shown(role) for role in roles_of(fleet, wishes, settings, _projects(values, wishes))],
        schedule_expression=schedule_expression(wishes.schedule),
        matrix_flags=" --offline --no-aws" if wishes.rehearse else "" if fleet.publishes else " --no-aws",
    )


def jobs(fleet: Fleet, wishes: Wishes) -> list[str]:
    """The names of its jobs, in their order; those of a batch stand for one build of each image."""
    return _projects(values_of(fleet, wishes), wishes)


def roles(fleet: Fleet, wishes: Wishes, settings: CodeBuildSpec) -> list[Role]:
    """The roles that the template makes."""
    return roles_of(fleet, wishes, settings, jobs(fleet, wishes))


def identifiers(ids: Iterable[str]) -> dict[str, str]:
    """Names for builds in a batch, which have letters, digits and underscores only; each id has its own."""
    found: dict[str, str] = {}
    for one in ids:
        plain = name = re.sub(r"[^A-Za-z0-9]+", "_", one)
        number = 1
        while name in found.values():
            number += 1
            name = f"{plain}_{number}"
        found[one] = name
    return found


def _projects(values: Mapping[str, Any], wishes: Wishes) -> list[str]:
    asked = {
        "register": values["publishes"],
        "verify": values["cluster"],
        "promote": values["promotes"],
        "watch": not wishes.rehearse,
    }
    return [stage for stage in _STAGES if asked.get(stage, True)]


def _images(fleet: Fleet, wishes: Wishes, settings: CodeBuildSpec) -> list[dict[str, Any]]:
    names = identifiers(entry.id for entry in fleet.entries)
    return [_image(entry, names[entry.id], wishes, settings) for entry in fleet.entries]


def _image(entry: Entry, identifier: str, wishes: Wishes, settings: CodeBuildSpec) -> dict[str, Any]:
    machine = machine_of(entry.spec, settings)
    return {
        "id": entry.id,
        "identifier": identifier,
        "config": str(entry.file),
        "variant": entry.spec.variant,
        "arch": entry.spec.arch.value,
        "engine": entry.spec.build.engine.value,
        "compute": Compute.SMALL.type if wishes.rehearse else machine.compute.type,
        "docker": entry.spec.build.engine is Engine.SOURCE and not wishes.rehearse,
    }


def _vpc(settings: CodeBuildSpec) -> dict[str, str] | None:
    if not settings.vpc:
        return None
    lists = {"subnets": settings.vpc.subnets, "groups": settings.vpc.security_groups}
    return {"id": str(settings.vpc.id), **{key: json.dumps(value) for key, value in lists.items()}}


def _shown(role: Role) -> dict[str, str]:
    """A role as the template has it."""
    documents = {"trust": (role.trust, 8), "permissions": (role.permissions, 12)}
    texts = {key: compact(_substituted(document), column) for key, (document, column) in documents.items()}
    return {"id": role.id, "says": role.says, **texts}


def _substituted(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same with every text that names something of the stack as an intrinsic function."""
    return {key: _value(item) for key, item in document.items()}


def _value(value: object) -> object:
    if isinstance(value, dict):
        return _substituted(value)
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, str) and (found := re.fullmatch(r"\$\{([A-Za-z:]+)\}", value)):
        return {"Ref": found[1]}
    if isinstance(value, str) and (found := re.fullmatch(r"\$\{([A-Za-z]+)\.([A-Za-z]+)\}", value)):
        return {"Fn::GetAtt": [found[1], found[2]]}
    return {"Fn::Sub": value} if isinstance(value, str) and "${" in value else value
