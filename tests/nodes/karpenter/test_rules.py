"""What is refused, and that each refusal says why and what to do."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brqos.errors import ConfigurationError
from brqos.nodes.file import node_file
from brqos.nodes.karpenter import rules
from brqos.nodes.karpenter.ami_selection import check_told_apart
from brqos.nodes.karpenter.document import document
from brqos.nodes.request import NodegroupRequest
from nodes.karpenter.cases import karpenter_request, wishes

ROLE = "arn:aws:iam::111122223333:role/r"
PROFILE = "arn:aws:iam::111122223333:instance-profile/p"
BY_SSM = {"ami_by": "ssm"}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "Spark"}, "a NodePool cannot be called “Spark”"),
    ({"name": "spark-"}, "a NodePool cannot be called “spark-”"),
    ({"ami": None, "variant": "aws-k8s-1.37"}, "the official AMI gets no MemoryQoS from Karpenter"),
    ({"karpenter": BY_SSM}, "shall be found by an SSM parameter, and none is given"),
    ({"karpenter": {"ssm_parameter": "/a"}}, "an SSM parameter is given, but the AMI is named by id"),
    (
        {"karpenter": {**BY_SSM, "ssm_parameter": "/aws/service/bottlerocket/aws-k8s-1.29/x86_64/latest/image_id"}},
        "is AWS's own",
    ),
    ({"karpenter": {**BY_SSM, "ssm_parameter": "/a/aws-k8s-1.29/x86_64/latest/image_id"}}, "is of the variant"),
    ({"karpenter": {**BY_SSM, "ssm_parameter": "/a/arm64/latest"}}, "is of the architecture arm64"),
    ({"karpenter": {**BY_SSM, "ssm_parameter": "/a/aarch64/latest"}}, "is of the architecture aarch64"),
    ({"node_role": ROLE, "instance_profile": PROFILE}, "both a role and an instance profile"),
    ({"cluster": "c" * 50}, "the nodes' role is not given"),
    (
        {"subnets": ("subnet-01234567",), "karpenter": {"subnet_tags": {"a": "b"}}},
        "subnets are given by id and by tags",
    ),
    ({"subnets": tuple(f"subnet-{number:08x}" for number in range(31))}, "31 subnets are too many"),
    ({"security_groups": tuple(f"sg-{number:08x}" for number in range(31))}, "31 security-groups are too many"),
    ({"karpenter": {"subnet_tags": {"a": ""}}}, "subnet-tags cannot select anything"),
    ({"karpenter": {"security_group_tags": {"": "a"}}}, "security-group-tags cannot select anything"),
    ({"karpenter": {"subnet_tags": {str(number): "a" for number in range(21)}}}, "subnet-tags cannot select anything"),
    ({"availability_zones": ("eu-west-1a",)}, "“eu-west-1a” is not an availability zone of eu-central-1"),
    ({"availability_zones": ("eu-central-1a b",)}, "is not an availability zone"),
    ({"availability_zones": ("eu-central-1",)}, "is not an availability zone"),
    ({"volume_size": 59001}, "a gp3 volume of 59001 GiB is too much"),
    ({"volume_type": "io2"}, "an io2 volume needs a number of IOPS"),
    ({"volume_type": "gp2", "volume_iops": 3000}, "a gp2 volume has no IOPS to choose"),
    ({"volume_type": "io2", "volume_iops": 3000, "volume_throughput": 125}, "has no throughput to choose"),
    ({"tags": {"karpenter.sh/nodepool": "a"}}, "is set by Karpenter itself"),
    ({"tags": {"kubernetes.io/cluster/prod": "owned"}}, "is set by Karpenter itself"),
    ({"tags": {"eks:eks-cluster-name": "a"}}, "is set by Karpenter itself"),
    ({"tags": {"aws:a": "b"}}, "has a prefix that is taken"),
    ({"tags": {"": "b"}}, "has no key"),
    ({"tags": {str(number): "" for number in range(45)}}, "45 tags are too many"),
    ({"labels": {"karpenter.sh/capacity-type": "spot"}}, "is Karpenter's own"),
    ({"labels": {"karpenter.k8s.aws/x": "y"}}, "is Karpenter's own"),
    ({"labels": {"notkarpenter.sh/x": "y"}}, "is Karpenter's own"),
    ({"labels": {"kubernetes.io/hostname": "a"}}, "says what an instance is"),
    ({"labels": {"kubernetes.io/arch": "arm64"}}, "says what an instance is"),
    ({"labels": {f"l{number}": "" for number in range(101)}}, "101 labels are too many"),
    ({"taints": ("karpenter.sh/disrupted:NoSchedule",)}, "the taint “karpenter.sh/disrupted” is Karpenter's own"),
    ({"taints": ("a=b:NoSchedule", "a:NoSchedule")}, "there are two taints “a” with the effect NoSchedule"),
    ({"karpenter": {"limits": {"memory": "400"}}}, "is not an amount of memory"),
    ({"karpenter": {"limits": {"cpu": "many"}}}, "is not an amount of cpu"),
    ({"karpenter": {"limits": {"cpu": "0"}}}, "is not an amount of cpu"),
    ({"karpenter": {"expire_after": "0h"}}, "would replace each node as soon as it is there"),
    ({"karpenter": {"expire_after": "99999999h"}}, "is too long"),
    ({"karpenter": {"consolidate_after": "99999999h"}}, "is too long"),
    ({"settings": {"motd": "x" * 17000}}, "the user data has"),
]


@pytest.mark.parametrize(("fields", "message"), WRONG)
def test_what_is_wrong_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)) as refused:
        node_file([karpenter_request(**fields)])
    assert refused.value.todo


RIGHT: list[dict[str, Any]] = [
    {"name": "a" * 63},
    {"cluster": "c" * 46},
    {"cluster": "c" * 100, "node_role": ROLE},
    {"karpenter": {**BY_SSM, "ssm_parameter": "/ours/aws-k8s-1.29-memoryqos/x86_64/latest/image_id"}},
    {"karpenter": {**BY_SSM, "ssm_parameter": "/ours/amd64"}},
    {"karpenter": {**BY_SSM, "ssm_parameter": "/aws-k8s-things/image_id"}},
    {"karpenter": {"ami_by": "tags", "subnet_tags": {"a": "*"}}},
    {"region": "us-west-2", "availability_zones": ("us-west-2a", "us-west-2-lax-1a")},
    {"tags": {str(number): "" for number in range(44)}},
    {"tags": {"Name": "node", "karpenter.sh/discovery": "prod"}},
    {"labels": {"node.kubernetes.io/x": "y", "karpenter.sh.example.com/x": "y"}},
    {"taints": ("a=b:NoSchedule", "a=b:NoExecute")},
    {"volume_type": "gp2"},
    {"volume_type": "gp3", "volume_iops": 3000, "volume_throughput": 125},
    {"karpenter": {"limits": {"memory": "1Gi", "cpu": "1"}, "expire_after": "1s", "consolidate_after": "0s"}},
    {"karpenter": {"expire_after": "Never", "consolidate_after": "2562047h"}},
]


@pytest.mark.parametrize("fields", RIGHT)
def test_what_is_right_is_taken(fields: dict[str, Any]) -> None:
    assert len(document([karpenter_request(**fields)])) == 2


def test_a_missing_parameter_comes_with_the_name_of_one() -> None:
    with pytest.raises(ConfigurationError) as refused:
        document([karpenter_request(arch="arm64", karpenter=BY_SSM)])
    assert "<prefix>/aws-k8s-1.29-memoryqos/arm64/latest/image_id" in refused.value.todo


def test_a_better_name_is_a_right_one() -> None:
    for name in ("Spark", "spark-", "A", "-", "A_b", "x" * 70):
        rules.check_name(rules.suggested_name(name))


@pytest.mark.parametrize("by", ["tags", "ssm"])
def test_two_amis_that_nothing_tells_apart(by: str) -> None:
    karpenter = {"ami_by": by, "ssm_parameter": "/a" if by == "ssm" else None}
    same = [
        karpenter_request(name=name, ami=ami, karpenter=karpenter)
        for name, ami in (("a", "ami-01234567"), ("b", "ami-89abcdef"))
    ]
    with pytest.raises(ConfigurationError, match="would get the same AMI"):
        check_told_apart(same)
    if by == "tags":
        check_told_apart([same[0], karpenter_request(name="c", arch="arm64", karpenter=karpenter)])


# What else is asked for may collide with the wrong wish, and be named first.
_LEFT_OUT = frozenset(
    {"kind", "karpenter", "settings", "instance_types", "node_role", "instance_profile", "subnets", "security_groups"}
    | {"volume_type", "volume_size", "volume_iops", "volume_throughput"}
)


@given(wishes(), st.sampled_from([(fields, message) for fields, message in WRONG if "ami" not in fields]))
@settings(deadline=None, max_examples=60)
def test_one_wrong_wish_is_refused_with_its_reason(wish: NodegroupRequest, wrong: tuple[dict[str, Any], str]) -> None:
    fields, message = wrong
    spec = {name: getattr(wish.spec, name) for name in type(wish.spec).model_fields if name not in _LEFT_OUT}
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        node_file([karpenter_request(ami=wish.ami, **{**spec, **fields})])
