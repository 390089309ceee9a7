"""What may use an image, as moto's EC2, Auto Scaling and Systems Manager tell it, and as botocore's stub answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import moto
import pytest
from botocore.stub import Stubber

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.usage import (
    ImageInstance,
    ImageReference,
    LaunchConfiguration,
    LaunchTemplate,
    ScalingGroup,
    TemplateChoice,
    TemplateVersion,
    Usage,
    is_unavailable,
)

REGION = "eu-west-1"
AMI = "ami-0123456789abcdef0"
OTHER = "ami-0fedcba9876543210"
SNAPSHOT = "snap-0123456789abcdef0"


@dataclass
class Clients:
    ec2: Any
    autoscaling: Any
    ssm: Any

    @property
    def usage(self) -> Usage:
        return Usage(self.ec2, self.autoscaling, self.ssm, region=REGION, profile=None)


def clients() -> Clients:
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
    return Clients(*(boto3.client(name, region_name=REGION, **keys) for name in ("ec2", "autoscaling", "ssm")))  # type: ignore[call-overload]


@pytest.fixture
def aws() -> Iterator[Clients]:
    with moto.mock_aws():
        yield clients()


@pytest.fixture
def stub() -> Iterator[Callable[[str], Stubber]]:
    """Stubs for the clients of `stubbed.clients`, by their names."""
    made = clients()
    stubs = {name: Stubber(getattr(made, name)) for name in ("ec2", "autoscaling", "ssm")}
    for each in stubs.values():
        each.activate()

    def of(name: str) -> Stubber:
        return stubs[name]

    of.usage = made.usage  # type: ignore[attr-defined]
    yield of
    for each in stubs.values():
        each.assert_no_pending_responses()


def image(ec2: Any) -> str:
    return str(ec2.register_image(Name="bottlerocket-test")["ImageId"])


def test_instances(aws: Clients) -> None:
    ami = image(aws.ec2)
    started = aws.ec2.run_instances(ImageId=ami, MinCount=3, MaxCount=3, InstanceType="t3.micro")["Instances"]
    running, stopped, terminated = (each["InstanceId"] for each in started)
    aws.ec2.stop_instances(InstanceIds=[stopped])
    aws.ec2.terminate_instances(InstanceIds=[terminated])
    found = sorted(aws.usage.instances([ami, OTHER]), key=lambda each: each.state)
    assert found == [ImageInstance(running, ami, "running"), ImageInstance(stopped, ami, "stopped")]
    assert list(aws.usage.instances([OTHER])) == []
    assert list(aws.usage.instances([])) == []


def test_launch_templates_and_all_their_versions(aws: Clients) -> None:
    made = aws.ec2.create_launch_template(
        LaunchTemplateName="nodes",
        LaunchTemplateData={
            "ImageId": AMI,
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvdb", "Ebs": {"SnapshotId": SNAPSHOT}}],
        },
    )["LaunchTemplate"]["LaunchTemplateId"]
    data = {"ImageId": "resolve:ssm:/our/parameter"}
    aws.ec2.create_launch_template_version(LaunchTemplateId=made, LaunchTemplateData=data)
    assert list(aws.usage.launch_templates()) == [LaunchTemplate(made, "nodes", 1, 2)]
    assert sorted(aws.usage.template_versions(made), key=lambda version: version.number) == [
        TemplateVersion(made, 1, AMI, (SNAPSHOT,)),
        TemplateVersion(made, 2, "resolve:ssm:/our/parameter", ()),
    ]


def test_a_launch_template_that_is_gone_has_no_versions(aws: Clients) -> None:
    assert list(aws.usage.template_versions("lt-0123456789abcdef0")) == []


def test_groups_and_launch_configurations(aws: Clients) -> None:
    ami = image(aws.ec2)
    aws.autoscaling.create_launch_configuration(
        LaunchConfigurationName="old",
        ImageId=ami,
        InstanceType="t3.micro",
        BlockDeviceMappings=[{"DeviceName": "/dev/xvdb", "Ebs": {"SnapshotId": SNAPSHOT}}],
    )
    for name in ("nodes", "others"):
        aws.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": ami})
    sizes = {"MinSize": 0, "MaxSize": 0, "AvailabilityZones": [f"{REGION}a"]}
    aws.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="plain", LaunchTemplate={"LaunchTemplateName": "nodes", "Version": "$Latest"}, **sizes
    )
    assert list(aws.usage.launch_configurations()) == [LaunchConfiguration("old", ami, (SNAPSHOT,))]
    (group,) = aws.usage.groups()
    assert (group.name, [choice.version for choice in group.templates]) == ("plain", ["$Latest"])


def test_everything_that_a_group_may_start_from(stub: Any) -> None:
    of_instance = {"LaunchTemplateId": "lt-3", "LaunchTemplateName": "third", "Version": "7"}
    group = {
        "AutoScalingGroupName": "mixed",
        "MinSize": 0,
        "MaxSize": 1,
        "DesiredCapacity": 1,
        "DefaultCooldown": 300,
        "AvailabilityZones": [],
        "HealthCheckType": "EC2",
        "CreatedTime": 0,
        "MixedInstancesPolicy": {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateName": "first", "Version": "3"},
                "Overrides": [
                    {"InstanceType": "m7g.large", "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-2"}},
                    {"InstanceType": "m7i.large", "ImageId": AMI},
                ],
            }
        },
        "Instances": [
            {
                "InstanceId": "i-1",
                "AvailabilityZone": "a",
                "LifecycleState": "InService",
                "HealthStatus": "Healthy",
                "ProtectedFromScaleIn": False,
                "LaunchTemplate": of_instance,
                "ImageId": OTHER,
            }
        ],
    }
    stub("autoscaling").add_response("describe_auto_scaling_groups", {"AutoScalingGroups": [group]})
    assert list(stub.usage.groups()) == [
        ScalingGroup(
            "mixed",
            (TemplateChoice("first", "3"), TemplateChoice("lt-2", "$Default"), TemplateChoice("lt-3", "7")),
            (AMI, OTHER),
        )
    ]


def test_parameters(aws: Clients) -> None:
    for number in range(23):
        aws.ssm.put_parameter(Name=f"/our/{number:02}", Value=f"ami-{number:017x}", Type="String")
    aws.ssm.put_parameter(Name="secret", Value=AMI, Type="SecureString")
    tags = [{"Key": "brqos:tool", "Value": "brqos"}]
    aws.ssm.put_parameter(Name="/tagged/image_id", Value=AMI, Type="String", Tags=tags)
    names = [item.name for item in aws.usage.parameters()]
    assert (len(names), {item.type for item in aws.usage.parameters()}) == (25, {"String", "SecureString"})
    (tagged,) = aws.usage.parameters({"brqos:tool": "brqos"})
    assert (tagged.name, tagged.modified is not None) == ("/tagged/image_id", True)
    values = dict(aws.usage.parameter_values([*names[:23], "/not/there"]))
    assert (len(values), values["/our/02"]) == (23, f"ami-{2:017x}")
    assert dict(aws.usage.parameter_values(["/tagged/image_id:1"])) == {"/tagged/image_id": AMI}
    aws.usage.delete_parameter("/tagged/image_id")
    with pytest.raises(AwsCallError) as caught:
        aws.usage.delete_parameter("/tagged/image_id")
    assert caught.value.kind is ErrorKind.NOT_FOUND


def test_recipes_are_asked_for_ten_images_at_a_time(stub: Any) -> None:
    images = [f"ami-{number:017x}" for number in range(12)]
    types = [{"ResourceType": "imagebuilder:ImageRecipe"}, {"ResourceType": "imagebuilder:ContainerRecipe"}]
    arn = f"arn:aws:imagebuilder:{REGION}:{'1' * 12}:image-recipe/ours/1.0.0"
    told = {"ImageReferences": [{"ImageId": images[0], "ResourceType": "imagebuilder:ImageRecipe", "Arn": arn}]}
    ask = "describe_image_references"
    stub("ec2").add_response(ask, told, {"ImageIds": images[:10], "ResourceTypes": types})
    stub("ec2").add_response(ask, {"ImageReferences": []}, {"ImageIds": images[10:], "ResourceTypes": types})
    assert stub.usage.knows_recipes()
    assert list(stub.usage.recipes(images)) == [ImageReference(images[0], "imagebuilder:ImageRecipe", arn)]


def test_pages_are_followed(stub: Any) -> None:
    def template(number: int) -> dict[str, object]:
        return {"LaunchTemplateId": f"lt-{number}", "LaunchTemplateName": f"template-{number}"}

    ask = "describe_launch_templates"
    stub("ec2").add_response(ask, {"LaunchTemplates": [template(1)], "NextToken": "more"}, {"MaxResults": 200})
    stub("ec2").add_response(ask, {"LaunchTemplates": [template(2)]}, {"NextToken": "more", "MaxResults": 200})
    assert [item.name for item in stub.usage.launch_templates()] == ["template-1", "template-2"]


def test_nothing_is_asked_before_it_is_wanted(stub: Any) -> None:
    # The stub would refuse a call that nobody announced.
    stub.usage.launch_templates()
    stub.usage.parameters()


@pytest.mark.parametrize(
    ("code", "unavailable"),
    [("UnauthorizedOperation", True), ("InvalidAction", True), ("RequestLimitExceeded", False), ("AuthFailure", False)],
)
def test_refusals(stub: Any, code: str, unavailable: bool) -> None:
    stub("ec2").add_client_error("describe_image_references", code, "no", 400)
    with pytest.raises(AwsCallError) as caught:
        list(stub.usage.recipes([AMI]))
    assert is_unavailable(caught.value) is unavailable
    assert f"DescribeImageReferences in {REGION}" in caught.value.what
