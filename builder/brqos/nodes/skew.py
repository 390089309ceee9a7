"""How far a node's Kubernetes may be from its cluster's."""

from brqos.variant import KubernetesVersion

MOST_MINORS_BEHIND = 3
"""A kubelet may be three minors older than the control plane (Kubernetes version skew policy, since 1.28)."""


def goes_with(kubelet: KubernetesVersion, control_plane: KubernetesVersion) -> bool:
    """Whether the kubelet is neither newer than the control plane nor too old for it."""
    return 0 <= control_plane.minor - kubelet.minor <= MOST_MINORS_BEHIND
