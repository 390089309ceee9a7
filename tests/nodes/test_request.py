"""Requests: what is made up where nothing is asked for, and what cannot be done without."""

import re

import pytest

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.nodes.request import request_for, spec_of
from brqos.variant import VariantName
from nodes.requests import AMI, request

VARIANT = VariantName.parse("aws-k8s-1.29")


def test_the_name_changes_with_the_ami() -> None:
    first, second = request(), request(ami="ami-00000000000000001")
    assert first.name == "memoryqos-1-29-amd64-9abcdef0"
    assert second.name == "memoryqos-1-29-amd64-00000001"
    assert request(name="mine").name == "mine"


def test_a_rehearsal_gives_no_name_that_a_real_nodegroup_could_have() -> None:
    assert request(ami="ami-rehearsal0123456789abcdef0", rehearsal=True).name == "rehearsal-1-29-amd64-9abcdef0"


def test_the_name_tells_flavor_and_architecture() -> None:
    assert (
        request(variant="aws-k8s-1.35-nvidia-fips", arch="aarch64").name == "memoryqos-1-35-nvidia-fips-arm64-9abcdef0"
    )


def test_the_kind_is_told_in_the_words_of_the_option() -> None:
    assert request().kind == "eksctl-managed"
    assert request(self_managed=True).kind == "eksctl"


def test_a_region_of_the_spec_comes_before_that_of_the_ami() -> None:
    def region(**given: str) -> str:
        spec = spec_of({"cluster": "prod", **given})
        return request_for(spec, ami=AMI, architecture=Architecture.X86_64, variant=VARIANT, region="eu-west-1").region

    assert region() == "eu-west-1"
    assert region(region="eu-central-1") == "eu-central-1"


@pytest.mark.parametrize(("given", "message"), [({}, "has no cluster"), ({"cluster": "prod"}, "has no region")])
def test_cluster_and_region_cannot_be_made_up(given: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as refused:
        request_for(spec_of(given), ami=AMI, architecture=Architecture.X86_64, variant=VARIANT)
    assert "[nodegroup]" in refused.value.todo


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_pods": 0}, "the nodegroup's max-pods cannot be “0”"),
        ({"cluster": "a b"}, "the nodegroup's cluster cannot be “a b”"),
        ({"region": "moon"}, "the nodegroup's region cannot be “moon”"),
        ({"name": "-x"}, "the nodegroup's name cannot be “-x”"),
        ({"min_size": -1}, "the nodegroup's min-size cannot be “-1”"),
    ],
)
def test_what_the_model_refuses_is_one_of_our_errors(given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)) as refused:
        spec_of(given)
    assert refused.value.why
