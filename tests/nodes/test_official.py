"""The official AMI does it from Kubernetes 1.37 on, and only from there."""

import pytest

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.memoryqos.settings import kubelet_settings
from brqos.nodes.official import official_image
from brqos.variant import VariantName


def test_it_carries_the_two_settings_and_no_ami() -> None:
    name = VariantName.parse("aws-k8s-1.37")
    image = official_image(Architecture.X86_64, name, kubelet_settings(name.kubernetes, throttling_factor=0.8))
    assert image.ami is None
    assert image.native is not None
    assert image.native.native() == {
        "memory-throttling-factor": 0.8,
        "memory-reservation-policy": "TieredReservation",
    }


def test_before_that_an_image_has_to_be_built() -> None:
    name = VariantName.parse("aws-k8s-1.36-nvidia")
    with pytest.raises(ConfigurationError, match=r"aws-k8s-1\.36-nvidia has no settings for MemoryQoS") as refused:
        official_image(Architecture.AARCH64, name, kubelet_settings(name.kubernetes))
    assert refused.value.todo == "Build an image: brqos build --variant aws-k8s-1.36-nvidia"
