"""Several images in one file: each takes what fits it."""

import pytest

from brqos.config.nodegroup import NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.nodes.several import requests_for
from nodes.requests import image

INTEL, ARM = image(), image(ami="ami-00000000000000001", arch="arm64")
GPU = image(ami="ami-00000000000000002", variant="aws-k8s-1.29-nvidia")


def spec(**fields: object) -> NodegroupSpec:
    return NodegroupSpec.model_validate({"cluster": "prod", "region": "eu-central-1", **fields})


def test_one_image_takes_the_spec_as_it_is() -> None:
    (request,) = requests_for(spec(name="mine", instance_types=("m6g.large", "what.large")), [INTEL])
    assert (request.name, request.spec.instance_types) == ("mine", ("m6g.large", "what.large"))


def test_each_of_several_takes_the_types_that_fit_it() -> None:
    types = ("m6i.large", "g4dn.xlarge", "m6g.large", "c7g.large", "m5.large")
    intel, arm, gpu = requests_for(spec(instance_types=types), [INTEL, ARM, GPU])
    assert intel.spec.instance_types == ("m6i.large", "m5.large")
    assert arm.spec.instance_types == ("m6g.large", "c7g.large")
    assert gpu.spec.instance_types == ("g4dn.xlarge",)


def test_without_types_each_gets_one_that_fits() -> None:
    made = requests_for(spec(), [INTEL, ARM, GPU])
    assert [request.instance_types[0].name for request in made] == ["m6i.large", "m6g.large", "g4dn.xlarge"]


def test_a_common_name_gets_endings_that_tell_them_apart() -> None:
    made = requests_for(spec(name="workers"), [INTEL, ARM, GPU])
    assert [request.name for request in made] == ["workers-amd64", "workers-arm64", "workers-nvidia-amd64"]


@pytest.mark.parametrize(
    ("type_", "why"),
    [
        ("g5g.xlarge", "It is arm64 with NVIDIA GPUs; the AMIs are for x86_64, arm64."),
        ("zz9.large", "brqos does not know it, so it cannot tell which of the AMIs (x86_64, arm64) is meant."),
    ],
)
def test_a_type_for_none_of_them_is_refused(type_: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no AMI goes with the instance type {type_}") as refused:
        requests_for(spec(instance_types=(type_,)), [INTEL, ARM])
    assert refused.value.why == why


def test_amis_of_several_regions_are_refused() -> None:
    wish = NodegroupSpec(cluster="prod")
    with pytest.raises(ConfigurationError, match="in several regions: eu-west-1, us-east-1"):
        requests_for(wish, [INTEL, ARM], regions=["us-east-1", "eu-west-1"])
    assert {request.region for request in requests_for(wish, [INTEL, ARM], regions=["us-east-1"] * 2)} == {"us-east-1"}
