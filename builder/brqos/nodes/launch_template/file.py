"""The CloudFormation template for the nodegroups of one cluster, as data and as text."""

from collections.abc import Sequence

from brqos.nodes import emit
from brqos.nodes.launch_template import remarks, rules
from brqos.nodes.launch_template.document import document
from brqos.nodes.made import NodeFile
from brqos.nodes.request import NodegroupRequest


def launch_template_file(requests: Sequence[NodegroupRequest]) -> NodeFile:
    """Make the file; the requests are of one cluster and this kind, and have passed nodes/file.py: check_all.

    Raises ConfigurationError for what EC2, EKS or CloudFormation would refuse.
    """
    warnings = [warning for request in requests for warning in rules.check(request)]
    data = document(requests)
    text = emit.to_yaml(data, head=remarks.head(requests), remarks=remarks.remarks(requests))
    warnings += rules.warn_of_size(text)
    return NodeFile(
        tuple(requests),
        data,
        text,
        suffix=".cloudformation.yaml",
        commands=(remarks.command(requests),),
        warnings=tuple(dict.fromkeys(warnings)),
    )
