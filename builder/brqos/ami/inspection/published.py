"""What is published already, held against what is asked for: `brqos register --verify`."""

from collections.abc import Mapping, Sequence

from brqos.ami.everywhere import everywhere
from brqos.ami.inspection.regions import inspect_all
from brqos.ami.inspection.result import Inspection
from brqos.ami.making.existing import snapshots_of
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan
from brqos.ami.setting import RegionSetting
from brqos.ami.upload.expected_blocks import expected_of
from brqos.errors import BrqosError
from brqos.monitor import Monitor


def inspect_published(
    plans: Sequence[AmiPlan], settings: Mapping[str, RegionSetting], monitor: Monitor
) -> tuple[dict[str, RegionAmi], Inspection, Mapping[str, BrqosError]]:
    """The AMIs of the planned name, what was found out about them, and the regions that could not be asked.

    Nothing is changed. Raises ConfigurationError if an image has changed.
    """
    by_region = {plan.region: plan for plan in plans}
    looked = everywhere(by_region, lambda region: _found(by_region[region], settings[region]))
    amis = {region: ami for region, ami in looked.results.items() if ami is not None}
    expected = {}
    if amis:
        for item in plans[0].snapshots:
            with monitor.task(f"Reading the {item.role.value} image"):
                expected[item.role] = expected_of(item.image, omit_zeros=item.omit_zeros)
    asked = {region: plan for region, plan in by_region.items() if region not in looked.failures}
    sessions = {region: settings[region].session for region in asked}
    return amis, inspect_all(sessions, amis, asked, expected, monitor), looked.failures


def _found(plan: AmiPlan, setting: RegionSetting) -> RegionAmi | None:
    images = setting.ec2.images_named(plan.name)
    if not images:
        return None
    image = images[0]
    snapshots = snapshots_of(image)
    return RegionAmi(id=image.id, name=image.name, snapshots=snapshots, created=False, state=image.state)
