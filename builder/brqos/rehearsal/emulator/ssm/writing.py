"""PutParameter, DeleteParameter, DeleteParameters, LabelParameterVersion.

Rules: their reference pages. A parameter of the data type aws:ec2:image is written later than the call, and only if the
image is there by then ("Native parameter support for Amazon Machine Image IDs" in the guide).
"""

import re
from typing import Any

from brqos.rehearsal.emulator.parameters import IMAGE_TYPE, Parameter, Version, merge
from brqos.rehearsal.emulator.ssm.call import SsmCall, invalid, operation, parameter_not_found
from brqos.rehearsal.emulator.ssm.names import check_name
from brqos.rehearsal.emulator.ssm.tagging import checked_tags
from brqos.rehearsal.emulator.wire import ServiceError

_TYPES = ("String", "StringList", "SecureString")
_DATA_TYPES = ("text", IMAGE_TYPE, "aws:ssm:integration")
_LONGEST = {"Standard": 4096, "Advanced": 8192, "Intelligent-Tiering": 8192}
_MAX_VERSIONS = 100
_MAX_LABELS = 10
_LABEL = re.compile(r"(?!aws|ssm)[a-zA-Z_.\-][a-zA-Z0-9_.\-]{0,99}", re.IGNORECASE)


def put_parameter(call: SsmCall) -> dict[str, Any]:
    """PutParameter; raises ServiceError."""
    name, value = call.text("Name"), call.text("Value")
    check_name(name)
    overwrite, tags = call.flag("Overwrite"), checked_tags(call.asked.get("Tags") or [])
    if overwrite and tags:
        raise invalid(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please "
            "remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or "
            "RemoveTagsFromResource."
        )
    known = call.parameters.get(name)
    if known is not None and not overwrite:
        message = (
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."
        )
        raise ServiceError("ParameterAlreadyExists", message)
    version = _version(call, value, known.latest if known else None)
    if known is not None:
        _make_room(known)
    written = Parameter(name, call.arn(name), [version], tags)
    if version.data_type == IMAGE_TYPE:
        allowed = call.may(call.caller, "ec2:DescribeImages")
        call.store.parameters.write_later(call.caller, written, call.store.clock() + call.store.delay, allowed=allowed)
    else:
        merge(call.parameters, written)
    return {"Version": version.number, "Tier": version.tier}


def _version(call: SsmCall, value: str, before: Version | None) -> Version:
    """The version that the call asks for: what it does not say stays as it was."""
    data_type = call.text("DataType", before.data_type if before else "text")
    if data_type not in _DATA_TYPES:
        raise invalid(f"The following data type is not supported: {data_type} (Data type names are all lowercase.)")
    version = Version(
        number=before.number + 1 if before else 1,
        value=value,
        type=_type(call, before),
        modified_at=call.store.clock(),
        user=call.caller.arn,
        description=call.text("Description", before.description if before else "", 1024),
        data_type=data_type,
        tier=call.text("Tier", before.tier if before else "Standard"),
        allowed_pattern=call.text("AllowedPattern", before.allowed_pattern if before else "", 1024),
        key_id=call.text("KeyId", before.key_id if before else ""),
        policies=call.text("Policies", before.policies if before else ""),
    )
    if version.data_type == IMAGE_TYPE and version.type != "String":
        raise invalid("The data type aws:ec2:image needs the type String.")
    _check_value(version)
    return version


def _type(call: SsmCall, before: Version | None) -> str:
    kind = call.text("Type", before.type if before else "")
    if not kind:
        raise invalid("A parameter type is required when you create a parameter.")
    if kind not in _TYPES:
        raise invalid(
            f"1 validation error detected: Value '{kind}' at 'type' failed to satisfy constraint: "
            "Member must satisfy enum value set: [SecureString, StringList, String]"
        )
    if before is not None and kind != before.type:
        message = f"The parameter type can't be changed from {before.type} to {kind}."
        raise ServiceError("HierarchyTypeMismatchException", message)
    return kind


def _check_value(version: Version) -> None:
    if not version.value:
        raise invalid(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1."
        )
    longest = _LONGEST.get(version.tier)
    if longest is None:
        raise invalid(f"Value '{version.tier}' at 'tier' must be Standard, Advanced or Intelligent-Tiering")
    if len(version.value.encode()) > longest:
        raise invalid(f"{version.tier} tier parameters support a maximum parameter value of {longest} characters.")
    if version.policies and version.tier == "Standard":
        raise invalid("Parameter policies need the Advanced tier.")
    if version.allowed_pattern and not re.search(version.allowed_pattern, version.value):
        message = f"Parameter value, cannot be validated against allowedPattern: {version.allowed_pattern}"
        raise ServiceError("ParameterPatternMismatchException", message)


def _make_room(known: Parameter) -> None:
    """Drop the oldest of 100 versions; one that has a label is not dropped. Raises ServiceError."""
    if len(known.versions) < _MAX_VERSIONS:
        return
    if known.versions[0].labels:
        message = "The oldest version has a label; move the label to another version and try again."
        raise ServiceError("ParameterMaxVersionLimitExceeded", message)
    del known.versions[0]


def delete_parameter(call: SsmCall) -> dict[str, Any]:
    """DeleteParameter; raises ServiceError."""
    name = call.text("Name")
    if call.parameters.pop(name, None) is None:
        raise parameter_not_found(name)
    return {}


def delete_parameters(call: SsmCall) -> dict[str, Any]:
    """DeleteParameters: up to ten; those that are not there are named."""
    names = dict.fromkeys(call.texts("Names", 10))
    deleted = [name for name in names if call.parameters.pop(name, None) is not None]
    return {"DeletedParameters": deleted, "InvalidParameters": [name for name in names if name not in deleted]}


def label_parameter_version(call: SsmCall) -> dict[str, Any]:
    """LabelParameterVersion: a label that another version has moves here; raises ServiceError."""
    name = call.text("Name")
    parameter = call.parameters.get(name)
    if parameter is None:
        raise parameter_not_found(name)
    number = call.asked.get("ParameterVersion", parameter.latest.number)
    version = next((each for each in parameter.versions if each.number == number), None)
    if version is None:
        message = f"Systems Manager could not find version {number} of {name}. Verify the version and try again."
        raise ServiceError("ParameterVersionNotFound", message)
    labels = call.texts("Labels", _MAX_LABELS)
    bad = [label for label in labels if not _LABEL.fullmatch(label)]
    good = {label for label in labels if label not in bad}
    if len(version.labels | good) > _MAX_LABELS:
        message = "An error occurred: a parameter version can have maximum 10 labels."
        raise ServiceError("ParameterVersionLabelLimitExceeded", message)
    for other in parameter.versions:
        other.labels -= good
    version.labels |= good
    return {"InvalidLabels": bad, "ParameterVersion": version.number}


ACTIONS = {
    "PutParameter": operation(
        put_parameter,
        "Name",
        "Description",
        "Value",
        "Type",
        "KeyId",
        "Overwrite",
        "AllowedPattern",
        "Tags",
        "Tier",
        "Policies",
        "DataType",
    ),
    "DeleteParameter": operation(delete_parameter, "Name"),
    "DeleteParameters": operation(delete_parameters, "Names"),
    "LabelParameterVersion": operation(label_parameter_version, "Name", "ParameterVersion", "Labels"),
}
