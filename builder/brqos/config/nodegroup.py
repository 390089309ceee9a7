"""The section `[nodegroup]`: the nodes that use the AMI, whatever makes them."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from brqos.config.ami import RoleArn
from brqos.config.base import REGION_PATTERN, Model
from brqos.errors import ConfigurationError

_PARTITION = r"arn:aws[a-z-]*"
SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")]
SecurityGroupId = Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")]
PolicyArn = Annotated[str, Field(pattern=rf"^{_PARTITION}:iam::(aws|[0-9]{{12}}):policy/[A-Za-z0-9+=,.@/_-]+$")]
ProfileArn = Annotated[str, Field(pattern=rf"^{_PARTITION}:iam::[0-9]{{12}}:instance-profile/[A-Za-z0-9+=,.@/_-]+$")]


class NodegroupKind(StrEnum):
    """What makes the nodes, in the words of `--kind`."""

    EKSCTL_MANAGED = "eksctl-managed"
    EKSCTL = "eksctl"
    KARPENTER = "karpenter"
    LAUNCH_TEMPLATE = "launch-template"
    TERRAFORM = "terraform"

    @property
    def by_eksctl(self) -> bool:
        """Whether the file is eksctl's."""
        return self in {NodegroupKind.EKSCTL_MANAGED, NodegroupKind.EKSCTL}

    @property
    def managed(self) -> bool:
        """Whether EKS manages the nodegroup, and so has its say about labels, taints and types."""
        return self not in {NodegroupKind.EKSCTL, NodegroupKind.KARPENTER}


_AUTO_MODE = frozenset({"auto", "automode", "eksauto", "eksautomode", "nodeclass"})


def is_auto_mode(kind: str) -> bool:
    """Whether a word that is no kind means EKS Auto Mode."""
    return kind.replace("-", "").replace("_", "").lower() in _AUTO_MODE


def no_auto_mode() -> ConfigurationError:
    """What is said to whoever means it."""
    return ConfigurationError(
        "EKS Auto Mode takes no custom AMI",
        why="Its NodeClass (eks.amazonaws.com/v1) always runs AWS's own Bottlerocket image.",
        todo="Use the kind karpenter with an own Karpenter in the cluster, or a nodegroup beside Auto Mode's nodes.",
    )


class VpcSpec(Model):
    """The network of a cluster that eksctl did not create."""

    id: str | None = Field(default=None, pattern=r"^vpc-[0-9a-f]{8,17}$")
    """The VPC."""
    security_group: SecurityGroupId | None = None
    """The control plane's security group."""
    private_subnets: dict[str, SubnetId] = Field(default_factory=dict)
    """Per availability zone the private subnet."""
    public_subnets: dict[str, SubnetId] = Field(default_factory=dict)
    """Per availability zone the public subnet."""


class EndpointSpec(Model):
    """What a node has to know to join; asked from EKS where it is not given and there are credentials."""

    api_server: str | None = Field(default=None, pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]+)?$")
    """URL of the cluster's API server."""
    certificate: str | None = Field(default=None, pattern=r"^[A-Za-z0-9+/]{4,}={0,2}$")
    """The certificate authority, in base64, as EKS tells it."""
    dns_ip: str | None = Field(default=None, pattern=r"^[0-9a-fA-F.:]{3,39}$")
    """Address of the cluster's DNS service; Bottlerocket asks EKS itself where it is not given."""


class KarpenterSpec(Model):
    """What only Karpenter has."""

    ami_by: Literal["id", "tags", "ssm"] = "id"
    """How the EC2NodeClass names the AMI: by its id, by brqos's tags (the newest wins), or by an SSM parameter."""
    ssm_parameter: str | None = Field(default=None, pattern=r"^(/[A-Za-z0-9_.-]+)+$", max_length=1011)
    """The SSM parameter that holds the AMI's id."""
    subnet_tags: dict[str, str] = Field(default_factory=dict)
    """Tags that the subnets have; karpenter.sh/discovery = <cluster> where none is given."""
    security_group_tags: dict[str, str] = Field(default_factory=dict)
    """Tags that the security groups have; karpenter.sh/discovery = <cluster> where none is given."""
    limits: dict[Literal["cpu", "memory"], str] = Field(default_factory=dict)
    """The most that the NodePool's nodes may have together, such as cpu = "100"."""
    expire_after: str | None = Field(default=None, pattern=r"^(([0-9]+(s|m|h))+|Never)$")
    """Age at which a node is replaced, such as 720h; Karpenter's own 720h where it is not given."""
    consolidate_after: str | None = Field(default=None, pattern=r"^(([0-9]+(s|m|h))+|Never)$")
    """How long a node may be underutilized before it is replaced."""


class NodegroupSpec(Model):
    """The nodegroup (or NodePool, or launch template) that uses the AMI."""

    kind: NodegroupKind | None = None
    """What makes the nodes; eksctl-managed where it is not given."""
    self_managed: bool = False
    """Short for kind = "eksctl"."""
    cluster: str | None = Field(default=None, pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$")
    """Name of the EKS cluster; without it no nodegroup is written."""
    name: str | None = Field(default=None, pattern=r"^[0-9A-Za-z][0-9A-Za-z-]{0,62}$")
    """Name of the nodegroup; made from the variant where it is not given."""
    region: str | None = Field(default=None, pattern=f"^{REGION_PATTERN}$")
    """Region of the cluster; the only region of the AMI where it is not given."""
    instance_types: tuple[str, ...] = ()
    """EC2 instance types; one that fits the architecture where none is given."""
    spot: bool = False
    """Spot instances instead of On-Demand ones."""
    on_demand_base: int | None = Field(default=None, ge=0)
    """Number of On-Demand nodes below which no Spot is used; self-managed nodegroups only."""
    on_demand_percentage: int | None = Field(default=None, ge=0, le=100)
    """Share of On-Demand nodes above that; self-managed nodegroups only."""
    min_size: int = Field(default=1, ge=0)
    """Least number of nodes."""
    max_size: int = Field(default=3, ge=0)
    """Largest number of nodes."""
    desired_capacity: int | None = Field(default=None, ge=0)
    """Number of nodes at first."""
    max_unavailable: str | None = Field(default=None, pattern=r"^([1-9][0-9]?|100)%?$")
    """Nodes that an update may take away at once: a number (2) or a share (25%)."""
    volume_size: int | None = Field(default=None, ge=1, le=65536)
    """GiB of the data volume /dev/xvdb; eksctl's 80 where it is not given."""
    volume_type: Literal["gp2", "gp3", "io1", "io2"] | None = None
    """Type of the data volume; gp3 where it is not given."""
    volume_iops: int | None = Field(default=None, ge=100, le=256000)
    """IOPS of the data volume."""
    volume_throughput: int | None = Field(default=None, ge=125, le=2000)
    """MiB/s of the data volume; gp3 only."""
    volume_encrypted: bool = False
    """Encrypt both volumes, the system's and the data volume."""
    volume_kms_key: str | None = Field(default=None, min_length=1, max_length=2048)
    """The KMS key for that; the account's default key for EBS where it is not given."""
    max_pods: int | None = Field(default=None, ge=1, le=1000)
    """The kubelet's maxPods; EKS's own number for the instance type where it is not given."""
    private_networking: bool = False
    """Nodes without public addresses."""
    subnets: tuple[SubnetId, ...] = ()
    """Subnets of the nodes; the cluster's where none is given."""
    security_groups: tuple[SecurityGroupId, ...] = ()
    """Security groups of the nodes."""
    availability_zones: tuple[str, ...] = ()
    """Zones of the nodes, by name."""
    node_role: RoleArn | None = None
    """ARN of the nodes' IAM role; one is made where it is not given and the tool makes one."""
    instance_profile: ProfileArn | None = None
    """ARN of the nodes' instance profile; not for managed nodegroups."""
    policies: tuple[PolicyArn, ...] = ()
    """Further IAM policies for a role that is made; the ones every node needs are added."""
    permissions_boundary: PolicyArn | None = None
    """Permissions boundary of a role that is made."""
    ssh_key: str | None = Field(default=None, min_length=1, max_length=255)
    """Name of an EC2 key pair: lets SSH reach the admin container, which is switched on for it."""
    ssh_security_groups: tuple[SecurityGroupId, ...] = ()
    """Security groups from which SSH is let in."""
    admin_container: bool = False
    """Start the admin container, a root shell."""
    control_container: bool = True
    """Start the control container, through which Session Manager (SSM) reaches the node."""
    tags: dict[str, str] = Field(default_factory=dict)
    """AWS tags of the nodegroup and its instances."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of the nodes."""
    taints: tuple[str, ...] = ()
    """Taints of the nodes, each key=value:Effect."""
    kube_reserved: dict[str, str] = Field(default_factory=dict)
    """The kubelet's kubeReserved, such as memory = "500Mi"."""
    system_reserved: dict[str, str] = Field(default_factory=dict)
    """The kubelet's systemReserved."""
    eviction_hard: dict[str, str] = Field(default_factory=dict)
    """The kubelet's evictionHard, such as "memory.available" = "100Mi"."""
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    """Further settings of Bottlerocket, as they stand below [settings] in user data."""
    vpc: VpcSpec = VpcSpec()
    endpoint: EndpointSpec = EndpointSpec()
    karpenter: KarpenterSpec = KarpenterSpec()

    @field_validator("kind", mode="before")
    @classmethod
    def _no_auto_mode(cls, kind: object) -> object:
        if isinstance(kind, str) and is_auto_mode(kind):
            raise no_auto_mode()
        return kind

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.self_managed and self.kind not in {None, NodegroupKind.EKSCTL}:
            raise ConfigurationError(
                f"self-managed does not go together with kind {self.kind}",
                why="It is short for kind eksctl.",
                todo="Keep one of the two.",
            )
        return self

    @property
    def effective_kind(self) -> NodegroupKind:
        """The kind, however it was asked for."""
        return self.kind or (NodegroupKind.EKSCTL if self.self_managed else NodegroupKind.EKSCTL_MANAGED)
