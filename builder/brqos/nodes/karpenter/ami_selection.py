"""How an EC2NodeClass names its AMI: by id, by the tags that brqos gives, or by an SSM parameter.

Never by alias: that is AWS's own AMIs (v1.14.1, pkg/providers/amifamily/ami.go: DescribeImageQueries). Of all AMIs that
its terms find, Karpenter takes the newest one for each architecture and looks at nothing else.
"""

from collections.abc import Sequence

from brqos.ami import tags
from brqos.ami.publication import LATEST, Subject
from brqos.ami.publishing.parameter_names import names
from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.nodes.request import NodegroupRequest
from brqos.variant import VariantName

Term = dict[str, str | dict[str, str]]

_AWS_OWN = "/aws/service/"


def ami_term(request: NodegroupRequest) -> Term:
    """The one term of amiSelectorTerms; raises ConfigurationError for an AMI that cannot be named so."""
    if request.ami is None:
        raise _official(request)
    spec = request.spec.karpenter
    if spec.ami_by != "ssm" and spec.ssm_parameter is not None:
        raise ConfigurationError(
            f"an SSM parameter is given, but the AMI is named by {spec.ami_by}",
            why="It would have no effect.",
            todo='Set ami-by = "ssm" in [nodegroup.karpenter], or leave the parameter out.',
        )
    match spec.ami_by:
        case "id":
            return {"id": request.ami}
        case "tags":
            return {"tags": selecting_tags(request)}
        case "ssm":
            return {"ssmParameter": _parameter(request)}


def selecting_tags(request: NodegroupRequest) -> dict[str, str]:
    """The tags that every AMI of this variant and architecture has, and no other one (ami/tags.py)."""
    return {
        tags.TOOL: "brqos",
        tags.VARIANT: request.variant.memory_qos,
        tags.ARCH: request.architecture.value,
    }


def check_told_apart(requests: Sequence[NodegroupRequest]) -> None:
    """Refuse two requests whose terms find the same AMI; raises ConfigurationError."""
    terms = [ami_term(request) for request in requests]
    for number, term in enumerate(terms):
        if term in terms[:number]:
            other = requests[terms.index(term)]
            raise ConfigurationError(
                f"the nodes {other.name} and {requests[number].name} would get the same AMI",
                why=f"What they name their AMIs by ({requests[number].spec.karpenter.ami_by}) is the same for both.",
                todo='Name them by id (ami-by = "id" in [nodegroup.karpenter]), or write a file for each.',
            )


def _official(request: NodegroupRequest) -> ConfigurationError:
    return ConfigurationError(
        "the official AMI gets no MemoryQoS from Karpenter",
        why="It needs the settings memory-throttling-factor and memory-reservation-policy, and Karpenter drops both: "
        "it writes settings.kubernetes itself, from those settings that it knows (karpenter-provider-aws#8126).",
        todo=f"Bake them into an image: brqos build --variant {request.variant.base} --bake. Or use nodes of another "
        "kind.",
    )


def _parameter(request: NodegroupRequest) -> str:
    parameter = request.spec.karpenter.ssm_parameter
    subject = Subject(variant=request.variant.memory_qos, arch=request.architecture.ec2, image_version=LATEST)
    promoted = names("<prefix>", subject, LATEST).image_id
    if parameter is None:
        raise ConfigurationError(
            "the AMI shall be found by an SSM parameter, and none is given",
            why="Karpenter has to be told which parameter holds the AMI's id.",
            todo="Give it as ssm-parameter in [nodegroup.karpenter]. The one that `brqos register --ssm-prefix "
            f"<prefix> --promote` makes is {promoted}.",
        )
    if parameter.startswith(_AWS_OWN):
        raise ConfigurationError(
            f"the SSM parameter {parameter} is AWS's own",
            why="It holds the id of an official AMI, which has no MemoryQoS.",
            todo=f"Use one that brqos made, such as {promoted}.",
        )
    if wrong := _what_else_it_names(parameter, request):
        raise ConfigurationError(
            f"the SSM parameter {parameter} is of {wrong}",
            why=f"The nodes are of {request.variant.memory_qos} for {request.architecture.ec2}, and Karpenter compares "
            "neither with what the parameter holds.",
            todo=f"Use one such as {promoted}, and write a file for each AMI.",
        )
    return parameter


def _what_else_it_names(parameter: str, request: NodegroupRequest) -> str:
    """Another variant or architecture that the parameter's name has in it; empty where it has none."""
    for part in parameter.split("/"):
        if part.startswith("aws-k8s-") and part != request.variant.memory_qos and _is_variant(part):
            return f"the variant {part}"
        if part in _ARCHITECTURES and _ARCHITECTURES[part] is not request.architecture:
            return f"the architecture {part}"
    return ""


_ARCHITECTURES = {
    spelling: architecture
    for architecture in Architecture
    for spelling in (architecture.value, architecture.ec2, architecture.kubernetes)
}


def _is_variant(text: str) -> bool:
    try:
        VariantName.parse(text)
    except ConfigurationError:
        return False
    return True
