"""Requests, as the tests make them."""

from typing import Any

from brqos.architecture import Architecture
from brqos.config.nodegroup import NodegroupSpec
from brqos.memoryqos.settings import kubelet_settings
from brqos.nodes.request import NodegroupRequest, NodeImage, request_for
from brqos.variant import VariantName

AMI = "ami-0123456789abcdef0"


def image(
    *,
    ami: str | None = AMI,
    arch: str = "x86_64",
    variant: str = "aws-k8s-1.29",
    release: str | None = None,
    rehearsal: bool = False,
    factor: float = 0.9,
    root_gib: int | None = None,
) -> NodeImage:
    """An image; with `ami=None` the official one, with the two native settings."""
    name = VariantName.parse(variant)
    native = kubelet_settings(name.kubernetes, throttling_factor=factor) if ami is None else None
    return NodeImage(
        ami=ami,
        architecture=Architecture.parse(arch),
        variant=name,
        release=release,
        native=native,
        root_gib=root_gib,
        rehearsal=rehearsal,
    )


def request(
    *,
    ami: str | None = AMI,
    arch: str = "x86_64",
    variant: str = "aws-k8s-1.29",
    release: str | None = None,
    rehearsal: bool = False,
    root_gib: int | None = None,
    **spec: Any,
) -> NodegroupRequest:
    """A request; `spec` are fields of NodegroupSpec."""
    given = {"cluster": "prod", "region": "eu-central-1", **spec}
    wanted = image(ami=ami, arch=arch, variant=variant, release=release, rehearsal=rehearsal, root_gib=root_gib)
    return request_for(NodegroupSpec.model_validate(given), wanted)
