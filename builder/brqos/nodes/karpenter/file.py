"""The file for Karpenter: one YAML document for each object, as data and as text."""

from collections.abc import Sequence

from brqos.nodes import emit
from brqos.nodes.emit import Path
from brqos.nodes.karpenter.document import document
from brqos.nodes.karpenter.head import head
from brqos.nodes.karpenter.remarks import class_remarks, pool_remarks
from brqos.nodes.made import NodeFile
from brqos.nodes.remarks import Remarks
from brqos.nodes.request import NodegroupRequest

_BETWEEN = "---\n"


def karpenter_file(requests: Sequence[NodegroupRequest]) -> NodeFile:
    """Make the file; the requests are of one cluster, and have passed nodes/file.py: check_all.

    `document` of the result is the list of objects. Raises ConfigurationError for what Karpenter would refuse, or drop.
    """
    objects = document(requests)
    texts = []
    said: set[tuple[Path, str]] = set()
    for number, request in enumerate(requests):
        class_, pool = objects[2 * number : 2 * number + 2]
        above = head(requests) if number == 0 else ""
        texts.append(emit.to_yaml(class_, head=above, remarks=_unsaid(class_remarks(request, class_), said)))
        texts.append(emit.to_yaml(pool, remarks=_unsaid(pool_remarks(request), said)))
    return NodeFile(
        tuple(requests),
        objects,
        _BETWEEN.join(texts),
        suffix=".karpenter.yaml",
        commands=("kubectl apply -f {file}",),
    )


def _unsaid(remarks: Remarks, said: set[tuple[Path, str]]) -> Remarks:
    """The remarks that did not stand at the same place of an object before, which are said then."""
    left = {path: text for path, text in remarks.items() if (path, text) not in said}
    said.update(left.items())
    return left
