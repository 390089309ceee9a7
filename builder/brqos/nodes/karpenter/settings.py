"""The settings of a node, divided: what Karpenter has to calculate with, and what is user data.

Karpenter schedules by spec.kubelet and never by user data (v1.14.1, pkg/providers/instancetype/types.go); at bootstrap
it writes spec.kubelet over what user data says of the same (pkg/providers/amifamily/bootstrap/bottlerocket.go). So
whatever changes a node's allocatable resources is moved to spec.kubelet, wherever it was given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brqos.errors import ConfigurationError
from brqos.nodes.karpenter.modelled import check_modelled
from brqos.nodes.quantities import check_eviction, check_reserved
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.user_data.settings import node_settings

_IN_KUBELET = {
    "max-pods": "maxPods",
    "kube-reserved": "kubeReserved",
    "system-reserved": "systemReserved",
    "eviction-hard": "evictionHard",
    "cluster-dns-ip": "clusterDNS",
}
_MOST_PODS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class DividedSettings:
    """`kubelet` is spec.kubelet, as KubeletConfiguration calls things; `user_data` what stands below `settings`."""

    kubelet: Mapping[str, Any]
    user_data: Mapping[str, Any]


def divided(request: NodegroupRequest) -> DividedSettings:
    """The request's settings in their two places; raises ConfigurationError for what would not arrive."""
    settings = node_settings(request)
    kubernetes = settings.get("kubernetes", {})
    if not isinstance(kubernetes, Mapping):
        raise ConfigurationError("settings.kubernetes is not a table", todo="Write its settings below it.")
    given = {key: kubernetes[key] for key in _IN_KUBELET if key in kubernetes}
    left = {key: value for key, value in kubernetes.items() if key not in given}
    user_data = {key: value for key, value in settings.items() if key != "kubernetes"}
    if left:
        user_data["kubernetes"] = left
    check_modelled(user_data)
    return DividedSettings(_kubelet(request, given), user_data)


def _kubelet(request: NodegroupRequest, given: Mapping[str, Any]) -> dict[str, Any]:
    kubelet: dict[str, Any] = {}
    if (pods := _max_pods(request, given)) is not None:
        kubelet["maxPods"] = pods
    for key in ("kube-reserved", "system-reserved", "eviction-hard"):
        if given.get(key):
            kubelet[_IN_KUBELET[key]] = _amounts(key, given[key])
    if "cluster-dns-ip" in given:
        kubelet["clusterDNS"] = [_one_address(given["cluster-dns-ip"])]
    return kubelet


def _max_pods(request: NodegroupRequest, given: Mapping[str, Any]) -> int | None:
    if "max-pods" not in given:
        return request.spec.max_pods
    if request.spec.max_pods is not None:
        raise ConfigurationError("max-pods is given twice", todo="Remove it from the further settings.")
    pods = given["max-pods"]
    if not isinstance(pods, int) or isinstance(pods, bool) or not 0 < pods <= _MOST_PODS:
        raise ConfigurationError("settings.kubernetes.max-pods is not a number of pods", todo="Write for example 58.")
    return pods


def _amounts(key: str, value: object) -> dict[str, str]:
    """The entries of a table, checked: those from the further settings have not been looked at before."""
    if not isinstance(value, Mapping) or not all(isinstance(amount, str) for amount in value.values()):
        raise ConfigurationError(
            f"settings.kubernetes.{key} is not a table of texts", todo='Write for example memory = "500Mi" below it.'
        )
    amounts = {str(name): str(amount) for name, amount in value.items()}
    if key == "eviction-hard":
        check_eviction(amounts)
    else:
        check_reserved(key, amounts)
    return amounts


def _one_address(value: object) -> str:
    addresses = [value] if isinstance(value, str) else value
    if not isinstance(addresses, list | tuple) or len(addresses) != 1 or not isinstance(addresses[0], str):
        raise ConfigurationError(
            "Karpenter takes one address in settings.kubernetes.cluster-dns-ip",
            why="It hands Bottlerocket the first one only, and marks an EC2NodeClass with several as invalid.",
            todo='Write one, for example "169.254.20.10".',
        )
    return addresses[0]
