"""Who uses an image: instances, launch templates, Auto Scaling groups, parameters."""

from typing import Any

import pytest

from brqos.rehearsal.emulator import ACCOUNT, Emulator

from .conftest import REGION, Aws, Clock, refused

pytestmark = pytest.mark.loopback


@pytest.fixture
def image(aws: Aws) -> str:
    return aws.image()


def test_instances(aws: Aws, image: str) -> None:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}]
    made = aws.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=2, TagSpecifications=tags)["Instances"]
    assert [instance["ImageId"] for instance in made] == [image, image]
    first = made[0]["InstanceId"]
    aws.ec2.terminate_instances(InstanceIds=[first])

    def found(**given: Any) -> list[str]:
        pages = aws.ec2.get_paginator("describe_instances").paginate(**given)
        reservations = [each for page in pages for each in page["Reservations"]]
        return [instance["InstanceId"] for each in reservations for instance in each["Instances"]]

    assert len(found(Filters=[{"Name": "image-id", "Values": [image]}], PaginationConfig={"PageSize": 5})) == 2
    assert found(Filters=[{"Name": "instance-state-name", "Values": ["terminated"]}]) == [first]
    assert found(Filters=[{"Name": "tag:a", "Values": ["c"]}]) == []
    assert aws.described(image)["LastLaunchedTime"]
    with refused("InvalidInstanceID.NotFound"):
        found(InstanceIds=["i-0123456789abcdef0"])
    with refused("InvalidAMIID.NotFound"):
        aws.ec2.run_instances(ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1)


def test_launch_templates(aws: Aws, image: str, emulator: Emulator) -> None:
    made = aws.ec2.create_launch_template(
        LaunchTemplateName="nodes",
        LaunchTemplateData={
            "ImageId": image,
            "InstanceType": "m5.large",
            "MetadataOptions": {"HttpTokens": "required"},
        },
        VersionDescription="first",
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": [{"Key": "a", "Value": "b"}]}],
    )["LaunchTemplate"]
    other = aws.image("other")
    second = aws.ec2.create_launch_template_version(
        LaunchTemplateName="nodes", SourceVersion="1", LaunchTemplateData={"ImageId": other}
    )["LaunchTemplateVersion"]
    assert second["LaunchTemplateData"] == {
        "ImageId": other,
        "InstanceType": "m5.large",
        "MetadataOptions": {"HttpTokens": "required"},
    }
    (told,) = aws.ec2.describe_launch_templates(Filters=[{"Name": "tag:a", "Values": ["b"]}])["LaunchTemplates"]
    assert (told["DefaultVersionNumber"], told["LatestVersionNumber"]) == (1, 2)

    def images(**given: Any) -> list[str]:
        told = aws.ec2.describe_launch_template_versions(**given)["LaunchTemplateVersions"]
        return [version["LaunchTemplateData"]["ImageId"] for version in told]

    template = {"LaunchTemplateId": made["LaunchTemplateId"]}
    assert images(**template) == images(**template, Versions=["1", "$Latest"]) == [image, other]
    assert images(**template, Versions=["$Default"]) == images(Versions=["$Default"]) == [image]
    assert images(Versions=["$Latest", "$Default"]) == [other, image]
    assert images(**template, MinVersion="2") == [other]
    assert images(**template, Filters=[{"Name": "is-default-version", "Values": ["true"]}]) == [image]
    aws.ec2.modify_launch_template(**template, DefaultVersion="2")
    assert images(Versions=["$Default"]) == [other]
    started = aws.ec2.run_instances(LaunchTemplate={**template, "Version": "1"}, MinCount=1, MaxCount=1)
    assert started["Instances"][0]["ImageId"] == image
    emulator.store.largest_page = 1
    pages = aws.ec2.get_paginator("describe_launch_template_versions").paginate(**template)
    assert [len(page["LaunchTemplateVersions"]) for page in pages] == [1, 1]
    with refused("InvalidLaunchTemplateName.AlreadyExistsException"):
        aws.ec2.create_launch_template(LaunchTemplateName="nodes", LaunchTemplateData={"ImageId": image})
    with refused("InvalidLaunchTemplateId.VersionNotFound"):
        images(**template, Versions=["7"])
    with refused("InvalidLaunchTemplateName.NotFoundException"):
        images(LaunchTemplateName="none")
    with refused("MissingParameter"):
        images()


def test_a_template_may_name_a_parameter(aws: Aws, image: str) -> None:
    aws.ssm.put_parameter(Name="/p", Value=image, Type="String")
    data = {"ImageId": "resolve:ssm:/p"}
    made = aws.ec2.create_launch_template(LaunchTemplateName="nodes", LaunchTemplateData=data)["LaunchTemplate"]

    def told(**given: Any) -> str:
        answer = aws.ec2.describe_launch_template_versions(LaunchTemplateId=made["LaunchTemplateId"], **given)
        return str(answer["LaunchTemplateVersions"][0]["LaunchTemplateData"]["ImageId"])

    assert (told(), told(ResolveAlias=True)) == ("resolve:ssm:/p", image)
    aws.ssm.delete_parameter(Name="/p")
    with refused("InvalidParameterValue"):
        told(ResolveAlias=True)


def test_references(aws: Aws, image: str, clock: Clock) -> None:
    instance = aws.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    made = aws.ec2.create_launch_template(LaunchTemplateName="nodes", LaunchTemplateData={"ImageId": image})
    template = made["LaunchTemplate"]["LaunchTemplateId"]
    aws.ssm.put_parameter(Name="/p", Value=image, Type="String", DataType="aws:ec2:image")
    aws.ssm.put_parameter(Name="/text", Value=image, Type="String")
    clock.now += 5

    def found(**given: Any) -> list[tuple[str, str]]:
        pages = aws.ec2.get_paginator("describe_image_references").paginate(ImageIds=[image], **given)
        told = [each for page in pages for each in page["ImageReferences"]]
        return [(each["ResourceType"], each["Arn"]) for each in told]

    prefix = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
    assert found(IncludeAllResourceTypes=True) == [
        ("ec2:Instance", f"{prefix}:instance/{instance}"),
        ("ec2:LaunchTemplate", f"{prefix}:launch-template/{template}"),
        ("ssm:Parameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/p"),
    ]
    stopped = {"OptionName": "state-name", "OptionValues": ["stopped"]}
    assert found(ResourceTypes=[{"ResourceType": "ec2:Instance", "ResourceTypeOptions": [stopped]}]) == []
    aws.ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={"ImageId": "ami-0other"})
    depth = {"OptionName": "version-depth", "OptionValues": ["1"]}
    assert found(ResourceTypes=[{"ResourceType": "ec2:LaunchTemplate", "ResourceTypeOptions": [depth]}]) == []
    with refused("MissingParameter"):
        found()


def test_auto_scaling(aws: Aws, emulator: Emulator) -> None:
    here = (ACCOUNT, REGION)
    template = {"LaunchTemplateId": "lt-0123456789abcdef0", "LaunchTemplateName": "nodes", "Version": "$Latest"}
    policy = {"LaunchTemplate": {"LaunchTemplateSpecification": template, "Overrides": []}}
    tag = {"ResourceId": "a", "ResourceType": "auto-scaling-group", "Key": "k", "Value": "v", "PropagateAtLaunch": True}
    emulator.store.compute.groups[here] = {
        "a": {"LaunchTemplate": template, "Tags": [tag]},
        "b": {"MixedInstancesPolicy": policy},
        "c": {"LaunchConfigurationName": "old"},
    }
    emulator.store.compute.configurations[here] = {"old": {"ImageId": "ami-0123456789abcdef0"}}
    pages = aws.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(PaginationConfig={"PageSize": 2})
    a, b, c = [group for page in pages for group in page["AutoScalingGroups"]]
    assert a["LaunchTemplate"] == template
    assert b["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"] == template
    (old,) = aws.autoscaling.describe_launch_configurations(LaunchConfigurationNames=[c["LaunchConfigurationName"]])[
        "LaunchConfigurations"
    ]
    assert old["ImageId"] == "ami-0123456789abcdef0"

    def names(**given: Any) -> list[str]:
        told = aws.autoscaling.describe_auto_scaling_groups(**given)["AutoScalingGroups"]
        return [group["AutoScalingGroupName"] for group in told]

    assert names(AutoScalingGroupNames=["b", "unknown"]) == ["b"]
    assert (
        names(Filters=[{"Name": "tag:k", "Values": ["v"]}])
        == names(Filters=[{"Name": "tag-value", "Values": ["v"]}])
        == ["a"]
    )
    assert aws.client("autoscaling", "us-east-1").describe_auto_scaling_groups()["AutoScalingGroups"] == []
    with refused("ValidationError"):
        names(MaxRecords=101)
    with refused("InvalidAction"):
        aws.autoscaling.describe_policies()
