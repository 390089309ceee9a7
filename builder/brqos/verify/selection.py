"""Which nodes are verified."""

from collections.abc import Mapping, Sequence
from typing import Any

from brqos.errors import ClusterDisagreesError, ConfigurationError
from brqos.kube import cluster
from brqos.kube.kubectl import Kubectl
from brqos.kube.kubelet import name_of
from brqos.kube.refusals import KubeCallError, Refusal
from brqos.verify.image import os_image_of

NODEGROUP_LABELS = ("eks.amazonaws.com/nodegroup", "alpha.eksctl.io/nodegroup-name", "karpenter.sh/nodepool")
"""Where EKS, eksctl and Karpenter write the name of a node's group."""


def chosen_nodes(
    kubectl: Kubectl, names: Sequence[str], selector: str | None, nodegroup: str | None
) -> list[dict[str, Any]]:
    """The nodes of these names, or those that the selector and the nodegroup pick; else all with an image of brqos'.

    Raises ConfigurationError where nothing is found, ClusterDisagreesError where no node has such an image.
    """
    if names:
        return [_named(kubectl, name) for name in dict.fromkeys(names)]
    found = cluster.nodes(kubectl, selector or "")
    if nodegroup is not None:
        found = _of_group(found, nodegroup)
    elif selector is not None and not found:
        raise ConfigurationError(
            f"no node has the labels “{selector}”", todo="`kubectl get nodes --show-labels` shows those that they have."
        )
    elif selector is None:
        found = _ours(found)
    return sorted(found, key=name_of)


def _named(kubectl: Kubectl, name: str) -> dict[str, Any]:
    try:
        return cluster.node(kubectl, name)
    except KubeCallError as error:
        if error.kind is not Refusal.NOT_FOUND:
            raise
        raise ConfigurationError(
            f"there is no node “{name}” in the cluster", todo="`kubectl get nodes` lists those that there are."
        ) from None


def _of_group(nodes: Sequence[dict[str, Any]], nodegroup: str) -> list[dict[str, Any]]:
    found = [node for node in nodes if nodegroup in _groups(node)]
    if not found:
        known = sorted({group for node in nodes for group in _groups(node)})
        raise ConfigurationError(
            f"no node belongs to the nodegroup “{nodegroup}”",
            why=f"The nodes' groups: {', '.join(known) or 'none'}; by the labels {', '.join(NODEGROUP_LABELS)}.",
            todo="Name one of them, or choose nodes with --node or --selector.",
        )
    return found


def _groups(node: Mapping[str, Any]) -> set[str]:
    labels = (node.get("metadata") or {}).get("labels") or {}
    return {str(labels[label]) for label in NODEGROUP_LABELS if label in labels}


def _ours(nodes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [node for node in nodes if (image := os_image_of(node)) is not None and image.is_ours]
    if not found:
        raise ClusterDisagreesError(
            "no node of the cluster runs an image made by brqos",
            why=f"None of its {len(nodes)} node(s) has a variant that ends in “-memoryqos”.",
            todo="Name the nodes to look at with --node, --selector or --nodegroup.",
        )
    return found
