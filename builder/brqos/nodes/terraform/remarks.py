"""The comments in an emitted file for Terraform: why a thing is there, for whoever reads it in a year."""

from collections.abc import Container, Sequence
from textwrap import wrap

from brqos.nodes.quantities import missing_evictions
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.terraform.hcl import INDENT

_WIDTH = 98
_BETWEEN = "\n\n"

_REHEARSAL = "REHEARSAL - DO NOT USE: the AMI below does not exist; this only shows what a file looks like."
_COMMANDS = "terraform init && terraform apply"
_NEW_AMI = (
    "A new AMI: put its id in the place of the old one, and EKS replaces the nodes in turn. Or let the next file stand "
    "beside this one, move the pods, and take this one away: no two of these files have a name in common."
)
_OFFICIAL = (
    "No custom image is needed: from Kubernetes 1.37 on, settings of Bottlerocket's own turn MemoryQoS on, and the "
    "official AMI has them."
)
_SAME_CONFIGURATION = (
    "The cluster has to be there already. If the same configuration makes it, put its module's or resource's values in "
    "the place of the data source."
)
_CONTAINERS = (
    "The control container is what Session Manager (SSM) reaches a node through. The admin container is a root shell "
    "with an SSH server: off until it is needed, `enable-admin-container` in the control container starts it."
)
_NAME = (
    "Exactly so, without the module's random end: `brqos verify --nodegroup` looks for it. What EKS cannot change in "
    "place, such as the instance types, needs a nodegroup with another name."
)
_OWN_AMI = (
    "With an own AMI, ami_type only says what the user data looks like. EKS adds nothing to that, so that no node "
    "would join without enable_bootstrap_user_data. The last two keep the module from looking for AWS's own AMIs."
)
_METADATA = (
    "Two hops, so that pods outside the host's network reach the instance's metadata too. The module's own default is "
    "one."
)
_OWN_ROLE = (
    "It needs AmazonEKSWorkerNodePolicy, AmazonEC2ContainerRegistryReadOnly, AmazonEKS_CNI_Policy (unless the CNI has "
    "a role of its own), and AmazonSSMManagedInstanceCore for Session Manager."
)
_ROLE_NAME = (
    "IAM takes 38 characters before the random end of a role's name, and the module's own name for it can have more. "
    "In a cluster with IPv6 the account needs the policy AmazonEKS_CNI_IPv6_Policy."
)
_APPENDED = (
    "Bottlerocket's settings. The module puts them right below its own [settings.kubernetes], and TOML takes that "
    "header once: what belongs there stands before the first header here."
)
_MERGED = (
    "Bottlerocket's settings, which EKS merges with its own. The two about memory turn MemoryQoS on: how far between "
    "request and limit the kernel begins to slow a container down, and how its request is protected."
)
_ALLOCATABLE = (
    "allocatable memory, which stands in for the limit in memory.high of containers that have a request and no limit."
)


def head(requests: Sequence[NodegroupRequest]) -> str:
    """The comment above everything, without comment signs; in a rehearsal its first line says so."""
    own = any(request.ami is not None for request in requests)
    lines = [_REHEARSAL, ""] if any(request.rehearsal for request in requests) else []
    what = "A managed nodegroup" if len(requests) == 1 else f"{len(requests)} managed nodegroups"
    lines += [f"{what} of Bottlerocket nodes with MemoryQoS, for Terraform, written by brqos.", ""]
    for request in requests:
        ami = request.ami or "official"
        variant = request.variant.base if request.ami is None else request.variant.memory_qos
        lines += [
            f"AMI      {ami}, {request.architecture.ec2}, in {request.region}",
            f"Variant  {variant}, Kubernetes {request.variant.kubernetes}",
        ]
    lines += ["Needs    Terraform 1.5.7 or later, AWS provider 6.28 or later"]
    for paragraph in (_COMMANDS, _NEW_AMI if own else _OFFICIAL, _SAME_CONFIGURATION):
        lines += ["", *wrap(paragraph, _WIDTH - 2)]
    return "\n".join(lines)


def about(request: NodegroupRequest, arguments: Container[str]) -> dict[str, str]:
    """The comment before each argument that deserves one; `arguments` are the ones that are there."""
    texts = {
        "name": _NAME,
        **_about_image(request),
        "instance_types": _about_types(request),
        "min_size": "Terraform sets desired_size once, and leaves it to others from then on.",
        "update_config": "How many nodes may be away at once while EKS replaces them.",
        **_about_places(request),
        "metadata_options": _METADATA,
        **_about_identity(request),
        "bootstrap_extra_args": _about_settings(request),
    }
    return {name: _wrapped(text) for name, text in texts.items() if name in arguments}


def _wrapped(text: str) -> str:
    return _BETWEEN.join("\n".join(wrap(paragraph, _WIDTH - 2 - INDENT)) for paragraph in text.split(_BETWEEN))


def _about_image(request: NodegroupRequest) -> dict[str, str]:
    variant = request.variant
    skew = f"the control plane has to be at {variant.kubernetes} or up to three minor versions newer."
    if request.ami is None:
        return {
            "cluster_ip_family": "For the role and the module's checks; EKS itself tells the nodes how to join.",
            "ami_type": f"The official Bottlerocket AMI for Kubernetes {variant.kubernetes}, the newest that there is "
            f"at each apply; {skew}",
        }
    image = (
        f"Bottlerocket {variant.base} with the kubelet's MemoryQoS turned on, for Kubernetes {variant.kubernetes}: "
        f"{skew}"
    )
    return {
        "cluster_endpoint": "What a node has to know to join: the module writes it into the user data.",
        "ami_id": image + _BETWEEN + _OWN_AMI,
    }


def _about_types(request: NodegroupRequest) -> str:
    fits = f"The AMI is for {request.architecture.ec2}" + (" with NVIDIA GPUs" if request.variant.is_nvidia else "")
    fits += ", and so must each type here be; Terraform does not check it."
    if not request.spec.instance_types:
        fits += " None was asked for: this one fits, and nearly every region has it."
    return fits


def _about_places(request: NodegroupRequest) -> dict[str, str]:
    spec = request.spec
    volumes = "xvdb is the data volume, with images, containers and logs"
    texts = {
        "cluster_primary_security_group_id": "Own security groups replace the cluster's. It is here so that nodes and "
        "control plane still reach each other.",
        "block_device_mappings": f"{volumes}; xvda is the system's own. Both are encrypted."
        if spec.volume_encrypted
        else f"{volumes}. The system's own volume stays as the AMI has it.",
    }
    if not spec.subnets:
        texts["subnet_ids"] = (
            "The cluster's own. Put others here if the nodes belong elsewhere; in a public subnet each needs a public "
            "address to join."
        )
    return texts


def _about_identity(request: NodegroupRequest) -> dict[str, str]:
    taints = "EKS sets these through its API, some moments after a node has joined."
    if request.ami is not None:
        taints += " The node itself brings them along as node-taints (below), so that no pod slips in before."
    policies = "In addition to what every node needs, which the module attaches itself."
    if request.spec.control_container:
        policies += " Session Manager needs AmazonSSMManagedInstanceCore."
    return {
        "create_iam_role": _OWN_ROLE,
        "iam_role_name": _ROLE_NAME,
        "iam_role_additional_policies": policies,
        "key_name": "For SSH to the admin container, which is started for it. A security group of the nodes has to let "
        "it in.",
        "taints": taints,
    }


def _about_settings(request: NodegroupRequest) -> str:
    place = _MERGED if request.ami is None else _APPENDED
    if request.spec.max_pods is not None:
        place += " max-pods has its place here too: the module knows no argument for it."
    return _BETWEEN.join([place, _CONTAINERS, *_about_memory(request)])


def _about_memory(request: NodegroupRequest) -> list[str]:
    spec = request.spec
    texts = []
    if "memory" in spec.kube_reserved or "memory" in spec.system_reserved:
        texts.append(
            f"Memory that is reserved for kubelet, containerd and the system is missing from the {_ALLOCATABLE}"
        )
    if "memory" not in spec.kube_reserved:
        texts.append(
            "As kube-reserved memory is not set, Bottlerocket keeps 11 MiB per pod and 255 MiB from the pods."
            + (f" What is left is the node's {_ALLOCATABLE}" if not texts else "")
        )
    if spec.eviction_hard:
        lost = [f"{signal} {threshold}" for signal, threshold in missing_evictions(spec.eviction_hard).items()]
        texts.append(
            "eviction-hard is where the kubelet begins to evict pods. It replaces all of the kubelet's defaults, so "
            + (f"these are gone: {', '.join(lost)}." if lost else "each is named here.")
        )
    return texts
