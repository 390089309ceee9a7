"""The comments in an emitted eksctl file: why a thing is there, for whoever reads it in a year."""

from textwrap import wrap

from brqos.nodes.eksctl.document import section
from brqos.nodes.quantities import missing_evictions
from brqos.nodes.request import NodegroupRequest

Path = tuple[str | int, ...]

_WIDTH = 98

_COMMAND = "eksctl create nodegroup --config-file=<this file>"
_NEW_AMI = (
    "A new AMI means a new nodegroup with another name: create that, then drain and delete this one. `eksctl upgrade "
    "nodegroup` cannot change an own AMI."
)
_FOREIGN_CLUSTER = (
    "If eksctl did not create the cluster, this file needs a section “vpc” too, with id, securityGroup and subnets."
)
_REHEARSAL = "REHEARSAL - DO NOT USE: the AMI below does not exist; this only shows what a file looks like."


def head(request: NodegroupRequest) -> str:
    """The comment above everything, without comment signs; in a rehearsal its first line says so."""
    kind = "A managed" if request.managed else "A self-managed"
    needs = "eksctl 0.211.0 or later" if request.managed else "eksctl 0.97.0 or later"
    lines = [_REHEARSAL, ""] if request.rehearsal else []
    lines += [
        f"{kind} nodegroup of Bottlerocket nodes with MemoryQoS, written by brqos.",
        "",
        f"AMI      {request.ami}, {request.architecture.ec2}, in {request.region}",
        f"Variant  {request.variant.memory_qos}, Kubernetes {request.variant.kubernetes}",
        f"Needs    {needs}",
    ]
    for paragraph in (_COMMAND, _NEW_AMI, _FOREIGN_CLUSTER):
        lines += ["", *wrap(paragraph, _WIDTH - 2)]
    return "\n".join(lines)


def remarks(request: NodegroupRequest, number: int = 0) -> dict[Path, str]:
    """The comment before each key that deserves one, by the key's path; `number` is the nodegroup's in its list."""
    here: Path = (section(request), number)
    kubernetes: Path = (*here, "bottlerocket", "settings", "kubernetes")
    texts = {
        (*here, "ami"): _about_ami(request),
        (
            *here,
            "amiFamily",
        ): "eksctl cannot see what is in an own AMI, and writes Bottlerocket's user data only with this.",
        **_about_types(request, here),
        **_about_places(request, here, kubernetes),
        (*here, "bottlerocket", "settings", "host-containers"): (
            "Control is what Session Manager (SSM) reaches a node through. Admin is a root shell with an SSH "
            "server: off "
            "until it is needed, `enable-admin-container` in the control container starts it."
        ),
        **_about_memory(request, kubernetes),
    }
    return {path: "\n".join(_wrapped(text, path)) for path, text in texts.items()}


def _wrapped(text: str, path: Path) -> list[str]:
    """Lines that end in the same column wherever they stand: two columns of indentation per level, and the sign."""
    return wrap(text, _WIDTH - 2 * len(path))


def _about_ami(request: NodegroupRequest) -> str:
    variant = request.variant
    version = variant.kubernetes
    return (
        f"Bottlerocket {variant.base} with the kubelet's MemoryQoS turned on, for Kubernetes {version}: the control "
        "plane "
        f"has to be at {version} or up to three minor versions newer."
    )


def _about_types(request: NodegroupRequest, here: Path) -> dict[Path, str]:
    fits = f"The AMI is for {request.architecture.ec2}" + (" with NVIDIA GPUs" if request.variant.is_nvidia else "")
    fits += ", and so must each type here be; eksctl does not check it."
    if not request.spec.instance_types:
        fits += " None was asked for: this one fits, and nearly every region has it."
    if len(request.instance_types) == 1:
        return {(*here, "instanceType"): fits}
    if request.managed:
        return {(*here, "instanceTypes"): fits}
    return {(*here, "instancesDistribution"): f"{fits} All of them On-Demand, no Spot."}


def _about_places(request: NodegroupRequest, here: Path, kubernetes: Path) -> dict[Path, str]:
    spec = request.spec
    texts: dict[Path, str] = {}
    if spec.volume_size is not None:
        texts[*here, "volumeSize"] = (
            "GiB of the data volume, /dev/xvdb, with images, containers and logs. Without volumeName eksctl means this "
            "one; the system's own volume stays as the AMI has it."
        )
    if spec.max_pods is not None and request.managed:
        texts[*kubernetes, "max-pods"] = "eksctl rejects maxPodsPerNode together with an own AMI: this is its place."
    if spec.max_pods is not None and not request.managed:
        texts[*here, "maxPodsPerNode"] = (
            "Here, and not among Bottlerocket's settings: eksctl rejects it there on self-managed nodes."
        )
    if spec.taints and request.managed:
        texts[*here, "taints"] = "EKS sets these through its API, some moments after a node has joined."
    return texts


def _about_memory(request: NodegroupRequest, kubernetes: Path) -> dict[Path, str]:
    spec = request.spec
    texts: dict[Path, str] = {}
    if "memory" not in spec.kube_reserved:
        texts[kubernetes[:-1]] = (
            "As kube-reserved memory is not set, Bottlerocket keeps 11 MiB per pod and 255 MiB from the pods. The "
            "node's "
            "allocatable memory, which is left, stands in for the limit in memory.high of containers that have a "
            "request "
            "and no limit."
        )
    if spec.kube_reserved:
        texts[*kubernetes, "kube-reserved"] = "Kept from the pods for kubelet and containerd."
        if "memory" in spec.kube_reserved:
            texts[*kubernetes, "kube-reserved"] += (
                " Reserved memory is missing from the node's allocatable memory, which stands in for the limit in "
                "memory.high of containers that have a request and no limit."
            )
    if spec.system_reserved:
        texts[*kubernetes, "system-reserved"] = "Kept from the pods for the system's own services."
        if "memory" in spec.system_reserved:
            texts[*kubernetes, "system-reserved"] += (
                " Reserved memory lowers memory.high as that of kube-reserved does."
            )
    if spec.eviction_hard:
        lost = [f"{signal} {threshold}" for signal, threshold in missing_evictions(spec.eviction_hard).items()]
        texts[*kubernetes, "eviction-hard"] = (
            "Where the kubelet begins to evict pods. It replaces all of the kubelet's defaults, so "
            + (f"these are gone: {', '.join(lost)}." if lost else "each is named here.")
        )
        if "memory.available" in spec.eviction_hard:
            texts[*kubernetes, "eviction-hard"] += " The scheduler hands out that much less memory."
    return texts
