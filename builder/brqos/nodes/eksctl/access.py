"""Who the nodes are to AWS, and who gets into them: eksctl's sections `iam` and `ssh`, and the admin container."""

from typing import Any

from brqos.errors import ConfigurationError
from brqos.nodes.iam import aws_policy
from brqos.nodes.request import NodegroupRequest

Document = dict[str, Any]

# eksctl 0.231, cfn/builder/iam_helper.go: makeManagedPolicies. Setting attachPolicyARNs drops these; the pull-only one
# it adds by itself on self-managed nodes.
_NEEDED = ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonSSMManagedInstanceCore")
_NEEDED_WHEN_MANAGED = ("AmazonEC2ContainerRegistryPullOnly",)


def iam(request: NodegroupRequest) -> Document:
    """The section `iam`; empty where eksctl makes the role by itself."""
    spec = request.spec
    part: Document = {}
    if spec.policies:
        part["attachPolicyARNs"] = policies(request)
    if spec.permissions_boundary is not None:
        part["instanceRolePermissionsBoundary"] = spec.permissions_boundary
    if spec.node_role is not None:
        part["instanceRoleARN"] = spec.node_role
    if spec.instance_profile is not None:
        part["instanceProfileARN"] = spec.instance_profile
    return {"iam": part} if part else {}


def policies(request: NodegroupRequest) -> list[str]:
    """The policies that every node needs, and then the further ones, each once."""
    names = (*_NEEDED, *(_NEEDED_WHEN_MANAGED if request.managed else ()))
    needed = [aws_policy(request.region, name) for name in names]
    return list(dict.fromkeys([*needed, *request.spec.policies]))


def ssh(request: NodegroupRequest) -> Document:
    """The section `ssh`; never with enableSsm, which Bottlerocket does not need and eksctl rejects with an own AMI."""
    spec = request.spec
    if spec.ssh_key is None:
        return {}
    part: Document = {"allow": True, "publicKeyName": spec.ssh_key}
    if spec.ssh_security_groups:
        part["sourceSecurityGroupIds"] = list(spec.ssh_security_groups)
    return {"ssh": part}


def bottlerocket(request: NodegroupRequest, settings: Document) -> Document:
    """The section `bottlerocket` with these settings.

    With SSH eksctl sets `enableAdminContainer` by itself, and then rejects settings.host-containers.admin.enabled on
    managed nodegroups, when it builds the stack (v1alpha5/defaults.go: setBottlerocketNodeGroupDefaults,
    nodebootstrap/managed_bottlerocket.go): so there the one stands for the other.
    """
    if request.spec.ssh_key is None:
        return {"settings": settings}
    containers = dict(settings["host-containers"])
    admin = {key: value for key, value in containers.pop("admin").items() if key != "enabled"}
    if admin:
        containers["admin"] = admin
    return {"enableAdminContainer": True, "settings": {**settings, "host-containers": containers}}


def check_access(request: NodegroupRequest) -> tuple[str, ...]:
    """Refuse what does not go together; raises ConfigurationError, returns warnings."""
    spec = request.spec
    warnings: list[str] = []
    if spec.node_role is not None and spec.node_role.count("/") > 1:
        warnings.append(
            "eksctl leaves the path out of the role's ARN: nodes of a role with a path may not be let into the cluster"
        )
    if spec.ssh_security_groups and spec.ssh_key is None:
        raise ConfigurationError(
            "SSH is let in from security groups, but there is no key for it",
            why="Without a key eksctl does not let SSH in at all.",
            todo="Add --ssh-key, or leave the security groups out.",
        )
    if spec.ssh_key is not None and not spec.ssh_security_groups and not spec.private_networking:
        warnings.append(
            "eksctl opens the SSH port of the nodes to the whole world (0.0.0.0/0 and ::/0): name the security groups "
            "from which SSH may come, or leave the key out and use Session Manager"
        )
    return tuple(warnings)
