"""Every rule of the kind, kept and broken."""

import re
from typing import Any

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.file import node_file
from brqos.nodes.terraform.file import terraform_file
from nodes.terraform.cases import wish

OFFICIAL: dict[str, Any] = {"ami": None, "variant": "aws-k8s-1.37"}
ROLE = "arn:aws:iam::111122223333:role/nodes"
POLICY = "arn:aws:iam::aws:policy/X"


def kubernetes(**settings: Any) -> dict[str, Any]:
    return {"settings": {"kubernetes": {name.replace("_", "-"): value for name, value in settings.items()}}}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        OFFICIAL,
        {**OFFICIAL, "variant": "aws-k8s-1.37-nvidia"},
        {"variant": "aws-k8s-1.37-nvidia-595"},
        {"node_role": ROLE},
        {"policies": (POLICY,), "permissions_boundary": POLICY},
        {"volume_type": "io1", "volume_iops": 2000},
        {"settings": {"motd": "x" * 13900}},
        {"settings": {"motd": 'a "quoted" word'}},
        kubernetes(cluster_domain="cluster.local"),
        {**OFFICIAL, **kubernetes(cluster_dns_ip="172.20.0.10")},
        {**OFFICIAL, "settings": {"motd": "plain", "kernel": {"sysctl": {"vm.max_map_count": "262144"}}}},
    ],
)
def test_what_is_taken(spec: dict[str, Any]) -> None:
    terraform_file([wish(**spec)])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({**OFFICIAL, "variant": "aws-k8s-1.37-nvidia-fips"}, "the official AMI of aws-k8s-1.37-nvidia-fips"),
        ({"node_role": ROLE, "policies": (POLICY,)}, "a role of their own and further policies"),
        ({"node_role": ROLE, "permissions_boundary": POLICY}, "a role of their own and a permissions boundary"),
        ({"node_role": ROLE, "region": "cn-north-1"}, "does not exist in cn-north-1"),
        ({"volume_kms_key": "alias/x"}, "a KMS key for volumes that are not encrypted"),
        ({"volume_type": "gp2", "volume_throughput": 250}, "has no throughput"),
        ({"subnets": ("subnet-01234567",) * 2}, "the subnet subnet-01234567 is given twice"),
        ({"security_groups": ("sg-01234567",) * 2}, "the security group sg-01234567 is given twice"),
        ({"tags": {"aws:x": "y"}}, "aws:x"),
        (kubernetes(cluster_name="x"), "settings.kubernetes.cluster-name cannot be set"),
        (kubernetes(cluster_dns_ip="172.20.0.10"), "settings.kubernetes.cluster-dns-ip cannot be set"),
        (kubernetes(node_labels={"a": "b"}), "settings.kubernetes.node-labels has an option of its own"),
        ({**OFFICIAL, **kubernetes(api_server="x")}, "settings.kubernetes.api-server cannot be set"),
        ({**OFFICIAL, **kubernetes(node_taints={"a": ["b:c"]})}, "settings.kubernetes.node-taints has an option"),
        ({"max_pods": 5, **kubernetes(max_pods=6)}, "kubernetes.max-pods is given twice"),
        ({"settings": {"motd": "x" * 14400}}, "the user data has"),
        ({**OFFICIAL, "settings": {"motd": 'a "quoted" word'}}, "a quotation mark"),
        ({**OFFICIAL, "settings": {"bootstrap-containers": {"a.b": {"mode": "off"}}}}, "has to be quoted"),
    ],
)
def test_what_is_refused(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)) as refused:
        node_file([wish(**spec)])
    assert refused.value.todo
