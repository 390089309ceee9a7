"""Requests for Karpenter, as its tests make them: the goldens' cases, and any that is right."""

from typing import Any

from hypothesis import strategies as st

from brqos.nodes.labels import EFFECTS
from brqos.nodes.quantities import DEFAULT_EVICTION
from brqos.nodes.request import NodegroupRequest
from nodes.requests import request

ARM = {"arch": "arm64", "ami": "ami-0fedcba9876543210"}
FULL: dict[str, Any] = {
    **ARM,
    "name": "spark",
    "instance_types": ("m7gd.xlarge", "m6g.xlarge"),
    "spot": True,
    "volume_size": 100,
    "volume_iops": 6000,
    "volume_throughput": 250,
    "volume_encrypted": True,
    "volume_kms_key": "alias/nodes",
    "max_pods": 58,
    "subnets": ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1"),
    "security_groups": ("sg-0123456789abcdef0",),
    "availability_zones": ("eu-central-1a", "eu-central-1b"),
    "node_role": "arn:aws:iam::111122223333:role/nodes/spark-nodes",
    "admin_container": True,
    "tags": {"team": "spark", "cost:center": "0123"},
    "labels": {"team": "on", "example.com/release": "1.30"},
    "taints": ("dedicated=spark:NoSchedule", "slow:PreferNoSchedule"),
    "kube_reserved": {"memory": "900Mi", "cpu": "1"},
    "system_reserved": {"memory": "200Mi"},
    "eviction_hard": {**DEFAULT_EVICTION, "memory.available": "200Mi"},
    "settings": {
        "kubernetes": {
            "cluster-dns-ip": "169.254.20.10",
            "pod-pids-limit": 4096,
            "eviction-soft": {"memory.available": "10%"},
            "eviction-soft-grace-period": {"memory.available": "30s"},
        },
        "ntp": {"time-servers": ["169.254.169.123"]},
        "motd": "Zuständig: “spark”\nRuf: 4711",
    },
    "karpenter": {
        "limits": {"cpu": "400", "memory": "1600Gi"},
        "expire_after": "168h",
        "consolidate_after": "10m",
    },
}
CASES: dict[str, list[dict[str, Any]]] = {
    "plain": [{"name": "memoryqos"}],
    "full": [FULL],
    "nvidia": [{"name": "gpu", "variant": "aws-k8s-1.34-nvidia", "kube_reserved": {"cpu": "500m"}}],
    "tags": [
        {
            "name": "by-tags",
            "karpenter": {"ami_by": "tags", "subnet_tags": {"tier": "nodes"}, "security_group_tags": {"tier": "*"}},
            "instance_profile": "arn:aws:iam::111122223333:instance-profile/nodes",
        }
    ],
    "ssm": [
        {
            "name": "by-parameter",
            "karpenter": {"ami_by": "ssm", "ssm_parameter": "/ours/aws-k8s-1.29-memoryqos/x86_64/latest/image_id"},
        }
    ],
    "several": [
        {"name": "memoryqos-amd64"},
        {**ARM, "name": "memoryqos-arm64"},
        {"ami": "ami-00000000000000001", "name": "memoryqos-gpu", "variant": "aws-k8s-1.29-nvidia"},
    ],
    # An image with the two native settings baked in: it has an AMI, so nothing of them is in the file.
    "baked": [{"name": "baked", "variant": "aws-k8s-1.37-memoryqos", "release": "1.66.0"}],
    "rehearsal": [
        {
            "name": "rehearsal",
            "ami": "ami-rehearsal0123456789abcdef0",
            "rehearsal": True,
            "eviction_hard": {"memory.available": "5%"},
        }
    ],
}


def karpenter_request(**fields: Any) -> NodegroupRequest:
    """A request of this kind; `fields` as nodes.requests.request takes them."""
    return request(kind="karpenter", **fields)


WORDS = st.sampled_from(["on", "off", "y", "N", "null", "1.30", "0123", "1e3", "1_0", "0x1F", "a.b", "x", "2026-01-01"])
NAMES = st.sampled_from(["on", "123", "0x1f", "1e3", "007", "no"]) | st.from_regex(r"\A[a-z0-9](-?[a-z0-9]){0,20}\Z")
KEYS = st.sampled_from(["on", "y", "1.30", "team", "example.com/team", "node.kubernetes.io/x", "0123"])
MEBIBYTES = st.integers(1, 9999).map(lambda number: f"{number}Mi")
RESERVED = st.fixed_dictionaries(
    {},
    optional={
        "cpu": st.sampled_from(["1", "500m", "0.25"]),
        "memory": MEBIBYTES | st.just("1e9") | st.just("1.5Gi"),
        "ephemeral-storage": MEBIBYTES,
    },
)
DURATIONS = st.none() | st.sampled_from(["Never", "1h30m", "720h", "90s", "1h1h"])
TYPES = {
    "x86_64": ["m6i.large", "m5d.large", "c7a.xlarge", "u-6tb1.112xlarge", "g5.xlarge"],
    "arm64": ["m6g.large", "im4gn.large", "c8gn.metal-24xl", "g5g.xlarge"],
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "motd": TEXT,
        "ntp": st.fixed_dictionaries({"time-servers": st.lists(TEXT, max_size=2)}),
        "kernel": st.fixed_dictionaries(
            {"sysctl": st.dictionaries(st.sampled_from(["vm.max_map_count", "a b"]), TEXT)}
        ),
        "bootstrap-commands": st.just(
            {"hello": {"commands": [["apiclient", "set", "motd=hello"]], "mode": "once", "essential": False}}
        ),
        "kubernetes": st.fixed_dictionaries(
            {},
            optional={
                "pod-pids-limit": st.integers(1, 2**31),
                "seccomp-default": st.booleans(),
                "cluster-domain": st.just("cluster.local"),
                "cluster-dns-ip": st.sampled_from(["169.254.20.10", ["10.100.0.10"]]),
                "allowed-unsafe-sysctls": st.lists(st.sampled_from(["net.core.*", "kernel.msg*"]), min_size=1),
                "eviction-soft": st.just({"memory.available": "10%"}),
                "eviction-soft-grace-period": st.just({"memory.available": "30s"}),
                "static-pods": st.just({"p": {"enabled": True, "manifest": "e30="}}),
                "credential-providers": st.just(
                    {"ecr-credential-provider": {"enabled": True, "image-patterns": ["*"], "environment": {"A": "b"}}}
                ),
            },
        ),
    },
)


@st.composite
def wishes(draw: st.DrawFn) -> NodegroupRequest:
    """Any request that Karpenter should take."""
    arch = draw(st.sampled_from(sorted(TYPES)))
    nvidia = draw(st.booleans())
    types = [name for name in TYPES[arch] if name.startswith("g5") or not nvidia]
    taints = draw(
        st.lists(st.tuples(KEYS, WORDS | st.just(""), st.sampled_from(EFFECTS)), unique_by=lambda taint: taint[0])
    )
    by = draw(st.sampled_from(["id", "tags", "ssm"]))
    type_ = draw(st.sampled_from([None, "gp2", "gp3", "io1", "io2"]))
    size = draw(st.none() | st.integers(20, 16384))
    iops, throughput = None, None
    if type_ in {"io1", "io2"} or (type_ != "gp2" and draw(st.booleans())):
        least = 100 if type_ in {"io1", "io2"} else 3000
        per_gib = {"io1": 50, "io2": 1000}.get(type_ or "gp3", 500)
        iops = draw(st.integers(least, max(least, min(64000, per_gib * (size or 20)))))
    if type_ in {None, "gp3"}:
        throughput = draw(st.none() | st.integers(125, min(2000, (iops or 3000) // 4)))
    return karpenter_request(
        ami="ami-" + draw(st.text("0123456789abcdef", min_size=17, max_size=17)),
        arch=arch,
        variant=draw(st.sampled_from(["aws-k8s-1.28", "aws-k8s-1.30-fips", "aws-k8s-1.37-memoryqos"]))
        if not nvidia
        else "aws-k8s-1.34-nvidia",
        cluster=draw(NAMES),
        name=draw(st.none() | NAMES),
        spot=draw(st.booleans()),
        instance_types=tuple(draw(st.lists(st.sampled_from(types), unique=True))),
        availability_zones=draw(st.sampled_from([(), ("eu-central-1a",), ("eu-central-1a", "eu-central-1c")])),
        volume_size=size,
        volume_type=type_,
        volume_iops=iops,
        volume_throughput=throughput,
        volume_encrypted=draw(st.booleans()),
        volume_kms_key=draw(st.none() | st.just("alias/nodes")),
        max_pods=draw(st.none() | st.integers(1, 1000)),
        subnets=draw(st.sampled_from([(), ("subnet-01234567",)])),
        security_groups=draw(st.sampled_from([(), ("sg-01234567", "sg-89abcdef")])),
        **draw(
            st.sampled_from(
                [
                    {},
                    {"node_role": "arn:aws:iam::111122223333:role/a/b"},
                    {"instance_profile": "arn:aws:iam::111122223333:instance-profile/p"},
                ]
            )
        ),
        admin_container=draw(st.booleans()),
        control_container=draw(st.booleans()),
        tags=draw(st.dictionaries(KEYS | st.just("Name"), WORDS | st.just(""), max_size=4)),
        labels=draw(st.dictionaries(KEYS, WORDS | st.just(""), max_size=4)),
        taints=tuple(f"{key}={value}:{effect}" for key, value, effect in taints),
        kube_reserved=draw(RESERVED),
        system_reserved=draw(RESERVED),
        eviction_hard=draw(
            st.dictionaries(
                st.sampled_from([*sorted(DEFAULT_EVICTION), "pid.available"]),
                st.sampled_from(["5%", "0%", "99.9%"]),
                max_size=4,
            )
        ),
        settings=draw(SETTINGS),
        karpenter={
            "ami_by": by,
            "ssm_parameter": "/x/latest/image_id" if by == "ssm" else None,
            "limits": draw(st.sampled_from([{}, {"cpu": "100"}, {"cpu": "1000m", "memory": "1.5Ti"}])),
            "expire_after": draw(DURATIONS),
            "consolidate_after": draw(DURATIONS | st.just("0s")),
        },
    )
