"""Every parameter that an action takes is one that botocore sends. (That every member of an answer is one that it reads
is looked at in all tests: see the fixture `aws`.)"""

import pytest

from brqos.rehearsal.emulator.ec2 import ACTIONS as EC2
from brqos.rehearsal.emulator.ssm import ACTIONS as SSM

from .models import parameters_of, unknown_members


@pytest.mark.parametrize("action", sorted(EC2))
def test_parameters_of_ec2(action: str) -> None:
    assert EC2[action].members - parameters_of("ec2", action) - {"Action", "Version"} == set()


@pytest.mark.parametrize("operation", sorted(SSM))
def test_parameters_of_ssm(operation: str) -> None:
    assert SSM[operation][1] - parameters_of("ssm", operation) == set()


def test_the_check_of_answers_sees_something() -> None:
    told = {"imagesSet": [{"imageId": "x", "colour": 1, "blockDeviceMapping": [{"ebs": {"sizes": 1}}]}]}
    assert unknown_members("ec2", "DescribeImages", told) == [
        "DescribeImages.imagesSet.colour",
        "DescribeImages.imagesSet.blockDeviceMapping.ebs.sizes",
    ]
    assert unknown_members("ec2", "DescribeImages", {"imagesSet": "x"}) == ["DescribeImages.imagesSet is no list"]
    assert unknown_members("ec2", "CreateTags", {"return": True, "x": 1}) == ["x"]
