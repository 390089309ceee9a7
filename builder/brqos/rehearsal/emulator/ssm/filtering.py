"""The ParameterFilters of DescribeParameters and GetParametersByPath.

Rules: the reference of ParameterStringFilter: DescribeParameters knows tag, Name, Type, KeyId, Path, Label, Tier and
DataType; GetParametersByPath knows Type, KeyId and Label.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brqos.rehearsal.emulator.parameters import Parameter
from brqos.rehearsal.emulator.ssm.call import invalid
from brqos.rehearsal.emulator.ssm.names import is_below
from brqos.rehearsal.emulator.wire import ServiceError

DESCRIBE = ("tag", "Name", "Type", "KeyId", "Path", "Label", "Tier", "DataType")
BY_PATH = ("Type", "KeyId", "Label")
_Test = Callable[[str, str], bool]
_OPTIONS: dict[str, _Test] = {
    "Equals": lambda value, wanted: value == wanted,
    "BeginsWith": lambda value, wanted: value.startswith(wanted),
    "Contains": lambda value, wanted: wanted in value,
}


def passes(parameter: Parameter, filters: Sequence[Mapping[str, Any]], known: Sequence[str]) -> bool:
    """Whether a parameter passes all filters; raises ServiceError for what a filter cannot be."""
    return all(_passes(parameter, each, known) for each in filters)


def _passes(parameter: Parameter, each: Mapping[str, Any], known: Sequence[str]) -> bool:
    key, option, values = str(each.get("Key")), each.get("Option"), each.get("Values") or []
    kind = "tag" if key.startswith("tag:") else key
    if kind not in DESCRIBE:
        pattern = "tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType"
        raise invalid(
            f"1 validation error detected: Value '{key}' at 'parameterFilters.1.member.key' failed to satisfy "
            f"constraint: Member must satisfy regular expression pattern: {pattern}"
        )
    if kind not in known:
        raise ServiceError("InvalidFilterKey", f"The following filter key is not valid: {key}.")
    if kind == "tag":
        tag = parameter.tags.get(key.removeprefix("tag:"))
        return tag is not None and (not values or tag in values)
    if not values or not all(isinstance(value, str) for value in values):
        raise ServiceError("InvalidFilterValue", "The following filter values are missing : null for filter key " + key)
    if kind == "Path":
        return _in_paths(parameter, values, option or "OneLevel")
    latest = parameter.latest
    candidates = {
        "Name": [parameter.name, parameter.name.removeprefix("/")],
        "Type": [latest.type],
        "KeyId": [latest.key_id or "alias/aws/ssm"] if latest.type == "SecureString" else [],
        "Label": [label for version in parameter.versions for label in version.labels],
        "Tier": [latest.tier],
        "DataType": [latest.data_type],
    }[kind]
    test = _OPTIONS.get(option or "Equals")
    if test is None or (option == "Contains" and kind != "Name"):
        raise ServiceError("InvalidFilterOption", f"The following filter option is not valid: {option}.")
    return any(test(candidate, wanted) for candidate in candidates for wanted in values)


def _in_paths(parameter: Parameter, paths: Sequence[str], option: str) -> bool:
    if option not in ("Recursive", "OneLevel"):
        message = f"The following filter option is not valid: {option}. Valid options include: [Recursive, OneLevel]"
        raise ServiceError("InvalidFilterOption", message)
    for path in paths:
        if not path.startswith("/"):
            raise invalid(f'The parameter path "{path}" must begin with a forward slash "/".')
    return any(is_below(parameter.name, path, recursive=option == "Recursive") for path in paths)
