"""The nodes' role, SSH and the admin container."""

from typing import Any

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.eksctl.access import bottlerocket, check_access, iam, policies, ssh
from brqos.nodes.user_data.settings import node_settings
from nodes.requests import request

OWN = "arn:aws:iam::111122223333:policy/own"
ROLE = "arn:aws:iam::111122223333:role/nodes"
PROFILE = "arn:aws:iam::111122223333:instance-profile/nodes"
BOUNDARY = "arn:aws:iam::111122223333:policy/boundary"
AWS = "arn:aws:iam::aws:policy/"


def test_without_a_wish_eksctl_makes_the_role() -> None:
    assert iam(request()) == {}


def test_further_policies_come_with_the_ones_that_eksctl_then_drops() -> None:
    needed = [f"{AWS}AmazonEKSWorkerNodePolicy", f"{AWS}AmazonEKS_CNI_Policy", f"{AWS}AmazonSSMManagedInstanceCore"]
    registry = f"{AWS}AmazonEC2ContainerRegistryPullOnly"
    assert iam(request(policies=(OWN,))) == {"iam": {"attachPolicyARNs": [*needed, registry, OWN]}}
    assert policies(request(policies=(OWN,), self_managed=True)) == [*needed, OWN]
    assert policies(request(policies=(needed[1], OWN), self_managed=True)) == [*needed, OWN]


def test_the_policies_are_of_the_regions_partition() -> None:
    wish = request(policies=("arn:aws-cn:iam::111122223333:policy/own",), region="cn-north-1")
    check_access(wish)
    assert policies(wish)[0] == "arn:aws-cn:iam::aws:policy/AmazonEKSWorkerNodePolicy"


@pytest.mark.parametrize(
    ("wish", "section"),
    [
        ({"node_role": ROLE}, {"instanceRoleARN": ROLE}),
        ({"permissions_boundary": BOUNDARY}, {"instanceRolePermissionsBoundary": BOUNDARY}),
        ({"instance_profile": PROFILE, "self_managed": True}, {"instanceProfileARN": PROFILE}),
        (
            {"instance_profile": PROFILE, "node_role": ROLE, "self_managed": True},
            {"instanceRoleARN": ROLE, "instanceProfileARN": PROFILE},
        ),
    ],
)
def test_a_role_of_ones_own(wish: dict[str, Any], section: dict[str, str]) -> None:
    assert check_access(request(**wish)) == ()
    assert iam(request(**wish)) == {"iam": section}


def test_ssh_without_a_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="but there is no key for it") as error:
        check_access(request(ssh_security_groups=("sg-12345678",)))
    assert error.value.why and error.value.todo


def test_a_role_with_a_path_is_worth_a_warning() -> None:
    (warning,) = check_access(request(node_role=ROLE.replace("role/", "role/teams/")))
    assert "eksctl leaves the path out" in warning


def test_ssh_from_everywhere_is_worth_a_warning() -> None:
    (warning,) = check_access(request(ssh_key="team"))
    assert "to the whole world" in warning
    assert check_access(request(ssh_key="team", ssh_security_groups=("sg-12345678",))) == ()
    assert check_access(request(ssh_key="team", private_networking=True)) == ()


def test_ssh_has_a_key_and_never_ssm() -> None:
    assert ssh(request()) == {}
    assert ssh(request(ssh_key="team")) == {"ssh": {"allow": True, "publicKeyName": "team"}}
    assert ssh(request(ssh_key="team", ssh_security_groups=("sg-12345678",)))["ssh"] == {
        "allow": True,
        "publicKeyName": "team",
        "sourceSecurityGroupIds": ["sg-12345678"],
    }


@pytest.mark.parametrize("self_managed", [False, True])
def test_the_admin_container_is_switched_in_one_place(self_managed: bool) -> None:
    def section(**wish: Any) -> dict[str, Any]:
        made = request(self_managed=self_managed, **wish)
        return bottlerocket(made, node_settings(made))

    control = {"control": {"enabled": True}}
    for admin in (False, True):
        assert section(admin_container=admin) == {
            "settings": {"host-containers": {**control, "admin": {"enabled": admin}}}
        }
        assert section(admin_container=admin, ssh_key="team") == {
            "enableAdminContainer": True,
            "settings": {"host-containers": control},
        }
    further = {"host-containers": {"admin": {"superpowered": True}}}
    assert section(ssh_key="team", settings=further) == {
        "enableAdminContainer": True,
        "settings": {"host-containers": {**control, "admin": {"superpowered": True}}},
    }
