"""The rules of EC2 and EKS, each kept and broken."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brqos.errors import ConfigurationError
from brqos.nodes.file import node_file
from brqos.nodes.launch_template import rules
from brqos.nodes.launch_template.file import launch_template_file
from brqos.nodes.request import NodegroupRequest
from nodes.launch_template.cases import FULL, KNOWN, wish
from nodes.launch_template.wishes import wishes

GROUPS = tuple(f"sg-{number:017x}" for number in range(17))
KEY = "arn:aws:kms:eu-central-1:123456789012:key/0"
GOOD: dict[str, dict[str, Any]] = {
    "plain": {},
    "full": FULL,
    "underscores": {"cluster": "my_cluster"},
    "key of the region": {"volume_encrypted": True, "volume_kms_key": KEY},
    "io1 at its limit": {"volume_type": "io1", "volume_size": 100, "volume_iops": 5000},
    "io2": {"volume_type": "io2", "volume_iops": 80000},
    "gp3 at its limit": {"volume_iops": 40000, "volume_throughput": 2000},
    "small gp3": {"volume_size": 20, "volume_iops": 3000},
    "China": {"region": "cn-north-1", "node_role": "arn:aws-cn:iam::123456789012:role/nodes"},
    "government": {"region": "us-gov-west-1", "node_role": "arn:aws-us-gov:iam::123456789012:role/nodes"},
    "isolated": {"region": "us-isob-east-1", "node_role": "arn:aws-iso-b:iam::123456789012:role/nodes"},
    "sixteen groups": {"security_groups": GROUPS[:16]},
    "tags": {"tags": {f"key-{number}": "wert ü" for number in range(39)}},
}
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "long names": ({"cluster": "c" * 100, "name": "n" * 40}, "name of a launch template"),
    "certificate": ({"endpoint": {"certificate": "Zm9v"}}, "not a certificate"),
    "flavor": ({"ami": None, "variant": "aws-k8s-1.37-nvidia-595"}, "no official AMI"),
    "twice": ({"settings": {"kubernetes": {"cluster-name": "x"}}}, "given twice"),
    "large": ({"settings": {"motd": "x" * 17000}}, "bytes"),
    "official, not merged": ({"ami": None, "variant": "aws-k8s-1.37", "settings": {"motd": '"'}}, "EKS cannot read"),
    "key alone": ({"volume_kms_key": KEY}, "not encrypted"),
    "key elsewhere": (
        {"volume_encrypted": True, "volume_kms_key": KEY.replace("central", "west")},
        "in eu-west-1, and the nodes in eu-central-1",
    ),
    "throughput of io2": (
        {"volume_type": "io2", "volume_iops": 3000, "volume_throughput": 125},
        "has no throughput",
    ),
    "iops of gp2": ({"volume_type": "gp2", "volume_iops": 3000}, "a gp2 volume has no IOPS"),
    "io1 without": ({"volume_type": "io1"}, "needs a number of IOPS"),
    "few iops of gp3": ({"volume_iops": 2999}, "cannot have 2999 IOPS"),
    "many iops of io1": ({"volume_type": "io1", "volume_size": 100, "volume_iops": 5001}, "with 5001 IOPS is too much"),
    "many iops of a small gp3": ({"volume_size": 20, "volume_iops": 10001}, "with 10001 IOPS is too much"),
    "throughput above iops": ({"volume_throughput": 751}, "751 MiB/s is too much"),
    "tag of AWS": ({"tags": {"aws:x": "y"}}, "prefix that is taken"),
    "tag of brqos": ({"tags": {"brqos:tool": "y"}}, "prefix that is taken"),
    "tag of EKS": ({"tags": {"eks:cluster-name": "y"}}, "EKS's own"),
    "long tag": ({"tags": {"x": "y" * 256}}, "too long"),
    "odd tag": ({"tags": {"x": "a*b"}}, "character"),
    "many tags": ({"tags": {f"key-{number}": "x" for number in range(40)}}, "43 tags"),
    "role of a service": (
        {"node_role": "arn:aws:iam::123456789012:role/aws-service-role/eks.amazonaws.com/X"},
        "service's own",
    ),
    "role elsewhere": ({"node_role": "arn:aws-cn:iam::123456789012:role/x"}, "does not exist in eu-central-1"),
    "subnet twice": ({"subnets": ("subnet-12345678", "subnet-12345678")}, "subnet-12345678 is given twice"),
    "group twice": ({"security_groups": GROUPS[:1] * 2}, "given twice"),
    "many groups": ({"security_groups": GROUPS}, "17 security groups"),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_is_right_passes(case: str) -> None:
    rules.check(wish(**GOOD[case]))


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_refused_with_its_reason(case: str) -> None:
    fields, why = BAD[case]
    with pytest.raises(ConfigurationError, match=why) as refused:
        node_file([wish(**fields)])
    assert refused.value.todo


@given(wishes())
@settings(deadline=None, max_examples=50)
def test_whatever_is_right_passes(request: NodegroupRequest) -> None:
    rules.check(request)


@given(wishes(), st.sampled_from(sorted(set(BAD) - {"flavor", "official, not merged"})))
@settings(deadline=None, max_examples=60)
def test_one_wrong_wish_is_refused(request: NodegroupRequest, case: str) -> None:
    fields, why = BAD[case]
    spec = request.spec
    given_ = {
        name: getattr(spec, name) for name in type(spec).model_fields if name not in {"cluster", "name", "region"}
    }
    # A wish of the draw may stand in the way of the one that is meant.
    for name in given_:
        if name.startswith("volume_") or name == "max_pods":
            given_[name] = type(spec).model_fields[name].default
    if request.ami is None and case == "twice":
        return
    broken = wish(
        ami=request.ami, arch=request.architecture.value, variant=request.variant.base, **{**given_, **fields}
    )
    with pytest.raises(ConfigurationError, match=why):
        node_file([broken])


@pytest.mark.parametrize("name", ["abc", "my_cluster-a", "(a).b/c", "x" * 128])
def test_ec2_takes_the_name_of_a_template(name: str) -> None:
    rules.check_template_name(name)


@pytest.mark.parametrize("name", ["ab", "a b", "a:b", "x" * 129])
def test_ec2_refuses_the_name_of_a_template(name: str) -> None:
    with pytest.raises(ConfigurationError, match="launch template"):
        rules.check_template_name(name)


def test_own_security_groups_are_warned_of() -> None:
    (warning,) = launch_template_file([wish(**KNOWN, security_groups=GROUPS[:1])]).warnings
    assert "cluster security group" in warning
    assert launch_template_file([wish(**KNOWN)]).warnings == ()


def test_a_template_too_large_to_be_handed_over_is_warned_of() -> None:
    many = [wish(**KNOWN, name=f"nodes-{number}", settings={"motd": "x" * 13000}) for number in range(4)]
    (warning,) = launch_template_file(many).warnings
    assert "--s3-bucket" in warning
    assert launch_template_file(many[:2]).warnings == ()
