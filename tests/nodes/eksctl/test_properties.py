"""Whatever is right is emitted right, and one wrong wish is refused."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from brqos.errors import ConfigurationError
from brqos.nodes.eksctl.document import document, places
from brqos.nodes.eksctl.file import eksctl_file
from brqos.nodes.eksctl.rules import check_nodegroup
from brqos.nodes.file import node_file
from brqos.nodes.request import NodegroupRequest
from nodes.eksctl.strategies import wishes
from nodes.requests import request
from nodes.schema import complaints


def again(wish: NodegroupRequest, **wrong: Any) -> NodegroupRequest:
    """The same request with other fields."""
    spec = {name: getattr(wish.spec, name) for name in type(wish.spec).model_fields}
    for name in ("vpc", "endpoint", "karpenter"):
        spec[name] = spec[name].model_dump(by_alias=False)
    return request(ami=wish.ami, arch=wish.architecture.value, variant=wish.variant.base, **{**spec, **wrong})


@given(wishes())
@settings(deadline=None, max_examples=60)
def test_whatever_is_right_is_emitted_right(wish: NodegroupRequest) -> None:
    file = node_file([wish])
    assert file.document == document([wish])
    assert yaml.safe_load(file.text) == file.document
    assert YAML(typ="safe", pure=True).load(file.text) == file.document
    assert complaints(file.document) == []
    for _, (section, number) in places([wish]):
        check_nodegroup(file.document[section][number], managed=wish.managed)
    assert all(len(line) <= 100 for line in file.text.splitlines() if line.lstrip().startswith("#"))


@given(st.lists(wishes(cluster="prod", vpc={}, availability_zones=()), min_size=2, max_size=4))
@settings(deadline=None, max_examples=20)
def test_several_are_emitted_as_each_of_them(several: list[NodegroupRequest]) -> None:
    file = eksctl_file(several)
    assert yaml.safe_load(file.text) == file.document
    for wish, (section, number) in places(several):
        assert file.document[section][number] == document([wish])[section][0]
        assert wish.ami is None or wish.ami in file.text.partition("apiVersion")[0]


WRONG: tuple[dict[str, Any], ...] = (
    {"min_size": 60},
    {"desired_capacity": 51},
    {"volume_size": 19},
    {"volume_type": "gp2", "volume_iops": 3000},
    {"volume_type": "io1", "volume_throughput": 125},
    {"volume_encrypted": False, "volume_kms_key": "alias/x"},
    {"labels": {"kubernetes.io/x": "y"}},
    {"taints": ("a=b:Sometimes",)},
    {"taints": ("a=b:NoSchedule", "a=b:NoSchedule")},
    {"kube_reserved": {"memory": "1K"}},
    {"system_reserved": {"pids": "1"}},
    {"eviction_hard": {"memory.available": "101%"}},
    {"tags": {"Name": "x"}},
    {"tags": {"aws:x": "y"}},
    {"tags": {"alpha.eksctl.io/cluster-name": "y"}},
    {"tags": {f"key{number}": "" for number in range(41)}},
    {"settings": {"kubernetes": {"feature-gates": {"MemoryQoS": True}}}},
    {"settings": {"kubernetes": {"cluster-name": "x"}}},
    {"settings": {"kubernetes": {"api-server": "x"}}},
    {"settings": {"kubernetes": {"node-labels": {"a": "b"}}}},
    {"settings": {"kubernetes": {"node-taints": {"a": "b:NoSchedule"}}}},
    {"settings": {"kubernetes": {"pod-pids-limit": "many"}}},
    {"settings": {"kubernetes": {"pod-pids-limit": None}}},
    {"settings": {"host-containers": {"admin": {"enabled": True}}}},
    {"settings": {"kubernetes": {"eviction-hard": {"memory": {"available": "5%"}}}}},
    {"subnets": ("subnet-12345678",), "availability_zones": ("eu-central-1a",)},
    {"availability_zones": ("eu-west-1a",)},
    {"vpc": {"id": "vpc-12345678"}},
    {"ssh_key": None, "ssh_security_groups": ("sg-12345678",)},
    {"node_role": "arn:aws:iam::111122223333:role/x", "policies": ("arn:aws:iam::aws:policy/x",)},
    {"policies": ("arn:aws-cn:iam::aws:policy/x",), "node_role": None, "instance_profile": None},
)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: "-".join(wrong))
@given(wishes())
@settings(deadline=None, max_examples=5)
def test_one_wrong_wish_is_refused(wrong: dict[str, Any], wish: NodegroupRequest) -> None:
    with pytest.raises(ConfigurationError) as error:
        node_file([again(wish, **wrong)])
    assert error.value.why or error.value.todo


def test_max_pods_is_not_taken_twice() -> None:
    setting = {"kubernetes": {"max-pods": 58}}
    assert eksctl_file([request(settings=setting)]).document["managedNodeGroups"][0]["bottlerocket"]["settings"][
        "kubernetes"
    ] == {"max-pods": 58}
    with pytest.raises(ConfigurationError, match=r"kubernetes\.max-pods is given twice"):
        eksctl_file([request(settings=setting, max_pods=58)])
    with pytest.raises(ConfigurationError, match="cannot be set in a self-managed nodegroup"):
        eksctl_file([request(settings=setting, self_managed=True)])


def test_a_file_is_of_one_cluster() -> None:
    with pytest.raises(ConfigurationError, match="cannot have nodegroups of two clusters"):
        eksctl_file([request(), request(cluster="test")])


def test_warnings_come_once() -> None:
    file = eksctl_file([request(ssh_key="team"), request(ssh_key="team", name="other")])
    assert len(file.warnings) == 1
    assert "the whole world" in file.warnings[0]
