"""The file for Karpenter: one YAML document for each object, as data and as text."""

from collections.abc import Mapping, Sequence
from textwrap import indent
from typing import Any

from brqos.nodes import emit
from brqos.nodes.karpenter.document import document
from brqos.nodes.karpenter.head import head
from brqos.nodes.karpenter.remarks import Path, class_remarks, pool_remarks
from brqos.nodes.made import NodeFile
from brqos.nodes.request import NodegroupRequest

_BETWEEN = "---\n"
_PLACE = "USER-DATA"
_INDENTATION = " " * 4
# Line ends of YAML 1.1 that are none to anybody else, and a mark that readers drop.
_UNSAFE = frozenset("\x85\u2028\u2029\ufeff")


def karpenter_file(requests: Sequence[NodegroupRequest]) -> NodeFile:
    """Make the file; the requests are of one cluster, and have passed rules.check.

    `document` of the result is the list of objects. Raises ConfigurationError for what Karpenter would refuse, or drop.
    """
    objects = document(requests)
    texts = []
    said: set[tuple[Path, str]] = set()
    for number, request in enumerate(requests):
        class_, pool = objects[2 * number : 2 * number + 2]
        above = head(requests) if number == 0 else ""
        texts.append(_class_text(class_, above, _unsaid(class_remarks(request, class_), said)))
        texts.append(emit.to_yaml(pool, remarks=_unsaid(pool_remarks(request), said)))
    return NodeFile(
        tuple(requests), objects, _BETWEEN.join(texts), suffix=".karpenter.yaml", command="kubectl apply -f {file}"
    )


def _unsaid(remarks: Mapping[Path, str], said: set[tuple[Path, str]]) -> dict[Path, str]:
    """The remarks that did not stand at the same place of an object before, which are said then."""
    left = {path: text for path, text in remarks.items() if (path, text) not in said}
    said.update(left.items())
    return left


def _class_text(class_: Mapping[str, Any], above: str, remarks: Mapping[Path, str]) -> str:
    """The EC2NodeClass with its user data line by line: emit writes a text on one, which nobody can read."""
    user_data: str = class_["spec"]["userData"]
    if not user_data.endswith("\n") or not all(
        character == "\n" or (character.isprintable() and character not in _UNSAFE) for character in user_data
    ):
        return emit.to_yaml(class_, head=above, remarks=remarks)
    # It is the last key of all, so that its place is the end of the text.
    place = emit.to_yaml({**class_, "spec": {**class_["spec"], "userData": _PLACE}}, head=above, remarks=remarks)
    return place.removesuffix(f"{_PLACE}\n") + "|\n" + indent(user_data, _INDENTATION)
