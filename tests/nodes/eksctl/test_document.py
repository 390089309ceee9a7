"""The emitted files: goldens to be read, and what stands where."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from brqos.nodes.eksctl.document import document as made
from brqos.nodes.eksctl.document import section
from brqos.nodes.file import node_file
from brqos.nodes.quantities import DEFAULT_EVICTION
from brqos.nodes.request import NodegroupRequest
from nodes.requests import request
from nodes.schema import complaints, needs_schema

GOLDENS = Path(__file__).with_name("goldens")

FULL: dict[str, Any] = {
    "name": "memoryqos-arm64",
    "arch": "arm64",
    "instance_types": ("m7g.xlarge", "m6g.xlarge"),
    "min_size": 2,
    "max_size": 6,
    "desired_capacity": 3,
    "volume_size": 100,
    "volume_iops": 4000,
    "volume_throughput": 250,
    "volume_encrypted": True,
    "volume_kms_key": "alias/nodes",
    "max_pods": 58,
    "private_networking": True,
    "availability_zones": ("eu-central-1a", "eu-central-1b"),
    "security_groups": ("sg-0123456789abcdef0",),
    "policies": ("arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy",),
    "permissions_boundary": "arn:aws:iam::111122223333:policy/boundary",
    "ssh_key": "team",
    "ssh_security_groups": ("sg-0fedcba9876543210",),
    "tags": {"cost-center": "1234"},
    "labels": {"team": "on", "example.com/release": "1.30"},
    "taints": ("dedicated=spark:NoSchedule",),
    "kube_reserved": {"memory": "900Mi", "cpu": "1"},
    "system_reserved": {"memory": "200Mi"},
    "eviction_hard": {**DEFAULT_EVICTION, "memory.available": "200Mi"},
    "settings": {"kernel": {"sysctl": {"vm.max_map_count": "262144"}}, "kubernetes": {"pod-pids-limit": 4096}},
}
FOREIGN: dict[str, Any] = {
    "id": "vpc-0123456789abcdef0",
    "security_group": "sg-0123456789abcdef0",
    "private_subnets": {"eu-central-1a": "subnet-0000000a", "eu-central-1b": "subnet-0000000b"},
}
CASES: dict[str, list[dict[str, Any]]] = {
    "managed": [{}],
    "managed-full": [{**FULL, "max_unavailable": "25%", "spot": True}],
    "managed-nvidia": [{"variant": "aws-k8s-1.34-nvidia", "kube_reserved": {"cpu": "500m"}}],
    "managed-official": [{"ami": None, "variant": "aws-k8s-1.37"}],
    "managed-official-fips-nvidia": [{"ami": None, "variant": "aws-k8s-1.37-nvidia-fips", "volume_type": "io2"}],
    "managed-foreign-cluster": [
        {"vpc": FOREIGN, "private_networking": True, "node_role": "arn:aws:iam::111122223333:role/nodes"}
    ],
    "self-managed": [{"self_managed": True}],
    "self-managed-full": [{**FULL, "self_managed": True}],
    "self-managed-spot": [
        {
            "self_managed": True,
            "on_demand_base": 2,
            "on_demand_percentage": 25,
            "volume_type": "io2",
            "volume_iops": 8000,
            "volume_encrypted": True,
            "admin_container": True,
            "control_container": False,
        }
    ],
    "self-managed-official": [{"ami": None, "variant": "aws-k8s-1.37", "self_managed": True, "max_pods": 58}],
    "self-managed-foreign-cluster": [
        {
            "self_managed": True,
            "vpc": FOREIGN,
            "private_networking": True,
            "instance_profile": "arn:aws:iam::111122223333:instance-profile/nodes",
        }
    ],
    "several": [
        {"variant": "aws-k8s-1.34"},
        {"variant": "aws-k8s-1.34", "arch": "arm64", "ami": "ami-0aaaaaaaaaaaaaaa0"},
        {"variant": "aws-k8s-1.34-nvidia", "ami": "ami-0bbbbbbbbbbbbbbb0", "taints": ("nvidia.com/gpu:NoSchedule",)},
    ],
    "rehearsal": [
        {"ami": "ami-rehearsal0123456789abcdef0", "rehearsal": True, "eviction_hard": {"memory.available": "5%"}}
    ],
}


def written(*wishes: NodegroupRequest) -> str:
    return node_file(wishes).text


def nodegroup(wish: NodegroupRequest) -> dict[str, Any]:
    (entry,) = made([wish])[section(wish)]
    assert isinstance(entry, dict)
    return entry


@pytest.mark.parametrize("case", CASES)
def test_the_file_is_the_golden(case: str) -> None:
    assert written(*(request(**wish) for wish in CASES[case])) == (GOLDENS / f"{case}.yaml").read_text(encoding="utf-8")


def test_every_golden_is_a_case() -> None:
    assert {path.stem for path in GOLDENS.iterdir()} == set(CASES)


@needs_schema
@pytest.mark.parametrize("golden", sorted(GOLDENS.iterdir()), ids=lambda path: path.stem)
def test_eksctls_schema_takes_the_goldens(golden: Path) -> None:
    assert complaints(yaml.safe_load(golden.read_text(encoding="utf-8"))) == []


@needs_schema
def test_the_schema_is_one_that_can_say_no() -> None:
    document = made([request()])
    document["managedNodeGroups"][0]["unknownField"] = 1
    assert complaints(document)
    assert complaints({**document, "kind": "Cluster"})


def test_max_pods_stands_where_each_kind_wants_it() -> None:
    managed = nodegroup(request(max_pods=58))
    assert "maxPodsPerNode" not in managed
    assert managed["bottlerocket"]["settings"]["kubernetes"] == {"max-pods": 58}
    own = nodegroup(request(max_pods=58, self_managed=True))
    assert own["maxPodsPerNode"] == 58
    assert "kubernetes" not in own["bottlerocket"]["settings"]


def test_types_stand_where_each_kind_wants_them() -> None:
    two = ("m6i.large", "m5.large")
    assert nodegroup(request())["instanceType"] == "m6i.large"
    assert nodegroup(request(instance_types=two))["instanceTypes"] == list(two)
    distribution = nodegroup(request(instance_types=two, self_managed=True))["instancesDistribution"]
    assert distribution == {"instanceTypes": list(two), "onDemandPercentageAboveBaseCapacity": 100}


def test_the_containers_are_switched_on_purpose() -> None:
    containers = nodegroup(request())["bottlerocket"]["settings"]["host-containers"]
    assert containers == {"control": {"enabled": True}, "admin": {"enabled": False}}


def test_a_taint_without_a_value_has_none() -> None:
    assert nodegroup(request(taints=("gpu:NoExecute",)))["taints"] == [{"key": "gpu", "effect": "NoExecute"}]


def test_a_rehearsal_says_so_before_all_else() -> None:
    first = written(request(**CASES["rehearsal"][0])).splitlines()[0]
    assert first.startswith("# REHEARSAL - DO NOT USE")
    assert "REHEARSAL" not in written(request())
