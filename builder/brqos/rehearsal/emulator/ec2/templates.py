"""Launch templates and their versions."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from brqos.rehearsal.emulator.compute import LaunchTemplate, TemplateVersion
from brqos.rehearsal.emulator.ec2.call import Ec2Call, action, tag_set, timestamp
from brqos.rehearsal.emulator.ec2.filters import Fields, selected
from brqos.rehearsal.emulator.ec2.idempotency import once
from brqos.rehearsal.emulator.ec2.registration import tags_for
from brqos.rehearsal.emulator.ec2.template_data import checked_data
from brqos.rehearsal.emulator.wire import ServiceError

_NAME = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}")
_ALIASES = ("$Latest", "$Default")
_MAX_DESCRIPTION = 255


def create_launch_template(call: Ec2Call) -> dict[str, Any]:
    """CreateLaunchTemplate, with its version 1; raises ServiceError."""
    return once(call, call.store.template_tokens, _create)


def create_launch_template_version(call: Ec2Call) -> dict[str, Any]:
    """CreateLaunchTemplateVersion, from scratch or from a SourceVersion; raises ServiceError."""
    return once(call, call.store.template_tokens, _create_version)


def _create(call: Ec2Call) -> dict[str, Any]:
    name = call.required("LaunchTemplateName")
    if not _NAME.fullmatch(name):
        raise ServiceError("InvalidLaunchTemplateName.MalformedException", "The launch template name is malformed")
    if any(call.here(template) and template.name == name for template in call.store.compute.templates.values()):
        message = "Launch template name already in use."
        raise ServiceError("InvalidLaunchTemplateName.AlreadyExistsException", message)
    template = LaunchTemplate(
        id=f"lt-0{secrets.token_hex(8)}",
        name=name,
        region=call.caller.region,
        owner=call.caller.account,
        created_at=call.now,
        tags=tags_for(call.asked.get("TagSpecification", []), "launch-template")["launch-template"],
        versions=[_new_version(call, 1, {})],
    )
    call.store.compute.templates[template.id] = template
    return {"launchTemplate": _shown(call, template)}


def _create_version(call: Ec2Call) -> dict[str, Any]:
    template = _find(call, call.asked)
    base: Mapping[str, Any] = {}
    if source := call.asked.get("SourceVersion"):
        base = _version(template, str(source)).data
    version = _new_version(call, template.latest_version + 1, base)
    template.versions.append(version)
    return {"launchTemplateVersion": _version_shown(call, template, version)}


def modify_launch_template(call: Ec2Call) -> dict[str, Any]:
    """ModifyLaunchTemplate: another default version; raises ServiceError."""
    template = _find(call, call.asked)
    template.default_version = _version(template, call.required("SetDefaultVersion")).number
    return {"launchTemplate": _shown(call, template)}


def describe_launch_templates(call: Ec2Call) -> dict[str, Any]:
    """DescribeLaunchTemplates, by id, name and filters; a page of them."""
    chosen = [template for template in call.store.compute.templates.values() if call.here(template)]
    for member, attribute in (("LaunchTemplateId", "id"), ("LaunchTemplateName", "name")):
        for wanted in call.asked.get(member, []):
            _find(call, {member: wanted})
        if wanted := call.asked.get(member):
            chosen = [template for template in chosen if getattr(template, attribute) in wanted]
    chosen = selected(chosen, call.asked.get("Filter", []), _FIELDS, lambda template: template.tags)
    page, token = call.page("DescribeLaunchTemplates", chosen, lambda template: template.id, least=1, most=200)
    return {"launchTemplates": [_shown(call, template) for template in page], "nextToken": token}


_FIELDS: Fields[LaunchTemplate] = {
    "launch-template-name": lambda template: template.name,
    "create-time": lambda template: timestamp(template.created_at),
}


def describe_launch_template_versions(call: Ec2Call) -> dict[str, Any]:
    """DescribeLaunchTemplateVersions: of one template, or the $Latest and $Default ones of all; a page of them."""
    wanted = [str(version) for version in call.asked.get("LaunchTemplateVersion", [])]
    if call.asked.get("LaunchTemplateId") or call.asked.get("LaunchTemplateName"):
        chosen = _asked_versions(call, _find(call, call.asked), wanted)
    else:
        if not wanted or set(wanted) - set(_ALIASES):
            message = "Without a launch template only the versions $Latest and $Default can be described"
            raise ServiceError("MissingParameter", message)
        templates = [template for template in call.store.compute.templates.values() if call.here(template)]
        chosen = [pair for template in templates for pair in _asked_versions(call, template, wanted)]
    chosen = selected(chosen, call.asked.get("Filter", []), _VERSION_FIELDS)
    page, token = call.page(
        f"DescribeLaunchTemplateVersions {wanted}",
        chosen,
        lambda pair: f"{pair[0].id}/{pair[1].number}",
        least=1,
        most=200,
    )
    return {"launchTemplateVersionSet": [_version_shown(call, *pair) for pair in page], "nextToken": token}


_Pair = tuple[LaunchTemplate, TemplateVersion]


def _asked_versions(call: Ec2Call, template: LaunchTemplate, wanted: list[str]) -> list[_Pair]:
    if wanted:
        versions = [_version(template, each) for each in wanted]
    else:
        first, last = call.asked.get("MinVersion", "1"), call.asked.get("MaxVersion", str(1 << 30))
        versions = [each for each in template.versions if int(first) <= each.number <= int(last)]
    return [(template, version) for version in {each.number: each for each in versions}.values()]


_VERSION_FIELDS: Fields[_Pair] = {
    "image-id": lambda pair: pair[1].data.get("imageId"),
    "instance-type": lambda pair: pair[1].data.get("instanceType"),
    "is-default-version": lambda pair: str(pair[1].number == pair[0].default_version).lower(),
    "create-time": lambda pair: timestamp(pair[1].created_at),
}


def version_asked_for(call: Ec2Call, specification: Mapping[str, Any]) -> TemplateVersion:
    """The version that a LaunchTemplateSpecification names, the default one where it names none."""
    return _version(_find(call, specification), str(specification.get("Version") or "$Default"))


def image_of(call: Ec2Call, data: Mapping[str, Any]) -> str | None:
    """The image that a template's data name, `resolve:ssm:` followed; None where there is none."""
    image = data.get("imageId")
    if not isinstance(image, str) or not image.startswith("resolve:ssm:"):
        return image
    name = image.removeprefix("resolve:ssm:")
    value = call.store.parameters.value_of(call.caller, name, call.store)
    if value is None:
        raise ServiceError("InvalidParameterValue", f"The parameter {name} cannot be resolved")
    return value


def _find(call: Ec2Call, asked: Mapping[str, Any]) -> LaunchTemplate:
    template_id, name = asked.get("LaunchTemplateId"), asked.get("LaunchTemplateName")
    if bool(template_id) == bool(name):
        raise ServiceError("MissingParameter", "Either the id or the name of the launch template has to be given")
    for template in call.store.compute.templates.values():
        if call.here(template) and (template.id if template_id else template.name) == (template_id or name):
            return template
    if template_id:
        message = f"The specified launch template, with template ID {template_id}, does not exist."
        raise ServiceError("InvalidLaunchTemplateId.NotFound", message)
    message = f"The specified launch template, with template name {name}, does not exist."
    raise ServiceError("InvalidLaunchTemplateName.NotFoundException", message)


def _version(template: LaunchTemplate, wanted: str) -> TemplateVersion:
    aliases = {"$Latest": template.latest_version, "$Default": template.default_version}
    number = aliases.get(wanted, int(wanted) if wanted.isdecimal() else -1)
    for version in template.versions:
        if version.number == number:
            return version
    message = f"Could not find the specified version {wanted} for the launch template with ID {template.id}."
    raise ServiceError("InvalidLaunchTemplateId.VersionNotFound", message)


def _new_version(call: Ec2Call, number: int, base: Mapping[str, Any]) -> TemplateVersion:
    data = checked_data(call.asked.get("LaunchTemplateData"))
    description = str(call.asked.get("VersionDescription", ""))
    if len(description) > _MAX_DESCRIPTION:
        message = f"VersionDescription is longer than {_MAX_DESCRIPTION} characters"
        raise ServiceError("InvalidParameterValue", message)
    return TemplateVersion(number, call.now, description, {**base, **data})


def _shown(call: Ec2Call, template: LaunchTemplate) -> dict[str, Any]:
    return {
        "launchTemplateId": template.id,
        "launchTemplateName": template.name,
        "createTime": timestamp(template.created_at),
        "createdBy": call.caller.arn,
        "defaultVersionNumber": template.default_version,
        "latestVersionNumber": template.latest_version,
        "tagSet": tag_set(template.tags),
    }


def _version_shown(call: Ec2Call, template: LaunchTemplate, version: TemplateVersion) -> dict[str, Any]:
    data = dict(version.data)
    if call.flag("ResolveAlias") and "imageId" in data:
        data["imageId"] = image_of(call, data) or ""
    return {
        "launchTemplateId": template.id,
        "launchTemplateName": template.name,
        "versionNumber": version.number,
        "versionDescription": version.description or None,
        "createTime": timestamp(version.created_at),
        "createdBy": call.caller.arn,
        "defaultVersion": version.number == template.default_version,
        "launchTemplateData": data,
    }


_WHICH = ("LaunchTemplateId", "LaunchTemplateName")
ACTIONS = {
    "CreateLaunchTemplate": action(
        create_launch_template,
        "ClientToken",
        "LaunchTemplateName",
        "VersionDescription",
        "LaunchTemplateData",
        "TagSpecification",
    ),
    "CreateLaunchTemplateVersion": action(
        create_launch_template_version,
        *_WHICH,
        "ClientToken",
        "SourceVersion",
        "VersionDescription",
        "LaunchTemplateData",
        "ResolveAlias",
    ),
    "ModifyLaunchTemplate": action(modify_launch_template, *_WHICH, "ClientToken", "SetDefaultVersion"),
    "DescribeLaunchTemplates": action(describe_launch_templates, *_WHICH, "Filter", "NextToken", "MaxResults"),
    "DescribeLaunchTemplateVersions": action(
        describe_launch_template_versions,
        *_WHICH,
        "LaunchTemplateVersion",
        "MinVersion",
        "MaxVersion",
        "NextToken",
        "MaxResults",
        "Filter",
        "ResolveAlias",
    ),
}
