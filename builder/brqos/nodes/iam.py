"""The nodes' IAM role: ARNs that exist where the nodes are, and one role, not two."""

from brqos.config.nodegroup import NodegroupSpec
from brqos.errors import ConfigurationError

_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
_PARTITION_FIELD = 1
_SERVICE_ROLES = ":role/aws-service-role/"


def partition_of(region: str) -> str:
    """`aws`, or what stands in its place in the ARNs of a region."""
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")


def aws_policy(region: str, name: str) -> str:
    """The ARN of a policy that AWS itself keeps."""
    return f"arn:{partition_of(region)}:iam::aws:policy/{name}"


def check_iam(spec: NodegroupSpec, region: str) -> None:
    """Refuse a role that nodes cannot have there; raises ConfigurationError."""
    check_arns(spec, region)
    check_one_role(spec)


def check_arns(spec: NodegroupSpec, region: str) -> None:
    """ARNs are of the region's partition, and the role is none of a service's own."""
    partition = partition_of(region)
    for arn in (*spec.policies, spec.permissions_boundary, spec.node_role, spec.instance_profile):
        if arn is not None and arn.split(":")[_PARTITION_FIELD] != partition:
            raise ConfigurationError(
                f"{arn} does not exist in {region}",
                why=f"ARNs of that region begin with arn:{partition}: and accounts of different partitions know "
                "nothing of each other.",
                todo="Give the ARN of one there.",
            )
    if spec.node_role is not None and _SERVICE_ROLES in spec.node_role:
        raise ConfigurationError(
            "the nodes' role is one of a service's own (aws-service-role)",
            why="Instances cannot have it; EKS's role for nodegroups is another thing than the role of the nodes.",
            todo="Give the role with the policy AmazonEKSWorkerNodePolicy.",
        )


def check_one_role(spec: NodegroupSpec) -> None:
    """Policies and boundary are for a role that is made.

    eksctl rejects them beside a given one (v1alpha5/validation.go: validateNodeGroupIAM), and the Terraform module
    leaves them out without a word.
    """
    for given, what in ((spec.node_role, "a role"), (spec.instance_profile, "an instance profile")):
        for further, name in (
            (spec.policies, "further policies"),
            (spec.permissions_boundary, "a permissions boundary"),
        ):
            if given is not None and further:
                raise ConfigurationError(
                    f"the nodes have {what} of their own and {name}",
                    why=f"A role that is there already is not changed; {name} can only be given to one that is made.",
                    todo="Keep one of them; what your own role may do is decided where it is made.",
                )
