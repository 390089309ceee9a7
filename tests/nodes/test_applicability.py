"""What a kind of nodes cannot do is refused, with what can do it."""

import pytest

from brqos.config.nodegroup import NodegroupKind, NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.nodes.applicability import check_applicability

ASKED: dict[str, object] = {
    "on_demand_base": 1,
    "on_demand_percentage": 50,
    "min_size": 2,
    "max_size": 9,
    "desired_capacity": 2,
    "max_unavailable": "25%",
    "private_networking": True,
    "availability_zones": ("eu-central-1a",),
    "instance_profile": "arn:aws:iam::111122223333:instance-profile/nodes",
    "policies": ("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",),
    "permissions_boundary": "arn:aws:iam::111122223333:policy/boundary",
    "ssh_key": "mine",
    "ssh_security_groups": ("sg-01234567",),
    "vpc": {"id": "vpc-01234567"},
    "endpoint": {"api-server": "https://example.com"},
    "karpenter": {"ami-by": "tags"},
}
CAN = {
    NodegroupKind.EKSCTL_MANAGED: {
        *("min_size", "max_size", "desired_capacity", "max_unavailable", "private_networking", "availability_zones"),
        *("policies", "permissions_boundary", "ssh_key", "ssh_security_groups", "vpc"),
    },
    NodegroupKind.EKSCTL: set(ASKED) - {"max_unavailable", "endpoint", "karpenter"},
    NodegroupKind.KARPENTER: {"availability_zones", "instance_profile", "karpenter"},
    NodegroupKind.LAUNCH_TEMPLATE: {
        "min_size", "max_size", "desired_capacity", "max_unavailable", "ssh_key", "endpoint",
    },
    NodegroupKind.TERRAFORM: {
        *("min_size", "max_size", "desired_capacity", "max_unavailable", "policies", "permissions_boundary", "ssh_key"),
    },
}  # fmt: skip


def refusal(kind: NodegroupKind, field: str) -> ConfigurationError | None:
    try:
        check_applicability(NodegroupSpec.model_validate({"kind": kind, field: ASKED[field]}))
    except ConfigurationError as error:
        return error
    return None


@pytest.mark.parametrize("kind", NodegroupKind)
def test_each_kind_can_what_it_can_and_refuses_the_rest(kind: NodegroupKind) -> None:
    assert {field for field in ASKED if refusal(kind, field) is None} == CAN[kind]


@pytest.mark.parametrize("field", ASKED)
def test_a_refusal_names_the_kinds_that_can(field: str) -> None:
    for kind in NodegroupKind:
        error = refusal(kind, field)
        if error is not None:
            assert field.replace("_", "-") in error.what
            assert error.why
            named = error.todo.rpartition(": ")[2].rstrip(".").split(", ")
            assert set(named) == {str(other) for other in NodegroupKind if field in CAN[other]}


def test_what_all_kinds_can_is_never_refused() -> None:
    for kind in NodegroupKind:
        check_applicability(NodegroupSpec(kind=kind, spot=True, max_pods=58, labels={"a": "b"}, volume_size=100))
