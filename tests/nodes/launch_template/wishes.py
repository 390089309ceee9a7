"""Any right request of this kind, as Hypothesis makes them."""

from typing import Any

from hypothesis import strategies as st

from brqos.nodes.labels import EFFECTS
from brqos.nodes.quantities import DEFAULT_EVICTION
from brqos.nodes.request import NodegroupRequest
from nodes.launch_template.cases import ENDPOINT, ROLE, SUBNETS, wish

WORDS = st.sampled_from(["on", "off", "y", "N", "null", "1.30", "0123", "1e3", "1_0", "0x1F", "a.b", "x", "2026-01-01"])
NAMES = st.sampled_from(["on", "123", "0x1F", "1e3", "007", "no"]) | st.from_regex(r"\A[a-z0-9](-?[a-z0-9]){0,20}\Z")
CLUSTERS = NAMES | st.sampled_from(["my_cluster", "1_2"])
KEYS = st.sampled_from(["on", "y", "1.30", "team", "example.com/team", "node.kubernetes.io/x", "0123"])
RESERVED = st.fixed_dictionaries({}, optional={"cpu": st.just("500m"), "memory": st.just("1Gi")})
TYPES = {
    "x86_64": ["m6i.large", "m5.large", "c7a.xlarge", "g5.xlarge"],
    "arm64": ["m6g.large", "im4gn.large", "c8gn.metal-24xl"],
}
VOLUMES = st.sampled_from(
    [
        {},
        {"volume_size": 20},
        {"volume_type": "gp3", "volume_iops": 16000, "volume_throughput": 1000},
        {"volume_type": "io2", "volume_iops": 8000, "volume_size": 200},
        {"volume_type": "gp2", "volume_encrypted": True},
        {"volume_encrypted": True, "volume_kms_key": "alias/nodes"},
    ]
)
# Texts that YAML, Fn::Sub, TOML and base64 each have their own opinion of.
TEXTS = st.sampled_from(
    ["${a", "${ApiServer}", "$${a}", "${!a}", "\u2028", "\ufeff", "# no", "'\"\\", "a\nb", "\U0001f600"]
)
MOTDS = st.lists(TEXTS, min_size=1, max_size=4).map("".join) | st.text(max_size=20).filter(
    lambda text: "\x7f" not in text
)
PLAIN_MOTDS = st.sampled_from(["hello", "${a}", "a b", "ü"])


@st.composite
def wishes(draw: st.DrawFn) -> NodegroupRequest:
    """A request with any options; half of them for the official AMI."""
    official = draw(st.booleans())
    arch = draw(st.sampled_from(sorted(TYPES)))
    sizes = sorted(draw(st.lists(st.integers(0, 50), min_size=3, max_size=3)))
    taints = draw(
        st.lists(st.tuples(KEYS, WORDS | st.just(""), st.sampled_from(EFFECTS)), max_size=3, unique_by=_which)
    )
    known: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "endpoint": st.just(ENDPOINT) | st.just({"api_server": ENDPOINT["api_server"]}),
                "node_role": st.just(ROLE),
                "subnets": st.just(SUBNETS),
                "security_groups": st.just(("sg-0123456789abcdef0",)),
                "ssh_key": st.just("my key"),
                "max_unavailable": st.sampled_from(["1", "33%", "100"]),
                "tags": st.dictionaries(st.sampled_from(["team", "Name", "on"]), WORDS, max_size=3),
                "settings": (PLAIN_MOTDS if official else MOTDS).map(lambda text: {"motd": text}),
            },
        )
    )
    return wish(
        ami=None if official else "ami-" + draw(st.text("0123456789abcdef", min_size=17, max_size=17)),
        arch=arch,
        variant="aws-k8s-1.37" if official else draw(st.sampled_from(["aws-k8s-1.28", "aws-k8s-1.30-fips"])),
        cluster=draw(CLUSTERS),
        name=draw(st.none() | NAMES),
        instance_types=tuple(draw(st.lists(st.sampled_from(TYPES[arch]), unique=True))),
        spot=draw(st.booleans()),
        min_size=sizes[0],
        max_size=max(1, sizes[2]),
        desired_capacity=draw(st.sampled_from([None, sizes[1]])),
        max_pods=draw(st.none() | st.integers(1, 1000)),
        labels=draw(st.dictionaries(KEYS, WORDS, max_size=4)),
        taints=tuple(f"{key}={value}:{effect}" for key, value, effect in taints),
        kube_reserved=draw(RESERVED),
        system_reserved=draw(RESERVED),
        eviction_hard=draw(st.dictionaries(st.sampled_from(sorted(DEFAULT_EVICTION)), st.just("5%"), max_size=4)),
        **draw(VOLUMES),
        **known,
    )


def _which(taint: tuple[str, str, str]) -> tuple[str, str]:
    return taint[0], taint[2]
