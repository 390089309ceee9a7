"""EC2's images and snapshots, spoken to with boto3's own words through `brqos.aws`, and by hand where that cannot."""

import base64
from typing import Any
from urllib.parse import urlencode

import pytest

from brqos.aws.session import AwsSession
from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY, Emulator

from .conftest import Answer, Clock, RawClient

pytestmark = pytest.mark.loopback


def ec2(raw: RawClient, action: str, **parameters: str) -> Answer:
    pairs = {"Action": action, "Version": "2016-11-15"} | {
        name.replace("__", "."): value for name, value in parameters.items()
    }
    return raw.send("POST", "/", service="ec2", body=urlencode(pairs).encode())


@pytest.fixture
def snapshot(raw: RawClient, clock: Clock) -> str:
    started = str(raw.start(VolumeSize=2, Tags=[{"Key": "a", "Value": "b"}]).json["SnapshotId"])
    raw.complete(started, 0)
    clock.now += 5
    return started


def parameters(snapshot: str, **changes: Any) -> dict[str, Any]:
    return {
        "Name": "bottlerocket",
        "RootDeviceName": "/dev/xvda",
        "Architecture": "arm64",
        "VirtualizationType": "hvm",
        "EnaSupport": True,
        "SriovNetSupport": "simple",
        "BootMode": "uefi-preferred",
        "UefiData": base64.b64encode(b"keys").decode(),
        "ImdsSupport": "v2.0",
        "Description": "A <description> & more",
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot, "VolumeSize": 2, "VolumeType": "gp3"}},
            {"DeviceName": "/dev/xvdb", "Ebs": {"VolumeSize": 20, "DeleteOnTermination": False}},
        ],
        "TagSpecifications": [{"ResourceType": "image", "Tags": [{"Key": "Name", "Value": "x y"}]}],
        **changes,
    }


@pytest.fixture
def client(emulator: Emulator) -> Any:
    return AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY)).ec2("eu-west-1")


def test_an_image_is_echoed_in_full(client: Any, snapshot: str, clock: Clock) -> None:
    image_id = client.register_image(parameters(snapshot))
    image = client.image(image_id)
    assert image.state == "pending"
    clock.now += 5
    (image,) = client.images_named("bottlerocket")
    assert (image.id, image.state, image.tags) == (image_id, "available", {"Name": "x y"})
    assert image.attributes == {
        "Architecture": "arm64",
        "Description": "A <description> & more",
        "RootDeviceName": "/dev/xvda",
        "VirtualizationType": "hvm",
        "EnaSupport": True,
        "SriovNetSupport": "simple",
        "BootMode": "uefi-preferred",
        "ImdsSupport": "v2.0",
    }
    assert image.mappings["/dev/xvda"] == {
        "DeleteOnTermination": True,
        "SnapshotId": snapshot,
        "VolumeSize": 2,
        "VolumeType": "gp3",
        "Encrypted": False,
    }
    assert image.mappings["/dev/xvdb"]["DeleteOnTermination"] is False


def test_a_short_name(raw: RawClient) -> None:
    assert b"InvalidAMIName.Malformed" in ec2(raw, "RegisterImage", Name="ab").body
    assert b"MissingParameter" in ec2(raw, "RegisterImage").body


def _mapping(snapshot: str, **ebs: object) -> list[dict[str, Any]]:
    return [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot} | ebs}]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Name": "x" * 129}, "InvalidAMIName.Malformed"),
        ({"Name": "what?"}, "InvalidAMIName.Malformed"),
        ({"Architecture": "aarch64"}, "InvalidParameterValue"),
        ({"BootMode": "bios"}, "InvalidParameterValue"),
        ({"BootMode": "legacy-bios", "Architecture": "x86_64"}, "InvalidParameterCombination"),
        ({"UefiData": "no base64"}, "InvalidParameterValue"),
        ({"TpmSupport": "v2.0"}, "InvalidParameterCombination"),
        ({"VirtualizationType": "paravirtual"}, "InvalidParameterCombination"),
        ({"RootDeviceName": "/dev/sda1"}, "InvalidBlockDeviceMapping"),
        ({"Description": "x" * 256}, "InvalidParameterValue"),
        ({"TagSpecifications": [{"ResourceType": "snapshot", "Tags": []}]}, "InvalidParameterValue"),
    ],
)
def test_what_register_image_refuses(client: Any, snapshot: str, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Exception, match=code):
        client.register_image(parameters(snapshot, **changes))


@pytest.mark.parametrize(
    ("ebs", "code"),
    [
        ({"VolumeSize": 1}, "InvalidBlockDeviceMapping"),
        ({"VolumeType": "gp9"}, "InvalidParameterValue"),
        ({"VolumeType": "io2"}, "MissingParameter"),
        ({"VolumeType": "gp2", "Throughput": 200}, "InvalidParameterCombination"),
        ({"Encrypted": True}, "InvalidParameterCombination"),
        ({"SnapshotId": "snap-0123456789abcdef0"}, "InvalidSnapshot.NotFound"),
        ({"KmsKeyId": "x"}, "UnknownParameter"),
    ],
)
def test_what_block_devices_may_not_be(client: Any, snapshot: str, ebs: dict[str, Any], code: str) -> None:
    with pytest.raises(Exception, match=code):
        client.register_image(parameters(snapshot, BlockDeviceMappings=_mapping(snapshot, **ebs)))


def test_a_snapshot_has_to_be_completed(client: Any, raw: RawClient, clock: Clock, emulator: Emulator) -> None:
    snapshot = str(raw.start().json["SnapshotId"])
    mapping = {"BlockDeviceMappings": _mapping(snapshot)}
    with pytest.raises(Exception, match="IncorrectState"):
        client.register_image(parameters(snapshot, **mapping))
    emulator.faults.fail_snapshots()
    raw.complete(snapshot, 0)
    with pytest.raises(Exception, match="IncorrectState"):
        client.register_image(parameters(snapshot, **mapping))
    clock.now += 5
    assert client.snapshot(snapshot).state == "error"


def test_names_are_taken_once_per_region(client: Any, emulator: Emulator, snapshot: str) -> None:
    first = client.register_image(parameters(snapshot))
    with pytest.raises(Exception, match=r"InvalidAMIName\.Duplicate") as caught:
        client.register_image(parameters(snapshot))
    assert first in str(caught.value)
    elsewhere = AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY)).ec2("us-east-1")
    with pytest.raises(Exception, match=r"InvalidSnapshot\.NotFound"):
        elsewhere.register_image(parameters(snapshot))


def test_an_image_may_fail(client: Any, emulator: Emulator, snapshot: str, clock: Clock) -> None:
    emulator.faults.fail_images()
    image_id = client.register_image(parameters(snapshot))
    clock.now += 5
    image = client.image(image_id)
    assert (image.state, image.reason) == ("failed", "The image could not be made")


def test_snapshots_in_use_stay(client: Any, raw: RawClient, snapshot: str) -> None:
    image_id = client.register_image(parameters(snapshot))
    with pytest.raises(Exception, match=r"InvalidSnapshot\.InUse"):
        client.delete_snapshot(snapshot)
    assert b"<return>true</return>" in ec2(raw, "DeregisterImage", ImageId=image_id).body
    client.delete_snapshot(snapshot)
    with pytest.raises(Exception, match=r"InvalidSnapshot\.NotFound"):
        client.snapshot(snapshot)


def test_deregistering_with_snapshots_spares_those_that_others_hold(client: Any, raw: RawClient, snapshot: str) -> None:
    one = client.register_image(parameters(snapshot, Name="one"))
    two = client.register_image(parameters(snapshot, Name="two"))
    options = {"DeleteAssociatedSnapshots": "true"}
    assert b"skipped" in ec2(raw, "DeregisterImage", ImageId=one, **options).body
    assert b"success" in ec2(raw, "DeregisterImage", ImageId=two, **options).body
    assert b"InvalidAMIID.NotFound" in ec2(raw, "DeregisterImage", ImageId=two).body


def test_what_was_only_started_cannot_be_found(client: Any, raw: RawClient, clock: Clock) -> None:
    snapshot = str(raw.start(Tags=[{"Key": "a", "Value": "b"}]).json["SnapshotId"])
    with pytest.raises(Exception, match=r"InvalidSnapshot\.NotFound"):
        client.snapshot(snapshot)
    raw.complete(snapshot, 0)
    assert client.snapshot(snapshot).state == "pending"
    assert client.snapshots_tagged({"a": "b"}, volume_gib=1) == []
    clock.now += 5
    assert [item.id for item in client.snapshots_tagged({"a": "b"}, volume_gib=1)] == [snapshot]
    assert client.snapshots_tagged({"a": "c"}, volume_gib=1) == []
    assert client.snapshots_tagged({"a": "b"}, volume_gib=2) == []


def test_filters(raw: RawClient, snapshot: str) -> None:
    def found(name: str, value: str) -> bool:
        answer = ec2(
            raw, "DescribeSnapshots", Filter__1__Name=name, Filter__1__Value__1="no", Filter__1__Value__2=value
        )
        return snapshot.encode() in answer.body

    assert found("tag:a", "b")
    assert found("tag:a", "?")
    assert found("tag-key", "*")
    assert not found("tag:a", "\\?")
    assert not found("tag:b", "*")
    assert b"InvalidParameterValue" in ec2(raw, "DescribeSnapshots", Filter__1__Name="x", Filter__1__Value__1="y").body


def test_tags_can_be_added(client: Any, raw: RawClient, snapshot: str) -> None:
    added = ec2(raw, "CreateTags", ResourceId__1=snapshot, Tag__1__Key="k", Tag__1__Value="v")
    assert b"<return>true</return>" in added.body
    assert client.snapshot(snapshot).tags == {"a": "b", "k": "v"}
    assert b"InvalidID" in ec2(raw, "CreateTags", ResourceId__1="ami-1", Tag__1__Key="k", Tag__1__Value="v").body


def test_unknown_actions_and_dry_runs(raw: RawClient) -> None:
    assert b"<Code>InvalidAction</Code>" in ec2(raw, "CreateVpc").body
    assert b"DryRunOperation" in ec2(raw, "DescribeImages", DryRun="true").body
    assert b"MissingAction" in raw.send("POST", "/", service="ec2", body=b"x=y").body
    assert b"<regionName>eu-west-1</regionName>" in ec2(raw, "DescribeRegions").body
    assert b"InvalidAction" in raw.send("POST", "/", service="sts", body=b"Action=GetFederationToken").body
