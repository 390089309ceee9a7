"""The file for eksctl: the nodegroups of one cluster, as data and as text."""

from collections.abc import Sequence

from brqos.nodes import emit
from brqos.nodes.eksctl import document, remarks
from brqos.nodes.eksctl.head import head
from brqos.nodes.made import NodeFile
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.user_data.known import check_settings

SUFFIX = ".eksctl.yaml"
COMMAND = "eksctl create nodegroup --config-file={file}"


def eksctl_file(requests: Sequence[NodegroupRequest]) -> NodeFile:
    """Make the file; the requests are of one cluster, and have passed rules.check.

    Raises ConfigurationError for what eksctl would refuse, or over which Bottlerocket would refuse all user data.
    """
    warnings = [warning for request in requests for warning in document.check_wishes(request)]
    data = document.document(requests)
    comments = remarks.about_vpc(data)
    for request, place in document.places(requests):
        nodegroup = data[place[0]][place[1]]
        settings = nodegroup["bottlerocket"]["settings"]
        warnings += check_settings(settings, variant=request.variant, release=request.image.release)
        # What is true of several nodegroups is said of the first.
        said = set(comments.values())
        further = remarks.remarks(request, place, nodegroup)
        comments |= {path: text for path, text in further.items() if text not in said}
    text = emit.to_yaml(data, head=head(requests), remarks=comments)
    return NodeFile(
        tuple(requests), data, text, suffix=SUFFIX, command=COMMAND, warnings=tuple(dict.fromkeys(warnings))
    )
