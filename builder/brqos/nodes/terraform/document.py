"""Requests as Terraform's blocks: one for the cluster that is there, and a module for each nodegroup.

The arguments are those of terraform-aws-eks v21, modules/eks-managed-node-group/variables.tf, read and tried with
v21.19.0.
"""

from collections.abc import Mapping, Sequence

from brqos.config.nodegroup import NodegroupSpec
from brqos.nodes.iam import aws_policy
from brqos.nodes.labels import check_taints
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.terraform import remarks
from brqos.nodes.terraform.ami_types import modules_ami_type
from brqos.nodes.terraform.hcl import Block, Expression, FirstOf, Text, Value, identifier
from brqos.nodes.terraform.rules import check_request, check_settings
from brqos.nodes.terraform.user_data import extra_args, settings_of
from brqos.nodes.volumes import DATA_DEVICE, DATA_VOLUME_GIB, DEFAULT_TYPE, ROOT_DEVICE

Arguments = dict[str, Value]

SOURCE = "terraform-aws-modules/eks/aws//modules/eks-managed-node-group"
VERSION = "~> 21.0"

_MOST_OF_A_ROLES_NAME = 37
"""Characters: IAM takes 64, of which a hyphen and the AWS provider's random end (aws_iam_role.name_prefix) have 27."""

_SESSION_MANAGER = "AmazonSSMManagedInstanceCore"
_ATTACHED_BY_THE_MODULE = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryReadOnly")
_PARAGRAPHS = (
    *("name", "cluster_endpoint", "instance_types", "min_size", "subnet_ids", "create_iam_role"),
    *("iam_role_permissions_boundary", "key_name", "labels", "tags"),
)


def blocks(requests: Sequence[NodegroupRequest]) -> tuple[Block, ...]:
    """The file's blocks; the requests are of one cluster and have passed rules.check.

    Nothing in it has a name that another file of ours would have too: the files of an old and a new AMI stand side by
    side in one folder while the pods move. Raises ConfigurationError.
    """
    first = requests[0]
    label = identifier(first.name)
    found = Block("data", ("aws_eks_cluster", label), {"region": first.region, "name": first.cluster})
    return (found, *(_module(request, f"data.aws_eks_cluster.{label}") for request in requests))


def _module(request: NodegroupRequest, cluster: str) -> Block:
    check_request(request)
    arguments: Arguments = {
        "source": SOURCE,
        "version": VERSION,
        "name": request.name,
        "use_name_prefix": False,
        "region": request.region,
        "cluster_name": Expression(f"{cluster}.name"),
        **_joining(request, cluster),
        **_image(request),
        **_capacity(request),
        **_network(request.spec, cluster),
        **_volumes(request.spec),
        "metadata_options": {"http_put_response_hop_limit": 2},
        **_role(request),
        **_identity(request),
    }
    return Block(
        "module", (identifier(request.name),), arguments, remarks.about(request, arguments), paragraphs=_PARAGRAPHS
    )


def _joining(request: NodegroupRequest, cluster: str) -> Arguments:
    """The module wants a service range in any case: it refuses to plan without (_user_data/main.tf)."""
    network = f"{cluster}.kubernetes_network_config[0]"
    own: Arguments = {}
    if request.ami is not None:
        own = {
            "cluster_endpoint": Expression(f"{cluster}.endpoint"),
            "cluster_auth_base64": Expression(f"{cluster}.certificate_authority[0].data"),
        }
    ranges = (Expression(f"{network}.service_ipv4_cidr"), Expression(f"{network}.service_ipv6_cidr"))
    return {**own, "cluster_ip_family": Expression(f"{network}.ip_family"), "cluster_service_cidr": FirstOf(ranges)}


def _image(request: NodegroupRequest) -> Arguments:
    kubernetes: Arguments = {"kubernetes_version": str(request.variant.kubernetes)}
    if request.ami is None:
        return {"ami_type": modules_ami_type(request), **kubernetes}
    return {
        "ami_id": request.ami,
        "ami_type": modules_ami_type(request),
        "enable_bootstrap_user_data": True,
        "use_latest_ami_release_version": False,
        **kubernetes,
    }


def _capacity(request: NodegroupRequest) -> Arguments:
    """The desired size is always there: the module's own is 1, which EKS refuses below a larger least size."""
    spec = request.spec
    desired = spec.min_size if spec.desired_capacity is None else spec.desired_capacity
    capacity: Arguments = {"instance_types": [type_.name for type_ in request.instance_types]}
    if spec.spot:
        capacity["capacity_type"] = "SPOT"
    capacity |= {"min_size": spec.min_size, "max_size": spec.max_size, "desired_size": desired}
    if spec.max_unavailable is not None:
        number = int(spec.max_unavailable.removesuffix("%"))
        share = spec.max_unavailable.endswith("%")
        capacity["update_config"] = {"max_unavailable_percentage" if share else "max_unavailable": number}
    return capacity


def _network(spec: NodegroupSpec, cluster: str) -> Arguments:
    network = f"{cluster}.vpc_config[0]"
    places: Arguments = {"subnet_ids": list(spec.subnets) or Expression(f"{network}.subnet_ids")}
    if spec.security_groups:
        places["cluster_primary_security_group_id"] = Expression(f"{network}.cluster_security_group_id")
        places["vpc_security_group_ids"] = list(spec.security_groups)
    return places


def _volumes(spec: NodegroupSpec) -> Arguments:
    """The data volume always, as other kinds have it; of the system's own no more than its encryption."""
    secret: Arguments = {}
    if spec.volume_encrypted:
        secret["encrypted"] = True
        if spec.volume_kms_key is not None:
            secret["kms_key_id"] = spec.volume_kms_key
    data: Arguments = {
        "volume_size": spec.volume_size or DATA_VOLUME_GIB,
        "volume_type": spec.volume_type or DEFAULT_TYPE,
        "delete_on_termination": True,
    }
    if spec.volume_iops is not None:
        data["iops"] = spec.volume_iops
    if spec.volume_throughput is not None:
        data["throughput"] = spec.volume_throughput
    system: Arguments = {"xvda": {"device_name": ROOT_DEVICE, "ebs": secret}} if secret else {}
    return {"block_device_mappings": {**system, "xvdb": {"device_name": DATA_DEVICE, "ebs": {**data, **secret}}}}


def _role(request: NodegroupRequest) -> Arguments:
    spec = request.spec
    if spec.node_role is not None:
        return {"create_iam_role": False, "iam_role_arn": spec.node_role}
    role: Arguments = {"iam_role_name": request.name[:_MOST_OF_A_ROLES_NAME].rstrip("-")}
    if spec.permissions_boundary is not None:
        role["iam_role_permissions_boundary"] = spec.permissions_boundary
    policies = dict.fromkeys(spec.policies)
    if spec.control_container and not any(_policy_name(arn) == _SESSION_MANAGER for arn in policies):
        policies = {aws_policy(request.region, _SESSION_MANAGER): None, **policies}
    further = [arn for arn in policies if not _is_attached(arn)]
    if further:
        role["iam_role_additional_policies"] = _keyed(further)
    return role


def _identity(request: NodegroupRequest) -> Arguments:
    spec = request.spec
    rest: Arguments = {}
    if spec.ssh_key is not None:
        rest["key_name"] = spec.ssh_key
    if spec.labels:
        rest["labels"] = dict(spec.labels)
    if spec.taints:
        rest["taints"] = _taints(request)
    if spec.tags:
        rest["tags"] = dict(spec.tags)
    settings = settings_of(request)
    text = extra_args(settings, own_ami=request.ami is not None)
    check_settings(settings, text, own_ami=request.ami is not None)
    return {**rest, "bootstrap_extra_args": Text(text)}


def _taints(request: NodegroupRequest) -> Arguments:
    """The module takes a map, whose keys only tell the taints apart, and EKS's own words for the effects."""
    return {f"{taint.key}:{taint.effect}": taint.for_eks() for taint in check_taints(request.spec.taints, managed=True)}


def _keyed(arns: Sequence[str]) -> Mapping[str, Value]:
    """By the policies' names, as the module's own examples have them; by the whole ARN where a name is there twice."""
    names = [_policy_name(arn) for arn in arns]
    return {name if names.count(name) == 1 else arn: arn for name, arn in zip(names, arns, strict=True)}


def _policy_name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _is_attached(arn: str) -> bool:
    return ":iam::aws:" in arn and _policy_name(arn) in _ATTACHED_BY_THE_MODULE
