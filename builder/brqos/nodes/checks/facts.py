"""The facts about a request's AMI, cluster and types, and how they are asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from brqos.aws.ec2 import DescribedImage
from brqos.aws.eks import DescribedCluster
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.instance_types import DescribedInstanceType
from brqos.aws.session import AwsSession
from brqos.aws.subnets import DescribedSubnet
from brqos.nodes.request import NodegroupRequest

_T = TypeVar("_T")
# What any other question would meet as well.
_OF_ALL = frozenset({ErrorKind.CREDENTIALS, ErrorKind.EXPIRED, ErrorKind.PROFILE, ErrorKind.REGION})
_HINTS = {
    ErrorKind.ACCESS_DENIED: "`brqos iam-policy --for nodes` prints the permissions",
    ErrorKind.CREDENTIALS: "check the keys, and whether the account uses this region; --no-aws asks nothing",
    ErrorKind.EXPIRED: "log in again; --no-aws asks nothing",
    ErrorKind.CONNECTION: "--no-aws asks nothing",
}


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What AWS told. None is a question that was not answered; `unanswered` says why, one line for each.

    `images` are by AMI id, where None is one that is not there; `types` by name, where one that the region has not is
    missing; `subnets` are the cluster's; `nodegroups` the names of the managed nodegroups that it has.
    """

    images: Mapping[str, DescribedImage | None] | None = None
    clusters: tuple[DescribedCluster, ...] | None = None
    """The cluster, or nothing where there is none of that name."""
    types: Mapping[str, DescribedInstanceType] | None = None
    subnets: Mapping[str, DescribedSubnet] | None = None
    nodegroups: tuple[str, ...] | None = None
    unanswered: tuple[str, ...] = ()

    @property
    def cluster(self) -> DescribedCluster | None:
        """The cluster, where it is known."""
        return self.clusters[0] if self.clusters else None


@dataclass(slots=True)
class _Asking:
    """Questions of which each may fail on its own: rights to ask one thing do not mean rights to ask the next.

    What cannot be reached, or does not know the login, is not asked again.
    """

    failures: dict[str, list[str]] = field(default_factory=dict)
    """Why questions were not answered, and which."""
    over: dict[str, str] = field(default_factory=dict)
    """Services that are not asked any more, and why."""

    def ask(self, what: str, service: str, question: Callable[[], _T]) -> _T | None:
        why = self.over.get(service)
        if why is None:
            try:
                return question()
            except AwsCallError as error:
                why = self._failed(service, error)
        self.failures.setdefault(why, []).append(what)
        return None

    @property
    def unanswered(self) -> tuple[str, ...]:
        return tuple(f"{', '.join(whats)}: {why}" for why, whats in self.failures.items())

    def _failed(self, service: str, error: AwsCallError) -> str:
        hint = _HINTS.get(error.kind)
        why = f"{error.what} ({hint})" if hint else error.what
        if error.kind in _OF_ALL:
            self.over = {"ec2": why, "eks": why}
        elif error.kind is ErrorKind.CONNECTION:
            self.over[service] = why
        return why


def ask(session: AwsSession, requests: Sequence[NodegroupRequest]) -> NodeFacts:
    """Ask AWS about requests of one cluster; a question that fails is told in the result, and none takes minutes."""
    first, session = requests[0], session.impatient()
    region, name = first.region, first.cluster
    asking = _Asking()
    amis = [request.ami for request in requests if request.ami is not None]
    types = sorted({type_.name for request in requests for type_ in request.instance_types})
    images = asking.ask("the AMI", "ec2", lambda: {ami: _image(session, region, ami) for ami in amis})
    cluster = asking.ask("the cluster", "eks", lambda: _clusters(session, region, name))
    described = asking.ask("the instance types", "ec2", lambda: session.instance_types(region).describe(types))
    subnets, nodegroups = None, None
    if cluster:
        subnets = asking.ask("the subnets", "ec2", lambda: session.subnets(region).describe(cluster[0].subnet_ids))
        nodegroups = asking.ask("the nodegroups", "eks", lambda: tuple(session.eks(region).nodegroups(name)))
    return NodeFacts(images, cluster, described, subnets, nodegroups, asking.unanswered)


def _clusters(session: AwsSession, region: str, name: str) -> tuple[DescribedCluster, ...]:
    found = session.eks(region).cluster(name)
    return () if found is None else (found,)


def _image(session: AwsSession, region: str, ami: str) -> DescribedImage | None:
    """The image; EC2 has an error of its own for an id that it does not know."""
    try:
        return session.ec2(region).image(ami)
    except AwsCallError as error:
        if error.code.startswith("InvalidAMIID"):
            return None
        raise
