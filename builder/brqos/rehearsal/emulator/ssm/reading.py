"""GetParameter, GetParameters, GetParametersByPath, GetParameterHistory."""

import base64
import hashlib
from typing import Any

from brqos.rehearsal.emulator.parameters import Parameter, Version
from brqos.rehearsal.emulator.ssm.call import SsmCall, operation, parameter_not_found
from brqos.rehearsal.emulator.ssm.filtering import BY_PATH, passes
from brqos.rehearsal.emulator.ssm.names import check_path, is_below
from brqos.rehearsal.emulator.wire import ServiceError


def get_parameter(call: SsmCall) -> dict[str, Any]:
    """GetParameter, by name or ARN, with `:version` or `:label` behind it; raises ServiceError."""
    return {"Parameter": _looked_up(call, call.text("Name"))}


def get_parameters(call: SsmCall) -> dict[str, Any]:
    """GetParameters: up to ten; those that are not there are named."""
    found, missing = [], []
    for name in dict.fromkeys(call.texts("Names", 10)):
        try:
            found.append(_looked_up(call, name))
        except ServiceError:
            missing.append(name)
    return {"Parameters": found, "InvalidParameters": missing}


def _looked_up(call: SsmCall, wanted: str) -> dict[str, Any]:
    prefix = call.arn("")
    name, colon, selector = wanted.removeprefix(prefix).partition(":")
    parameter = call.parameters.get(name) or (call.parameters.get(f"/{name}") if wanted.startswith(prefix) else None)
    if parameter is None:
        raise parameter_not_found(wanted)
    for version in reversed(parameter.versions):
        if not selector or selector == str(version.number) or selector in version.labels:
            return {**_told(call, parameter, version), **({"Selector": colon + selector} if selector else {})}
    message = f"Systems Manager could not find version {selector} of {name}. Verify the version and try again."
    raise ServiceError("ParameterVersionNotFound", message)


def get_parameters_by_path(call: SsmCall) -> dict[str, Any]:
    """GetParametersByPath: one level of a hierarchy or all of it, ten at most in a page; raises ServiceError."""
    path, recursive = call.text("Path"), call.flag("Recursive")
    check_path(path)
    filters = call.asked.get("ParameterFilters") or []
    chosen = [
        parameter
        for parameter in call.parameters.values()
        if is_below(parameter.name, path, recursive=recursive) and passes(parameter, filters, BY_PATH)
    ]
    query = f"GetParametersByPath {path} {recursive} {filters}"
    page, token = call.page(query, chosen, lambda parameter: parameter.name, largest=10)
    return {"Parameters": [_told(call, parameter, parameter.latest) for parameter in page], "NextToken": token}


def get_parameter_history(call: SsmCall) -> dict[str, Any]:
    """GetParameterHistory: all versions, the oldest first, fifty at most in a page; raises ServiceError."""
    name = call.text("Name")
    parameter = call.parameters.get(name)
    if parameter is None:
        raise parameter_not_found(name)
    query = f"GetParameterHistory {name}"
    page, token = call.page(query, parameter.versions, lambda version: str(version.number), largest=50)
    told = [
        {
            "Name": name,
            "Type": version.type,
            "Value": _value(call, parameter, version),
            "Version": version.number,
            "LastModifiedDate": version.modified_at,
            "LastModifiedUser": version.user,
            "Description": version.description,
            "Labels": sorted(version.labels),
            "Tier": version.tier,
            "Policies": [],
            "DataType": version.data_type,
            **({"AllowedPattern": version.allowed_pattern} if version.allowed_pattern else {}),
            **({"KeyId": version.key_id or "alias/aws/ssm"} if version.type == "SecureString" else {}),
        }
        for version in page
    ]
    return {"Parameters": told, "NextToken": token}


def _told(call: SsmCall, parameter: Parameter, version: Version) -> dict[str, Any]:
    return {
        "Name": parameter.name,
        "Type": version.type,
        "Value": _value(call, parameter, version),
        "Version": version.number,
        "LastModifiedDate": version.modified_at,
        "ARN": parameter.arn,
        "DataType": version.data_type,
    }


def _value(call: SsmCall, parameter: Parameter, version: Version) -> str:
    """The value; of a SecureString only what encryption would leave of it, unless decryption is asked for."""
    if version.type != "SecureString" or call.flag("WithDecryption"):
        return version.value
    return base64.b64encode(hashlib.sha256(f"{parameter.arn}:{version.number}".encode()).digest()).decode()


ACTIONS = {
    "GetParameter": operation(get_parameter, "Name", "WithDecryption"),
    "GetParameters": operation(get_parameters, "Names", "WithDecryption"),
    "GetParametersByPath": operation(
        get_parameters_by_path,
        "Path",
        "Recursive",
        "ParameterFilters",
        "WithDecryption",
        "MaxResults",
        "NextToken",
    ),
    "GetParameterHistory": operation(get_parameter_history, "Name", "WithDecryption", "MaxResults", "NextToken"),
}
