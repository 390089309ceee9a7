"""Requests with every option that eksctl's kinds have, all of them right."""

from typing import Any

from hypothesis import strategies as st

from brqos.nodes.labels import EFFECTS
from brqos.nodes.quantities import DEFAULT_EVICTION
from brqos.nodes.request import NodegroupRequest
from nodes.requests import request

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
EVICTION = st.dictionaries(
    st.sampled_from(sorted(DEFAULT_EVICTION)), st.sampled_from(["5%", "0%", "99.9%"]), max_size=4
)
TYPES = {
    ("x86_64", False): ["m6i.large", "m5.large", "c7a.xlarge", "u-6tb1.112xlarge"],
    ("x86_64", True): ["g4dn.xlarge", "g5.xlarge", "g6e.2xlarge", "p5.48xlarge"],
    ("arm64", False): ["m6g.large", "im4gn.large", "c8gn.metal-24xl"],
    ("arm64", True): ["g5g.xlarge", "g5g.metal"],
}
VARIANTS = ["aws-k8s-1.28", "aws-k8s-1.30-fips", "aws-k8s-1.34-nvidia", "aws-k8s-1.35-nvidia-fips", "aws-k8s-1.37"]
OFFICIAL_VARIANTS = ["aws-k8s-1.37", "aws-k8s-1.37-nvidia", "aws-k8s-1.37-fips", "aws-k8s-1.37-nvidia-fips"]
REGION = "eu-central-1"

SETTINGS: dict[str, Any] = {
    "motd": st.sampled_from(["Hello", "on", "two\nlines", "1.30", "ünïcode"]),
    "network": st.just({"https-proxy": "1.2.3.4:8080", "no-proxy": ["localhost", ".internal"]}),
    "kernel": st.fixed_dictionaries(
        {"sysctl": st.just({"net.core.somaxconn": "1024", "vm.max_map_count": "262144"})},
        optional={"lockdown": st.sampled_from(["none", "integrity"])},
    ),
    "ntp": st.just({"time-servers": ["169.254.169.123"]}),
    "container-registry": st.just(
        {"mirrors": [{"registry": "docker.io", "endpoint": ["https://mirror.example.com"]}, {"registry": "*"}]}
    ),
    "bootstrap-containers": st.just(
        {"prepare": {"source": "public.ecr.aws/x/y:v1", "mode": "once", "essential": True, "user-data": "aGVsbG8="}}
    ),
    "kubernetes": st.fixed_dictionaries(
        {},
        optional={
            "pod-pids-limit": st.integers(1000, 9999),
            "cpu-manager-policy": st.just("static"),
            "allowed-unsafe-sysctls": st.just(["net.ipv4.tcp_mtu_probing"]),
            "registry-qps": st.integers(0, 50),
            "seccomp-default": st.booleans(),
            "eviction-soft": st.just({"memory.available": "500Mi"}),
            "eviction-soft-grace-period": st.just({"memory.available": "30s"}),
            "static-pods": st.just({"a.b": {"enabled": True, "manifest": "YQ=="}}),
        },
    ),
    "host-containers": st.just({"admin": {"superpowered": True}, "extra": {"enabled": False, "source": "x/y:1"}}),
    "pki": st.just({"my-ca": {"data": "aGVsbG8=", "trusted": True}}),
}


def _hexadecimal(prefix: str) -> st.SearchStrategy[str]:
    return st.text("0123456789abcdef", min_size=17, max_size=17).map(lambda text: f"{prefix}-{text}")


def _several(prefix: str, most: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(_hexadecimal(prefix), unique=True, max_size=most).map(tuple)


@st.composite
def volumes(draw: st.DrawFn) -> dict[str, Any]:
    """The volume_... fields."""
    kind = draw(st.sampled_from([None, None, "gp2", "gp3", "io1", "io2"]))
    size = draw(st.none() | st.integers(20, 16384))
    fields: dict[str, Any] = {"volume_type": kind, "volume_size": size}
    gib = size or 80
    if kind in {None, "gp3"} and draw(st.booleans()):
        fields["volume_iops"] = draw(st.integers(3000, max(3000, min(16000, 500 * gib))))
        fields["volume_throughput"] = draw(st.integers(125, min(1000, fields["volume_iops"] // 4)))
    elif kind in {"io1", "io2"} and draw(st.booleans()):
        most = min(64000, 50 * gib) if kind == "io1" else min(256000, 1000 * gib)
        fields["volume_iops"] = draw(st.integers(100, most))
    if draw(st.booleans()):
        key = st.sampled_from(
            ["alias/nodes", "1234abcd-12ab-34cd-56ef-1234567890ab", f"arn:aws:kms:{REGION}:111122223333:key/x"]
        )
        fields |= {"volume_encrypted": True, "volume_kms_key": draw(st.none() | key)}
    return fields


@st.composite
def places(draw: st.DrawFn) -> dict[str, Any]:
    """Subnets, zones, security groups and the vpc of a cluster of somebody else's."""
    private = draw(st.booleans())
    fields: dict[str, Any] = {"private_networking": private, "security_groups": draw(_several("sg"))}
    zones = [f"{REGION}{letter}" for letter in "abc"[: draw(st.integers(2, 3))]]
    if draw(st.booleans()):
        ids = draw(st.lists(_hexadecimal("subnet"), unique=True, min_size=6, max_size=6))
        mapping = {
            "private_subnets": dict(zip(zones, ids, strict=False)),
            "public_subnets": dict(zip(zones, ids[3:], strict=False)),
        }
        if draw(st.booleans()):
            del mapping["public_subnets" if private else "private_subnets"]
        fields["vpc"] = {"id": draw(_hexadecimal("vpc")), "security_group": draw(_hexadecimal("sg")), **mapping}
    if draw(st.booleans()):
        fields["availability_zones"] = tuple(draw(st.lists(st.sampled_from(zones), unique=True)))
    else:
        theirs = {id_ for ids in fields.get("vpc", {}).values() if isinstance(ids, dict) for id_ in ids.values()}
        fields["subnets"] = tuple(id_ for id_ in draw(_several("subnet")) if id_ not in theirs)
    return fields


@st.composite
def access(draw: st.DrawFn, managed: bool) -> dict[str, Any]:
    """IAM, SSH and the host containers."""
    account = "arn:aws:iam::111122223333"
    way = draw(st.sampled_from(["none", "made", "role", *([] if managed else ["profile"])]))
    fields: dict[str, Any] = {"admin_container": draw(st.booleans()), "control_container": draw(st.booleans())}
    match way:
        case "made":
            policies = ["arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy", f"{account}:policy/own/x"]
            policies.append("arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy")
            fields["policies"] = tuple(draw(st.lists(st.sampled_from(policies), unique=True)))
            fields["permissions_boundary"] = draw(st.none() | st.just(f"{account}:policy/boundary"))
        case "role":
            fields["node_role"] = f"{account}:role/nodes"
        case "profile":
            fields["instance_profile"] = f"{account}:instance-profile/nodes"
            fields["node_role"] = draw(st.none() | st.just(f"{account}:role/nodes"))
    if draw(st.booleans()):
        fields |= {
            "ssh_key": draw(st.sampled_from(["team", "on", "my key"])),
            "ssh_security_groups": draw(_several("sg")),
        }
    return fields


@st.composite
def capacities(draw: st.DrawFn, managed: bool) -> dict[str, Any]:
    """Sizes, Spot and updates."""
    sizes = sorted(draw(st.lists(st.integers(0, 50), min_size=3, max_size=3)))
    fields: dict[str, Any] = {
        "min_size": sizes[0],
        "max_size": max(1, sizes[2]),
        "desired_capacity": draw(st.sampled_from([None, sizes[1]])),
        "spot": draw(st.booleans()),
    }
    if managed:
        fields["max_unavailable"] = draw(
            st.none() | st.integers(1, fields["max_size"]).map(str) | st.integers(1, 100).map(lambda n: f"{n}%")
        )
    else:
        fields["on_demand_base"] = draw(st.none() | st.integers(0, 5))
        fields["on_demand_percentage"] = draw(st.none() | st.integers(0, 100))
    return fields


@st.composite
def wishes(draw: st.DrawFn, **fixed: Any) -> NodegroupRequest:
    """A request that is right; `fixed` are fields of it that are given."""
    arch = draw(st.sampled_from(["x86_64", "arm64"]))
    official = draw(st.booleans())
    variant = draw(st.sampled_from(OFFICIAL_VARIANTS if official else VARIANTS))
    managed = draw(st.booleans())
    types = TYPES[arch, "nvidia" in variant]
    taints = draw(
        st.lists(st.tuples(KEYS, WORDS | st.just(""), st.sampled_from(EFFECTS)), unique_by=lambda taint: taint[0])
    )
    fields: dict[str, Any] = {
        "ami": None if official else draw(_hexadecimal("ami")),
        "arch": arch,
        "variant": variant,
        "cluster": draw(NAMES),
        "name": draw(st.none() | NAMES),
        "self_managed": not managed,
        "instance_types": tuple(draw(st.lists(st.sampled_from(types), unique=True))),
        "max_pods": draw(st.none() | st.integers(1, 1000)),
        "labels": draw(st.dictionaries(KEYS, WORDS, max_size=4)),
        "taints": tuple(f"{key}={value}:{effect}" for key, value, effect in taints),
        "tags": draw(st.dictionaries(KEYS | st.just("cost center"), WORDS | st.just("a b"), max_size=3)),
        "kube_reserved": draw(RESERVED),
        "system_reserved": draw(RESERVED),
        "eviction_hard": draw(EVICTION),
        "settings": draw(st.fixed_dictionaries({}, optional=SETTINGS)) if draw(st.booleans()) else {},
        **draw(volumes()),
        **draw(places()),
        **draw(access(managed)),
        **draw(capacities(managed)),
    }
    return request(**{**fields, **fixed})
