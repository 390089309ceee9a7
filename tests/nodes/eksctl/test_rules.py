"""Every rule for an entry of eksctl's file, kept and broken."""

import re
from typing import Any

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.eksctl.rules import check_nodegroup

BASE = {"name": "nodes", "ami": "ami-0123456789abcdef0", "amiFamily": "Bottlerocket", "instanceType": "m6i.large"}


def kubernetes(**settings: Any) -> dict[str, Any]:
    return {
        "bottlerocket": {
            "settings": {"kubernetes": {name.replace("_", "-"): value for name, value in settings.items()}}
        }
    }


@pytest.mark.parametrize(
    ("fields", "managed"),
    [
        ({}, True),
        ({}, False),
        (kubernetes(max_pods=58), True),
        ({"maxPodsPerNode": 58}, False),
        (kubernetes(kube_reserved={"memory": "1Gi"}, eviction_hard={"memory.available": "5%"}), True),
        ({"volumeSize": 100, "volumeEncrypted": True}, True),
        ({"volumeSize": 100, "volumeName": "/dev/xvdb"}, True),
        (
            {
                "volumeSize": 80,
                "volumeEncrypted": True,
                "volumeType": "io2",
                "volumeName": "/dev/xvdb",
                "additionalVolumes": [{"volumeName": "/dev/xvda"}],
            },
            True,
        ),
        ({"updateConfig": {"maxUnavailable": 1}}, True),
        ({"ami": "", "amiFamily": "BottlerocketFips"}, False),
        (
            {"ssh": {"allow": True}, "bottlerocket": {"settings": {"host-containers": {"admin": {"enabled": True}}}}},
            False,
        ),
        ({"bottlerocket": {"enableAdminContainer": True}}, True),
        ({"bottlerocket": {"settings": {"host-containers": {"admin": {"enabled": True}}}}}, False),
    ],
)
def test_what_may_stand_together(fields: dict[str, Any], managed: bool) -> None:
    check_nodegroup({**BASE, **fields}, managed=managed)


@pytest.mark.parametrize(
    ("fields", "managed", "message"),
    [
        ({"amiFamily": None}, True, "is not of amiFamily: Bottlerocket"),
        ({"amiFamily": "bottlerocket"}, False, "is not of amiFamily: Bottlerocket"),
        ({"maxPodsPerNode": 58}, True, "cannot have maxPodsPerNode"),
        ({"releaseVersion": "1.29.0-1"}, True, "cannot have releaseVersion"),
        ({"releaseVersion": "1.29.0-1"}, False, "cannot have releaseVersion"),
        ({"instancesDistribution": {}}, True, "cannot have instancesDistribution"),
        ({"instanceTypes": ["m6i.large"]}, False, "cannot have instanceTypes"),
        ({"launchTemplate": {"id": "lt-1"}}, False, "cannot have launchTemplate"),
        ({"overrideBootstrapCommand": "x"}, True, "cannot have overrideBootstrapCommand"),
        ({"preBootstrapCommands": []}, False, "cannot have preBootstrapCommands"),
        ({"kubeletExtraConfig": {}}, False, "cannot have kubeletExtraConfig"),
        ({"instanceTypes": ["m6i.large"]}, True, "has instanceType and instanceTypes"),
        ({"instancesDistribution": {"instanceTypes": []}}, False, "has instanceType and instancesDistribution"),
        ({"volumeName": "/dev/xvdb"}, True, "has volumeName without volumeSize"),
        ({"volumeEncrypted": True}, True, "has volumeEncrypted without volumeSize"),
        ({"volumeSize": 80, "volumeKmsKeyID": "k"}, True, "has volumeKmsKeyID without volumeEncrypted"),
        (
            {"volumeSize": 80, "volumeEncrypted": True, "volumeName": "/dev/xvdb"},
            True,
            "has volumeEncrypted and volumeName",
        ),
        (
            {"volumeSize": 80, "volumeEncrypted": True, "additionalVolumes": [{"volumeName": "/dev/xvda"}]},
            False,
            "/dev/xvda among additionalVolumes",
        ),
        ({"updateConfig": {}}, True, "with none or both"),
        ({"updateConfig": {"maxUnavailable": 1, "maxUnavailablePercentage": 5}}, True, "with none or both"),
        (kubernetes(max_pods=58), False, "settings.kubernetes.max-pods cannot be set in a self-managed nodegroup"),
        (kubernetes(node_labels={}), True, "settings.kubernetes.node-labels cannot be set"),
        (kubernetes(node_taints={"a": "b"}), False, "settings.kubernetes.node-taints cannot be set"),
        (kubernetes(cluster_name="x"), True, "settings.kubernetes.cluster-name cannot be set"),
        (kubernetes(api_server="x"), False, "settings.kubernetes.api-server cannot be set"),
        (kubernetes(cluster_certificate="x"), False, "settings.kubernetes.cluster-certificate cannot be set"),
        (kubernetes(cluster_dns_ip="10.0.0.1"), True, "settings.kubernetes.cluster-dns-ip cannot be set"),
        (kubernetes(max_pods=None), True, "kubernetes.max-pods has no value"),
        (kubernetes(allowed_unsafe_sysctls=["a", None]), True, "kubernetes.allowed-unsafe-sysctls has no value"),
        ({"spot": True}, False, "cannot have spot"),
        (
            {"volumeSize": 80, "volumeEncrypted": True, "volumeType": "io2"},
            True,
            "has volumeEncrypted and volumeType io2 without volumeName",
        ),
        ({"ssh": {"enableSsm": True}}, True, "cannot have ssh.enableSsm"),
        (
            {
                "ssh": {"allow": True},
                "bottlerocket": {"settings": {"host-containers": {"admin": {"enabled": True}}}},
            },
            True,
            "the admin container is switched twice: by ssh",
        ),
        (
            {
                "bottlerocket": {
                    "enableAdminContainer": False,
                    "settings": {"host-containers": {"admin": {"enabled": False}}},
                }
            },
            True,
            "the admin container is switched twice",
        ),
    ],
)
def test_what_may_not_stand_together(fields: dict[str, Any], managed: bool, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)) as refused:
        check_nodegroup({**BASE, **fields}, managed=managed)
    assert refused.value.why and refused.value.todo
