"""The names of what is made: the launch template, the stack, and the resources in it."""

import re
from collections.abc import Sequence

from brqos.nodes.request import NodegroupRequest

_LONGEST_STACK_NAME = 128
_STACK_PREFIX = "eks-"


def template_name(request: NodegroupRequest) -> str:
    """The launch template's name; nodegroups of two clusters may be called the same, templates of a region not."""
    return f"{request.cluster}-{request.name}"


def stack_name(requests: Sequence[NodegroupRequest]) -> str:
    """The stack's name, after the first nodegroup.

    CloudFormation takes a letter and then up to 127 letters, digits and hyphens (CreateStack, StackName); EKS lets
    clusters have underscores, and begin with a digit.
    """
    name = template_name(requests[0]).replace("_", "-")
    if name[0].isalpha() and len(name) <= _LONGEST_STACK_NAME:
        return name
    # The end tells nodegroups apart.
    return _STACK_PREFIX + name[-(_LONGEST_STACK_NAME - len(_STACK_PREFIX)) :]


def logical_ids(requests: Sequence[NodegroupRequest]) -> list[str]:
    """What the resources of each request are called in the template: `MemoryqosArm64` for `memoryqos-arm64`.

    They hang on the name alone: with another one CloudFormation would make the resource anew. Letters and digits only
    (CloudFormation, "Resources section"), so that two names may come out the same; a number tells these apart.
    """
    ids: list[str] = []
    for request in requests:
        words = re.split(r"[^A-Za-z0-9]+", request.name)
        id_ = "".join(word[:1].upper() + word[1:] for word in words)
        number = 2
        while id_ in ids:
            id_, number = f"{id_}x{number}", number + 1
        ids.append(id_)
    return ids
