"""The comments that every kind of file has, on image, types, volumes and host containers, and how they are laid out.

Sentences without comment signs; where they stand, and what is one kind's own, is in that kind's room. What is said of
memory is in memory_remarks.py.
"""

from collections.abc import Mapping, Sequence
from textwrap import wrap

from brqos.config.nodegroup import NodegroupSpec
from brqos.nodes.emit import Path
from brqos.nodes.request import NodegroupRequest

Remarks = dict[Path, str]
"""Comments by the path of the key that they stand before."""

WIDTH = 98
"""Columns of a comment without its sign."""
_HEAD_WIDTH = 96
_STEP = 2

REHEARSAL = "REHEARSAL - DO NOT USE: the AMI below does not exist; this only shows what a file looks like."
ON_THE_DATA_VOLUME = "images, containers and logs"
SYSTEM_STAYS = "The system's own volume stays as the AMI has it."
KEY_POLICY_REMARK = (
    "The key's policy has to let the role AWSServiceRoleForAutoScaling use it, or instances end as soon as they start."
)
SET_BY_EKS_LATER = "EKS sets these through its API, some moments after a node has joined."
NO_TYPES = "None was asked for: this one fits, and nearly every region has it."
BOTTLEROCKETS_USER_DATA = "cannot see what is in an own AMI, and writes Bottlerocket's user data only with this."
"""Of eksctl, and of Karpenter."""


def lines(text: str, width: int) -> list[str]:
    """The text in lines; names of settings and commands stay in one piece."""
    return wrap(text, width, break_on_hyphens=False)


def wrapped(texts: Mapping[Path, str]) -> Remarks:
    """Lines that end in the same column wherever they stand: two columns of indentation per level, and the sign."""
    return {path: "\n".join(lines(text, WIDTH - _STEP * len(path))) for path, text in texts.items() if text}


def in_head(paragraphs: Sequence[str]) -> list[str]:
    """Lines of paragraphs below the first lines of a file, each after an empty one."""
    return [line for paragraph in paragraphs for line in ("", *lines(paragraph, _HEAD_WIDTH))]


def rehearsal(requests: Sequence[NodegroupRequest]) -> list[str]:
    """The first lines of a file's head if it is of a rehearsal."""
    return [REHEARSAL, ""] if any(request.rehearsal for request in requests) else []


def facts(request: NodegroupRequest, *, place: bool = True) -> list[str]:
    """AMI and variant, two lines of a file's head; with `place` the region too."""
    where = f", in {request.region}" if place else ""
    return [
        f"AMI      {request.ami or 'official'}, {request.architecture.ec2}{where}",
        f"Variant  {request.image.called}, Kubernetes {request.variant.kubernetes}",
    ]


def no_custom_image(request: NodegroupRequest) -> str:
    """That the official AMI does it, and why."""
    return (
        f"No custom image is needed: Kubernetes {request.variant.kubernetes} has MemoryQoS on, though idle, and the "
        "settings memory-throttling-factor and memory-reservation-policy below put it to work. The official images of "
        "Bottlerocket 1.66.0 and later know them."
    )


def own_image(request: NodegroupRequest) -> str:
    """What an AMI of ours is, and for which clusters."""
    version = request.variant.kubernetes
    return (
        f"Bottlerocket {request.variant.base} with the kubelet's MemoryQoS turned on, for Kubernetes {version}: "
        f"{control_plane(request)}"
    )


def control_plane(request: NodegroupRequest) -> str:
    """Which versions of the control plane go with the image; the end of a sentence."""
    version = request.variant.kubernetes
    return f"the control plane has to be at {version} or up to three minor versions newer."


def fitting(request: NodegroupRequest) -> str:
    """What the AMI demands of the instance types; the beginning of a sentence."""
    return f"The AMI is for {request.architecture.ec2}" + (" with NVIDIA GPUs" if request.variant.is_nvidia else "")


def containers(spec: NodegroupSpec) -> str:
    """The two host containers, as they are switched."""
    return f"{control_container(spec)} {_admin_container(spec)}"


def control_container(spec: NodegroupSpec) -> str:
    """The way into a node that needs no key."""
    if spec.control_container:
        return "The control container is what Session Manager (SSM) reaches a node through."
    return "The control container, through which Session Manager (SSM) reaches a node, is off."


def _admin_container(spec: NodegroupSpec) -> str:
    if spec.admin_container or spec.ssh_key is not None:
        return "The admin container is a root shell with an SSH server, and on."
    text = "The admin container is a root shell with an SSH server: off until it is needed"
    if spec.control_container:
        return f"{text}, `enable-admin-container` in the control container starts it."
    return f"{text}; with both off there is no way into a node."
