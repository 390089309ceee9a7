"""What the module, EKS or EC2 would refuse late, or never, and so let nodes start that do not join.

The rules for nodes of any kind (nodes/rules.py) come before these.
"""

from collections.abc import Mapping
from typing import Any

from brqos.errors import ConfigurationError
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.tags import check_number
from brqos.nodes.terraform.ami_types import MODULES_FLAVORS
from brqos.nodes.terraform.user_data import SET_BY_THE_MODULE
from brqos.nodes.user_data.merging import check_mergeable
from brqos.nodes.user_data.toml import ROOM_TO_JOIN, check_size
from brqos.nodes.volumes import check_volumes

_TAGS_OF_OTHERS = 8
_SET_BY_EKS = ("cluster-name", "api-server", "cluster-certificate")
_OPTIONS = {"node-labels": "--label", "node-taints": "--taint"}


def check_request(request: NodegroupRequest) -> None:
    """What can be said of the request alone; raises ConfigurationError."""
    check_official_flavor(request)
    check_volumes(request.spec, request.region)
    check_number(len(request.spec.tags), others=_TAGS_OF_OTHERS, whose="EKS's own and the module's")
    check_owned(request)


def check_settings(settings: Mapping[str, Any], text: str, *, own_ami: bool) -> None:
    """What can be said of the settings and their TOML; raises ConfigurationError."""
    check_size(text, room=ROOM_TO_JOIN)
    if not own_ami:
        check_mergeable(settings)


def check_official_flavor(request: NodegroupRequest) -> None:
    """The official AMI has to be one that `ami_type` can name."""
    if request.ami is None and request.variant.flavor not in MODULES_FLAVORS:
        raise ConfigurationError(
            f"a managed nodegroup cannot have the official AMI of {request.variant.base} by its type",
            why="terraform-aws-eks v21 knows the types BOTTLEROCKET_x86_64 and BOTTLEROCKET_ARM_64, alone or with "
            "_NVIDIA or _FIPS.",
            todo=f"Use another kind, or an image of your own: brqos build --variant {request.variant.base}",
        )


def check_owned(request: NodegroupRequest) -> None:
    """Further settings that have their own place, or that the module writes itself.

    One of the module's once more, and the user data is no TOML: no node joins. With the official AMI the user data wins
    over what EKS writes (EKS User Guide, “Customize managed nodes with launch templates”), and could only be wrong.
    """
    asked = request.spec.settings.get("kubernetes")
    if not isinstance(asked, Mapping):
        return
    own_ami = request.ami is not None
    for setting in asked:
        if setting in (SET_BY_THE_MODULE if own_ami else _SET_BY_EKS):
            raise ConfigurationError(
                f"settings.kubernetes.{setting} cannot be set with the kind {request.kind}",
                why="The module writes it from the cluster, and a key that is there twice makes all user data invalid."
                if own_ami
                else "EKS sets it from the cluster, and user data would win over it.",
                todo=f"Remove {setting} from the further settings.",
            )
        if setting in _OPTIONS:
            raise ConfigurationError(
                f"settings.kubernetes.{setting} has an option of its own",
                why="EKS has to know of it too: an autoscaler asks EKS what nodes it would get.",
                todo=f"Use {_OPTIONS[setting]} instead.",
            )
