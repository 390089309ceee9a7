"""Requests: what is made up where nothing is asked for, and what cannot be done without."""

import pytest

from brqos.config.nodegroup import NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.nodes.request import request_for
from nodes.requests import image, request


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
        return request_for(NodegroupSpec(cluster="prod", **given), image(), region="eu-west-1").region

    assert region() == "eu-west-1"
    assert region(region="eu-central-1") == "eu-central-1"


@pytest.mark.parametrize(
    ("spec", "message"), [(NodegroupSpec(), "has no cluster"), (NodegroupSpec(cluster="prod"), "has no region")]
)
def test_cluster_and_region_cannot_be_made_up(spec: NodegroupSpec, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as refused:
        request_for(spec, image())
    assert "[nodegroup]" in refused.value.todo


def test_the_official_ami_is_updated_in_place_and_so_keeps_its_nodegroups_name() -> None:
    assert request(ami=None, variant="aws-k8s-1.37").name == "memoryqos-1-37-amd64"
