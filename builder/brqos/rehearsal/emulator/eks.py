"""EKS: what it tells of clusters and managed nodegroups (REST, JSON). `seeds` puts them there.

The words of its refusals are those that people report: of wrong names surajincloud/kubectl-eks#72, of unknown ones
aws-samples/eks-workshop-v2#915 and terraform-aws-modules/terraform-aws-eks#793.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from brqos.rehearsal.emulator.clusters import Cluster
from brqos.rehearsal.emulator.paging import UnknownTokenError
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import Caller, Request, Response, ServiceError, json_response

_LARGEST_PAGE = 100
_NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]*")
_LONGEST_CLUSTER_NAME = 100
_CLUSTER = r"/clusters/(?P<name>[^/]+)"
_ROUTES = (
    ("DescribeCluster", re.compile(_CLUSTER)),
    ("ListNodegroups", re.compile(rf"{_CLUSTER}/node-groups")),
    ("DescribeNodegroup", re.compile(rf"{_CLUSTER}/node-groups/(?P<nodegroupName>[^/]+)")),
)


@dataclass(frozen=True, slots=True)
class _Call:
    store: Store
    words: Mapping[str, str]
    asked: Mapping[str, str]
    caller: Caller


def route(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The operation that a request asks for, and what its path says; raises ServiceError if there is none."""
    for operation, pattern in _ROUTES:
        if method == "GET" and (match := pattern.fullmatch(path)):
            return operation, {name: unquote(word) for name, word in match.groupdict().items()}
    raise ServiceError("UnknownOperationException", "The requested operation is not known", status=404)


def eks_response(_operation: str, told: Mapping[str, Any]) -> Response:
    """An answer of EKS."""
    return json_response(told, headers={"x-amzn-RequestId": str(uuid.uuid4())})


class Eks:
    """The service `eks`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(self, operation: str, words: Mapping[str, str], request: Request, caller: Caller) -> Response:
        """Carry out one operation; raises ServiceError."""
        carry_out, members = ACTIONS[operation]
        asked = dict(parse_qsl(request.raw_query, keep_blank_values=True))
        if unknown := sorted(set(asked) - members):
            raise _invalid(f"The parameter {unknown[0]} is not known")
        with self._store.lock:
            return eks_response(operation, carry_out(_Call(self._store, words, asked, caller)))


def _describe_cluster(call: _Call) -> dict[str, Any]:
    return {"cluster": _cluster(call, "name").told}


def _list_nodegroups(call: _Call) -> dict[str, Any]:
    cluster = _cluster(call, "clusterName")
    size = call.asked.get("maxResults", str(_LARGEST_PAGE))
    if not size.isdecimal() or not 1 <= int(size) <= _LARGEST_PAGE:
        raise _invalid(f"maxResults needs to be between 1 and {_LARGEST_PAGE}")
    query = f"ListNodegroups {call.caller.account} {cluster.told['arn']}"
    try:
        names, token = call.store.pager.page(query, sorted(cluster.nodegroups), int(size), call.asked.get("nextToken"))
    except UnknownTokenError:
        raise _invalid("The nextToken is not valid") from None
    return {"nodegroups": names, "nextToken": token}


def _describe_nodegroup(call: _Call) -> dict[str, Any]:
    cluster = _cluster(call, "clusterName")
    name = _checked_name(call.words["nodegroupName"], "nodegroupName")
    if name not in cluster.nodegroups:
        raise _not_found(f"No node group found for name: {name}.")
    return {"nodegroup": cluster.nodegroups[name]}


ACTIONS: dict[str, tuple[Callable[[_Call], dict[str, Any]], frozenset[str]]] = {
    "DescribeCluster": (_describe_cluster, frozenset()),
    "ListNodegroups": (_list_nodegroups, frozenset({"maxResults", "nextToken"})),
    "DescribeNodegroup": (_describe_nodegroup, frozenset()),
}
"""What carries out an operation, and the parameters that it takes beside those in its path."""


def _cluster(call: _Call, parameter: str) -> Cluster:
    name = _checked_name(call.words["name"], parameter)
    cluster = call.store.clusters.get((call.caller.account, call.caller.region), {}).get(name)
    if cluster is None:
        raise _not_found(f"No cluster found for name: {name}.")
    return cluster


def _checked_name(name: str, parameter: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_CLUSTER_NAME:
        raise _invalid(
            f"The parameter {parameter} contains invalid characters. It should conform to the regular expression "
            '"^[0-9A-Za-z][A-Za-z0-9-_]*"In other words, it should start with a number or letter, and can contain '
            "numbers, letters, dashes, and underscores."
        )
    return name


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)


def _not_found(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message, status=404)
