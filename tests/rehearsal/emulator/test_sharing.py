"""Who may launch an image and use a snapshot; where moto is faithful, the same scenario is run there too."""

from collections.abc import Iterator
from typing import Any

import boto3
import moto
import pytest

from brqos.rehearsal.emulator import Emulator

from .conftest import REGION, Aws, Clock, refused

pytestmark = pytest.mark.loopback

ONE, TWO = "1" * 12, "2" * 12
ORGANIZATION = f"arn:aws:organizations::{ONE}:organization/o-abcdefghij"
UNIT = f"arn:aws:organizations::{ONE}:ou/o-abcdefghij/ou-abcd-abcdefgh"
KEY = f"arn:aws:kms:{REGION}:{'0' * 12}:key/11111111-2222-3333-4444-555555555555"


@pytest.fixture
def image(aws: Aws) -> str:
    return aws.image()


def permissions(ec2: Any, image: str) -> list[dict[str, str]]:
    told = ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"]
    return sorted(told, key=str)


def scenario(ec2: Any, image: str) -> Iterator[object]:
    """Add and remove permissions in both ways; yields what there is after each step."""

    def change(**given: Any) -> object:
        ec2.modify_image_attribute(ImageId=image, **given)
        told = ec2.describe_images(ImageIds=[image])["Images"][0]["Public"]
        return permissions(ec2, image), told

    yield change(LaunchPermission={"Add": [{"UserId": ONE}, {"OrganizationArn": ORGANIZATION}]})
    yield change(LaunchPermission={"Add": [{"UserId": ONE}, {"UserId": TWO}]})
    yield change(Attribute="launchPermission", OperationType="add", UserGroups=["all"])
    yield change(Attribute="launchPermission", OperationType="add", OrganizationalUnitArns=[UNIT])
    yield change(LaunchPermission={"Remove": [{"UserId": TWO}, {"OrganizationArn": ORGANIZATION}]})
    yield change(Attribute="launchPermission", OperationType="remove", UserGroups=["all"], UserIds=[ONE])
    yield change(LaunchPermission={"Remove": [{"UserId": TWO}]})


def test_permissions_of_an_image_as_moto_has_them(aws: Aws, image: str) -> None:
    ours = list(scenario(aws.ec2, image))
    with moto.mock_aws():
        ec2 = boto3.client("ec2", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")
        theirs = list(scenario(ec2, ec2.register_image(Name="image")["ImageId"]))
    assert ours == theirs
    assert ours[-1] == ([{"OrganizationalUnitArn": UNIT}], False)


def test_who_sees_an_image(aws: Aws, image: str, emulator: Emulator, clock: Clock) -> None:
    other = aws.client("ec2", REGION, aws.account(ONE))

    def seen(**given: Any) -> list[str]:
        return [told["ImageId"] for told in other.describe_images(**given)["Images"]]

    with refused("InvalidAMIID.NotFound"):
        seen(ImageIds=[image])
    aws.ec2.create_tags(Resources=[image], Tags=[{"Key": "a", "Value": "b"}])
    aws.ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": ONE}]})
    assert seen() == seen(ExecutableUsers=["self"]) == seen(Owners=["0" * 12]) == [image]
    assert seen(Owners=["self"]) == seen(ExecutableUsers=["all"]) == []
    told = other.describe_images(ImageIds=[image])["Images"][0]
    assert not (told.get("Tags") or told.get("DeregistrationProtection")), "they are the owner's affair"
    for call in (other.deregister_image, other.disable_image):
        with refused("AuthFailure", status=403):
            call(ImageId=image)
    aws.ec2.enable_image_deprecation(ImageId=image, DeprecateAt=clock.now + 3600)
    clock.now += 7200
    assert seen() == []
    assert seen(IncludeDeprecated=True) == seen(ImageIds=[image]) == [image]
    aws.ec2.reset_image_attribute(ImageId=image, Attribute="launchPermission")
    assert seen(IncludeDeprecated=True) == []
    aws.ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"OrganizationalUnitArn": UNIT}]})
    emulator.store.organizations[ONE] = frozenset({UNIT})
    assert seen(IncludeDeprecated=True) == [image]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"LaunchPermission": {"Add": [{"UserId": "123"}]}}, "InvalidAMIAttributeItemValue"),
        ({"LaunchPermission": {"Add": [{"Group": "some"}]}}, "InvalidAMIAttributeItemValue"),
        ({"LaunchPermission": {"Add": [{"OrganizationArn": UNIT}]}}, "InvalidAMIAttributeItemValue"),
        ({"LaunchPermission": {"Add": [{"OrganizationalUnitArn": ORGANIZATION}]}}, "InvalidAMIAttributeItemValue"),
        (
            {"LaunchPermission": {"Add": [{"OrganizationArn": ORGANIZATION.replace(":aws:", ":aws-cn:")}]}},
            "InvalidAMIAttributeItemValue",
        ),
        ({"Attribute": "launchPermission", "UserIds": [ONE]}, "InvalidParameterValue"),
        ({"Attribute": "launchPermission", "OperationType": "add"}, "InvalidParameterCombination"),
        ({"Attribute": "kernel", "Value": "x"}, "InvalidParameterValue"),
        ({}, "InvalidParameterCombination"),
        (
            {"Description": {"Value": "x"}, "LaunchPermission": {"Add": [{"UserId": ONE}]}},
            "InvalidParameterCombination",
        ),
        ({"Description": {"Value": "x" * 256}}, "InvalidParameterValue"),
        ({"ImdsSupport": {"Value": "v1.0"}}, "InvalidParameterValue"),
    ],
)
def test_what_cannot_be_shared(aws: Aws, image: str, given: dict[str, Any], code: str) -> None:
    with refused(code):
        aws.ec2.modify_image_attribute(ImageId=image, **given)
    assert permissions(aws.ec2, image) == []


def test_a_pending_image_cannot_be_shared(aws: Aws, image: str, clock: Clock) -> None:
    clock.now -= 5
    with refused("InvalidAMIID.Unavailable"):
        aws.ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": ONE}]})


def test_other_attributes(aws: Aws, image: str) -> None:
    def attribute(name: str) -> dict[str, Any]:
        told = aws.ec2.describe_image_attribute(ImageId=image, Attribute=name)
        return {key: value for key, value in told.items() if key not in ("ResponseMetadata", "ImageId")}

    aws.ec2.modify_image_attribute(ImageId=image, Description={"Value": "one"})
    assert attribute("description") == {"Description": {"Value": "one"}}
    aws.ec2.modify_image_attribute(ImageId=image, Attribute="description", Value="two")
    assert aws.described(image)["Description"] == "two"
    aws.ec2.modify_image_attribute(ImageId=image, ImdsSupport={"Value": "v2.0"})
    assert attribute("imdsSupport") == {"ImdsSupport": {"Value": "v2.0"}}
    assert attribute("bootMode") == {"BootMode": {}}
    assert attribute("deregistrationProtection") == {"DeregistrationProtection": {"Value": "disabled"}}
    with refused("AuthFailure"):
        attribute("blockDeviceMapping")
    with refused("InvalidParameterValue"):
        attribute("colour")


def test_block_public_access(aws: Aws, image: str) -> None:
    public = {"Add": [{"Group": "all"}]}
    aws.ec2.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
    assert aws.ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"] == "block-new-sharing"
    with refused("OperationNotPermitted", match="DisableImageBlockPublicAccess"):
        aws.ec2.modify_image_attribute(ImageId=image, LaunchPermission=public)
    aws.ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": ONE}]})
    aws.ec2.disable_image_block_public_access()
    aws.ec2.modify_image_attribute(ImageId=image, LaunchPermission=public)
    assert aws.described(image)["Public"] is True
    assert aws.client("ec2", "us-east-1").get_image_block_public_access_state()["ImageBlockPublicAccessState"] == (
        "unblocked"
    )


@pytest.mark.parametrize(
    ("key", "to", "code"),
    [
        (None, {"UserId": ONE}, "InvalidParameter"),
        (None, {"OrganizationArn": ORGANIZATION}, "InvalidParameter"),
        (KEY, {"Group": "all"}, "InvalidParameter"),
        (KEY, {"UserId": ONE}, None),
    ],
)
def test_encrypted_images(aws: Aws, key: str | None, to: dict[str, str], code: str | None) -> None:
    snapshot = aws.snapshot(Encrypted=True, **({"KmsKeyArn": key} if key else {}))
    image = aws.image(snapshot=snapshot)
    if code is None:
        aws.ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [to]})
        return
    with refused(code):
        aws.ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [to]})


def test_permissions_of_a_snapshot(aws: Aws) -> None:
    snapshot = aws.snapshot()
    other = aws.client("ec2", REGION, aws.account(ONE))

    def given() -> list[dict[str, str]]:
        told = aws.ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
        return list(told["CreateVolumePermissions"])

    aws.ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[ONE]
    )
    assert given() == [{"UserId": ONE}]
    seen = other.describe_snapshots(RestorableByUserIds=["self"])["Snapshots"]
    assert [item["SnapshotId"] for item in seen] == [snapshot]
    aws.ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, CreateVolumePermission={"Add": [{"Group": "all"}], "Remove": [{"UserId": ONE}]}
    )
    assert given() == [{"Group": "all"}]
    aws.ec2.reset_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    assert given() == []
    with refused("InvalidAMIAttributeItemValue"):
        aws.ec2.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": "1"}]})
    with refused("InvalidSnapshot.NotFound"):
        other.delete_snapshot(SnapshotId=snapshot)


def test_snapshots_that_cannot_be_shared(aws: Aws, emulator: Emulator) -> None:
    def share(snapshot: str, **to: str) -> None:
        aws.ec2.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission={"Add": [to]})

    with refused("OperationNotPermitted", match="EBS default key"):
        share(aws.snapshot(Encrypted=True), UserId=ONE)
    mine = aws.snapshot(Encrypted=True, KmsKeyArn=KEY)
    share(mine, UserId=ONE)
    with refused("OperationNotPermitted"):
        share(mine, Group="all")
    emulator.store.settings(REGION).snapshot_block_public_access = "block-all-sharing"
    assert aws.ec2.get_snapshot_block_public_access_state()["State"] == "block-all-sharing"
    with refused("OperationNotPermitted"):
        share(aws.snapshot(), Group="all")
    unfinished = aws.ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    with refused("InvalidSnapshot.NotFound"):
        share(unfinished, UserId=ONE)
