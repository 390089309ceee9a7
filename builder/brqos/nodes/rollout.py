"""From the old nodes to the new ones, step by step: a new AMI means new nodes, and the pods have to move.

Plan only: commands for a person or a pipeline, in their order, with the names filled in.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from brqos.config.nodegroup import NodegroupKind
from brqos.errors import ConfigurationError
from brqos.nodes.file import node_file
from brqos.nodes.launch_template.names import stack_name
from brqos.nodes.made import NodeFile
from brqos.nodes.request import NodegroupRequest

CANARY_TAINT = "brqos-canary=true:NoSchedule"
_CANARY_ENDING = "-canary"
# Nodegroups, stacks and NodePools, whoever made them.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,252}", re.ASCII)


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
    if _NAME.fullmatch(wanted.old) is None:
        raise ConfigurationError(
            f"“{wanted.old}” cannot be the name of a nodegroup",
            why="It is what the old nodes are selected and deleted by.",
            todo="Give the name of the nodegroup or NodePool that goes.",
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
    return (*canary, _create(wanted.file, wanted.emit), *moving, _remove(wanted))


def without(words: Sequence[str], *, options: Sequence[str], flags: Sequence[str] = ()) -> tuple[str, ...]:
    """The words of a command line without some options and their values, and without some flags, which have none."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in options:
            skip = True
        elif word not in flags and not word.startswith(tuple(f"{option}=" for option in options)):
            kept.append(word)
    return tuple(kept)


def _canary(wanted: Rollout) -> tuple[RolloutStep, ...]:
    if wanted.request.kind is NodegroupKind.KARPENTER:
        raise ConfigurationError(
            "--canary does not go with --kind karpenter",
            why="A NodePool has no nodes of its own: Karpenter starts them for pods that wait.",
            todo="Leave it out; a NodePool with a taint and one pod that tolerates it do the same.",
        )
    request = _canary_request(wanted)
    # Checked and made like any other, so that its command does what it says, and names the right stack.
    file = node_file([request])
    size = str(wanted.canary)
    options = ["--name", request.name, "--min-size", size, "--max-size", size, "--desired", size]
    if request.spec.max_unavailable != wanted.request.spec.max_unavailable:
        options += ["--max-unavailable", str(request.spec.max_unavailable)]
    emit = without(wanted.emit, options=options[::2])
    taints = [word for taint in _taints_to_repeat(wanted) for word in ("--taint", taint)]
    return (
        _create(file, (*emit, *options, *taints), what=f"Create a canary group of {size}"),
        _verify(request),
        RolloutStep(
            "Remove the canary group",
            "It has done its work; its taint kept all pods away that do not tolerate everything.",
            _canary_deletion(request, _file_of(file)),
        ),
    )


def _canary_request(wanted: Rollout) -> NodegroupRequest:
    request, size = wanted.request, wanted.canary
    spec = request.spec
    most = spec.max_unavailable
    changes = {
        "name": f"{request.name}{_CANARY_ENDING}",
        "min_size": size,
        "max_size": size,
        "desired_capacity": size,
        "taints": (*spec.taints, CANARY_TAINT),
        # A number that is right for all nodes may be more than there are here.
        "max_unavailable": "1" if most is not None and not most.endswith("%") and int(most) > size else most,
    }
    return replace(request, spec=spec.model_copy(update=changes))


def _taints_to_repeat(wanted: Rollout) -> tuple[str, ...]:
    """A flag replaces the list of a file, so what stands only there has to be said again."""
    by_flag = any(word == "--taint" or word.startswith("--taint=") for word in wanted.emit)
    return (*(() if by_flag else wanted.request.spec.taints), CANARY_TAINT)


def _create(file: NodeFile, emit: Sequence[str], *, what: str = "Create the new nodes") -> RolloutStep:
    (request,) = file.requests
    why = "Beside the old ones: nothing has moved yet."
    if request.kind is NodegroupKind.KARPENTER:
        why = "Karpenter starts nodes of the new NodePool as soon as pods need them."
    if request.kind is NodegroupKind.LAUNCH_TEMPLATE and not (request.spec.node_role and request.spec.subnets):
        why += " What stands in capitals is to be filled in (--node-role, --subnet)."
    name = _file_of(file)
    return RolloutStep(what, why, (shlex.join([*emit, "--output", name]), *file.commands_for(name)))


def _file_of(file: NodeFile) -> str:
    return f"{file.requests[0].name}{file.suffix}"


def _verify(request: NodegroupRequest) -> RolloutStep:
    return RolloutStep(
        "Prove that MemoryQoS works there",
        "Exit code 0: every node is as predicted. Go on only then.",
        (shlex.join(["brqos", "verify", "--nodegroup", request.name]),),
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
            "PodDisruptionBudgets are kept, what lies in emptyDir volumes is not. Pods are made anew, and so get the "
            "cgroup values of the new kubelet.",
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
    if wanted.request.kind is NodegroupKind.LAUNCH_TEMPLATE:
        stack = shlex.join(_stack_deletion(_called(wanted.request, wanted.old)))
        why = f"Nothing of yours runs there any more. If a stack made them, delete that instead: {stack}"
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


def _canary_deletion(request: NodegroupRequest, file: str) -> tuple[str, ...]:
    """Of the canary group it is known how it was made, so all of it goes."""
    match request.kind:
        case NodegroupKind.LAUNCH_TEMPLATE:
            stack = _stack_deletion(request)
            wait = [*stack[:2], "wait", "stack-delete-complete", *stack[3:]]
            return (shlex.join(stack), shlex.join(wait))
        case NodegroupKind.TERRAFORM:
            return (shlex.join(["rm", file]), *_deletion(request, request.name))
        case _:
            return _deletion(request, request.name)


def _stack_deletion(request: NodegroupRequest) -> list[str]:
    place = ("--region", request.region, "--stack-name", stack_name([request]))
    return ["aws", "cloudformation", "delete-stack", *place]


def _called(request: NodegroupRequest, name: str) -> NodegroupRequest:
    return replace(request, spec=request.spec.model_copy(update={"name": name}))
