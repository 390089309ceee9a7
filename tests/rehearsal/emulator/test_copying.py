"""CopyImage, within a region and from one to another."""

import os

import pytest

from brqos.rehearsal.emulator import Emulator
from brqos.rehearsal.emulator.kms import managed_key

from .conftest import BLOCK, REGION, Aws, Clock, refused

pytestmark = pytest.mark.loopback

TARGET = "us-east-1"
OWNER = "0" * 12
KEY = f"arn:aws:kms:{TARGET}:{OWNER}:key/11111111-2222-3333-4444-555555555555"
DATA = os.urandom(BLOCK)


@pytest.fixture
def source(aws: Aws) -> str:
    return aws.image(
        "source",
        snapshot=aws.snapshot(blocks=(DATA,), Tags=[{"Key": "of", "Value": "snapshot"}]),
        BootMode="uefi",
        TpmSupport="v2.0",
        ImdsSupport="v2.0",
        UefiData="a2V5cw==",
        EnaSupport=True,
        SriovNetSupport="simple",
        Description="of the source",
        TagSpecifications=[{"ResourceType": "image", "Tags": [{"Key": "of", "Value": "image"}]}],
    )


def copy(aws: Aws, source: str, region: str = TARGET, **given: object) -> str:
    asked = {"Name": "copy", "SourceImageId": source, "SourceRegion": REGION, **given}
    return str(aws.client("ec2", region).copy_image(**asked)["ImageId"])


def test_a_copy_holds_the_same_in_new_snapshots(aws: Aws, source: str, emulator: Emulator, clock: Clock) -> None:
    made = copy(aws, source)
    target, before = aws.client("ec2", TARGET), aws.described(source)
    pending = aws.described(made, TARGET)
    (snapshot,) = [mapping["Ebs"]["SnapshotId"] for mapping in pending["BlockDeviceMappings"]]
    assert pending["State"] == "pending"
    assert target.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"] == "pending"
    clock.now += 5
    after = aws.described(made, TARGET)
    assert (after["State"], after["SourceImageId"], after["SourceImageRegion"]) == ("available", source, REGION)
    same = ("BootMode", "TpmSupport", "ImdsSupport", "Architecture", "EnaSupport", "SriovNetSupport", "RootDeviceName")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["Name"] == "copy"
    assert "Description" not in after
    assert after.get("Tags", []) == []
    uefi = target.describe_image_attribute(ImageId=made, Attribute="uefiData")
    assert uefi["UefiData"] == {"Value": "a2V5cw=="}
    described = target.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
    assert (described["State"], described["Encrypted"], described.get("Tags", [])) == ("completed", False, [])
    assert described["Description"].startswith(f"Copied for DestinationAmi {made} from SourceAmi {source}")
    assert emulator.store.read(emulator.store.snapshots[snapshot], 0) == DATA
    assert before["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"] != snapshot


def test_a_copy_outlives_its_source(aws: Aws, source: str, emulator: Emulator, clock: Clock) -> None:
    made = copy(aws, source)
    clock.now += 5
    (snapshot,) = emulator.store.images[made].snapshots()
    aws.ec2.deregister_image(ImageId=source, DeleteAssociatedSnapshots=True)
    assert set(emulator.store.snapshots) == {snapshot}
    assert emulator.store.read(emulator.store.snapshots[snapshot], 0) == DATA


def test_tags_and_description(aws: Aws, source: str, emulator: Emulator) -> None:
    tags = [
        {"ResourceType": "image", "Tags": [{"Key": "a", "Value": "b"}]},
        {"ResourceType": "snapshot", "Tags": [{"Key": "c", "Value": "d"}]},
    ]
    made = copy(aws, source, Description="mine", TagSpecifications=tags, CopyImageTags=True)
    image = emulator.store.images[made]
    assert image.tags == {"of": "image", "a": "b"}
    assert image.attributes["description"] == "mine"
    (snapshot,) = image.snapshots()
    assert emulator.store.snapshots[snapshot].tags == {"c": "d"}


def test_what_stays_behind(aws: Aws, source: str, emulator: Emulator) -> None:
    aws.ec2.modify_image_attribute(ImageId=source, LaunchPermission={"Add": [{"UserId": "1" * 12}]})
    aws.ec2.enable_image_deprecation(ImageId=source, DeprecateAt="2024-01-01T00:00:00Z")
    aws.ec2.enable_image_deregistration_protection(ImageId=source)
    image = emulator.store.images[copy(aws, source)]
    assert (image.permissions, image.deprecated_at, image.protection) == (set(), None, "disabled")


def test_the_client_token(aws: Aws, source: str, emulator: Emulator) -> None:
    first = copy(aws, source, ClientToken="token")
    assert copy(aws, source, ClientToken="token") == first
    with refused("IdempotentParameterMismatch"):
        copy(aws, source, ClientToken="token", Name="other")
    assert len(emulator.store.images) == 2
    with refused("InvalidClientToken"):
        copy(aws, source, ClientToken="x" * 65)


def test_names_are_taken(aws: Aws, source: str) -> None:
    made = copy(aws, source)
    with refused("InvalidAMIName.Duplicate", match=made):
        copy(aws, source)
    with refused("InvalidAMIName.Malformed"):
        copy(aws, source, Name="a?b")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"SourceImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"SourceImageId": "ami-1"}, "InvalidAMIID.Malformed"),
        ({"SourceRegion": "us-west-2"}, "InvalidAMIID.NotFound"),
        ({"SourceRegion": "nowhere"}, "InvalidParameterValue"),
        ({"SourceRegion": "cn-north-1"}, "InvalidParameterValue"),
        ({"KmsKeyId": KEY}, "InvalidParameterDependency"),
        ({"KmsKeyId": KEY.replace(TARGET, REGION), "Encrypted": True}, "InvalidParameterValue"),
        ({"KmsKeyId": "what?", "Encrypted": True}, "InvalidParameterValue"),
        ({"TagSpecifications": [{"ResourceType": "volume", "Tags": []}]}, "InvalidParameterValue"),
    ],
)
def test_what_is_refused(aws: Aws, source: str, given: dict[str, object], code: str) -> None:
    with refused(code):
        copy(aws, source, **given)


def test_the_source_has_to_be_available(aws: Aws, clock: Clock) -> None:
    pending = aws.image()
    clock.now -= 5
    with refused("InvalidAMIID.Unavailable"):
        copy(aws, pending)


@pytest.mark.parametrize("key", [KEY, KEY.rsplit("/", 1)[1], "alias/mine", f"arn:aws:kms:{TARGET}:{OWNER}:alias/mine"])
def test_encryption_with_a_key(aws: Aws, source: str, emulator: Emulator, key: str) -> None:
    emulator.store.kms_keys.add(KEY)
    emulator.store.kms_aliases["alias/mine"] = KEY
    told = aws.described(copy(aws, source, Encrypted=True, KmsKeyId=key), TARGET)
    ebs = told["BlockDeviceMappings"][0]["Ebs"]
    assert (ebs["Encrypted"], ebs["KmsKeyId"]) == (True, KEY)


def test_a_key_that_does_not_exist_makes_the_copy_fail(aws: Aws, source: str, emulator: Emulator, clock: Clock) -> None:
    emulator.store.kms_keys.add(KEY)
    made = copy(aws, source, Encrypted=True, KmsKeyId="alias/unknown")
    clock.now += 5
    told = aws.described(made, TARGET)
    assert (told["State"], told["StateReason"]["Message"]) == ("failed", "Given key ID is not accessible")


def test_encryption_with_the_default_key(aws: Aws, source: str, emulator: Emulator, clock: Clock) -> None:
    (managed,) = emulator.store.images[copy(aws, source, Encrypted=True)].snapshots()
    assert emulator.store.snapshots[managed].kms_key == managed_key(OWNER, TARGET)
    settings = emulator.store.settings(TARGET)
    settings.encryption_by_default, settings.default_kms_key = True, KEY
    made = copy(aws, source, Name="second")
    (snapshot,) = emulator.store.images[made].snapshots()
    assert emulator.store.snapshots[snapshot].kms_key == KEY
    settings.encryption_by_default = False
    clock.now += 5
    again = copy(aws, made, REGION, Name="third", SourceRegion=TARGET)
    (snapshot,) = emulator.store.images[again].snapshots()
    assert emulator.store.snapshots[snapshot].kms_key == managed_key(OWNER, REGION), "encrypted stays encrypted"


def test_a_copy_may_fail(aws: Aws, source: str, emulator: Emulator, clock: Clock) -> None:
    emulator.faults.fail_copies()
    made = copy(aws, source)
    clock.now += 5
    assert aws.described(made, TARGET)["State"] == "failed"
    (snapshot,) = emulator.store.images[made].snapshots()
    assert emulator.store.snapshots[snapshot].state(clock.now) == "error"


def test_what_is_shared_can_be_copied_if_its_snapshots_are_shared_too(
    aws: Aws, source: str, emulator: Emulator
) -> None:
    other = aws.client("ec2", REGION, aws.account("1" * 12))
    asked = {"Name": "theirs", "SourceImageId": source, "SourceRegion": REGION}
    with refused("InvalidAMIID.NotFound"):
        other.copy_image(**asked)
    aws.ec2.modify_image_attribute(ImageId=source, LaunchPermission={"Add": [{"UserId": "1" * 12}]})
    with refused("InvalidRequest"):
        other.copy_image(**asked)
    (snapshot,) = emulator.store.images[source].snapshots()
    aws.ec2.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": "1" * 12}]})
    made = emulator.store.images[other.copy_image(**asked, CopyImageTags=True)["ImageId"]]
    assert (made.owner, made.tags) == ("1" * 12, {})
