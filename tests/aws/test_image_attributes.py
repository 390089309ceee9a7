"""Image and snapshot attributes: held against moto where it knows the call, else against botocore's model."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import moto
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.image_attributes import BlockPublicAccess, Grants, ImageAttributes

REGION = "eu-west-1"
ACCOUNTS = ("111122223333", "222233334444", "333344445555")
ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcdefghij"
OTHER_ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-klmnopqrst"
OU = "arn:aws:organizations::111122223333:ou/o-abcdefghij/ou-abcd-12345678"

names = st.frozensets(st.sampled_from([*ACCOUNTS, ORGANIZATION, OU]))
grants = st.builds(Grants, names, names, names, st.booleans())


def client() -> Any:
    return boto3.client("ec2", REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture
def ec2() -> Iterator[Any]:
    with moto.mock_aws():
        yield client()


@pytest.fixture
def image(ec2) -> str:
    return ec2.register_image(Name="bottlerocket-test")["ImageId"]


@pytest.fixture
def snapshot(ec2) -> str:
    volume = ec2.create_volume(Size=1, AvailabilityZone=f"{REGION}a")["VolumeId"]
    return ec2.create_snapshot(VolumeId=volume)["SnapshotId"]


@given(grants, grants)
def test_what_is_missing_and_what_is_there_make_the_whole(wanted: Grants, found: Grants) -> None:
    lacking = wanted - found
    assert not lacking - wanted
    assert not wanted - found - lacking
    assert not wanted - wanted
    assert wanted - Grants() == wanted


def test_an_image_is_shared_with_all_kinds_at_once(ec2, image: str) -> None:
    attributes = ImageAttributes(ec2, REGION, None)
    assert attributes.launch_permissions(image) == Grants()
    first = Grants(frozenset(ACCOUNTS[:2]), frozenset({ORGANIZATION, OTHER_ORGANIZATION}), frozenset({OU}), public=True)
    attributes.share_image(image, first)
    assert attributes.launch_permissions(image) == first
    attributes.share_image(image, Grants(frozenset(ACCOUNTS)))
    assert attributes.launch_permissions(image).accounts == frozenset(ACCOUNTS), "nobody loses anything"


def test_sharing_with_nobody_is_no_call() -> None:
    with Stubber(stubbed := client()):
        ImageAttributes(stubbed, REGION, None).share_image("ami-1", Grants())
        ImageAttributes(stubbed, REGION, None).share_snapshot("snap-1", Grants())


def test_a_snapshot_is_shared(ec2, snapshot: str) -> None:
    attributes = ImageAttributes(ec2, REGION, None)
    assert attributes.snapshot_permissions(snapshot) == Grants()
    attributes.share_snapshot(snapshot, Grants(frozenset(ACCOUNTS[:2])))
    assert attributes.snapshot_permissions(snapshot) == Grants(frozenset(ACCOUNTS[:2]))
    attributes.share_snapshot(snapshot, Grants(public=True))
    assert attributes.snapshot_permissions(snapshot) == Grants(frozenset(ACCOUNTS[:2]), public=True)


def test_more_accounts_than_one_call_takes() -> None:
    accounts = [f"{number:012}" for number in range(1200)]
    with Stubber(stubbed := client()) as stub:
        for start in (0, 500, 1000):
            stub.add_response(
                "modify_snapshot_attribute",
                {},
                {
                    "SnapshotId": "snap-1",
                    "Attribute": "createVolumePermission",
                    "OperationType": "add",
                    "UserIds": accounts[start : start + 500],
                },
            )
        ImageAttributes(stubbed, REGION, None).share_snapshot("snap-1", Grants(frozenset(accounts)))
        stub.assert_no_pending_responses()


def test_the_marks() -> None:
    at = datetime(2027, 1, 2, 3, 4, tzinfo=UTC)
    with Stubber(stubbed := client()) as stub:
        stub.add_response("enable_image_deprecation", {"Return": True}, {"ImageId": "ami-1", "DeprecateAt": at})
        stub.add_response(
            "enable_image_deregistration_protection",
            {"Return": "enabled-without-cooldown"},
            {"ImageId": "ami-1", "WithCooldown": False},
        )
        stub.add_response("disable_image_deregistration_protection", {"Return": "disabled"}, {"ImageId": "ami-1"})
        attributes = ImageAttributes(stubbed, REGION, None)
        attributes.deprecate("ami-1", at)
        attributes.protect("ami-1")
        attributes.unprotect("ami-1")
        stub.assert_no_pending_responses()


def test_the_settings_of_the_account() -> None:
    with Stubber(stubbed := client()) as stub:
        stub.add_response(
            "get_image_block_public_access_state",
            {"ImageBlockPublicAccessState": "block-new-sharing", "ManagedBy": "declarative-policy"},
            {},
        )
        stub.add_response("get_snapshot_block_public_access_state", {"State": "unblocked"}, {})
        stub.add_response("get_ebs_encryption_by_default", {"EbsEncryptionByDefault": True}, {})
        attributes = ImageAttributes(stubbed, REGION, None)
        assert attributes.block_public_access() == BlockPublicAccess("block-new-sharing", "declarative-policy")
        assert not attributes.block_public_snapshots().blocked
        assert attributes.ebs_encryption_by_default()


@pytest.mark.parametrize(("value", "found"), [({"Value": "QUJD"}, "QUJD"), ({"Value": ""}, None), ({}, None)])
def test_the_uefi_data(value: dict[str, str], found: str | None) -> None:
    with Stubber(stubbed := client()) as stub:
        stub.add_response(
            "describe_image_attribute", {"UefiData": value}, {"ImageId": "ami-1", "Attribute": "uefiData"}
        )
        assert ImageAttributes(stubbed, REGION, None).uefi_data("ami-1") == found


def test_an_image_that_is_gone() -> None:
    with Stubber(stubbed := client()) as stub:
        stub.add_client_error("describe_image_attribute", "InvalidAMIID.NotFound", "no such image", 400)
        with pytest.raises(AwsCallError) as raised:
            ImageAttributes(stubbed, REGION, None).launch_permissions("ami-0123456789abcdef0")
    assert raised.value.kind is ErrorKind.NOT_FOUND
