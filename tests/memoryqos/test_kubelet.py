"""A kubelet's settings, and how the kernel reads back what it writes."""

import pytest

from brqos.errors import ConfigurationError
from brqos.memoryqos.kubelet import CgroupMemory, as_read, kubelet, protection_as_read
from brqos.variant import KubernetesVersion

NODE = 2**33


@pytest.mark.parametrize(
    ("version", "factor", "policy"),
    [
        ("1.22", 0.8, None),
        ("1.26", 0.8, None),
        ("1.27", 0.9, None),
        ("1.35", 0.9, None),
        ("1.36", 0.9, "None"),
        ("1.37", None, "None"),
        ("1.38", None, "None"),
    ],
)
def test_each_version_has_its_own_defaults(version: str, factor: float | None, policy: str | None) -> None:
    found = kubelet(KubernetesVersion.parse(version), allocatable=NODE)
    assert (found.throttling_factor, found.reservation_policy) == (factor, policy)


def test_a_version_before_the_feature_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"1\.21 has no MemoryQoS"):
        kubelet(KubernetesVersion(1, 21), allocatable=NODE)


@pytest.mark.parametrize("factor", [0.0, -0.1, 1.01, float("nan"), float("inf")])
def test_a_factor_that_the_kubelet_refuses_is_refused(factor: float) -> None:
    with pytest.raises(ConfigurationError, match="not in the range"):
        kubelet(KubernetesVersion(1, 29), allocatable=NODE, throttling_factor=factor)


def test_tiers_before_they_exist_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="knows no memoryReservationPolicy"):
        kubelet(KubernetesVersion(1, 35), allocatable=NODE, reservation_policy="TieredReservation")


def test_the_policy_none_says_nothing_before_it_exists() -> None:
    found = kubelet(KubernetesVersion(1, 35), allocatable=NODE, reservation_policy="None")
    assert found.reservation_policy is None
    assert found.protects


@pytest.mark.parametrize(
    ("written", "reads"),
    [
        (0, 0),
        (4095, 0),
        (4096, 4096),
        (6012954214, 6012952576),
        (2**63 - 1, "max"),
        (2**63 - 4096, "max"),
        (2**63 - 4097, 2**63 - 8192),
    ],
)
def test_the_kernel_reads_back_whole_pages(written: int, reads: int | str) -> None:
    assert as_read(written) == reads


def test_a_protection_is_always_a_number() -> None:
    assert protection_as_read(2**63 - 1) == 2**63 - 4096


def test_the_files_have_the_kernels_own_texts() -> None:
    assert CgroupMemory(min=4096, high=8192).files() == {
        "memory.min": "4096",
        "memory.low": "0",
        "memory.high": "8192",
        "memory.max": "max",
    }
