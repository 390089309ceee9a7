"""The official AMI, where Bottlerocket's own settings do what an image of ours does."""

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.memoryqos.settings import FIRST_ON_BY_DEFAULT, KubeletSettings
from brqos.nodes.request import NodeImage
from brqos.variant import VariantName

# The kubelet templates of Kubernetes 1.37 and later render memory-throttling-factor and memory-reservation-policy
# (core kit 17.0.0, Bottlerocket v1.66.0); those of older versions do not, whatever the release.
FIRST_NATIVE = FIRST_ON_BY_DEFAULT


def official_image(architecture: Architecture, variant: VariantName, settings: KubeletSettings) -> NodeImage:
    """The official AMI of a variant with the settings that turn MemoryQoS on; raises ConfigurationError before 1.37.

    The two settings carry factor and policy; the gate is on by default. Further gates cannot be set.
    """
    if variant.kubernetes < FIRST_NATIVE:
        raise ConfigurationError(
            f"the official AMI of {variant.base} has no settings for MemoryQoS",
            why=f"They came with Kubernetes {FIRST_NATIVE} and Bottlerocket v1.66.0.",
            todo=f"Build an image: brqos build --variant {variant.base}",
        )
    return NodeImage(ami=None, architecture=architecture, variant=variant, native=settings)
