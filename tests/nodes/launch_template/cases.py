"""Requests for this kind, and what a cluster tells of itself."""

import base64
from typing import Any

from brqos.nodes.quantities import DEFAULT_EVICTION
from brqos.nodes.request import NodegroupRequest
from nodes.requests import request

CERTIFICATE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").decode()
ENDPOINT = {
    "api_server": "https://0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com",
    "certificate": CERTIFICATE,
    "dns_ip": "172.20.0.10",
}
ROLE = "arn:aws:iam::123456789012:role/nodes"
SUBNETS = ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1")
KNOWN: dict[str, Any] = {"endpoint": ENDPOINT, "node_role": ROLE, "subnets": SUBNETS}
FULL: dict[str, Any] = {
    **KNOWN,
    "name": "memoryqos-arm64",
    "arch": "arm64",
    "instance_types": ("m7g.xlarge", "m6g.xlarge"),
    "spot": True,
    "min_size": 2,
    "max_size": 6,
    "desired_capacity": 3,
    "max_unavailable": "25%",
    "volume_size": 100,
    "volume_iops": 4000,
    "volume_throughput": 250,
    "volume_encrypted": True,
    "volume_kms_key": "alias/nodes",
    "max_pods": 58,
    "security_groups": ("sg-0123456789abcdef0", "sg-0123456789abcdef1"),
    "ssh_key": "mine",
    "tags": {"team": "data", "Name": "spark"},
    "labels": {"team": "on", "example.com/release": "1.30"},
    "taints": ("dedicated=spark:NoSchedule", "dedicated=spark:NoExecute", "example.com/gpu:PreferNoSchedule"),
    "kube_reserved": {"memory": "900Mi", "cpu": "1"},
    "system_reserved": {"memory": "200Mi"},
    "eviction_hard": {**DEFAULT_EVICTION, "memory.available": "200Mi"},
    "settings": {"motd": 'Hello ${you}, "friend"', "kernel": {"sysctl": {"vm.max_map_count": "262144"}}},
}


def wish(**fields: Any) -> NodegroupRequest:
    """A request of this kind."""
    return request(**{"kind": "launch-template", **fields})
