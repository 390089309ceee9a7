"""Every rule for a request, kept and broken."""

import re
from typing import Any

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.rules import check, check_managed_name, check_region
from nodes.requests import request

NO_WARNINGS: tuple[str, ...] = ()


@pytest.mark.parametrize("self_managed", [False, True])
@pytest.mark.parametrize(
    "wishes",
    [
        {},
        {"arch": "arm64", "instance_types": ("m6g.large", "c7gn.xlarge")},
        {"instance_types": ("m6i.large",)},
        {"variant": "aws-k8s-1.31-nvidia"},
        {"variant": "aws-k8s-1.31-nvidia", "arch": "arm64"},
        {"variant": "aws-k8s-1.35-nvidia-fips", "instance_types": ("p5.48xlarge", "g6e.xlarge")},
        {"min_size": 0, "max_size": 1, "desired_capacity": 0},
        {"min_size": 2, "max_size": 2, "desired_capacity": 2},
        {"volume_size": 20},
        {"max_pods": 110},
        {"name": "n" * 47, "cluster": "c" * 63},
        {"region": "us-gov-west-1"},
        {"region": "cn-north-1"},
        {"ami": "ami-rehearsal0123456789abcdef0", "rehearsal": True},
    ],
)
def test_what_is_right_passes_without_a_warning(wishes: dict[str, Any], self_managed: bool) -> None:
    assert check(request(**wishes, self_managed=self_managed)) == NO_WARNINGS


@pytest.mark.parametrize("self_managed", [False, True])
@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"arch": "arm64", "instance_types": ("m6i.large",)}, "the AMI is for arm64, but m6i.large is x86_64"),
        ({"instance_types": ("m6i.large", "m6g.large")}, "the AMI is for x86_64, but m6g.large is arm64"),
        ({"instance_types": ("m6i.large", "m6i.large")}, "the instance type m6i.large is given twice"),
        ({"instance_types": ("m6i",)}, "“m6i” is not the name of an EC2 instance type"),
        ({"instance_types": ("mac2.metal",)}, "mac2.metal is a Mac"),
        (
            {"instance_types": tuple(f"c{n}i.{s}xlarge" for n in (6, 7) for s in range(2, 13))},
            "22 instance types are too many",
        ),
        (
            {"variant": "aws-k8s-1.31-nvidia", "instance_types": ("m6i.large",)},
            "needs NVIDIA GPUs, and m6i.large has none",
        ),
        (
            {"variant": "aws-k8s-1.31-nvidia", "instance_types": ("g4ad.xlarge",)},
            "needs NVIDIA GPUs, and g4ad.xlarge has none",
        ),
        ({"min_size": 4}, "least size is 4, but its largest is 3"),
        ({"min_size": 0, "max_size": 0}, "largest size is 0"),
        ({"min_size": 2, "desired_capacity": 1}, "shall begin with 1 nodes, which is not between 2 and 3"),
        ({"desired_capacity": 4}, "shall begin with 4 nodes"),
        ({"subnets": ("subnet-12345678",) * 2}, "the subnet subnet-12345678 is given twice"),
        ({"availability_zones": ("eu-central-1a",) * 2}, "the availability zone eu-central-1a is given twice"),
        ({"security_groups": ("sg-12345678",) * 2}, "the security group sg-12345678 is given twice"),
        ({"node_role": "arn:aws-cn:iam::123456789012:role/x"}, "does not exist in eu-central-1"),
        ({"tags": {"aws:x": "y"}}, "has a prefix that is taken"),
        ({"labels": {"node-role.kubernetes.io/x": "y"}}, "is Kubernetes' own"),
        ({"taints": ("a=b:Never",)}, "unknown effect"),
        ({"kube_reserved": {"memory": "1K"}}, "kube-reserved memory"),
        ({"system_reserved": {"gpu": "1"}}, "system-reserved cannot reserve"),
        ({"eviction_hard": {"memory": "1Gi"}}, "does not know the signal"),
        ({"ami": "ami-rehearsal0123456789abcdef0"}, "rehears"),
        ({"ami": "auto-ssm"}, "auto-ssm"),
        ({"ami": "ami-XYZ"}, "ami-XYZ"),
    ],
)
def test_what_is_wrong_is_refused_with_its_reason(wishes: dict[str, Any], message: str, self_managed: bool) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)) as refused:
        check(request(**wishes, self_managed=self_managed))
    assert refused.value.todo or refused.value.why


def test_a_region_is_no_zone() -> None:
    for region in ("eu-central-1", "ap-southeast-7", "us-gov-east-1", "us-isob-east-1", "mx-central-1"):
        check_region(region)
    for wrong in ("", "eu-central-1a", "frankfurt", "eu_central_1", "EU-central-1", "eu-central-1\n"):
        with pytest.raises(ConfigurationError, match="is not the name of an AWS region"):
            check_region(wrong)


def test_an_unknown_family_is_said_to_be_unknown() -> None:
    (warning,) = check(request(instance_types=("q1.large",)))
    assert warning == "brqos does not know the instance type q1.large: make sure that it is x86_64, like the AMI"


def test_gpus_without_a_driver_are_worth_a_warning() -> None:
    (warning,) = check(request(instance_types=("g5.xlarge",)))
    assert "g5.xlarge has NVIDIA GPUs, but the variant aws-k8s-1.29-memoryqos has no driver" in warning


def test_of_the_official_ami_its_own_name_is_told() -> None:
    official: dict[str, Any] = {"ami": None, "variant": "aws-k8s-1.37"}
    with pytest.raises(ConfigurationError, match=r"the official AMI is for x86_64, but m6g\.large is arm64") as refused:
        check(request(**official, instance_types=("m6g.large",)))
    assert refused.value.todo == "Use an instance type such as m6i.large, or --arch aarch64."
    with pytest.raises(ConfigurationError, match=r"the official AMI of the variant aws-k8s-1\.37-nvidia needs"):
        check(request(ami=None, variant="aws-k8s-1.37-nvidia", instance_types=("m6i.large",)))
    (warning,) = check(request(**official, kind="terraform", instance_types=("g5.xlarge",)))
    assert "the variant aws-k8s-1.37 has no driver" in warning
    assert check(request(**official, kind="eksctl", instance_types=("g5.xlarge",))) == NO_WARNINGS


def test_a_type_in_the_place_of_a_wrong_one_has_gpus_too() -> None:
    with pytest.raises(ConfigurationError) as refused:
        check(request(variant="aws-k8s-1.31-nvidia", instance_types=("g5g.xlarge",)))
    assert "such as g4dn.xlarge" in refused.value.todo


def test_thresholds_that_go_away_are_worth_a_warning() -> None:
    lost = {"memory.available": "200Mi"}
    (warning,) = check(request(eviction_hard=lost, release="1.68.0"))
    assert warning.startswith("eviction-hard replaces all")
    assert "--eviction-hard nodefs.available=10%" in warning
    assert "memory.available" not in warning
    (warning,) = check(request(eviction_hard=lost))
    assert warning.startswith("before Bottlerocket 1.69.0 eviction-hard replaces all")
    assert check(request(eviction_hard=lost, release="1.69.0")) == NO_WARNINGS


@pytest.mark.parametrize("name", ["a", "1", "a_b-c", "A" * 63])
def test_eks_takes_the_name_of_a_nodegroup(name: str) -> None:
    check_managed_name(name)


@pytest.mark.parametrize("name", ["", "-a", "_a", "a.b", "ü", "a" * 64, "a\n"])
def test_eks_refuses_the_name_of_a_nodegroup(name: str) -> None:
    with pytest.raises(ConfigurationError, match="managed nodegroup"):
        check_managed_name(name)
