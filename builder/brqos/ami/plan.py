"""What registering will do, before it does it: per region the exact calls. Pure."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from brqos.ami import tags as tagging
from brqos.ami.amispec import merge, parse_amispec, register_parameters, render, tags_of
from brqos.ami.names import default_name
from brqos.architecture import Architecture
from brqos.config.model import AmiSpec, Model
from brqos.errors import ConfigurationError
from brqos.image.model import Image, ImageRole

DEVICES = {ImageRole.OS: "/dev/xvda", ImageRole.DATA: "/dev/xvdb"}
BLOCK = 524288
_GIB = 1 << 30
# twoliter's manifest.rs (DEFAULT_PUBLISH_IMAGE_SIZE_HINT_GIB); a `publish-image-size-hint-gib` of a variant is its own.
DEFAULT_PUBLISH_GIB = 22
_LARGEST_UEFI_DATA = 64 << 10
_NAME = re.compile(r"[A-Za-z0-9()\[\] ./'@_-]{3,128}", re.ASCII)
_LONGEST_DESCRIPTION = 255
_CONTEXT = {ImageRole.OS: "root", ImageRole.DATA: "data"}


class AmiRequest(Model):
    """All that registering needs to know.

    `variant` is the image's own (`aws-k8s-1.29-memoryqos`), `image_version` `<release>-<short commit>`. `uefi_data` is
    the text of `efi-vars.aws` (base64) and counts with `secure_boot` only; `ami_spec` is the text of the variant's
    `amispec.toml`. `publish_gib` is what the volumes have together at least (the variant's image layout).
    """

    images: tuple[Image, ...]
    variant: str
    arch: Architecture
    image_version: str
    spec: AmiSpec = AmiSpec()
    secure_boot: bool = False
    uefi_data: str | None = None
    ami_spec: str | None = None
    build: str | None = None
    upstream_commit: str | None = None
    publish_gib: int = Field(default=DEFAULT_PUBLISH_GIB, ge=1, le=65536)


class SnapshotPlan(Model):
    """One snapshot to be written: `volume_gib` is StartSnapshot's, `blocks` how many 512 KiB blocks are sent."""

    role: ImageRole
    image: Image
    volume_gib: int
    blocks: int
    description: str
    tags: dict[str, str]

    @property
    def identity(self) -> dict[str, str]:
        """The tags by which an earlier snapshot of the same image is found."""
        return tagging.snapshot_identity(self.image)


class PlannedCall(Model):
    """One call of AWS's API, as `--dry-run` shows it."""

    service: str
    operation: str
    region: str
    parameters: dict[str, Any]


class AmiPlan(Model):
    """Everything that will be asked of one region.

    In `registration` (RegisterImage's parameters) a snapshot's id stands as `<snapshot of os>` until there is one.
    """

    region: str
    name: str
    snapshots: tuple[SnapshotPlan, ...]
    registration: dict[str, Any]
    tags: dict[str, str]

    def register_parameters(self, snapshots: Mapping[ImageRole, str]) -> dict[str, Any]:
        """RegisterImage's parameters with the ids of the snapshots."""
        ids = {_placeholder(role): snapshot for role, snapshot in snapshots.items()}
        filled: dict[str, Any] = _filled(self.registration, ids)
        return filled

    def calls(self) -> tuple[PlannedCall, ...]:
        """Every call in order, those that only read included; UEFI data is shortened."""
        return tuple(
            PlannedCall(service=service, operation=operation, region=self.region, parameters=parameters)
            for service, operation, parameters in (*self._looks(), *self._writes(), *self._makes())
        )

    def _looks(self) -> list[tuple[str, str, dict[str, Any]]]:
        named = {"Owners": ["self"], "Filters": [{"Name": "name", "Values": [self.name]}]}
        return [("sts", "GetCallerIdentity", {}), ("ec2", "DescribeImages", named)]

    def _writes(self) -> list[tuple[str, str, dict[str, Any]]]:
        calls: list[tuple[str, str, dict[str, Any]]] = []
        for plan in self.snapshots:
            snapshot = _placeholder(plan.role)
            size = {"Name": "volume-size", "Values": [str(plan.volume_gib)]}
            found = [{"Name": "status", "Values": ["completed"]}, size, *_tag_filters(plan.identity)]
            start = {"VolumeSize": plan.volume_gib, "Description": plan.description, "Tags": tag_list(plan.tags)}
            blocks = {"SnapshotId": snapshot, "BlockIndex": f"0 … {plan.blocks - 1}", "DataLength": BLOCK}
            complete = {"SnapshotId": snapshot, "ChangedBlocksCount": plan.blocks}
            calls += [
                ("ec2", "DescribeSnapshots", {"OwnerIds": ["self"], "Filters": found}),
                ("ebs", "StartSnapshot", start),
                ("ebs", "PutSnapshotBlock", {**blocks, "ChecksumAlgorithm": "SHA256"}),
                ("ebs", "CompleteSnapshot", {**complete, "ChecksumAggregationMethod": "LINEAR"}),
            ]
        return calls

    def _makes(self) -> list[tuple[str, str, dict[str, Any]]]:
        shown = dict(self.registration)
        if data := shown.get("UefiData"):
            shown["UefiData"] = f"{data[:24]}… ({len(data)} characters)"
        return [("ec2", "RegisterImage", shown)]


def plan_amis(request: AmiRequest) -> tuple[AmiPlan, ...]:
    """One plan per region of `request.spec`; raises ConfigurationError for what AWS would refuse."""
    images = _images_by_role(request.images)
    tagging.check_tags(request.spec.tags, "the tags for the AMI")
    uefi_data = _checked_uefi_data(request.uefi_data) if request.secure_boot and request.uefi_data else None
    spec = _rendered_spec(request, images, uefi_data)
    parameters = _parameters(request, spec, images)
    own = tagging.common_tags(
        build=request.build,
        variant=request.variant,
        arch=request.arch.value,
        image_version=request.image_version,
        upstream_commit=request.upstream_commit,
    )
    from_spec = tags_of(spec)
    tagging.check_tags(from_spec, "amispec.toml")
    given = {tagging.NAME: parameters["Name"], **from_spec, **request.spec.tags}
    ami_tags = {**given, **own, **tagging.content_tags(images, parameters.get("UefiData"))}
    tagging.check_count(ami_tags)
    # RegisterImage takes tags for the image alone; the snapshots get theirs when they are started.
    parameters["TagSpecifications"] = [{"ResourceType": "image", "Tags": tag_list(ami_tags)}]
    snapshots = tuple(_snapshot_plan(image, request, {**given, **own}) for image in images.values())
    return tuple(
        AmiPlan(region=region, name=parameters["Name"], snapshots=snapshots, registration=parameters, tags=ami_tags)
        for region in dict.fromkeys(request.spec.regions)
    )


def volume_sizes(images: Mapping[ImageRole, int], publish_gib: int = DEFAULT_PUBLISH_GIB) -> dict[ImageRole, int]:
    """GiB of each volume, from the images' bytes (twoliter, ImageLayout::publish_image_sizes_gib).

    An image is as large as its layout says, so its own size stands for `os-image-size-gib` and `data-image-size-gib`:
    with a data image the OS volume has the image's size and the data volume the rest, else the OS volume has all.
    """
    least = {role: -(-size // _GIB) for role, size in images.items()}
    whole = max(publish_gib, sum(least.values()))
    if ImageRole.DATA in least:
        return {ImageRole.OS: least[ImageRole.OS], ImageRole.DATA: whole - least[ImageRole.OS]}
    return {ImageRole.OS: whole}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS's APIs take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _images_by_role(images: tuple[Image, ...]) -> dict[ImageRole, Image]:
    by_role = {image.role: image for image in images}
    if len(by_role) != len(images) or ImageRole.OS not in by_role:
        raise ConfigurationError(
            "an AMI needs exactly one OS image and at most one data image",
            why="Given: " + (", ".join(f"{image.file} ({image.role.value})" for image in images) or "none") + ".",
            todo="Give the OS image with --image and the data image with --data-image.",
        )
    return {role: by_role[role] for role in ImageRole if role in by_role}


def _checked_uefi_data(text: str) -> str:
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


def _rendered_spec(request: AmiRequest, images: Mapping[ImageRole, Image], uefi_data: str | None) -> dict[str, Any]:
    name = request.spec.name or default_name(request.variant, request.arch, request.image_version)
    description = request.spec.description or f"Bottlerocket {request.image_version} {request.variant}, by brqos"
    sizes = volume_sizes({role: image.bytes for role, image in images.items()}, request.publish_gib)
    variables = {"ami.unique_name": name, "ami.arch": request.arch.ec2, "ami.description": description}
    devices = {}
    for role, size in sizes.items():
        context = f"block_devices.{_CONTEXT[role]}"
        variables[f"{context}.volume_size"] = str(size)
        variables[f"{context}.snapshot_id"] = _placeholder(role)
        variables[f"{context}.device_name"] = DEVICES[role]
        # pubsys' default is gp2; gp3 costs less and is what upstream's own amispec files set.
        devices[DEVICES[role]] = {
            "ebs": {
                "volume-type": "gp3",
                "volume-size": size,
                "snapshot-id": _placeholder(role),
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


def _parameters(request: AmiRequest, spec: Mapping[str, Any], images: Mapping[ImageRole, Image]) -> dict[str, Any]:
    parameters = register_parameters(spec)
    sizes = volume_sizes({role: image.bytes for role, image in images.items()}, request.publish_gib)
    least = {_placeholder(role): size for role, size in sizes.items()}
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


def _snapshot_plan(image: Image, request: AmiRequest, tags: Mapping[str, str]) -> SnapshotPlan:
    own = {tagging.ROLE: image.role.value, tagging.SHA256: image.sha256}
    all_tags = {**tags, **own}
    tagging.check_count(all_tags)
    return SnapshotPlan(
        role=image.role,
        image=image,
        volume_gib=-(-image.bytes // _GIB),
        blocks=-(-image.bytes // BLOCK),
        description=f"Bottlerocket {request.image_version} {request.variant} {request.arch.value}, {image.role.value}",
        tags=all_tags,
    )


def _placeholder(role: ImageRole) -> str:
    return f"<snapshot of {role.value}>"


def _filled(value: Any, ids: Mapping[str, str]) -> Any:  # noqa: ANN401 - parameters are of any type
    if isinstance(value, dict):
        return {key: _filled(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, ids) for item in value]
    return ids.get(value, value) if isinstance(value, str) else value


def _tag_filters(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]
