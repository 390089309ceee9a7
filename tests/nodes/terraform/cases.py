"""The wishes of the goldens, by the goldens' names; and any wish at all."""

from typing import Any

from hypothesis import strategies as st

from brqos.nodes.labels import EFFECTS
from brqos.nodes.quantities import DEFAULT_EVICTION
from brqos.nodes.request import NodegroupRequest
from nodes.requests import request

FULL: dict[str, Any] = {
    "name": "memoryqos-arm64",
    "arch": "arm64",
    "instance_types": ("m7g.xlarge", "m6g.xlarge"),
    "spot": True,
    "min_size": 2,
    "max_size": 6,
    "desired_capacity": 3,
    "max_unavailable": "25%",
    "volume_size": 100,
    "volume_type": "gp3",
    "volume_iops": 4000,
    "volume_throughput": 250,
    "volume_encrypted": True,
    "volume_kms_key": "arn:aws:kms:eu-central-1:111122223333:alias/nodes",
    "max_pods": 58,
    "subnets": ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1"),
    "security_groups": ("sg-0123456789abcdef0",),
    "policies": ("arn:aws:iam::111122223333:policy/team/Logs",),
    "permissions_boundary": "arn:aws:iam::111122223333:policy/boundary",
    "ssh_key": "operators",
    "tags": {"team": "data", "cost center": "4711"},
    "labels": {"team": "on", "example.com/release": "1.30"},
    "taints": ("dedicated=spark:NoSchedule", "dedicated=spark:NoExecute", "gpu:PreferNoSchedule"),
    "kube_reserved": {"memory": "900Mi", "cpu": "1"},
    "system_reserved": {"memory": "200Mi"},
    "eviction_hard": {**DEFAULT_EVICTION, "memory.available": "200Mi"},
    "settings": {
        "motd": 'Not ${this} "one" %{nor} that',
        "kernel": {"sysctl": {"vm.max_map_count": "262144"}},
        "kubernetes": {"image-gc-high-threshold-percent": 85},
    },
}
CASES: dict[str, list[dict[str, Any]]] = {
    "plain": [{}],
    "full": [FULL],
    "nvidia": [
        {
            "variant": "aws-k8s-1.34-nvidia",
            "kube_reserved": {"cpu": "500m"},
            "node_role": "arn:aws:iam::111122223333:role/nodes",
            "max_unavailable": "2",
        }
    ],
    "official": [
        {"ami": None, "variant": "aws-k8s-1.37", "name": "memoryqos", "taints": ("dedicated=spark:NoSchedule",)}
    ],
    "rehearsal": [
        {
            "ami": "ami-rehearsal0123456789abcdef0",
            "rehearsal": True,
            "eviction_hard": {"memory.available": "5%"},
        }
    ],
    "several": [{}, {"ami": "ami-0fedcba9876543210", "arch": "arm64", "instance_types": ("m7g.large",)}],
}


def requests(case: str) -> list[NodegroupRequest]:
    return [wish(**spec) for spec in CASES[case]]


def wish(**spec: Any) -> NodegroupRequest:
    return request(**{"kind": "terraform", **spec})


WORDS = st.sampled_from(["on", "off", "null", "1.30", "0123", "a.b", "x"])
NAMES = st.sampled_from(["on", "123", "for", "null", "0x1f"]) | st.from_regex(r"\A[a-z0-9](-?[a-z0-9]){0,30}\Z")
KEYS = st.sampled_from(["on", "for", "null", "1.30", "team", "example.com/team", "node.kubernetes.io/x", "0123"])
ANY_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=30) | st.sampled_from(
    [
        "${x}",
        "%{if x}",
        "$${x}",
        "$$$${",
        "EOT",
        "  EOT\nEOT",
        "a\n b",
        "\\",
        '"',
        "\\${x}",
        "#",
        "[x]",
        "\x85\u2028\x0b",
    ]
)
MEBIBYTES = st.integers(1, 9999).map(lambda number: f"{number}Mi")
RESERVED = st.fixed_dictionaries({}, optional={"cpu": st.sampled_from(["1", "500m"]), "memory": MEBIBYTES})
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "motd": ANY_TEXT,
        "ntp": st.fixed_dictionaries({"time-servers": st.lists(ANY_TEXT, max_size=3)}),
        "kernel": st.fixed_dictionaries({"sysctl": st.dictionaries(ANY_TEXT.filter(bool), ANY_TEXT, max_size=3)}),
        "kubernetes": st.fixed_dictionaries(
            {},
            optional={
                "cluster-domain": ANY_TEXT,
                "image-gc-high-threshold-percent": st.integers(1, 99),
                "static-pods": st.dictionaries(KEYS, st.fixed_dictionaries({"enabled": st.booleans()}), max_size=2),
            },
        ),
        "container-registry": st.fixed_dictionaries(
            {"mirrors": st.lists(st.fixed_dictionaries({"registry": ANY_TEXT}), min_size=1, max_size=2)}
        ),
    },
)
TYPES = {"x86_64": ["m6i.large", "m5.large", "c7a.xlarge"], "arm64": ["m6g.large", "im4gn.large", "c8gn.metal-24xl"]}


@st.composite
def wishes(draw: st.DrawFn) -> NodegroupRequest:
    arch = draw(st.sampled_from(sorted(TYPES)))
    sizes = sorted(draw(st.lists(st.integers(0, 50), min_size=3, max_size=3)))
    taints = draw(
        st.lists(
            st.tuples(KEYS, WORDS | st.just(""), st.sampled_from(EFFECTS)), unique_by=lambda taint: (taint[0], taint[2])
        )
    )
    return wish(
        ami="ami-" + draw(st.text("0123456789abcdef", min_size=17, max_size=17)),
        arch=arch,
        variant=draw(st.sampled_from(["aws-k8s-1.28", "aws-k8s-1.30-fips", "aws-k8s-1.37-memoryqos"])),
        cluster=draw(NAMES),
        name=draw(st.none() | NAMES),
        instance_types=tuple(draw(st.lists(st.sampled_from(TYPES[arch]), unique=True))),
        spot=draw(st.booleans()),
        min_size=sizes[0],
        max_size=max(1, sizes[2]),
        desired_capacity=draw(st.sampled_from([None, sizes[1]])),
        max_unavailable=draw(st.sampled_from([None, "1", "100%"])),
        volume_size=draw(st.none() | st.integers(20, 16384)),
        volume_encrypted=draw(st.booleans()),
        max_pods=draw(st.none() | st.integers(1, 1000)),
        security_groups=draw(st.sampled_from([(), ("sg-01234567", "sg-89abcdef")])),
        policies=draw(st.sampled_from([(), ("arn:aws:iam::aws:policy/X", "arn:aws:iam::111122223333:policy/X")])),
        control_container=draw(st.booleans()),
        ssh_key=draw(st.none() | ANY_TEXT.filter(bool)),
        labels=draw(st.dictionaries(KEYS, WORDS, max_size=4)),
        taints=tuple(f"{key}={value}:{effect}" for key, value, effect in taints),
        kube_reserved=draw(RESERVED),
        eviction_hard=draw(st.dictionaries(st.sampled_from(sorted(DEFAULT_EVICTION)), st.just("5%"), max_size=4)),
        settings=draw(SETTINGS),
    )
