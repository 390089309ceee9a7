"""The file for eksctl: the nodegroups of one cluster, as data and as text."""

from collections.abc import Sequence
from dataclasses import replace

from brqos.nodes import emit
from brqos.nodes.eksctl import document, remarks
from brqos.nodes.eksctl.head import head
from brqos.nodes.made import NodeFile
from brqos.nodes.request import NodegroupRequest

SUFFIX = ".eksctl.yaml"
COMMAND = "eksctl create nodegroup --config-file={file}"


def eksctl_file(requests: Sequence[NodegroupRequest]) -> NodeFile:
    """Make the file; the requests are of one cluster, and have passed nodes/file.py: check_all.

    Raises ConfigurationError for what eksctl would refuse.
    """
    warnings = [warning for request in requests for warning in document.check_wishes(request)]
    data = document.document(requests)
    comments = remarks.about_vpc(data)
    for request, place in document.places(requests):
        # What is true of several nodegroups is said of the first.
        said = set(comments.values())
        further = remarks.remarks(request, place, data[place[0]][place[1]])
        comments |= {path: text for path, text in further.items() if text not in said}
    text = emit.to_yaml(data, head=head(requests), remarks=comments)
    return NodeFile(
        tuple(requests), data, text, suffix=SUFFIX, commands=(COMMAND,), warnings=tuple(dict.fromkeys(warnings))
    )


def only_its_own(made: NodeFile) -> NodeFile:
    """The same for a file that has others' nodegroups too: eksctl would create those that are not there yet as well."""
    names = ",".join(request.name for request in made.requests)
    return replace(made, commands=tuple(f"{command} --include={names}" for command in made.commands))
