"""What the API server or Karpenter refuses, or what never works and nobody says so.

The sources are Karpenter's CRDs with their CEL rules (v1.14.1, pkg/apis/crds) and the checks of its controllers
(pkg/controllers/nodeclass/validation.go; karpenter v1.14.0, pkg/apis/v1/nodepool_validation.go). Those checks come
after `kubectl apply` has succeeded: the object stays not ready, and pods wait.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from brqos.config.nodegroup import NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.nodes.karpenter.nodeclass import DATA_GIB
from brqos.nodes.labels import Taint
from brqos.nodes.quantities import parse_quantity
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.tags import check_not_taken, check_number
from brqos.nodes.volumes import VolumeRules, check_volumes
from brqos.nodes.zones import check_zones

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.ASCII)
_LABEL_VALUE_LENGTH = 63
_MOST_TERMS = 30
_MOST_SELECTING_TAGS = 20
_MOST_LABELS = 100
_KARPENTERS_TAGS = (
    "eks:eks-cluster-name",
    "karpenter.sh/nodepool",
    "karpenter.sh/nodeclaim",
    "karpenter.k8s.aws/ec2nodeclass",
)
_CLUSTER_TAG = "kubernetes.io/cluster"
_KARPENTERS_DOMAINS = ("karpenter.sh", "karpenter.k8s.aws")
_LABELS_OF_THE_INSTANCE = frozenset(
    {
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "node.kubernetes.io/instance-type",
        "node.kubernetes.io/windows-build",
        "topology.k8s.aws/zone-id",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)
_DURATION_PART = re.compile(r"([0-9]+)([smh])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600}
# A Go duration counts nanoseconds in 64 bits; one that does not fit cannot be read, and Karpenter stops at the object.
_LONGEST = 2**63 // 10**9
# pkg/apis/v1/ec2nodeclass.go: BlockDevice.VolumeSize. Karpenter's own mappings are encrypted, and so are ours.
_VOLUMES = VolumeRules(
    who="an EC2NodeClass",
    default_gib=DATA_GIB,
    most_gib={"gp2": 16384, "gp3": 59000, "io1": 16384, "io2": 59000},
    encrypts=True,
)
_LEAST_MEMORY = 2**30


def check_request(request: NodegroupRequest) -> None:
    """Hold one request against the rules; raises ConfigurationError for the first that it breaks."""
    spec = request.spec
    check_name(request.name)
    check_selectors(spec)
    check_zones(request.region, spec.availability_zones, local=True)
    check_volumes(spec, request.region, _VOLUMES)
    check_tags(spec.tags)
    check_labels(spec.labels)
    check_taints([Taint.parse(text) for text in spec.taints])
    check_limits(spec.karpenter.limits)
    check_duration("expire-after", spec.karpenter.expire_after, least=1)
    check_duration("consolidate-after", spec.karpenter.consolidate_after, least=0)


def check_name(name: str) -> None:
    """The name is that of two objects, and the value of two labels (karpenter.sh/nodepool, .../ec2nodeclass)."""
    if _NAME.fullmatch(name) is None or len(name) > _LABEL_VALUE_LENGTH:
        raise ConfigurationError(
            f"a NodePool cannot be called “{name}”",
            why=f"The names of Kubernetes' objects have small letters, digits and hyphens, with no hyphen at either "
            f"end, and this one labels the nodes too: {_LABEL_VALUE_LENGTH} characters at most.",
            todo=f"Choose another name (--name), such as {suggested_name(name)}.",
        )


def suggested_name(name: str) -> str:
    """A right name that is like a wrong one."""
    return re.sub(r"[^a-z0-9-]", "-", name.lower())[:_LABEL_VALUE_LENGTH].strip("-") or "memoryqos"


def check_selectors(spec: NodegroupSpec) -> None:
    """Subnets and security groups, by id or by tags."""
    _check_terms("subnets", spec.subnets, "subnet-tags", spec.karpenter.subnet_tags)
    _check_terms("security-groups", spec.security_groups, "security-group-tags", spec.karpenter.security_group_tags)


def _check_terms(ids_are: str, ids: Sequence[str], tags_are: str, by_tags: Mapping[str, str]) -> None:
    if ids and by_tags:
        raise ConfigurationError(
            f"{ids_are} are given by id and by tags",
            why="Karpenter would take those of the ids and those with the tags, all together.",
            todo=f"Leave out {ids_are}, or {tags_are} in [nodegroup.karpenter].",
        )
    if len(ids) > _MOST_TERMS:
        raise ConfigurationError(
            f"{len(ids)} {ids_are} are too many",
            why=f"An EC2NodeClass has at most {_MOST_TERMS} terms for them.",
            todo=f"Give the {ids_are} a common tag, and name them by {tags_are} in [nodegroup.karpenter].",
        )
    if len(by_tags) > _MOST_SELECTING_TAGS or not all(key and value for key, value in by_tags.items()):
        raise ConfigurationError(
            f"{tags_are} cannot select anything",
            why=f"Karpenter takes up to {_MOST_SELECTING_TAGS} tags, each with a key and a value.",
            todo='Correct them; “*” is the value that stands for any, as in "karpenter.sh/discovery" = "*".',
        )


def check_tags(given: Mapping[str, str]) -> None:
    """Tags of instances, volumes and launch templates; Karpenter's own cannot be changed, and count."""
    check_not_taken(given, _KARPENTERS_TAGS, prefixes=(_CLUSTER_TAG,), by="Karpenter")
    own = {"Name", _CLUSTER_TAG, *_KARPENTERS_TAGS} - set(given)
    check_number(len(given), others=len(own), whose="Karpenter's own")


def check_labels(labels: Mapping[str, str]) -> None:
    """Labels of a NodePool's template: Karpenter's own are refused, those of the instance would narrow the choice."""
    for key in labels:
        domain = key.rpartition("/")[0]
        if domain.endswith(_KARPENTERS_DOMAINS):
            raise ConfigurationError(
                f"the label “{key}” is Karpenter's own",
                why=f"The domains {' and '.join(_KARPENTERS_DOMAINS)}, and all that end like them, are restricted.",
                todo="Use a domain of your own.",
            )
        if key in _LABELS_OF_THE_INSTANCE:
            raise ConfigurationError(
                f"the label “{key}” says what an instance is, and Karpenter sets it",
                why="In a NodePool it would be one more requirement, which may leave no instance to choose.",
                todo="Leave it out; instance types and zones have options of their own.",
            )
    if len(labels) > _MOST_LABELS:
        raise ConfigurationError(
            f"{len(labels)} labels are too many", why=f"A NodePool has {_MOST_LABELS} at most.", todo="Leave some out."
        )


def check_taints(taints: Sequence[Taint]) -> None:
    """Karpenter's own come and go (karpenter.sh/unregistered, .../disrupted)."""
    for taint in taints:
        if taint.key.rpartition("/")[0].endswith(_KARPENTERS_DOMAINS):
            raise ConfigurationError(
                f"the taint “{taint.key}” is Karpenter's own",
                why="It sets and removes taints of this domain as it goes.",
                todo="Use a domain of your own.",
            )


def check_limits(limits: Mapping[Literal["cpu", "memory"], str]) -> None:
    """Limits are amounts; without its unit, memory is counted in bytes, and no node ever starts."""
    for resource, amount in limits.items():
        least, example = (_LEAST_MEMORY, "400Gi") if resource == "memory" else (1, "100")
        size = parse_quantity(amount)
        if size is None or size < least:
            raise ConfigurationError(
                f"the limit {resource} = “{amount}” is not an amount of {resource} that a node fits into",
                why="Karpenter starts no node that would go beyond a limit."
                + (" Without a unit, memory is counted in bytes." if resource == "memory" else ""),
                todo=f"Write it for example as {example}.",
            )


def check_duration(what: str, text: str | None, *, least: int) -> None:
    """A number of seconds that Karpenter can count; `Never` is one too."""
    if text is None or text == "Never":
        return
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(text))
    if seconds < least:
        raise ConfigurationError(
            f"{what} = “{text}” would replace each node as soon as it is there",
            todo="Write for example 720h, or Never.",
        )
    if seconds >= _LONGEST:
        raise ConfigurationError(
            f"{what} = “{text}” is too long", why="Karpenter counts up to 292 years.", todo="Write Never."
        )
