"""The settings that join a node to its cluster, for kinds that write a node's user data whole.

EKS, eksctl and Karpenter write these themselves where they write user data; with a custom AMI in a launch template, and
for nodes of one's own, nobody does. The types are those of Bottlerocket's model (bottlerocket-settings-models,
kubernetes: KubernetesSettingsV1; modeled-types, kubernetes.rs): one wrong value and all user data is refused.
"""

import base64
import binascii
import ipaddress
from collections.abc import Mapping, Sequence

from brqos.config.nodegroup import EndpointSpec
from brqos.errors import ConfigurationError
from brqos.nodes.labels import Taint
from brqos.nodes.user_data.settings import Settings

_PEM = b"-----BEGIN CERTIFICATE-----"
_ASK = "`aws eks describe-cluster --name <cluster> --query cluster.certificateAuthority.data --output text` tells it."


def joining(
    *,
    cluster: str,
    api_server: str,
    certificate: str,
    dns_ip: str | None = None,
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Taint] = (),
) -> Settings:
    """What joins a node to a cluster, as it stands below `settings.kubernetes`.

    `api_server` is a URL, `certificate` base64 of PEM, as EKS tells them. Without `dns_ip` Bottlerocket asks EKS
    (DescribeCluster, which a node's role has to allow).
    """
    settings: Settings = {"cluster-name": cluster, "api-server": api_server, "cluster-certificate": certificate}
    if dns_ip is not None:
        settings["cluster-dns-ip"] = dns_ip
    if labels:
        settings["node-labels"] = dict(labels)
    if taints:
        settings["node-taints"] = node_taints(taints)
    return settings


def node_taints(taints: Sequence[Taint]) -> dict[str, list[str]]:
    """Taints as Bottlerocket wants them: per key a list of `value:Effect`, where the value may be empty."""
    settings: dict[str, list[str]] = {}
    for taint in taints:
        settings.setdefault(taint.key, []).append(f"{taint.value}:{taint.effect}")
    return settings


def check_endpoint(endpoint: EndpointSpec) -> None:
    """Refuse a certificate or an address with which a node would not join; raises ConfigurationError."""
    if endpoint.certificate is not None:
        _check_certificate(endpoint.certificate)
    if endpoint.dns_ip is not None:
        _check_address(endpoint.dns_ip)


def _check_certificate(text: str) -> None:
    try:
        decoded = base64.b64decode(text, validate=True)
    except binascii.Error:
        decoded = b""
    if not decoded.lstrip().startswith(_PEM):
        raise ConfigurationError(
            "the cluster's certificate (endpoint.certificate) is not a certificate in base64",
            why="It is base64 of a PEM file, and begins with LS0tLS1CRUdJTi; a node with another one never joins.",
            todo=_ASK,
        )


def _check_address(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ConfigurationError(
            f"“{text}” (endpoint.dns-ip) is not an IP address",
            why="Bottlerocket refuses all of a node's user data over it, and the node never joins.",
            todo="Give the address of the cluster's DNS service, such as 172.20.0.10, or leave it out.",
        ) from None
