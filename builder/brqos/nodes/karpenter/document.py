"""Requests as Karpenter's objects, as data: planning, so nothing is read or written here."""

from collections.abc import Sequence
from typing import Any

from brqos.nodes.karpenter.ami_selection import check_told_apart
from brqos.nodes.karpenter.nodeclass import node_class
from brqos.nodes.karpenter.nodepool import node_pool
from brqos.nodes.karpenter.rules import check_request
from brqos.nodes.request import NodegroupRequest

Object = dict[str, Any]


def document(requests: Sequence[NodegroupRequest]) -> list[Object]:
    """All objects in the order of the file: for each request its EC2NodeClass, then its NodePool.

    The requests are of one cluster and have passed rules.check; raises ConfigurationError for what Karpenter refuses.
    """
    for request in requests:
        check_request(request)
    check_told_apart(requests)
    return [object_ for request in requests for object_ in (node_class(request), node_pool(request))]
