"""What an inspection makes of AWS's answers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from brqos.ami import tags as tagging
from brqos.ami.inspection.image import registration_rows, state_row, uefi_row
from brqos.ami.inspection.result import Inspection, Row, Verdict, asked, compared, told
from brqos.ami.inspection.snapshots import snapshot_rows
from brqos.ami.inspection.wishes import mark_rows, parameter_rows, permissions_row, readers_row
from brqos.ami.layout import DEVICES
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan, AmiRequest, plan_amis
from brqos.ami.publication import Publication, Subject
from brqos.ami.publishing.parameter_names import wanted
from brqos.aws.ec2 import DescribedImage, DescribedSnapshot
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.image_attributes import Grants
from brqos.aws.parameters import IMAGE, Parameter
from brqos.image.model import ImageRole

from ..conftest import REGION
from ..worlds import FOLDER, PREFIX, SUBJECT

KEY = f"arn:aws:kms:{REGION}:111122223333:key/1234"
CREATED = datetime(2026, 11, 25, 22, 12, 49, tzinfo=UTC)
SNAPSHOTS = {ImageRole.OS: "snap-1", ImageRole.DATA: "snap-2"}
AMI = RegionAmi(id="ami-1", name="n", snapshots=SNAPSHOTS)


@pytest.fixture
def plan(request_for: Callable[..., AmiRequest]) -> AmiPlan:
    return plan_amis(request_for(secure_boot=True, uefi_data="QUJD"))[0]


@pytest.fixture
def image(plan: AmiPlan) -> DescribedImage:
    """The image just as it was planned."""
    wanted = plan.register_parameters(SNAPSHOTS)
    return DescribedImage(
        id="ami-1",
        name=plan.name,
        state="available",
        reason="",
        tags=plan.tags,
        attributes={key: value for key, value in wanted.items() if isinstance(value, str | bool) and key != "UefiData"},
        mappings={item["DeviceName"]: {**item["Ebs"], "Encrypted": False} for item in wanted["BlockDeviceMappings"]},
        created=CREATED,
    )


def wishes(**fields: Any) -> Publication:
    return Publication(subject=Subject(**SUBJECT), **fields)


def wrong(rows: list[Row]) -> list[tuple[str, Verdict]]:
    return [(row.check, row.verdict) for row in rows if row.verdict is not Verdict.OK]


def test_the_state(image: DescribedImage) -> None:
    assert state_row(image).verdict is Verdict.OK
    failed = state_row(replace(image, state="failed", reason="no space"))
    assert (failed.found, failed.verdict, failed.note) == ("failed", Verdict.DIFFERENT, "no space")
    assert state_row(None).found == "not there"


def test_an_image_as_planned(plan: AmiPlan, image: DescribedImage) -> None:
    rows = registration_rows(plan, AMI, image)
    assert wrong(rows) == []
    assert {row.check for row in rows} == {"name", "registration", "tags", "description", "snapshots"}
    assert next(row for row in rows if row.check == "snapshots").found == "data: snap-2, os: snap-1"


def test_every_difference_is_a_row(plan: AmiPlan, image: DescribedImage) -> None:
    devices = {**image.mappings, "/dev/xvda": {**image.mappings["/dev/xvda"], "VolumeType": "gp2", "SnapshotId": "x"}}
    other = replace(
        image,
        name="other",
        attributes={**image.attributes, "BootMode": "legacy-bios", "Description": ""},
        mappings=devices,
    )
    rows = registration_rows(plan, AMI, other)
    assert sorted(wrong(rows)) == [
        ("description", Verdict.DIFFERENT),
        ("name", Verdict.DIFFERENT),
        ("registration", Verdict.DIFFERENT),
        ("registration", Verdict.DIFFERENT),
        ("snapshots", Verdict.DIFFERENT),
    ]
    assert {row.found for row in rows if row.check == "registration"} == {
        "BootMode is legacy-bios, not uefi-preferred",
        "VolumeType of /dev/xvda is gp2, not gp3",
    }


def test_what_is_not_told_is_unknown(plan: AmiPlan, image: DescribedImage) -> None:
    attributes = {key: value for key, value in image.attributes.items() if key != "ImdsSupport"}
    rows = registration_rows(plan, AMI, replace(image, attributes=attributes, mappings={}))
    assert set(wrong(rows)) == {("registration", Verdict.UNKNOWN)}
    assert {row.found for row in rows if row.verdict is Verdict.UNKNOWN} == {
        "ImdsSupport is not set",
        *(f"the volume {device} is missing" for device in DEVICES.values()),
    }


def test_tags(plan: AmiPlan, image: DescribedImage) -> None:
    taken = {**plan.tags, tagging.VERSION: "0.0.1", tagging.BUILD: "earlier", "theirs": "x"}
    assert wrong(registration_rows(plan, AMI, replace(image, tags=taken))) == []
    rows = registration_rows(plan, AMI, replace(image, tags={**plan.tags, tagging.VARIANT: "another"}))
    assert wrong(rows) == [("tags", Verdict.DIFFERENT)]


def test_the_uefi_data(plan: AmiPlan) -> None:
    assert uefi_row(plan, "QUJD\n").verdict is Verdict.OK
    assert uefi_row(plan, "QUJE").verdict is Verdict.DIFFERENT
    assert uefi_row(plan, None).found == "none"
    plain = plan.model_copy(update={"registration": {}})
    assert uefi_row(plain, None).verdict is Verdict.OK
    assert uefi_row(plain, "QUJD").verdict is Verdict.DIFFERENT


@pytest.mark.parametrize(
    ("asked_for", "key", "by_default", "verdict"),
    [
        (None, None, False, Verdict.OK),
        (None, None, True, Verdict.OK),
        (None, KEY, True, Verdict.OK),
        (None, KEY, False, Verdict.DIFFERENT),
        (KEY, KEY, False, Verdict.OK),
        (KEY, f"{KEY}5", True, Verdict.DIFFERENT),
        (KEY, None, False, Verdict.DIFFERENT),
    ],
)
def test_the_encryption(
    plan: AmiPlan, asked_for: str | None, key: str | None, by_default: bool, verdict: Verdict
) -> None:
    planned = plan.snapshots[0].model_copy(update={"kms_key": asked_for})
    found = DescribedSnapshot("snap-1", "completed", "", planned.volume_gib, key is not None, {}, key)
    rows = snapshot_rows(planned, found, encrypts_by_default=by_default)
    assert [row.check for row in rows] == ["os snapshot", "os snapshot, size", "os snapshot, encryption"]
    assert [row.verdict for row in rows] == [Verdict.OK, Verdict.OK, verdict]


def test_a_snapshot_that_is_not_complete(plan: AmiPlan) -> None:
    found = DescribedSnapshot("snap-1", "error", "cut off", 7, False, {})
    rows = snapshot_rows(plan.snapshots[0], found, encrypts_by_default=False)
    assert wrong(rows) == [("os snapshot", Verdict.DIFFERENT), ("os snapshot, size", Verdict.DIFFERENT)]
    assert rows[0].note == "cut off"
    assert wrong(snapshot_rows(plan.snapshots[0], None, encrypts_by_default=False)) == [
        ("os snapshot", Verdict.DIFFERENT)
    ]


@pytest.mark.parametrize(
    ("found", "public", "verdict", "note"),
    [
        (Grants(frozenset({"111122223333"})), False, Verdict.OK, ""),
        (Grants(frozenset({"111122223333", "999988887777"})), False, Verdict.OK, "999988887777"),
        (Grants(frozenset({"111122223333"}), public=True), False, Verdict.DIFFERENT, ""),
        (Grants(frozenset({"111122223333"}), public=True), True, Verdict.OK, ""),
        (Grants(frozenset({"111122223333"})), True, Verdict.DIFFERENT, ""),
        (Grants(), False, Verdict.DIFFERENT, ""),
    ],
)
def test_permissions(found: Grants, public: bool, verdict: Verdict, note: str) -> None:
    publication = wishes(accounts=("111122223333",), public=public, share_snapshots=True)
    for row in (permissions_row(publication, found), readers_row("os", publication, found)):
        assert row.verdict is verdict
        assert note in row.note
        assert bool(row.note) == bool(note)


def test_snapshots_are_for_accounts_alone() -> None:
    organization = "arn:aws:organizations::111122223333:organization/o-abcdefghij"
    publication = wishes(organizations=(organization,), share_snapshots=True)
    assert readers_row("os", publication, Grants()).verdict is Verdict.OK
    assert permissions_row(publication, Grants()).verdict is Verdict.DIFFERENT


def test_marks(image: DescribedImage) -> None:
    publication = wishes(deprecate_after_days=90, protect=True)
    assert wrong(mark_rows(publication, image)) == [
        ("deprecation", Verdict.DIFFERENT),
        ("deregistration protection", Verdict.DIFFERENT),
    ]
    at = CREATED + timedelta(days=90)
    marked = replace(image, deprecated_at=at, protection="enabled-with-cooldown")
    assert wrong(mark_rows(publication, marked)) == []
    assert wrong(mark_rows(publication, replace(marked, created=None))) == [("deprecation", Verdict.UNKNOWN)]
    assert mark_rows(wishes(), marked) == []


def test_parameters() -> None:
    publication = wishes(ssm_prefix=PREFIX)
    folder = f"{FOLDER}/{SUBJECT['image_version']}"
    good = {
        f"{folder}/image_id": Parameter("", "ami-1", data_type=IMAGE),
        f"{folder}/image_version": Parameter("", SUBJECT["image_version"]),
    }
    assert wrong(parameter_rows(wanted(publication, "ami-1", "eu-west-1"), good)) == []
    as_text = {**good, f"{folder}/image_id": Parameter("", "ami-1")}
    rows = parameter_rows(wanted(publication, "ami-1", "eu-west-1"), as_text)
    assert wrong(rows) == []
    assert rows[0].note == "Its data type is text, not aws:ec2:image."
    assert wrong(parameter_rows(wanted(publication, "ami-2", "eu-west-1"), good)) == [
        (f"{folder}/image_id", Verdict.DIFFERENT)
    ]
    assert [row.found for row in parameter_rows(wanted(publication, "ami-1", "eu-west-1"), {})] == ["not there"] * 2
    assert parameter_rows(wanted(wishes(), "ami-1", "eu-west-1"), {}) == []


def test_what_cannot_be_asked_is_unknown() -> None:
    def fail() -> list[Row]:
        raise AwsCallError("AWS refused it", kind=ErrorKind.ACCESS_DENIED, why="You may not.")

    (row,) = asked("UEFI data", "x", fail)
    assert (row.verdict, row.note) == (Verdict.UNKNOWN, "AWS refused it: You may not.")
    good = compared("a", "b", "b")
    assert asked("a", "b", lambda: [good]) == [good]


def test_rows_as_text() -> None:
    bad = compared("name", "a", "b", "since yesterday")
    assert told({"us-east-1": (bad,)}) == "us-east-1: name is b, expected a (since yesterday)"


def test_agreement() -> None:
    good, bad = compared("name", "a", "a"), compared("name", "a", "b")
    assert Inspection(regions={"eu-west-1": (good,)}).agreed
    assert not Inspection(regions={"eu-west-1": (good, bad)}).agreed
    assert not Inspection().agreed
