"""Making the launch template by EC2's API: what there is to do, decided without doing it. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from brqos.ami.tags import NAME, TOOL
from brqos.aws.launch_templates import DescribedLaunchTemplate
from brqos.errors import AwsError
from brqos.nodes.launch_template.data import launch_template_data, own_tags, version_description
from brqos.nodes.launch_template.names import template_name
from brqos.nodes.request import NodegroupRequest

_STACK = "aws:cloudformation:stack-name"
# What EC2 tells of a version beside what was asked for: its own defaults, and how far it is.
_TOLD_BESIDES: Mapping[str, Sequence[object]] = {
    "State": ("pending", "applied"),
    "HttpEndpoint": ("enabled",),
    "HttpProtocolIpv6": ("disabled",),
    "InstanceMetadataTags": ("disabled",),
    "EbsOptimized": (False,),
}


class Action(StrEnum):
    """What is done."""

    CREATE = "create"
    NEW_VERSION = "new-version"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Existing:
    """The template that has the name, and the data of its latest version, as EC2 tells them."""

    template: DescribedLaunchTemplate
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call, or none. `template` and `version` are those that are there, if any.

    `data` is RequestLaunchTemplateData of EC2's API. `token` hangs on all of this, so that two who do the same at the
    same time make one version, and the same data again after others make a new one.
    """

    action: Action
    region: str
    name: str
    template: str | None
    version: int | None
    data: Mapping[str, Any]
    description: str
    tags: Mapping[str, str]
    token: str


def plan_apply(request: NodegroupRequest, existing: Existing | None) -> Step:
    """What there is to do so that the template's latest version is what the request asks for.

    Raises AwsError for a template that brqos did not make, or CloudFormation keeps; ConfigurationError without the
    cluster's endpoint.
    """
    name = template_name(request)
    data = launch_template_data(request)
    if existing is None:
        action = Action.CREATE
    else:
        _check_ours(existing.template, request.region)
        action = Action.NOTHING if same_data(data, existing.data) else Action.NEW_VERSION
    template = None if existing is None else existing.template.id
    version = None if existing is None else existing.template.latest_version
    return Step(
        action=action,
        region=request.region,
        name=name,
        template=template,
        version=version,
        data=data,
        description=version_description(request),
        tags={NAME: name, **own_tags(request)},
        token=_token([action, request.region, name, template, version, data, dict(own_tags(request))]),
    )


def same_data(wanted: object, there: object) -> bool:
    """Whether a version is what is wanted: nothing missing, and nothing more than EC2's own defaults.

    Lists are compared without regard to their order, which has no meaning in any of those that brqos writes.
    """
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        more = {key: value for key, value in there.items() if key not in wanted}
        return all(key in there and same_data(value, there[key]) for key, value in wanted.items()) and all(
            value in (None, "", [], {}) or value in _TOLD_BESIDES.get(key, ()) for key, value in more.items()
        )
    if isinstance(wanted, list) and isinstance(there, list):
        pairs = zip(sorted(wanted, key=_order), sorted(there, key=_order), strict=False)
        return len(wanted) == len(there) and all(same_data(one, other) for one, other in pairs)
    return wanted == there


def _check_ours(template: DescribedLaunchTemplate, region: str) -> None:
    if stack := template.tags.get(_STACK):
        raise AwsError(
            f"the launch template {template.name} ({template.id}) in {region} belongs to the stack {stack}",
            why="CloudFormation would not know of a version that is made beside it, and take it back.",
            todo="Deploy the CloudFormation file to the stack, or give another name of the nodegroup (--name).",
        )
    if TOOL not in template.tags:
        raise AwsError(
            f"there is a launch template {template.name} ({template.id}) in {region} that brqos did not make",
            why=f"It has no tag {TOOL}, so somebody else counts on what is in it.",
            todo="Give another name of the nodegroup (--name).",
        )


def _order(item: object) -> str:
    # Only by what names an entry: the rest may have more on one side.
    if isinstance(item, Mapping):
        return str(next((item[key] for key in ("DeviceName", "ResourceType", "Key") if key in item), ""))
    return str(item)


def _token(content: Sequence[object]) -> str:
    # 64 characters; EC2 takes 128 (CreateLaunchTemplate, ClientToken).
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
