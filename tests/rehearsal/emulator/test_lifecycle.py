"""Deprecation, protection, disabling; the settings of a region."""

from datetime import UTC, datetime

import pytest

from brqos.rehearsal.emulator import Emulator
from brqos.rehearsal.emulator.kms import managed_key

from .conftest import REGION, Aws, Clock, refused

pytestmark = pytest.mark.loopback

OWNER = "0" * 12
KEY = f"arn:aws:kms:{REGION}:{OWNER}:key/11111111-2222-3333-4444-555555555555"


@pytest.fixture
def image(aws: Aws) -> str:
    return aws.image()


def test_deprecation(aws: Aws, image: str, clock: Clock) -> None:
    aws.ec2.enable_image_deprecation(ImageId=image, DeprecateAt=datetime(2024, 1, 31, 12, 0, 31, tzinfo=UTC))
    assert aws.described(image)["DeprecationTime"] == "2024-01-31T12:01:00.000Z"
    aws.ec2.enable_image_deprecation(ImageId=image, DeprecateAt="2024-01-31T12:00:29Z")
    assert aws.described(image)["DeprecationTime"] == "2024-01-31T12:00:00.000Z"
    clock.now = datetime(2024, 2, 1, tzinfo=UTC).timestamp()
    assert [each["ImageId"] for each in aws.ec2.describe_images(Owners=["self"])["Images"]] == [image]
    for wrong in (datetime(2024, 1, 31, tzinfo=UTC), datetime(2044, 1, 31, tzinfo=UTC)):
        with refused("InvalidParameterValue"):
            aws.ec2.enable_image_deprecation(ImageId=image, DeprecateAt=wrong)
    aws.ec2.disable_image_deprecation(ImageId=image)
    assert "DeprecationTime" not in aws.described(image)


def test_protection(aws: Aws, image: str, clock: Clock) -> None:
    assert aws.described(image)["DeregistrationProtection"] == "disabled"
    told = aws.ec2.enable_image_deregistration_protection(ImageId=image)
    assert told["Return"] == aws.described(image)["DeregistrationProtection"] == "enabled-without-cooldown"
    with refused("OperationNotPermitted"):
        aws.ec2.deregister_image(ImageId=image)
    aws.ec2.disable_image_deregistration_protection(ImageId=image)
    aws.ec2.enable_image_deregistration_protection(ImageId=image, WithCooldown=True)
    assert aws.described(image)["DeregistrationProtection"] == "enabled-with-cooldown"
    told = aws.ec2.disable_image_deregistration_protection(ImageId=image)
    assert told["Return"].startswith("disabled after 2023-")
    with refused("OperationNotPermitted"):
        aws.ec2.deregister_image(ImageId=image)
    clock.now += 86400
    aws.ec2.deregister_image(ImageId=image)


def test_disabling(aws: Aws, image: str) -> None:
    aws.ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": "1" * 12}]})
    aws.ec2.disable_image(ImageId=image)
    assert aws.ec2.describe_images(Owners=["self"])["Images"] == []
    assert aws.described(image)["State"] == "disabled"
    assert aws.ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"] == []
    with refused("InvalidAMIName.Duplicate"):
        aws.image()
    with refused("InvalidAMIID.Unavailable"):
        aws.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)
    aws.ec2.enable_image(ImageId=image)
    assert aws.described(image)["State"] == "available"


def test_pending_images_have_none_of_it(aws: Aws, image: str, clock: Clock) -> None:
    clock.now -= 5
    with refused("InvalidAMIID.Unavailable"):
        aws.ec2.enable_image_deprecation(ImageId=image, DeprecateAt="2024-01-31T12:00:29Z")
    with refused("InvalidAMIID.Unavailable"):
        aws.ec2.enable_image_deregistration_protection(ImageId=image)


def test_encryption_by_default(aws: Aws, emulator: Emulator) -> None:
    assert aws.ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    assert aws.ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
    plain = aws.snapshot()
    emulator.store.settings(REGION).encryption_by_default = True
    assert aws.ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True
    started = aws.ebs.start_snapshot(VolumeSize=1)
    assert (started["KmsKeyArn"], started["SseType"]) == (managed_key(OWNER, REGION), "sse-kms")
    assert aws.ebs.start_snapshot(VolumeSize=1, KmsKeyArn=KEY)["KmsKeyArn"] == KEY
    for given in ({"Encrypted": False}, {"ParentSnapshotId": plain}):
        with refused("ValidationException"):
            aws.ebs.start_snapshot(VolumeSize=1, **given)
    emulator.store.settings(REGION).default_kms_key = KEY
    assert aws.ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == KEY
    snapshot = aws.snapshot()
    (told,) = aws.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    assert (told["Encrypted"], told["KmsKeyId"], told["SseType"]) == (True, KEY, "sse-kms")
    assert aws.described(aws.image(snapshot=snapshot))["BlockDeviceMappings"][0]["Ebs"]["KmsKeyId"] == KEY


def test_the_key_of_a_parent(aws: Aws) -> None:
    parent = aws.snapshot(Encrypted=True, KmsKeyArn=KEY)
    assert aws.ebs.start_snapshot(VolumeSize=1, ParentSnapshotId=parent)["KmsKeyArn"] == KEY
    with refused("ValidationException"):
        aws.ebs.start_snapshot(VolumeSize=1, ParentSnapshotId=parent, KmsKeyArn=KEY)


@pytest.mark.parametrize(
    "arn",
    [
        KEY.replace(REGION, "us-east-1"),
        KEY.replace("arn:aws:", "arn:aws-cn:"),
        KEY.replace("key/", "alias/"),
        KEY[-36:],
        KEY.replace("5555", "6666"),
    ],
)
def test_keys_that_are_refused(aws: Aws, emulator: Emulator, arn: str) -> None:
    emulator.store.kms_keys.add(KEY)
    with refused("ValidationException", status=400):
        aws.ebs.start_snapshot(VolumeSize=1, Encrypted=True, KmsKeyArn=arn)
    aws.ebs.start_snapshot(VolumeSize=1, Encrypted=True, KmsKeyArn=KEY)


def test_regions(aws: Aws, emulator: Emulator) -> None:
    def names(**given: object) -> list[str]:
        return [region["RegionName"] for region in aws.ec2.describe_regions(**given)["Regions"]]

    assert "eu-west-1" in names()
    assert "ap-east-1" not in names()
    assert "ap-east-1" in names(AllRegions=True)
    assert names(AllRegions=True, Filters=[{"Name": "opt-in-status", "Values": ["opted-in"]}]) == []
    emulator.store.settings("ap-east-1").opt_in_status = "opted-in"
    assert names(Filters=[{"Name": "opt-in-status", "Values": ["opted-in"]}]) == ["ap-east-1"]
    assert names(RegionNames=["eu-west-1"]) == ["eu-west-1"]
    assert names(Filters=[{"Name": "region-name", "Values": ["eu-west-*"]}]) == ["eu-west-1", "eu-west-2", "eu-west-3"]
    with refused("InvalidParameterValue"):
        names(RegionNames=["nowhere"])
    china = aws.client("ec2", "cn-north-1").describe_regions()["Regions"]
    assert china[0]["Endpoint"] == "ec2.cn-north-1.amazonaws.com.cn"


def test_a_region_that_the_account_is_not_in(aws: Aws) -> None:
    with refused("AuthFailure", status=401):
        aws.client("ec2", "ap-east-1").describe_images()
    with refused("UnrecognizedClientException"):
        aws.client("ebs", "ap-east-1").start_snapshot(VolumeSize=1)
