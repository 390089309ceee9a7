"""The shapes of the API, held against AWS's own description of it."""

from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters
from hypothesis import given, settings

from brqos.errors import ConfigurationError
from brqos.nodes.launch_template.data import launch_template_data
from brqos.nodes.launch_template.nodegroup import nodegroup_json, official_ami_type
from brqos.nodes.request import NodegroupRequest
from nodes.launch_template.cases import FULL, KNOWN, ROLE, SUBNETS, wish
from nodes.launch_template.wishes import wishes


def shape(service: str, name: str) -> Any:
    return botocore.session.get_session().get_service_model(service).shape_for(name)


@given(wishes())
@settings(deadline=None, max_examples=30)
def test_the_api_takes_any(request: NodegroupRequest) -> None:
    spec = request.spec.model_copy(
        update={"node_role": ROLE, "subnets": SUBNETS, "endpoint": wish(**FULL).spec.endpoint}
    )
    known = NodegroupRequest(image=request.image, cluster=request.cluster, region=request.region, spec=spec)
    validate_parameters(launch_template_data(known), shape("ec2", "RequestLaunchTemplateData"))
    given_ = nodegroup_json(known, "lt-0123456789abcdef0", 3)
    validate_parameters({"clientRequestToken": "x", **given_}, shape("eks", "CreateNodegroupRequest"))


def test_the_whole_nodegroup() -> None:
    assert nodegroup_json(wish(**FULL), "lt-0123456789abcdef0", 3) == {
        "clusterName": "prod",
        "nodegroupName": "memoryqos-arm64",
        "nodeRole": ROLE,
        "subnets": list(SUBNETS),
        "launchTemplate": {"id": "lt-0123456789abcdef0", "version": "3"},
        "instanceTypes": ["m7g.xlarge", "m6g.xlarge"],
        "capacityType": "SPOT",
        "scalingConfig": {"minSize": 2, "maxSize": 6, "desiredSize": 3},
        "updateConfig": {"maxUnavailablePercentage": 25},
        "labels": {"team": "on", "example.com/release": "1.30"},
        "taints": [
            {"key": "dedicated", "value": "spark", "effect": "NO_SCHEDULE"},
            {"key": "dedicated", "value": "spark", "effect": "NO_EXECUTE"},
            {"key": "example.com/gpu", "effect": "PREFER_NO_SCHEDULE"},
        ],
        "tags": {
            "brqos:tool": "brqos",
            "brqos:variant": "aws-k8s-1.29-memoryqos",
            "brqos:arch": "aarch64",
            "team": "data",
            "Name": "spark",
        },
    }


def test_sizes_and_updates() -> None:
    made = nodegroup_json(wish(**KNOWN, min_size=0, max_unavailable="2"), "lt-1", 1)
    assert made["scalingConfig"] == {"minSize": 0, "maxSize": 3, "desiredSize": 0}
    assert made["updateConfig"] == {"maxUnavailable": 2}
    assert made["capacityType"] == "ON_DEMAND"


@pytest.mark.parametrize(
    ("fields", "missing"),
    [({}, "no node-role and no subnets"), ({"node_role": ROLE}, "no subnets"), ({"subnets": SUBNETS}, "no node-role")],
)
def test_eks_needs_role_and_subnets(fields: dict[str, Any], missing: str) -> None:
    with pytest.raises(ConfigurationError, match=missing):
        nodegroup_json(wish(**fields), "lt-1", 1)


@pytest.mark.parametrize(
    ("variant", "arch", "type_"),
    [
        ("aws-k8s-1.37", "x86_64", "BOTTLEROCKET_x86_64"),
        ("aws-k8s-1.37", "arm64", "BOTTLEROCKET_ARM_64"),
        ("aws-k8s-1.37-nvidia", "x86_64", "BOTTLEROCKET_x86_64_NVIDIA"),
        ("aws-k8s-1.37-fips", "arm64", "BOTTLEROCKET_ARM_64_FIPS"),
        ("aws-k8s-1.37-nvidia-fips", "arm64", "BOTTLEROCKET_ARM_64_NVIDIA_FIPS"),
    ],
)
def test_the_official_ami_has_a_type(variant: str, arch: str, type_: str) -> None:
    assert official_ami_type(wish(ami=None, variant=variant, arch=arch)) == type_
    assert type_ in shape("eks", "AMITypes").enum


def test_another_flavor_has_none() -> None:
    with pytest.raises(ConfigurationError, match="no official AMI"):
        official_ami_type(wish(ami=None, variant="aws-k8s-1.37-nvidia-595"))
