"""Pages, filters and tags of EC2's Describe calls."""

from typing import Any

import pytest

from brqos.rehearsal.emulator import Emulator

from .conftest import Aws, Clock, refused

pytestmark = pytest.mark.loopback


def ids(answer: dict[str, Any]) -> list[str]:
    return [each.get("ImageId") or each["SnapshotId"] for each in answer.get("Images") or answer.get("Snapshots") or []]


def test_pages(aws: Aws, emulator: Emulator) -> None:
    snapshots = [aws.snapshot() for _ in range(7)]
    first = aws.ec2.describe_snapshots(OwnerIds=["self"], MaxResults=5)
    assert ids(first) == snapshots[:5]
    again = {"OwnerIds": ["self"], "MaxResults": 5, "NextToken": first["NextToken"]}
    aws.snapshot()
    assert ids(aws.ec2.describe_snapshots(**again)) == snapshots[5:]
    aws.ec2.delete_snapshot(SnapshotId=snapshots[5])
    last = aws.ec2.describe_snapshots(**again)
    assert (ids(last), last.get("NextToken")) == (snapshots[6:7], None)
    pages = aws.ec2.get_paginator("describe_snapshots").paginate(PaginationConfig={"PageSize": 5})
    assert [len(page["Snapshots"]) for page in pages] == [5, 2]
    emulator.store.largest_page = 3
    pages = aws.ec2.get_paginator("describe_snapshots").paginate()
    assert [len(page["Snapshots"]) for page in pages] == [3, 3, 1]
    assert len(ids(aws.ec2.describe_snapshots(SnapshotIds=snapshots[:5]))) == 5, "what is named comes in one page"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"MaxResults": 4}, "InvalidParameterValue"),
        ({"MaxResults": 1001}, "InvalidParameterValue"),
        ({"NextToken": "x"}, "InvalidNextToken"),
        ({"MaxResults": 5, "SnapshotIds": ["snap-0123456789abcdef0"]}, "InvalidSnapshot.NotFound"),
    ],
)
def test_wrong_pages(aws: Aws, given: dict[str, Any], code: str) -> None:
    with refused(code):
        aws.ec2.describe_snapshots(**given)


def test_a_page_of_named_things_is_refused(aws: Aws) -> None:
    snapshot = aws.snapshot()
    with refused("InvalidParameterCombination"):
        aws.ec2.describe_snapshots(SnapshotIds=[snapshot], MaxResults=5)


def test_filters_of_images(aws: Aws) -> None:
    snapshot = aws.snapshot()
    tags = [{"ResourceType": "image", "Tags": [{"Key": "a", "Value": "b"}]}]
    one = aws.image("one", snapshot=snapshot, BootMode="uefi", TagSpecifications=tags)
    two = aws.image("two")
    aws.ec2.modify_image_attribute(ImageId=two, LaunchPermission={"Add": [{"Group": "all"}]})

    def found(name: str, *values: str) -> list[str]:
        return ids(aws.ec2.describe_images(Owners=["self"], Filters=[{"Name": name, "Values": list(values)}]))

    assert found("block-device-mapping.snapshot-id", snapshot) == [one]
    assert found("is-public", "true") == [two]
    assert found("tag:a", "b") == found("tag-key", "a") == found("boot-mode", "uefi") == found("name", "o*") == [one]
    assert found("state", "available", "pending") == found("architecture", "x86_64") == [one, two]
    assert found("block-device-mapping.delete-on-termination", "false") == found("owner-alias", "amazon") == []
    assert found("creation-date", "2023-11-14T*") == [one, two]
    with refused("InvalidParameterValue"):
        found("colour", "red")
    assert ids(aws.ec2.describe_images(Owners=["amazon"])) == []


def test_filters_of_snapshots(aws: Aws) -> None:
    snapshot = aws.snapshot(Tags=[{"Key": "a", "Value": "b"}], Description="text", Encrypted=True)

    def found(name: str, value: str) -> bool:
        return ids(aws.ec2.describe_snapshots(Filters=[{"Name": name, "Values": [value]}])) == [snapshot]

    told = aws.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
    assert found("start-time", told["StartTime"].strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    assert found("start-time", "2023-11-*")
    assert found("encrypted", "true")
    assert found("description", "te*")
    assert found("progress", "100%")
    assert not found("owner-alias", "amazon")


def test_ids_that_are_none(aws: Aws) -> None:
    with refused("InvalidAMIID.Malformed"):
        aws.ec2.describe_images(ImageIds=["image"])
    with refused("InvalidParameterValue"):
        aws.ec2.describe_snapshots(SnapshotIds=["snapshot"])
    with refused("InvalidParameterValue"):
        aws.ec2.describe_images(Filters=[{"Name": "colour", "Values": ["red"]}])
    with refused("UnknownParameter"):
        aws.ec2.describe_instances(IncludeManagedResources=True)


def test_what_was_just_made_may_be_unknown(aws: Aws, emulator: Emulator, clock: Clock) -> None:
    snapshot = aws.snapshot()
    emulator.faults.unknown_after_making = 10
    image = aws.image(snapshot=snapshot)
    with refused("InvalidAMIID.NotFound"):
        aws.described(image)
    clock.now += 5
    assert aws.described(image)["State"] == "available"


def test_tags(aws: Aws) -> None:
    image, snapshot = aws.image(), aws.snapshot()
    both = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    aws.ec2.create_tags(Resources=[image, snapshot], Tags=both)

    def told(name: str, value: str) -> list[tuple[str, str, str]]:
        answer = aws.ec2.describe_tags(Filters=[{"Name": name, "Values": [value]}])
        return [(tag["ResourceType"], tag["Key"], tag["Value"]) for tag in answer["Tags"]]

    assert told("resource-id", image) == [("image", "a", "1"), ("image", "b", "2")]
    assert told("key", "a") == told("tag:a", "1") == [("image", "a", "1"), ("snapshot", "a", "1")]
    assert told("resource-type", "instance") == []
    aws.ec2.delete_tags(Resources=[image], Tags=[{"Key": "a", "Value": "other"}, {"Key": "b"}, {"Key": "unknown"}])
    assert told("resource-id", image) == [("image", "a", "1")]
    aws.ec2.delete_tags(Resources=[image])
    assert told("resource-id", image) == []
    with refused("InvalidAMIID.NotFound"):
        aws.ec2.create_tags(Resources=[image, "ami-0123456789abcdef0"], Tags=both)
    assert told("resource-id", image) == [], "all of it or nothing"
    many = [{"Key": str(number), "Value": ""} for number in range(49)]
    with refused("TagLimitExceeded"):
        aws.ec2.create_tags(Resources=[snapshot], Tags=many)


def test_an_unfinished_snapshot_can_be_deleted(aws: Aws, emulator: Emulator) -> None:
    started = aws.ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    aws.ec2.delete_snapshot(SnapshotId=started)
    assert emulator.store.snapshots == {}
    with refused("ResourceNotFoundException", status=404):
        aws.ebs.complete_snapshot(SnapshotId=started, ChangedBlocksCount=0)


def test_changed_blocks(aws: Aws) -> None:
    one, other, zero = b"\1" * 524288, b"\2" * 524288, bytes(524288)
    first, second = aws.snapshot(blocks=(one, zero, other)), aws.snapshot(blocks=(one, one))
    told = aws.ebs.list_changed_blocks(FirstSnapshotId=first, SecondSnapshotId=second)["ChangedBlocks"]
    assert [(block["BlockIndex"], "FirstBlockToken" in block, "SecondBlockToken" in block) for block in told] == [
        (1, True, True),
        (2, True, False),
    ]
    block = aws.ebs.get_snapshot_block(SnapshotId=second, BlockIndex=1, BlockToken=told[0]["SecondBlockToken"])
    assert block["BlockData"].read() == one
