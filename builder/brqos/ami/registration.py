"""RegisterImage's parameters: pubsys's defaults, then the variant's amispec.toml, then a person's wishes.

Rules: twoliter, tools/pubsys/src/aws/ami/register.rs and register/mk_amispec.rs. Pure.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from brqos.ami.amispec import merge, parse_amispec, register_parameters, render
from brqos.ami.layout import DEVICES, placeholder, volume_sizes
from brqos.ami.names import default_name
from brqos.ami.request import AmiRequest
from brqos.errors import ConfigurationError
from brqos.image.model import Image, ImageRole

_LARGEST_UEFI_DATA = 64 << 10
_NAME = re.compile(r"[A-Za-z0-9()\[\] ./'@_-]{3,128}", re.ASCII)
_LONGEST_DESCRIPTION = 255
_CONTEXT = {ImageRole.OS: "root", ImageRole.DATA: "data"}


def checked_uefi_data(text: str) -> str:
    """The base64 of UEFI variables on one line; raises ConfigurationError for what EC2 would refuse."""
    data = "".join(text.split())
    try:
        size = len(base64.b64decode(data, validate=True))
    except binascii.Error as error:
        raise ConfigurationError(
            "the UEFI data is not base64",
            why=str(error),
            todo="Give the signing profile's file efi-vars.aws, as upstream's sbkeys scripts make it.",
        ) from error
    if not 0 < size <= _LARGEST_UEFI_DATA:
        raise ConfigurationError(
            f"the UEFI data has {size} bytes",
            why=f"EC2 takes 1 to {_LARGEST_UEFI_DATA}.",
            todo="Give the signing profile's file efi-vars.aws.",
        )
    return data


def rendered_spec(request: AmiRequest, images: Mapping[ImageRole, Image], uefi_data: str | None) -> dict[str, Any]:
    """The amispec with its defaults and templates filled in; raises ConfigurationError for what is not known."""
    name = request.spec.name or default_name(request.variant, request.arch, request.image_version)
    description = request.spec.description or f"Bottlerocket {request.image_version} {request.variant}, by brqos"
    sizes = volume_sizes({role: image.bytes for role, image in images.items()}, request.publish_gib)
    variables = {"ami.unique_name": name, "ami.arch": request.arch.ec2, "ami.description": description}
    devices = {}
    for role, size in sizes.items():
        context = f"block_devices.{_CONTEXT[role]}"
        variables[f"{context}.volume_size"] = str(size)
        variables[f"{context}.snapshot_id"] = placeholder(role)
        variables[f"{context}.device_name"] = DEVICES[role]
        # pubsys' default is gp2; gp3 costs less and is what upstream's own amispec files set.
        devices[DEVICES[role]] = {
            "ebs": {
                "volume-type": "gp3",
                "volume-size": size,
                "snapshot-id": placeholder(role),
                "delete-on-termination": True,
            }
        }
    defaults: dict[str, Any] = {
        "name": name,
        "description": description,
        "architecture": request.arch.ec2,
        "root-device-name": DEVICES[ImageRole.OS],
        "sriov-net-support": "simple",
        "virtualization-type": "hvm",
        "ena-support": True,
        "imds-support": "v2.0",
        "block-device-mappings": devices,
    }
    if uefi_data is not None:
        defaults |= {"boot-mode": "uefi-preferred", "uefi-data": uefi_data}
    return merge(defaults, render(_spec_of_variant(request, images), variables))


def _spec_of_variant(request: AmiRequest, images: Mapping[ImageRole, Image]) -> dict[str, Any]:
    spec = parse_amispec(request.ami_spec) if request.ami_spec else {}
    # What a person asked for by name is meant; the variant's template is for when nobody did.
    for key, given in (("name", request.spec.name), ("description", request.spec.description)):
        if given is not None:
            spec.pop(key, None)
    mappings = spec.get("block-device-mappings")
    # Upstream's shared spec names the data device for every variant; without a data image nothing can be put there.
    if ImageRole.DATA not in images and isinstance(mappings, dict):
        device = mappings.get(DEVICES[ImageRole.DATA])
        if isinstance(device, dict) and set(device.get("ebs", {})) <= {"volume-type", "delete-on-termination"}:
            spec["block-device-mappings"] = {
                key: value for key, value in mappings.items() if key != DEVICES[ImageRole.DATA]
            }
    return spec


def parameters_of(request: AmiRequest, spec: Mapping[str, Any], images: Mapping[ImageRole, Image]) -> dict[str, Any]:
    """A rendered amispec as RegisterImage's parameters; raises ConfigurationError for a name or text EC2 refuses."""
    parameters = register_parameters(spec)
    sizes = volume_sizes({role: image.bytes for role, image in images.items()}, request.publish_gib)
    least = {placeholder(role): size for role, size in sizes.items()}
    for mapping in parameters["BlockDeviceMappings"]:
        ebs = mapping.get("Ebs", {})
        if (size := least.get(ebs.get("SnapshotId"))) is not None:
            ebs["VolumeSize"] = max(size, ebs.get("VolumeSize", size))
    if not _NAME.fullmatch(parameters["Name"]):
        raise ConfigurationError(
            f"“{parameters['Name']}” cannot be the name of an AMI",
            why="It has 3 to 128 characters: letters, digits, spaces and ( ) [ ] . / - ' @ _",
            todo="Give another one with --name.",
        )
    if len(parameters.get("Description", "")) > _LONGEST_DESCRIPTION:
        raise ConfigurationError(
            f"the AMI's description is longer than {_LONGEST_DESCRIPTION} characters",
            todo="Give a shorter one with --description.",
        )
    return parameters
