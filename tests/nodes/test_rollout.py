"""The steps from old nodes to new ones: the right commands, in the right order."""

import shlex
from typing import Any

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.made import NodeFile
from brqos.nodes.rollout import CANARY_TAINT, Rollout, RolloutStep, rollout
from nodes.requests import request

EMIT = ("brqos", "nodegroup", "--cluster", "prod")
CANARY_OPTIONS = "--name new-canary --min-size 2 --max-size 2 --desired 2 --taint brqos-canary=true:NoSchedule"
COMMANDS = {
    "eksctl-managed": ("eksctl create nodegroup --config-file={file}", ".eksctl.yaml"),
    "eksctl": ("eksctl create nodegroup --config-file={file}", ".eksctl.yaml"),
    "karpenter": ("kubectl apply -f {file}", ".karpenter.yaml"),
    "launch-template": ("aws cloudformation deploy --template-file {file}", ".cloudformation.yaml"),
    "terraform": ("terraform apply", ".tf"),
}


def steps(
    kind: str = "eksctl-managed", *, canary: int = 0, emit: tuple[str, ...] = EMIT, **spec: Any
) -> tuple[RolloutStep, ...]:
    command, suffix = COMMANDS[kind]
    file = NodeFile((request(kind=kind, name="new", **spec),), {}, "", suffix=suffix, command=command)
    return rollout(Rollout(file, emit, "old", canary))


def lines(*of: RolloutStep) -> list[str]:
    return [shlex.join(command) for step in of for command in step.commands]


def test_the_new_ones_come_first_and_the_old_ones_go_last() -> None:
    assert lines(*steps()) == [
        "brqos nodegroup --cluster prod --output new.eksctl.yaml",
        "eksctl create nodegroup --config-file=new.eksctl.yaml",
        "brqos verify --nodegroup new",
        "kubectl cordon --selector eks.amazonaws.com/nodegroup=old",
        "kubectl drain --selector eks.amazonaws.com/nodegroup=old --ignore-daemonsets --delete-emptydir-data",
        "kubectl get pods --all-namespaces --field-selector status.phase=Pending",
        "eksctl delete nodegroup --cluster prod --region eu-central-1 --name old --drain=false",
    ]


def test_a_canary_group_comes_before_all_and_is_verified() -> None:
    first, second, third, *rest = steps(canary=2)
    assert lines(first, second, third) == [
        f"brqos nodegroup --cluster prod {CANARY_OPTIONS} --output new-canary.eksctl.yaml",
        "eksctl create nodegroup --config-file=new-canary.eksctl.yaml",
        "brqos verify --nodegroup new-canary",
        "eksctl delete nodegroup --cluster prod --region eu-central-1 --name new-canary --drain=false",
    ]
    assert tuple(rest) == steps()


def test_taints_of_a_file_are_said_again_beside_the_canarys() -> None:
    own = ("dedicated=spark:NoSchedule",)
    (created, _) = lines(steps(canary=1, taints=own)[0])
    assert f"--taint {own[0]} --taint {CANARY_TAINT}" in created
    flags = (*EMIT, "--taint", own[0])
    (created, _) = lines(steps(canary=1, taints=own, emit=flags)[0])
    assert created.count(own[0]) == 1


@pytest.mark.parametrize(
    ("kind", "selector", "deletion"),
    [
        ("eksctl", "alpha.eksctl.io/nodegroup-name=old", "eksctl delete nodegroup --cluster prod"),
        ("karpenter", "karpenter.sh/nodepool=old", "kubectl delete ec2nodeclass old"),
        (
            "launch-template",
            "eks.amazonaws.com/nodegroup=old",
            "aws eks delete-nodegroup --cluster-name prod --nodegroup-name old --region eu-central-1",
        ),
        ("terraform", "eks.amazonaws.com/nodegroup=old", "terraform apply"),
    ],
)
def test_each_kind_has_its_own_label_and_its_own_end(kind: str, selector: str, deletion: str) -> None:
    made = lines(*steps(kind))
    assert f"kubectl cordon --selector {selector}" in made
    assert made[-1].startswith(deletion)


def test_karpenter_has_nodes_to_verify_only_after_the_pods_moved() -> None:
    made = lines(*steps("karpenter"))
    assert made.index("brqos verify --nodegroup new") > made.index(
        "kubectl cordon --selector karpenter.sh/nodepool=old"
    )


def test_what_cannot_be_rolled_out_is_refused() -> None:
    command, suffix = COMMANDS["eksctl"]
    two = NodeFile((request(name="a"), request(name="b")), {}, "", suffix=suffix, command=command)
    with pytest.raises(ConfigurationError, match="a rollout replaces one nodegroup"):
        rollout(Rollout(two, EMIT, "old"))
    same = NodeFile((request(name="old"),), {}, "", suffix=suffix, command=command)
    with pytest.raises(ConfigurationError, match="are both called old"):
        rollout(Rollout(same, EMIT, "old"))
    with pytest.raises(ConfigurationError, match="--canary does not go with --kind karpenter"):
        steps("karpenter", canary=1)
