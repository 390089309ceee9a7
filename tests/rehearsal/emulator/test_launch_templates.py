"""The data of launch templates: what comes back, what is refused, and what a ClientToken is good for."""

import base64
from typing import Any

import boto3
import moto
import pytest

from brqos.rehearsal.emulator import Emulator

from .conftest import REGION, Aws, refused

pytestmark = pytest.mark.loopback

USER_DATA = base64.b64encode(b'[settings.kubernetes]\ncluster-name = "main"\n').decode()
DATA: dict[str, Any] = {
    "ImageId": "ami-0123456789abcdef0",
    "InstanceType": "m7g.large",
    "KeyName": "key",
    "UserData": USER_DATA,
    "EbsOptimized": True,
    "IamInstanceProfile": {"Name": "nodes"},
    "SecurityGroupIds": ["sg-0123456789abcdef0", "sg-0123456789abcdef1"],
    "BlockDeviceMappings": [
        {"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": True, "Encrypted": False}},
        {"DeviceName": "/dev/xvdb", "Ebs": {"VolumeSize": 80, "VolumeType": "gp3", "Iops": 3000, "Throughput": 125}},
    ],
    "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"},
    "TagSpecifications": [
        {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "node"}]},
        {"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "volume"}]},
    ],
    "NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": False, "Groups": ["sg-0123456789abcdef0"]}],
    "InstanceMarketOptions": {"MarketType": "spot", "SpotOptions": {"MaxPrice": "0.1", "SpotInstanceType": "one-time"}},
    "Monitoring": {"Enabled": True},
}


def create(ec2: Any, **given: Any) -> dict[str, Any]:
    return dict(ec2.create_launch_template(**{"LaunchTemplateName": "nodes", "LaunchTemplateData": DATA, **given}))


def told(ec2: Any, version: str = "$Latest", **given: Any) -> dict[str, Any]:
    answer = ec2.describe_launch_template_versions(LaunchTemplateName="nodes", Versions=[version], **given)
    return dict(answer["LaunchTemplateVersions"][0]["LaunchTemplateData"])


def test_data_come_back_as_they_were_given(aws: Aws) -> None:
    tags = [{"ResourceType": "launch-template", "Tags": [{"Key": "brqos:tool", "Value": "brqos"}]}]
    made = create(aws.ec2, VersionDescription="first", TagSpecifications=tags)["LaunchTemplate"]
    assert made["Tags"] == [{"Key": "brqos:tool", "Value": "brqos"}]
    assert told(aws.ec2) == DATA


def test_answers_as_moto_has_them(aws: Aws) -> None:
    ours, ours_told = create(aws.ec2, ClientToken="a"), told(aws.ec2)
    with moto.mock_aws():
        ec2 = boto3.client("ec2", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")
        theirs, theirs_told = create(ec2), told(ec2)
        with refused("InvalidLaunchTemplateName.AlreadyExistsException", match="already in use"):
            create(ec2)
        with refused("InvalidLaunchTemplateId.VersionNotFound", match="Could not find the specified version 9"):
            told(ec2, "9")
    assert ours_told == theirs_told
    assert {*ours["LaunchTemplate"], "Tags"} == set(theirs["LaunchTemplate"])
    with refused("InvalidLaunchTemplateName.AlreadyExistsException", match="already in use"):
        create(aws.ec2)
    with refused("InvalidLaunchTemplateId.VersionNotFound", match="Could not find the specified version 9"):
        told(aws.ec2, "9")


def test_a_version_takes_from_its_source_what_it_does_not_say(aws: Aws) -> None:
    create(aws.ec2)
    aws.ec2.create_launch_template_version(
        LaunchTemplateName="nodes",
        SourceVersion="1",
        LaunchTemplateData={"MetadataOptions": {"HttpTokens": "optional"}},
    )
    assert told(aws.ec2) == {**DATA, "MetadataOptions": {"HttpTokens": "optional"}}
    aws.ec2.create_launch_template_version(LaunchTemplateName="nodes", LaunchTemplateData={"KeyName": "other"})
    assert told(aws.ec2) == {"KeyName": "other"}


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        ({}, "MissingParameter", "No launch template data"),
        ({"UserData": "[settings]"}, "InvalidUserData.Malformed", "Invalid BASE64"),
        ({"UserData": base64.b64encode(bytes(16385)).decode()}, "InvalidUserData.Malformed", "16384 bytes"),
        ({"MetadataOptions": {"HttpTokens": "always"}}, "InvalidParameterValue", "HttpTokens"),
        ({"MetadataOptions": {"HttpPutResponseHopLimit": 65}}, "InvalidParameterValue", "1 to 64"),
        ({"BlockDeviceMappings": [{"Ebs": {"VolumeType": "gp9"}}]}, "InvalidParameterValue", "VolumeType"),
        ({"BlockDeviceMappings": [{"Ebs": {"VolumeSize": -1}}]}, "InvalidParameterValue", "VolumeSize"),
        ({"TagSpecifications": [{"ResourceType": "image", "Tags": []}]}, "InvalidParameterValue", "taggable"),
        ({"KernelId": "aki-1"}, "UnknownParameter", "LaunchTemplateData.KernelId"),
    ],
)
def test_data_that_are_refused(aws: Aws, data: dict[str, Any], code: str, words: str) -> None:
    with refused(code, match=words):
        create(aws.ec2, LaunchTemplateData=data)
    create(aws.ec2)
    with refused(code, match=words):
        aws.ec2.create_launch_template_version(LaunchTemplateName="nodes", LaunchTemplateData=data)


def test_what_ec2_does_not_look_at(aws: Aws) -> None:
    largest = base64.b64encode(bytes(16384)).decode()
    data = {"ImageId": "ami-nonsense", "SecurityGroupIds": ["sg-nowhere"], "UserData": largest}
    create(aws.ec2, LaunchTemplateData=data)
    assert told(aws.ec2) == data
    with refused("InvalidAMIID.Malformed"):
        aws.ec2.run_instances(LaunchTemplate={"LaunchTemplateName": "nodes"}, MinCount=1, MaxCount=1)


def test_other_refusals(aws: Aws) -> None:
    with refused("InvalidLaunchTemplateName.MalformedException"):
        create(aws.ec2, LaunchTemplateName="a name")
    with refused("InvalidParameterValue", match="255"):
        create(aws.ec2, VersionDescription="x" * 256)
    with refused("InvalidParameterValue", match="taggable"):
        create(aws.ec2, TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}])
    with refused("InvalidLaunchTemplateId.NotFound"):
        aws.ec2.modify_launch_template(LaunchTemplateId="lt-0123456789abcdef0", DefaultVersion="1")


def test_client_tokens(aws: Aws, emulator: Emulator) -> None:
    first = create(aws.ec2, ClientToken="one")["LaunchTemplate"]
    assert create(aws.ec2, ClientToken="one")["LaunchTemplate"] == first
    with refused("IdempotentParameterMismatch"):
        create(aws.ec2, ClientToken="one", LaunchTemplateName="other")
    with refused("InvalidLaunchTemplateName.AlreadyExistsException"):
        create(aws.ec2, ClientToken="two")
    asked = {"LaunchTemplateName": "nodes", "LaunchTemplateData": {"KeyName": "k"}}
    versions = [
        aws.ec2.create_launch_template_version(ClientToken=token, **asked)["LaunchTemplateVersion"]["VersionNumber"]
        for token in ("three", "three", "four")
    ]
    assert versions == [2, 2, 3]
    with refused("IdempotentParameterMismatch"):
        aws.ec2.create_launch_template_version(ClientToken="three", **{**asked, "VersionDescription": "x"})
    # In another region the same token is another one.
    create(aws.client("ec2", "us-east-1"), ClientToken="one")
    assert len(emulator.store.compute.templates) == 2


def test_dry_runs(aws: Aws, emulator: Emulator) -> None:
    with refused("DryRunOperation", status=412):
        create(aws.ec2, DryRun=True, ClientToken="one")
    assert not emulator.store.compute.templates
    create(aws.ec2, ClientToken="one")
    with refused("DryRunOperation", status=412):
        aws.ec2.modify_launch_template(LaunchTemplateName="nodes", DefaultVersion="1", DryRun=True)
    emulator.deny("ec2:CreateLaunchTemplate*")
    with refused("UnauthorizedOperation", status=403):
        aws.ec2.create_launch_template_version(
            LaunchTemplateName="nodes", LaunchTemplateData={"KeyName": "k"}, DryRun=True
        )
