"""Whether an AMI is what RegisterImage was asked for, as DescribeImages and DescribeImageAttribute tell it. Pure."""

import hashlib
from collections.abc import Mapping

from brqos.ami import tags as tagging
from brqos.ami.inspection.result import Row, Verdict, compared
from brqos.ami.making.existing import contradictions, silences, snapshots_of
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan
from brqos.aws.ec2 import DescribedImage
from brqos.image.model import ImageRole

AVAILABLE = "available"
_SHOWN = 12
# An AMI that was taken as it was there has those of the run that made it.
_OF_THE_RUN = (tagging.BUILD, tagging.VERSION)


def state_row(image: DescribedImage | None) -> Row:
    """Whether the AMI is there and available."""
    return compared("AMI", AVAILABLE, image.state if image else "not there", image.reason if image else "")


def registration_rows(plan: AmiPlan, ami: RegionAmi, image: DescribedImage) -> list[Row]:
    """Everything of the request that DescribeImages tells."""
    rows = [compared("name", plan.name, image.name), *_attributes(plan, image), *_tags(plan, image)]
    if "Description" in plan.registration:
        rows.append(compared("description", plan.registration["Description"], image.attributes.get("Description", "")))
    if found := snapshots_of(image):
        rows.append(compared("snapshots", _ids(ami.snapshots), _ids(found)))
    return rows


def uefi_row(plan: AmiPlan, found: str | None) -> Row:
    """Whether the UEFI variables are those that were given; told by their SHA-256."""
    return compared("UEFI data", _shown(plan.registration.get("UefiData")), _shown(found))


def _attributes(plan: AmiPlan, image: DescribedImage) -> list[Row]:
    told, untold = contradictions(plan, image), silences(plan, image)
    if not told and not untold:
        return [Row(check="registration", expected="as planned", found="as planned", verdict=Verdict.OK)]
    rows = [Row(check="registration", expected="as planned", found=what, verdict=Verdict.DIFFERENT) for what in told]
    return rows + [
        Row(
            check="registration",
            expected="as planned",
            found=what,
            verdict=Verdict.UNKNOWN,
            note="EC2 tells all of it; an endpoint that stands in for EC2 may not.",
        )
        for what in untold
    ]


def _tags(plan: AmiPlan, image: DescribedImage) -> list[Row]:
    wanted = {key: value for key, value in plan.tags.items() if key not in _OF_THE_RUN}
    wrong = [
        f"{key} is {image.tags.get(key, 'not set')}, not {value}"
        for key, value in wanted.items()
        if image.tags.get(key) != value
    ]
    return [
        Row(
            check="tags",
            expected=f"{len(wanted)} as planned",
            found="; ".join(wrong) or f"{len(wanted)} as planned",
            verdict=Verdict.DIFFERENT if wrong else Verdict.OK,
        )
    ]


def _ids(snapshots: Mapping[ImageRole, str]) -> str:
    return ", ".join(f"{role.value}: {snapshots[role]}" for role in sorted(snapshots))


def _shown(uefi_data: str | None) -> str:
    data = "".join((uefi_data or "").split())
    return f"sha256:{hashlib.sha256(data.encode()).hexdigest()[:_SHOWN]}…" if data else "none"
