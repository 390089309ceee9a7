"""From requests to the file of their kind: checked first, all of them, and then made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from brqos.config.nodegroup import NodegroupKind
from brqos.errors import ConfigurationError
from brqos.nodes import rules
from brqos.nodes.eksctl.file import eksctl_file
from brqos.nodes.karpenter.file import karpenter_file
from brqos.nodes.launch_template.file import launch_template_file
from brqos.nodes.made import NodeFile
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.terraform.file import terraform_file
from brqos.nodes.user_data.known import check_settings
from brqos.nodes.user_data.settings import node_settings

_MAKERS: Mapping[NodegroupKind, Callable[[Sequence[NodegroupRequest]], NodeFile]] = {
    NodegroupKind.EKSCTL_MANAGED: eksctl_file,
    NodegroupKind.EKSCTL: eksctl_file,
    NodegroupKind.KARPENTER: karpenter_file,
    NodegroupKind.LAUNCH_TEMPLATE: launch_template_file,
    NodegroupKind.TERRAFORM: terraform_file,
}


def node_file(requests: Sequence[NodegroupRequest]) -> NodeFile:
    """Make the file for nodegroups of one cluster and kind, one or more.

    Raises ConfigurationError for what eksctl, EKS, Karpenter or Bottlerocket would refuse.
    """
    warnings = check_all(requests)
    made = _MAKERS[requests[0].kind](requests)
    return replace(made, warnings=tuple(dict.fromkeys((*warnings, *made.warnings))))


def check_all(requests: Sequence[NodegroupRequest]) -> tuple[str, ...]:
    """Hold requests of one file against what can be known without asking anybody; returns warnings."""
    warnings = [warning for request in requests for warning in (*rules.check(request), *_check_settings(request))]
    names = [request.name for request in requests]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise ConfigurationError(
            f"two nodegroups would be called {repeated}",
            why="They would be of the same AMI, or the name was given for both.",
            todo="Name each AMI once, and leave --name out: each gets a name of its own then.",
        )
    return tuple(dict.fromkeys(warnings))


def _check_settings(request: NodegroupRequest) -> tuple[str, ...]:
    return check_settings(node_settings(request), variant=request.variant, release=request.image.release)
