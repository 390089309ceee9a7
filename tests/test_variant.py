import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.variant import KubernetesVersion, VariantName, crate_name

FLAVORS = st.lists(st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True).filter(lambda t: t != "memoryqos"), max_size=3)


@given(st.integers(0, 999), FLAVORS)
def test_a_name_survives_being_taken_apart(minor: int, flavors: list[str]) -> None:
    name = VariantName(KubernetesVersion(1, minor), "-".join(flavors))
    assert VariantName.parse(name.base) == name
    assert VariantName.parse(name.memory_qos) == name


def test_our_suffix_comes_last_so_that_the_flavor_stays_the_flavor() -> None:
    assert VariantName.parse("aws-k8s-1.35-nvidia-fips").memory_qos == "aws-k8s-1.35-nvidia-fips-memoryqos"
    assert VariantName.parse("aws-k8s-1.35-nvidia-memoryqos").base == "aws-k8s-1.35-nvidia"
    assert VariantName.parse("aws-k8s-1.36-nvidia-595").is_nvidia
    assert not VariantName.parse("aws-k8s-1.36-fips").is_nvidia


@pytest.mark.parametrize("text", ["", "aws-k8s", "aws-k8s-", "aws-ecs-2", "aws-k8s-1.29-", "vmware-k8s-1.29", "1.29"])
def test_what_is_no_variant_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        VariantName.parse(text)
    assert "aws-k8s-1.29" in caught.value.todo


@pytest.mark.parametrize("text", ["1.29", "v1.29", "1.29.3", "v1.29.3-eks-abc123", "1.29+"])
def test_versions_as_kubelets_and_people_write_them(text: str) -> None:
    assert KubernetesVersion.parse(text) == KubernetesVersion(1, 29)


def test_versions_are_ordered_as_numbers() -> None:
    assert KubernetesVersion(1, 9) < KubernetesVersion(1, 29) < KubernetesVersion(2, 0)


def test_a_crate_has_no_dots() -> None:
    assert crate_name("aws-k8s-1.29-memoryqos") == "aws-k8s-1_29-memoryqos"


@pytest.mark.parametrize(
    ("text", "ec2", "kubernetes"),
    [
        ("x86_64", "x86_64", "amd64"),
        ("AMD64", "x86_64", "amd64"),
        ("arm64", "arm64", "arm64"),
        ("aarch64", "arm64", "arm64"),
    ],
)
def test_an_architecture_in_any_spelling(text: str, ec2: str, kubernetes: str) -> None:
    architecture = Architecture.parse(text)
    assert (architecture.ec2, architecture.kubernetes) == (ec2, kubernetes)


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="riscv64"):
        Architecture.parse("riscv64")
