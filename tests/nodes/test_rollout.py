"""The steps from old nodes to new ones: the right commands, in the right order."""

from typing import Any

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.file import node_file
from brqos.nodes.launch_template.file import launch_template_file
from brqos.nodes.made import NodeFile
from brqos.nodes.rollout import CANARY_TAINT, Rollout, RolloutStep, rollout, without
from nodes.requests import request

EMIT = ("brqos", "nodegroup", "--cluster", "prod")
CANARY_OPTIONS = "--name new-canary --min-size 2 --max-size 2 --desired 2 --taint brqos-canary=true:NoSchedule"
COMMANDS = {
    "eksctl-managed": ("eksctl create nodegroup --config-file={file}", ".eksctl.yaml"),
    "eksctl": ("eksctl create nodegroup --config-file={file}", ".eksctl.yaml"),
    "karpenter": ("kubectl apply -f {file}", ".karpenter.yaml"),
    "launch-template": ("aws cloudformation deploy --template-file {file}", ".cloudformation.yaml"),
    "terraform": ("terraform init\nterraform apply", ".tf"),
}


def steps(
    kind: str = "eksctl-managed", *, canary: int = 0, emit: tuple[str, ...] = EMIT, **spec: Any
) -> tuple[RolloutStep, ...]:
    commands, suffix = COMMANDS[kind]
    made = (request(kind=kind, name="new", **spec),)
    file = NodeFile(made, {}, "", suffix=suffix, commands=tuple(commands.splitlines()))
    return rollout(Rollout(file, emit, "old", canary))


def lines(*of: RolloutStep) -> list[str]:
    return [command for step in of for command in step.commands]


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


def test_all_that_a_file_needs_is_done() -> None:
    assert lines(steps("terraform")[0]) == [
        "brqos nodegroup --cluster prod --output new.tf",
        "terraform init",
        "terraform apply",
    ]


def test_what_the_shell_shall_work_out_stays_as_it_is() -> None:
    file = launch_template_file([request(kind="launch-template", name="new")])
    (_, deploy) = lines(rollout(Rollout(file, EMIT, "old"))[0])
    assert 'ApiServer="$(aws eks describe-cluster --region eu-central-1 --name prod --query cluster.endpoint' in deploy
    assert "--template-file new.cloudformation.yaml" in deploy


def test_karpenter_has_nodes_to_verify_only_after_the_pods_moved() -> None:
    made = lines(*steps("karpenter"))
    assert made.index("brqos verify --nodegroup new") > made.index(
        "kubectl cordon --selector karpenter.sh/nodepool=old"
    )


def test_what_cannot_be_rolled_out_is_refused() -> None:
    two = NodeFile((request(name="a"), request(name="b")), {}, "", suffix=".yaml", commands=())
    with pytest.raises(ConfigurationError, match="a rollout replaces one nodegroup"):
        rollout(Rollout(two, EMIT, "old"))
    same = NodeFile((request(name="old"),), {}, "", suffix=".yaml", commands=())
    with pytest.raises(ConfigurationError, match="are both called old"):
        rollout(Rollout(same, EMIT, "old"))
    with pytest.raises(ConfigurationError, match="--canary does not go with --kind karpenter"):
        steps("karpenter", canary=1)


def test_the_canarys_command_is_one_that_works() -> None:
    # What was given for all nodes is said otherwise for a few, and once.
    flags = (*EMIT, "--name", "new", "--taint=a=b:NoSchedule", "--max-unavailable=3", "--min-size=5", "--max-size", "9")
    wishes = {"taints": ("a=b:NoSchedule",), "max_unavailable": "3", "min_size": 5, "max_size": 9}
    (created, _) = lines(steps(canary=1, emit=flags, **wishes)[0])
    assert created == (
        "brqos nodegroup --cluster prod --taint=a=b:NoSchedule --name new-canary --min-size 1 --max-size 1 --desired 1 "
        f"--max-unavailable 1 --taint {CANARY_TAINT} --output new-canary.eksctl.yaml"
    )
    (created, _) = lines(steps(canary=3, **wishes)[0])
    assert "--max-unavailable" not in created


def test_a_canary_that_could_not_be_made_is_refused() -> None:
    file = node_file([request(name="n" * 60)])
    with pytest.raises(ConfigurationError, match="n-canary” cannot be the name of a managed nodegroup"):
        rollout(Rollout(file, EMIT, "old", 1))
    assert len(rollout(Rollout(file, EMIT, "old"))) == 5


def test_all_of_a_canary_goes() -> None:
    first, _, third, fourth, *_, last = steps("launch-template", canary=1)
    stack = "--region eu-central-1 --stack-name prod-new-canary"
    assert f"aws cloudformation deploy {stack} " in lines(first)[1]
    assert lines(third) == [
        f"aws cloudformation delete-stack {stack}",
        f"aws cloudformation wait stack-delete-complete {stack}",
    ]
    assert "--stack-name prod-new-canary" not in "".join(lines(fourth))
    assert last.why.endswith("aws cloudformation delete-stack --region eu-central-1 --stack-name prod-old")
    assert lines(steps("terraform", canary=1)[2]) == ["rm new-canary.tf", "terraform apply"]


def test_what_is_to_be_filled_in_is_said() -> None:
    known = {"node_role": "arn:aws:iam::111122223333:role/nodes", "subnets": ("subnet-01234567",)}
    assert "in capitals is to be filled in" in steps("launch-template")[0].why
    assert "in capitals" not in steps("launch-template", **known)[0].why


@pytest.mark.parametrize("old", ["", "o'ld", "$(x)", "-x", "a b", "n" * 254])
def test_the_old_ones_have_a_name(old: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be the name of a nodegroup"):
        rollout(Rollout(node_file([request(name="new")]), EMIT, old))


def test_options_go_with_their_values_and_flags_alone() -> None:
    words = ("nodegroup", "--json", "--replace", "--json", "--replace=x", "--name", "a", "--json", "b")
    assert without(words, options=("--replace",), flags=("--json",)) == ("nodegroup", "--name", "a", "b")
