"""An AMI as EC2 describes it, held against what the request takes it for."""

from dataclasses import replace

from brqos.ami import tags
from brqos.aws.ec2 import DescribedImage
from brqos.errors import ConfigurationError
from brqos.nodes.request import NodegroupRequest, NodeImage
from brqos.nodes.volumes import DATA_DEVICE, ROOT_DEVICE


def check_image(request: NodegroupRequest, image: DescribedImage | None) -> tuple[str, ...]:
    """Refuse an AMI that cannot work there; returns warnings. `image` is None where EC2 does not know the id."""
    if image is None:
        raise ConfigurationError(
            f"there is no AMI {request.ami} in {request.region}",
            why="An AMI exists in one region only, and another account sees it only if it is shared with it.",
            todo="Give the id that `brqos status` shows for that region, or share it: brqos register --share-account.",
        )
    _check_state(image)
    _check_architecture(request, image)
    _check_variant(request, image)
    _check_devices(image)
    _check_size(request, image)
    return (*_warn_of_origin(image), *_warn_of_age(image), *_warn_of_volumes(request, image))


def completed(asked: NodeImage, image: DescribedImage) -> NodeImage:
    """The image with what EC2 tells of it, where it was not known: the release, and the root volume's size."""
    root = image.mappings.get(ROOT_DEVICE, {}).get("VolumeSize")
    return replace(asked, release=asked.release or _release(image), root_gib=asked.root_gib or root)


def _release(image: DescribedImage) -> str | None:
    """Bottlerocket's release (`1.50.0`), from our tag; None where the AMI has none."""
    version = image.tags.get(tags.IMAGE_VERSION)
    return version.removeprefix("v").partition("-")[0] if version else None


def _check_state(image: DescribedImage) -> None:
    if image.state != "available":
        raise ConfigurationError(
            f"the AMI {image.id} is not available, but {image.state}",
            why=image.reason or "Instances start from available AMIs only.",
            todo="Wait for it, or run `brqos register` again: it goes on with what is there.",
        )


def _check_architecture(request: NodegroupRequest, image: DescribedImage) -> None:
    told = str(image.attributes.get("Architecture", ""))
    if told and told != request.architecture.ec2:
        raise ConfigurationError(
            f"the AMI {image.id} is for {told}, not for {request.architecture.ec2}",
            why="EC2 says so (DescribeImages).",
            todo=f"Give --arch {told}.",
        )


def _check_variant(request: NodegroupRequest, image: DescribedImage) -> None:
    tagged = image.tags.get(tags.VARIANT)
    if tagged is not None and tagged != request.variant.memory_qos:
        raise ConfigurationError(
            f"the AMI {image.id} is of the variant {tagged}, not {request.variant.memory_qos}",
            why=f"Its tag {tags.VARIANT} says so.",
            todo=f"Give --variant {tagged}.",
        )


def _check_devices(image: DescribedImage) -> None:
    root = image.attributes.get("RootDeviceName", ROOT_DEVICE)
    if root != ROOT_DEVICE or ROOT_DEVICE not in image.mappings:
        raise ConfigurationError(
            f"the AMI {image.id} does not boot from {ROOT_DEVICE}",
            why="eksctl, EKS and Karpenter take this name for granted for Bottlerocket's root volume.",
            todo="Register the images with `brqos register`.",
        )


def _check_size(request: NodegroupRequest, image: DescribedImage) -> None:
    size, least = request.spec.volume_size, image.mappings.get(DATA_DEVICE, {}).get("VolumeSize", 0)
    if size is not None and size < least:
        raise ConfigurationError(
            f"a data volume of {size} GiB is smaller than the AMI's, which has {least} GiB",
            why="EC2 makes no volume smaller than its snapshot.",
            todo=f"Give --volume-size {least} or more.",
        )


def _warn_of_origin(image: DescribedImage) -> tuple[str, ...]:
    if image.tags.get(tags.TOOL) == "brqos":
        return ()
    warning = (
        f"the AMI {image.id} does not have brqos's tags: it was not made by brqos, or it belongs to another account, "
        "which does not show its tags; whether MemoryQoS is on there `brqos verify` tells"
    )
    return (warning,)


def _warn_of_age(image: DescribedImage) -> tuple[str, ...]:
    if image.deprecated_at is None:
        return ()
    return (f"the AMI {image.id} counts as deprecated from {image.deprecated_at:%Y-%m-%d} on",)


def _warn_of_volumes(request: NodegroupRequest, image: DescribedImage) -> tuple[str, ...]:
    if DATA_DEVICE not in image.mappings:
        warning = (
            f"the AMI {image.id} has no data volume {DATA_DEVICE}: eksctl and EKS take Bottlerocket to have one, and "
            "add an empty disk that nothing uses"
        )
        return (warning,)
    root, data = (bool(image.mappings[device].get("Encrypted")) for device in (ROOT_DEVICE, DATA_DEVICE))
    if root == data or request.spec.volume_encrypted:
        return ()
    warning = (
        f"of the AMI {image.id} one snapshot is encrypted and the other is not; eksctl maps both volumes like the "
        "root's: encrypt both, with --volume-encrypted or when registering"
    )
    return (warning,)
