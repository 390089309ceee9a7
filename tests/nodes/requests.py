"""Requests for the tests, from the few words in which they differ."""

from typing import Any

from brqos.architecture import Architecture
from brqos.nodes.request import NodegroupRequest, request_for, spec_of
from brqos.variant import VariantName

AMI = "ami-0123456789abcdef0"


def request(
    *, ami: str = AMI, arch: str = "x86_64", variant: str = "aws-k8s-1.29", rehearsal: bool = False, **spec: Any
) -> NodegroupRequest:
    return request_for(
        spec_of({"cluster": "prod", "region": "eu-central-1", **spec}),
        ami=ami,
        architecture=Architecture.parse(arch),
        variant=VariantName.parse(variant),
        rehearsal=rehearsal,
    )
