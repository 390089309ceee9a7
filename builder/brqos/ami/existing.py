"""Whether an AMI that is there already is the one that is wanted. Pure."""

from brqos.ami import tags as tagging
from brqos.ami.plan import DEVICES, AmiPlan
from brqos.aws.ec2 import DescribedImage
from brqos.image.model import ImageRole

_ATTRIBUTES = (
    "Architecture", "RootDeviceName", "VirtualizationType", "EnaSupport", "SriovNetSupport", "BootMode", "ImdsSupport",
    "TpmSupport",
)  # fmt: skip
_VOLUME = ("VolumeSize", "VolumeType", "DeleteOnTermination", "Iops", "Throughput")


def differences(plan: AmiPlan, image: DescribedImage) -> tuple[str, ...]:
    """What of the image is not as planned, each as a phrase; empty if it can be taken.

    Its content is told by its tags: the images' SHA-256, and that of the UEFI data, which DescribeImages does not tell.
    """
    wanted, found = plan.registration, image.attributes
    told = [
        f"{name} is {found.get(name, 'not set')}, not {wanted.get(name, 'unset')}"
        for name in _ATTRIBUTES
        if wanted.get(name) != found.get(name)
    ]
    for key in (*(tagging.image_tag(role) for role in ImageRole), tagging.UEFI_DATA):
        if plan.tags.get(key) != image.tags.get(key):
            told.append(f"its tag {key} is {image.tags.get(key, 'not set')}, not {plan.tags.get(key, 'unset')}")
    return (*told, *_device_differences(plan, image))


def _device_differences(plan: AmiPlan, image: DescribedImage) -> list[str]:
    wanted = {item["DeviceName"]: item["Ebs"] for item in plan.registration["BlockDeviceMappings"] if "Ebs" in item}
    told = []
    for device in sorted({*wanted, *image.mappings}):
        if device not in wanted or device not in image.mappings:
            told.append(f"the volume {device} is {'missing' if device in wanted else 'not planned'}")
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
