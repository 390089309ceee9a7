"""Whether an AMI that is there already is the one that is wanted. Pure."""

from brqos.ami import tags as tagging
from brqos.ami.layout import DEVICES
from brqos.ami.plan import AmiPlan
from brqos.aws.ec2 import DescribedImage
from brqos.image.model import ImageRole

_ATTRIBUTES = (
    "Architecture", "RootDeviceName", "VirtualizationType", "EnaSupport", "SriovNetSupport", "BootMode", "ImdsSupport",
    "TpmSupport",
)  # fmt: skip
_CONTENT_TAGS = (*(tagging.image_tag(role) for role in ImageRole), tagging.UEFI_DATA, tagging.KMS_KEY)
_VOLUME = ("VolumeSize", "VolumeType", "DeleteOnTermination", "Iops", "Throughput")


def differences(plan: AmiPlan, image: DescribedImage) -> tuple[str, ...]:
    """What of the image is not as planned, each as a phrase; empty if it can be taken.

    Its content is told by its tags: the images' SHA-256, and that of the UEFI data, which DescribeImages does not tell.
    """
    return (*contradictions(plan, image), *silences(plan, image))


def contradictions(plan: AmiPlan, image: DescribedImage) -> tuple[str, ...]:
    """What the answer tells otherwise than planned."""
    wanted, found = plan.registration, image.attributes
    told = [
        f"{name} is {found[name]}, not {wanted.get(name, 'unset')}"
        for name in _ATTRIBUTES
        if name in found and wanted.get(name) != found[name]
    ]
    told += [
        f"its tag {key} is {image.tags[key]}, not {plan.tags.get(key, 'unset')}"
        for key in _CONTENT_TAGS
        if key in image.tags and plan.tags.get(key) != image.tags[key]
    ]
    return (*told, *_device_differences(plan, image))


def silences(plan: AmiPlan, image: DescribedImage) -> tuple[str, ...]:
    """What was planned and the answer does not tell at all.

    EC2 tells all of it. An endpoint that stands in for EC2 may not, which says nothing about the image.
    """
    untold = [
        f"{name} is not set" for name in _ATTRIBUTES if name in plan.registration and name not in image.attributes
    ]
    untold += [f"its tag {key} is not set" for key in _CONTENT_TAGS if key in plan.tags and key not in image.tags]
    devices = [item["DeviceName"] for item in plan.registration["BlockDeviceMappings"] if "Ebs" in item]
    return (*untold, *(f"the volume {device} is missing" for device in devices if device not in image.mappings))


def _device_differences(plan: AmiPlan, image: DescribedImage) -> list[str]:
    wanted = {item["DeviceName"]: item["Ebs"] for item in plan.registration["BlockDeviceMappings"] if "Ebs" in item}
    told = []
    for device in sorted(image.mappings):
        if device not in wanted:
            told.append(f"the volume {device} is not planned")
            continue
        volume = image.mappings[device]
        told += [
            f"{name} of {device} is {volume.get(name, 'not set')}, not {wanted[device][name]}"
            for name in _VOLUME
            if name in wanted[device] and wanted[device][name] != volume.get(name)
        ]
    return told


def snapshots_of(image: DescribedImage) -> dict[ImageRole, str]:
    """The ids of the image's snapshots, by what they hold."""
    return {
        role: str(image.mappings[device]["SnapshotId"])
        for role, device in DEVICES.items()
        if image.mappings.get(device, {}).get("SnapshotId")
    }
