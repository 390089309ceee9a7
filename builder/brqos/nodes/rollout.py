"""From the old nodes to the new ones, step by step: a new AMI means new nodes, and the pods have to move.

Plan only: commands for a person or a pipeline, in their order, with the names filled in.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from brqos.config.nodegroup import NodegroupKind
from brqos.errors import ConfigurationError
from brqos.nodes.made import NodeFile
from brqos.nodes.request import NodegroupRequest

CANARY_TAINT = "brqos-canary=true:NoSchedule"
_CANARY_ENDING = "-canary"


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """One step: what it does, why it is there, and its commands, each a line for a shell."""

    title: str
    why: str
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rollout:
    """All that a rollout is made of.

    `emit` is the command that writes the new nodes' file, without --output; `old` the name of the nodegroup (or
    NodePool) that goes; `canary` the number of canary nodes, 0 for none.
    """

    file: NodeFile
    emit: tuple[str, ...]
    old: str
    canary: int = 0

    @property
    def request(self) -> NodegroupRequest:
        """The new nodes."""
        return self.file.requests[0]


def rollout(wanted: Rollout) -> tuple[RolloutStep, ...]:
    """The steps in their order; raises ConfigurationError for what cannot be rolled out so."""
    request = wanted.request
    if len(wanted.file.requests) > 1:
        raise ConfigurationError(
            "a rollout replaces one nodegroup",
            why=f"There are {len(wanted.file.requests)} new ones, and which takes over from {wanted.old} is not said.",
            todo="Roll out one AMI at a time.",
        )
    if wanted.old == request.name:
        raise ConfigurationError(
            f"the old and the new nodes are both called {wanted.old}",
            why="They have to stand side by side until the pods have moved.",
            todo="Give the new ones another name with --name, or leave it out.",
        )
    canary = _canary(wanted) if wanted.canary else ()
    proof = _verify(request)
    # Karpenter has no node of the new kind before there are pods for it.
    moving = (*_move(wanted), proof) if request.kind is NodegroupKind.KARPENTER else (proof, *_move(wanted))
    return (*canary, _create(wanted), *moving, _remove(wanted))


def _canary(wanted: Rollout) -> tuple[RolloutStep, ...]:
    request = wanted.request
    if request.kind is NodegroupKind.KARPENTER:
        raise ConfigurationError(
            "--canary does not go with --kind karpenter",
            why="A NodePool has no nodes of its own: Karpenter starts them for pods that wait.",
            todo="Leave it out; a NodePool with a taint and one pod that tolerates it do the same.",
        )
    name = f"{request.name}{_CANARY_ENDING}"
    taints = [word for taint in _taints_to_repeat(wanted) for word in ("--taint", taint)]
    size = str(wanted.canary)
    options = ("--name", name, "--min-size", size, "--max-size", size, "--desired", size, *taints)
    return (
        _create(wanted, name=name, options=options, what=f"Create a canary group of {size}"),
        _verify(request, name),
        RolloutStep(
            "Remove the canary group",
            "It has done its work; its taint kept all pods away that do not tolerate everything.",
            _deletion(request, name),
        ),
    )


def _taints_to_repeat(wanted: Rollout) -> tuple[str, ...]:
    """A flag replaces the list of a file, so what stands only there has to be said again."""
    own = () if "--taint" in wanted.emit else wanted.request.spec.taints
    return (*own, CANARY_TAINT)


def _create(
    wanted: Rollout, *, name: str | None = None, options: Sequence[str] = (), what: str = "Create the new nodes"
) -> RolloutStep:
    request = wanted.request
    file = f"{name or request.name}{wanted.file.suffix}"
    why = "Beside the old ones: nothing has moved yet."
    if request.kind is NodegroupKind.KARPENTER:
        why = "Karpenter starts nodes of the new NodePool as soon as pods need them."
    emitted = shlex.join([*wanted.emit, *options, "--output", file])
    return RolloutStep(what, why, (emitted, *wanted.file.commands_for(file)))


def _verify(request: NodegroupRequest, name: str | None = None) -> RolloutStep:
    return RolloutStep(
        "Prove that MemoryQoS works there",
        "Exit code 0: every node is as predicted. Go on only then.",
        (shlex.join(["brqos", "verify", "--nodegroup", name or request.name]),),
    )


def _move(wanted: Rollout) -> tuple[RolloutStep, ...]:
    nodes = shlex.join(["--selector", _selector(wanted.request, wanted.old)])
    return (
        RolloutStep(
            "Cordon the old nodes",
            "All of them first, so that no evicted pod lands on one of the next to be drained.",
            (f"kubectl cordon {nodes}",),
        ),
        RolloutStep(
            "Drain the old nodes",
            "PodDisruptionBudgets are kept; pods are made anew, and so get the cgroup values of the new kubelet.",
            (
                f"kubectl drain {nodes} --ignore-daemonsets --delete-emptydir-data",
                "kubectl get pods --all-namespaces --field-selector status.phase=Pending",
            ),
        ),
    )


def _remove(wanted: Rollout) -> RolloutStep:
    why = "Nothing of yours runs there any more."
    if wanted.request.kind is NodegroupKind.TERRAFORM:
        why = f"Nothing of yours runs there any more: take the block of {wanted.old} out of your files first."
    return RolloutStep("Delete the old nodes", why, _deletion(wanted.request, wanted.old))


def _selector(request: NodegroupRequest, name: str) -> str:
    """The label that the nodes of a nodegroup have: EKS's own, eksctl's, or Karpenter's."""
    key = {
        NodegroupKind.EKSCTL: "alpha.eksctl.io/nodegroup-name",
        NodegroupKind.KARPENTER: "karpenter.sh/nodepool",
    }.get(request.kind, "eks.amazonaws.com/nodegroup")
    return f"{key}={name}"


def _deletion(request: NodegroupRequest, name: str) -> tuple[str, ...]:
    cluster, place = request.cluster, ("--region", request.region)
    match request.kind:
        case NodegroupKind.EKSCTL_MANAGED | NodegroupKind.EKSCTL:
            # eksctl would drain again, with its own ideas of order and time.
            names = ("--cluster", cluster, *place, "--name", name, "--drain=false")
            return (shlex.join(["eksctl", "delete", "nodegroup", *names]),)
        case NodegroupKind.KARPENTER:
            # Its nodes drain and go with it; the class is of no use then.
            return tuple(shlex.join(["kubectl", "delete", kind, name]) for kind in ("nodepool", "ec2nodeclass"))
        case NodegroupKind.TERRAFORM:
            return ("terraform apply",)
        case _:
            words = ["aws", "eks", "delete-nodegroup", "--cluster-name", cluster, "--nodegroup-name", name, *place]
            return (shlex.join(words),)
