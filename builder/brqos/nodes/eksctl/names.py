"""Names from which eksctl can make its stack and its labels."""

import re

from brqos.errors import ConfigurationError

_STACK_NAME_LENGTH = 128
_LABEL_VALUE_LENGTH = 63
_STACK_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*", re.ASCII)


def check_names(cluster: str, nodegroup: str) -> None:
    """Refuse names from which eksctl cannot make its stack and its labels.

    The stack is called eksctl-<cluster>-nodegroup-<name> (eksctl 0.231, pkg/cfn/manager/nodegroup.go); CloudFormation
    takes 128 letters, digits and hyphens. Both names become values of the labels alpha.eksctl.io/cluster-name and
    .../nodegroup-name (pkg/apis/eksctl.io/v1alpha5/defaults.go), which have at most 63 and end with a letter or digit.
    """
    for what, name in (("cluster", cluster), ("nodegroup", nodegroup)):
        if _STACK_PART.fullmatch(name) is None:
            why = f"It names a CloudFormation stack after the {what}: letters, digits and hyphens only."
        elif len(name) > _LABEL_VALUE_LENGTH or name.endswith("-"):
            why = (
                f"It labels each node with the {what}'s name, and the value of a label has at most "
                f"{_LABEL_VALUE_LENGTH} characters and ends with a letter or digit."
            )
        else:
            continue
        raise ConfigurationError(
            f"eksctl cannot work with a {what} called “{name}”",
            why=why,
            todo="Choose another name (--name)."
            if what == "nodegroup"
            else "Use the AMI through a launch template instead, which has no such limit.",
        )
    stack = f"eksctl-{cluster}-nodegroup-{nodegroup}"
    if len(stack) > _STACK_NAME_LENGTH:
        raise ConfigurationError(
            f"the names of cluster and nodegroup are too long together ({len(stack)} characters in “{stack}”)",
            why=f"eksctl gives the CloudFormation stack this name, and {_STACK_NAME_LENGTH} characters are the most.",
            todo=f"Shorten the nodegroup's name by {len(stack) - _STACK_NAME_LENGTH} characters or more (--name).",
        )
