"""Verification: what was asked for, held against what AWS tells and what the snapshots hold, in every region."""

from collections.abc import Mapping
from functools import partial

from brqos.ami.everywhere import everywhere
from brqos.ami.inspection.image import AVAILABLE, registration_rows, state_row, uefi_row
from brqos.ami.inspection.result import Inspection, Row, asked, unknown
from brqos.ami.inspection.snapshots import blocks_row, read_sample, sample_row, snapshot_rows
from brqos.ami.inspection.wishes import mark_rows, parameter_rows, permissions_row, readers_row
from brqos.ami.making.existing import snapshots_of
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan, SnapshotPlan
from brqos.ami.publishing.parameter_names import wanted, wanted_latest
from brqos.ami.publishing.steps import described
from brqos.ami.upload.expected_blocks import ExpectedBlocks
from brqos.aws.ec2 import DescribedSnapshot
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.session import AwsSession
from brqos.image.model import ImageRole
from brqos.monitor import Monitor

Expected = Mapping[ImageRole, ExpectedBlocks]
"""Per image what its snapshot has to hold; an image that is left out has its blocks not looked at."""


def inspect_all(
    sessions: Mapping[str, AwsSession],
    amis: Mapping[str, RegionAmi],
    plans: Mapping[str, AmiPlan],
    expected: Expected,
    monitor: Monitor,
    *,
    named: bool = True,
) -> Inspection:
    """Inspect the AMI of every region; a region without one, or that cannot be asked, has one row that says so."""

    def inspect(region: str) -> tuple[Row, ...]:
        if region not in amis:
            return (state_row(None),)
        rows = inspect_region(sessions[region], region, amis[region], plans[region], expected, monitor, named=named)
        return tuple(rows)

    outcome = everywhere(plans, inspect)
    failed = {region: (unknown("AMI", AVAILABLE, str(error)),) for region, error in outcome.failures.items()}
    rows = {**outcome.results, **failed}
    return Inspection(regions={region: rows[region] for region in plans})


def inspect_region(
    session: AwsSession,
    region: str,
    ami: RegionAmi,
    plan: AmiPlan,
    expected: Expected,
    monitor: Monitor,
    *,
    named: bool = True,
) -> list[Row]:
    """The rows of one region; what AWS does not answer is a row of its own, and the rest is asked all the same.

    `named`: whether the SSM parameters that name the AMI are there by now. Raises AwsCallError if the AMI itself cannot
    be asked for.
    """
    with monitor.task(f"Verifying {ami.id} in {region}") as task:
        look = _Region(session, region, ami, plan)
        image = described(ami.id, look.ec2)
        rows = [state_row(image)]
        if image is None:
            return rows
        rows += registration_rows(plan, ami, image)
        rows += asked("UEFI data", "as planned", look.uefi_data)
        snapshots = {**ami.snapshots, **snapshots_of(image)}
        for item in plan.snapshots:
            task.describe(f"{item.role.value} snapshot")
            rows += look.snapshot(item, snapshots.get(item.role), expected.get(item.role))
        task.describe("what was published")
        rows += look.permissions(snapshots)
        rows += mark_rows(plan.publication, image)
        if named and plan.publication.ssm_prefix is not None:
            rows += asked("SSM parameters", f"naming {ami.id}", look.parameters)
    return rows


class _Region:
    """What is asked of AWS about one AMI."""

    def __init__(self, session: AwsSession, region: str, ami: RegionAmi, plan: AmiPlan) -> None:
        self._session, self._ami, self._plan, self._region = session, ami, plan, region
        self.ec2 = session.ec2(region)
        self._attributes = session.image_attributes(region)
        self._reader = session.ebs_reader(region)

    def uefi_data(self) -> list[Row]:
        return [uefi_row(self._plan, self._attributes.uefi_data(self._ami.id))]

    def snapshot(self, plan: SnapshotPlan, snapshot_id: str | None, expected: ExpectedBlocks | None) -> list[Row]:
        title = f"{plan.role.value} snapshot"
        if snapshot_id is None:
            return snapshot_rows(plan, None, encrypts_by_default=False)
        rows = asked(title, "completed", lambda: self._state(plan, snapshot_id))
        if expected is None:
            return rows
        tokens: dict[int, str] = {}

        def blocks() -> list[Row]:
            tokens.update(self._reader.list_blocks(snapshot_id))
            return [blocks_row(plan.role.value, expected, tokens)]

        def content() -> list[Row]:
            found = read_sample(self._reader, snapshot_id, tokens, expected.sample)
            return [sample_row(plan.role.value, expected, found)]

        rows += asked(f"{title}, blocks", f"{len(expected.sent)} blocks", blocks)
        # Without the tokens of the list nothing can be read.
        return rows + (asked(f"{title}, content", "as in the image", content) if tokens else [])

    def _state(self, plan: SnapshotPlan, snapshot_id: str) -> list[Row]:
        snapshot = self._described(snapshot_id)
        # The setting matters only for an encryption that nobody asked for.
        unasked = snapshot is not None and snapshot.encrypted and plan.kms_key is None
        by_default = unasked and self._attributes.ebs_encryption_by_default()
        return snapshot_rows(plan, snapshot, encrypts_by_default=by_default)

    def _described(self, snapshot_id: str) -> DescribedSnapshot | None:
        try:
            return self.ec2.snapshot(snapshot_id)
        except AwsCallError as error:
            if error.kind is ErrorKind.NOT_FOUND:
                return None
            raise

    def permissions(self, snapshots: Mapping[ImageRole, str]) -> list[Row]:
        wishes = self._plan.publication

        def launchers() -> list[Row]:
            return [permissions_row(wishes, self._attributes.launch_permissions(self._ami.id))]

        def readers(role: ImageRole) -> list[Row]:
            return [readers_row(role.value, wishes, self._attributes.snapshot_permissions(snapshots[role]))]

        rows = asked("launch permissions", "as asked for", launchers)
        for role in snapshots if wishes.share_snapshots else ():
            rows += asked(f"{role.value} snapshot, permissions", "as asked for", partial(readers, role))
        return rows

    def parameters(self) -> list[Row]:
        publication = self._plan.publication
        wishes = wanted(publication, self._ami.id, self._region)
        if publication.promote:
            wishes += wanted_latest(publication, self._ami.id, self._region)
        return parameter_rows(wishes, self._session.parameters(self._region).get(wish.name for wish in wishes))
