"""What registering will do, before it does it: per region the images, the registration and what follows. Pure."""

from collections.abc import Mapping
from typing import Any

from brqos.ami import tags as tagging
from brqos.ami.amispec import tags_of
from brqos.ami.layout import BLOCK, image_gib, placeholder
from brqos.ami.publication import Publication, publication_of
from brqos.ami.registration import checked_uefi_data, parameters_of, rendered_spec
from brqos.ami.request import AmiRequest
from brqos.ami.spread import sources
from brqos.ami.wishes import check_wishes
from brqos.config.base import Model
from brqos.errors import ConfigurationError
from brqos.image.model import Image, ImageRole


class SnapshotPlan(Model):
    """One snapshot to be written: `volume_gib` is StartSnapshot's, `blocks` how many 512 KiB blocks the image has.

    With `omit_zeros` blocks of nothing but zeros are not sent. `kms_key` is a key's ARN.
    """

    role: ImageRole
    image: Image
    volume_gib: int
    blocks: int
    description: str
    tags: dict[str, str]
    kms_key: str | None = None
    omit_zeros: bool = False

    @property
    def identity(self) -> dict[str, str]:
        """The tags by which an earlier snapshot of the same image is found."""
        return tagging.snapshot_identity(self.image, omit_zeros=self.omit_zeros)


class AmiPlan(Model):
    """Everything that will be asked of one region.

    In `registration` (RegisterImage's parameters) a snapshot's id stands as `<snapshot of os>` until there is one.
    `copy_from` is the region whose AMI is copied; None where the images are uploaded.
    """

    region: str
    name: str
    snapshots: tuple[SnapshotPlan, ...]
    registration: dict[str, Any]
    tags: dict[str, str]
    publication: Publication
    kms_key: str | None = None
    copy_from: str | None = None

    def register_parameters(self, snapshots: Mapping[ImageRole, str]) -> dict[str, Any]:
        """RegisterImage's parameters with the ids of the snapshots."""
        ids = {placeholder(role): snapshot for role, snapshot in snapshots.items()}
        filled: dict[str, Any] = _filled(self.registration, ids)
        return filled


def plan_amis(request: AmiRequest) -> tuple[AmiPlan, ...]:
    """One plan per region of `request.spec`; raises ConfigurationError for what AWS would refuse."""
    images = _images_by_role(request.images)
    check_wishes(request.spec)
    tagging.check_tags(request.spec.tags, "the tags for the AMI")
    uefi_data = checked_uefi_data(request.uefi_data) if request.secure_boot and request.uefi_data else None
    spec = rendered_spec(request, images, uefi_data)
    parameters = parameters_of(request, spec, images)
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
    content = tagging.content_tags(images, parameters.get("UefiData"))
    publication = publication_of(
        request.spec,
        variant=request.variant,
        arch=request.arch,
        image_version=request.image_version,
        tags={**request.spec.tags, **own},
        image_name=parameters["Name"],
    )
    plans = []
    for region, source in sources(request.spec).items():
        key = request.spec.kms_keys.get(region)
        tags = {**given, **own, **content, **({tagging.KMS_KEY: key} if key else {})}
        tagging.check_count({**tags, **dict.fromkeys(tagging.OF_DOCUMENTS, "")})
        plans.append(
            AmiPlan(
                region=region,
                name=parameters["Name"],
                snapshots=tuple(_snapshot_plan(image, request, {**given, **own}, key) for image in images.values()),
                # RegisterImage takes tags for the image alone; the snapshots get theirs when they are started.
                registration={
                    **parameters,
                    "TagSpecifications": [{"ResourceType": "image", "Tags": tagging.tag_list(tags)}],
                },
                tags=tags,
                publication=publication,
                kms_key=key,
                copy_from=source,
            )
        )
    return tuple(plans)


def _images_by_role(images: tuple[Image, ...]) -> dict[ImageRole, Image]:
    by_role = {image.role: image for image in images}
    if len(by_role) != len(images) or ImageRole.OS not in by_role:
        raise ConfigurationError(
            "an AMI needs exactly one OS image and at most one data image",
            why="Given: " + (", ".join(f"{image.file} ({image.role.value})" for image in images) or "none") + ".",
            todo="Give the OS image with --image and the data image with --data-image.",
        )
    return {role: by_role[role] for role in ImageRole if role in by_role}


def _snapshot_plan(image: Image, request: AmiRequest, tags: Mapping[str, str], kms_key: str | None) -> SnapshotPlan:
    omit_zeros = image.role.value in request.spec.omit_zero_blocks
    all_tags = {**tags, **tagging.snapshot_tags(image, omit_zeros=omit_zeros, kms_key=kms_key)}
    tagging.check_count(all_tags)
    return SnapshotPlan(
        role=image.role,
        image=image,
        volume_gib=image_gib(image.bytes),
        blocks=-(-image.bytes // BLOCK),
        description=f"Bottlerocket {request.image_version} {request.variant} {request.arch.value}, {image.role.value}",
        tags=all_tags,
        kms_key=kms_key,
        omit_zeros=omit_zeros,
    )


def _filled(value: Any, ids: Mapping[str, str]) -> Any:  # noqa: ANN401 - parameters are of any type
    if isinstance(value, dict):
        return {key: _filled(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, ids) for item in value]
    return ids.get(value, value) if isinstance(value, str) else value
