"""DescribeInstanceTypes; moto's figures are AWS's own."""

from typing import Any

import boto3
import moto
import pytest

from brqos.rehearsal.emulator import Emulator

from .conftest import REGION, Aws, refused

pytestmark = pytest.mark.loopback


def described(ec2: Any, **given: Any) -> dict[str, dict[str, Any]]:
    pages = ec2.get_paginator("describe_instance_types").paginate(**given)
    return {str(item["InstanceType"]): item for page in pages for item in page["InstanceTypes"]}


def differences(ours: Any, theirs: Any) -> Any:
    """What ours say otherwise than theirs, which say more."""
    if isinstance(ours, dict):
        found = {name: differences(value, theirs.get(name)) for name, value in ours.items()}
        return {name: value for name, value in found.items() if value}
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [each for each in map(differences, ours, theirs) if each]
    return None if ours == theirs else f"{ours} is {theirs}"


def test_the_figures_are_those_of_aws(aws: Aws) -> None:
    ours = described(aws.ec2)
    with moto.mock_aws():
        ec2 = boto3.client("ec2", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")
        theirs = described(ec2, InstanceTypes=list(ours))
    assert {name: differences(item, theirs[name]) for name, item in ours.items()} == {name: {} for name in ours}
    gpus = {name for name, item in ours.items() if "GpuInfo" in item}
    assert gpus == {name for name in ours if "GpuInfo" in theirs[name]}


def test_some_of_each_kind(aws: Aws) -> None:
    kinds = {
        (item["ProcessorInfo"]["SupportedArchitectures"][-1], "GpuInfo" in item) for item in described(aws.ec2).values()
    }
    assert kinds == {("x86_64", False), ("x86_64", True), ("arm64", False), ("arm64", True)}


def test_names_and_filters(aws: Aws, emulator: Emulator) -> None:
    assert list(described(aws.ec2, InstanceTypes=["m7g.large", "g5.xlarge"])) == ["m7g.large", "g5.xlarge"]
    filters = [{"Name": "instance-type", "Values": ["m7g.large", "x9.large"]}]
    assert list(described(aws.ec2, Filters=filters)) == ["m7g.large"]
    arm = [{"Name": "processor-info.supported-architecture", "Values": ["arm64"]}]
    emulator.store.largest_page = 2
    assert "m7g.large" in described(aws.ec2, Filters=arm)
    assert "m7i.large" not in described(aws.ec2, Filters=arm)


def test_what_is_refused(aws: Aws) -> None:
    message = r"The following supplied instance types do not exist: \[x9.large, z\]"
    with refused("InvalidInstanceType", match=message):
        described(aws.ec2, InstanceTypes=["z", "m5.large", "x9.large"])
    with moto.mock_aws(), refused("InvalidInstanceType"):
        ec2 = boto3.client("ec2", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")
        described(ec2, InstanceTypes=["z", "m5.large", "x9.large"])
    with refused("InvalidParameterValue"):
        aws.ec2.describe_instance_types(MaxResults=101)
    with refused("InvalidParameterCombination"):
        aws.ec2.describe_instance_types(InstanceTypes=["m5.large"], MaxResults=5)
    with refused("InvalidParameterValue"):
        described(aws.ec2, Filters=[{"Name": "colour", "Values": ["red"]}])
