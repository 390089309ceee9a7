"""The emitted files: goldens to be read, eksctl's schema, and both versions of YAML."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from brqos.errors import ConfigurationError
from brqos.nodes import eksctl, emit, remarks, rules
from brqos.nodes.eksctl_rules import check_nodegroup
from brqos.nodes.labels import EFFECTS
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
    "max_pods": 58,
    "private_networking": True,
    "labels": {"team": "on", "example.com/release": "1.30"},
    "taints": ("dedicated=spark:NoSchedule",),
    "kube_reserved": {"memory": "900Mi", "cpu": "1"},
    "system_reserved": {"memory": "200Mi"},
    "eviction_hard": {**DEFAULT_EVICTION, "memory.available": "200Mi"},
}
CASES: dict[str, dict[str, Any]] = {
    "managed": {},
    "managed-full": FULL,
    "managed-nvidia": {"variant": "aws-k8s-1.34-nvidia", "kube_reserved": {"cpu": "500m"}},
    "self-managed": {"self_managed": True},
    "self-managed-full": {**FULL, "self_managed": True},
    "rehearsal": {
        "ami": "ami-rehearsal0123456789abcdef0",
        "rehearsal": True,
        "eviction_hard": {"memory.available": "5%"},
    },
}


def written(wish: NodegroupRequest) -> str:
    rules.check(wish)
    return emit.to_yaml(eksctl.document(wish), head=remarks.head(wish), remarks=remarks.remarks(wish))


def nodegroup(wish: NodegroupRequest) -> dict[str, Any]:
    (entry,) = eksctl.document(wish)[eksctl.section(wish)]
    assert isinstance(entry, dict)
    return entry


@pytest.mark.parametrize("case", CASES)
def test_the_file_is_the_golden(case: str) -> None:
    assert written(request(**CASES[case])) == (GOLDENS / f"{case}.yaml").read_text(encoding="utf-8")


def test_every_golden_is_a_case() -> None:
    assert {path.stem for path in GOLDENS.iterdir()} == set(CASES)


@needs_schema
@pytest.mark.parametrize("golden", sorted(GOLDENS.iterdir()), ids=lambda path: path.stem)
def test_eksctls_schema_takes_the_goldens(golden: Path) -> None:
    assert complaints(yaml.safe_load(golden.read_text(encoding="utf-8"))) == []


@needs_schema
def test_the_schema_is_one_that_can_say_no() -> None:
    document = eksctl.document(request())
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
    first = written(request(**CASES["rehearsal"])).splitlines()[0]
    assert first.startswith("# REHEARSAL - DO NOT USE")
    assert "REHEARSAL" not in written(request())


WORDS = st.sampled_from(["on", "off", "y", "N", "null", "1.30", "0123", "1e3", "1_0", "0x1F", "a.b", "x", "2026-01-01"])
NAMES = st.sampled_from(["on", "123", "0x1F", "1e3", "007", "no"]) | st.from_regex(r"\A[a-z0-9](-?[a-z0-9]){0,20}\Z")
KEYS = st.sampled_from(["on", "y", "1.30", "team", "example.com/team", "node.kubernetes.io/x", "0123"])
MEBIBYTES = st.integers(1, 9999).map(lambda number: f"{number}Mi")
RESERVED = st.fixed_dictionaries(
    {},
    optional={
        "cpu": st.sampled_from(["1", "500m", "0.25"]),
        "memory": MEBIBYTES | st.just("1e9"),
        "ephemeral-storage": MEBIBYTES,
    },
)
TYPES = {
    "x86_64": ["m6i.large", "m5.large", "c7a.xlarge", "u-6tb1.112xlarge", "g5.xlarge"],
    "arm64": ["m6g.large", "im4gn.large", "c8gn.metal-24xl", "g5g.xlarge"],
}


@st.composite
def wishes(draw: st.DrawFn) -> NodegroupRequest:
    arch = draw(st.sampled_from(sorted(TYPES)))
    sizes = sorted(draw(st.lists(st.integers(0, 50), min_size=3, max_size=3)))
    taints = draw(
        st.lists(st.tuples(KEYS, WORDS | st.just(""), st.sampled_from(EFFECTS)), unique_by=lambda taint: taint[0])
    )
    return request(
        ami="ami-" + draw(st.text("0123456789abcdef", min_size=17, max_size=17)),
        arch=arch,
        variant=draw(st.sampled_from(["aws-k8s-1.28", "aws-k8s-1.30-fips", "aws-k8s-1.37-memoryqos"])),
        cluster=draw(NAMES),
        name=draw(st.none() | NAMES),
        self_managed=draw(st.booleans()),
        instance_types=tuple(draw(st.lists(st.sampled_from(TYPES[arch]), unique=True))),
        min_size=sizes[0],
        max_size=max(1, sizes[2]),
        desired_capacity=draw(st.sampled_from([None, sizes[1]])),
        volume_size=draw(st.none() | st.integers(20, 16384)),
        max_pods=draw(st.none() | st.integers(1, 1000)),
        private_networking=draw(st.booleans()),
        labels=draw(st.dictionaries(KEYS, WORDS, max_size=4)),
        taints=tuple(f"{key}={value}:{effect}" for key, value, effect in taints),
        kube_reserved=draw(RESERVED),
        system_reserved=draw(RESERVED),
        eviction_hard=draw(
            st.dictionaries(
                st.sampled_from(sorted(DEFAULT_EVICTION)), st.sampled_from(["5%", "0%", "99.9%"]), max_size=4
            )
        ),
    )


@given(wishes())
@settings(deadline=None, max_examples=40)
def test_whatever_is_right_is_emitted_right(wish: NodegroupRequest) -> None:
    document = eksctl.document(wish)
    text = written(wish)
    assert yaml.safe_load(text) == document
    assert YAML(typ="safe", pure=True).load(text) == document
    assert complaints(document) == []
    check_nodegroup(nodegroup(wish), managed=wish.managed)
    assert all(len(line) <= 100 for line in text.splitlines() if line.lstrip().startswith("#"))


@given(wishes(), st.data())
@settings(deadline=None, max_examples=40)
def test_one_wrong_wish_is_refused(wish: NodegroupRequest, data: st.DataObject) -> None:
    other = "m6g.large" if wish.architecture.ec2 == "x86_64" else "m6i.large"
    wrong = data.draw(
        st.sampled_from(
            [
                {"instance_types": (*wish.spec.instance_types, other)},
                {"min_size": wish.spec.max_size + 1},
                {"desired_capacity": wish.spec.max_size + 1},
                {"volume_size": 19},
                {"labels": {**wish.spec.labels, "kubernetes.io/x": "y"}},
                {"taints": (*wish.spec.taints, "a=b:Sometimes")},
                {"taints": ("a=b:NoSchedule", "a=b:NoSchedule")},
                {"kube_reserved": {"memory": "1K"}},
                {"system_reserved": {"pids": "1"}},
                {"eviction_hard": {"memory.available": "101%"}},
            ]
        )
    )
    spec = {name: getattr(wish.spec, name) for name in type(wish.spec).model_fields}
    broken = request(ami=wish.ami, arch=wish.architecture.value, variant=wish.variant.base, **{**spec, **wrong})
    with pytest.raises(ConfigurationError):
        rules.check(broken)
