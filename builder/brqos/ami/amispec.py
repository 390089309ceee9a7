"""A variant's `amispec.toml`, merged over the defaults as pubsys does it from twoliter 0.10 on.

Rules: twoliter, tools/pubsys/src/aws/ami/README.md, register/mk_amispec.rs and tools/amispec. Keys are RegisterImage's
in kebab-case; tables are merged recursively, other values replaced; every value may be a Handlebars template over `ami`
and `block_devices`.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from brqos.errors import ConfigurationError

# What RegisterImage calls each key. Paravirtual and S3-backed images are not supported, as in pubsys.
_KEYS = {
    "name": "Name",
    "description": "Description",
    "architecture": "Architecture",
    "root-device-name": "RootDeviceName",
    "virtualization-type": "VirtualizationType",
    "sriov-net-support": "SriovNetSupport",
    "ena-support": "EnaSupport",
    "boot-mode": "BootMode",
    "uefi-data": "UefiData",
    "imds-support": "ImdsSupport",
    "tpm-support": "TpmSupport",
    "billing-product": "BillingProducts",
}
_DEVICE_KEYS = {"no-device": "NoDevice", "virtual-name": "VirtualName"}
_EBS_KEYS = {
    "delete-on-termination": "DeleteOnTermination",
    "encrypted": "Encrypted",
    "iops": "Iops",
    "kms-key-id": "KmsKeyId",
    "outpost-arn": "OutpostArn",
    "snapshot-id": "SnapshotId",
    "throughput": "Throughput",
    "volume-size": "VolumeSize",
    "volume-type": "VolumeType",
}
_NUMBERS = {"iops", "throughput", "volume-size"}
_SWITCHES = {"delete-on-termination", "encrypted", "ena-support"}
_VARIABLE = re.compile(r"\{\{\{?\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\}?\}\}")


def parse_amispec(text: str) -> dict[str, Any]:
    """The tables of an amispec; raises ConfigurationError if it is not TOML."""
    try:
        spec = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong("it is not TOML", str(error)) from error
    # Upstream takes both spellings of this one.
    if "block-device-mapping" in spec:
        spec["block-device-mappings"] = spec.pop("block-device-mapping")
    return spec


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` upserted into `base`: tables key by key, everything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def render(value: Any, variables: Mapping[str, str]) -> Any:  # noqa: ANN401 - a TOML document is of any type
    """The value with every `{{ variable }}` filled in; raises ConfigurationError for what is not known."""
    if isinstance(value, dict):
        return {render(key, variables): render(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [render(item, variables) for item in value]
    if not isinstance(value, str):
        return value
    for name in _VARIABLE.findall(value):
        if name not in variables:
            raise _wrong(f"it uses the variable “{name}”", f"Known here: {', '.join(sorted(variables))}.")
    # Outside of what was found, braces can only be a helper or a block, which nothing here could run.
    if "{{" in _VARIABLE.sub("", value):
        raise _wrong(f"the template “{value}” is more than a variable", "Helpers and blocks are not supported.")
    return _VARIABLE.sub(lambda match: variables[match[1]], value)


def register_parameters(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A rendered amispec as RegisterImage's parameters, without tags; raises ConfigurationError for unknown keys."""
    known = {*_KEYS, "block-device-mappings", "tags"}
    _check_keys(spec, known, "")
    parameters = {_KEYS[key]: _typed(key, value, "") for key, value in spec.items() if key in _KEYS}
    if parameters.get("VirtualizationType", "hvm") != "hvm":
        raise _wrong(f"virtualization-type is “{parameters['VirtualizationType']}”", "Bottlerocket needs hvm.")
    mappings = _table(spec, "block-device-mappings")
    parameters["BlockDeviceMappings"] = [_mapping(device, mappings[device]) for device in sorted(mappings)]
    return parameters


def tags_of(spec: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a rendered amispec; raises ConfigurationError for a value that is no text."""
    tags = _table(spec, "tags")
    for key, value in tags.items():
        if not isinstance(value, str):
            raise _wrong(f"the tag “{key}” is not a text")
    return tags


def _mapping(device: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(f"block-device-mappings.“{device}” is not a table")
    _check_keys(value, {*_DEVICE_KEYS, "ebs"}, f"block-device-mappings.“{device}”")
    mapping: dict[str, Any] = {"DeviceName": device}
    mapping |= {_DEVICE_KEYS[key]: str(item) for key, item in value.items() if key in _DEVICE_KEYS}
    if "ebs" in value:
        ebs = _table(value, "ebs")
        _check_keys(ebs, set(_EBS_KEYS), f"block-device-mappings.“{device}”.ebs")
        mapping["Ebs"] = {_EBS_KEYS[key]: _typed(key, ebs[key], device) for key in sorted(ebs)}
    return mapping


def _typed(key: str, value: object, place: str) -> object:
    # A template is written as a text even where it stands for a number or a switch.
    if key in _NUMBERS:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().isdecimal():
            return int(value)
        raise _wrong(f"{key} of {place} is “{value}”, which is not a number")
    if key in _SWITCHES:
        if value in (True, "true"):
            return True
        if value in (False, "false"):
            return False
        raise _wrong(f"{key} is “{value}”, which is neither true nor false")
    if key == "billing-product":
        return [str(item) for item in value] if isinstance(value, list) else [str(value)]
    return str(value)


def _table(spec: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = spec.get(key, {})
    if not isinstance(value, dict):
        raise _wrong(f"{key} is not a table")
    return value


def _check_keys(table: Mapping[str, Any], known: set[str], place: str) -> None:
    if unknown := sorted(set(table) - known):
        raise _wrong(
            f"the key “{unknown[0]}”{' in ' + place if place else ''} is not known",
            f"Known there: {', '.join(sorted(known))}.",
        )


def _wrong(what: str, why: str = "") -> ConfigurationError:
    return ConfigurationError(
        f"the variant's amispec.toml cannot be used: {what}",
        why=why,
        todo="Correct it in the tree that the image was built from.",
    )
