"""Checks 1 to 3: the image, the kubelet's settings, and what the node has."""

from typing import Any

import pytest

from brqos.kube.kubelet import kubelet_facts
from brqos.kube.refusals import KubeCallError, Refusal
from brqos.verify.answers import Answer
from brqos.verify.image import InstanceImage, check_image, instance_of, os_image_of
from brqos.verify.model import Check, Status, Wanted
from brqos.verify.possible import check_possible
from brqos.verify.switched_on import Kubeletting, check_on, wanted_facts
from kube.fake import FakeNode
from kube.kernel import Kernel

WANTED = Wanted(
    build="b",
    variant="aws-k8s-1.29-memoryqos",
    release="v1.50.0",
    kubernetes="1.29",
    architecture="x86_64",
    throttling_factor=0.9,
    reservation_policy=None,
    delivery="drop-in",
    amis=("ami-1", "ami-2"),
)
NOBODY = InstanceImage(unknown="nobody was asked")


def status(check: Check, what: str) -> Status:
    return next(finding.status for finding in check.findings if finding.what == what)


def told(node: FakeNode, *, metrics: bool = True) -> Kubeletting:
    facts = kubelet_facts(node.object(), node.kubelet_configuration())
    if metrics:
        facts = facts.with_metrics(node.metrics())
    return Kubeletting(Answer(value=facts), Answer(value=node.metrics()))


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({}, set()),
        ({"os_image": "Bottlerocket derivative with MemoryQoS 1.50.0 (aws-k8s-1.29-memoryqos)"}, set()),
        ({"os_image": "Bottlerocket OS 1.50.0 (aws-k8s-1.29)"}, {"variant"}),
        ({"os_image": "Bottlerocket OS 1.50.0 (aws-k8s-1.30-memoryqos)"}, {"variant"}),
        ({"os_image": "Bottlerocket OS 1.49.0 (aws-k8s-1.29-memoryqos)"}, {"release"}),
        ({"os_image": "Amazon Linux 2023"}, {"system"}),
        ({"kubelet_version": "v1.30.1-eks-1"}, {"kubelet"}),
    ],
)
def test_the_node_against_the_record(changes: dict[str, Any], failed: set[str]) -> None:
    check = check_image(FakeNode(**changes).object(), WANTED, NOBODY)
    assert {finding.what for finding in check.findings if finding.status is Status.FAILED} == failed


def test_the_ami_is_held_against_those_of_the_record() -> None:
    node = FakeNode(provider_id="aws:///us-gov-west-1a/i-0123456789abcdef0").object()
    instance = instance_of(node)
    assert instance is not None
    assert (instance.id, instance.region) == ("i-0123456789abcdef0", "us-gov-west-1")
    assert status(check_image(node, WANTED, InstanceImage(ami="ami-2", source="EC2")), "AMI") is Status.PASSED
    assert status(check_image(node, WANTED, InstanceImage(ami="ami-3", source="EC2")), "AMI") is Status.FAILED
    assert status(check_image(node, WANTED, NOBODY), "AMI") is Status.SKIPPED


@pytest.mark.parametrize("zone", ["eu-west-1a", "us-west-2-lax-1a"])
def test_regions_of_zones(zone: str) -> None:
    instance = instance_of(FakeNode(provider_id=f"aws:///{zone}/i-0123456789abcdef0").object())
    assert instance is not None
    assert instance.region in ("eu-west-1", "us-west-2")


def test_a_node_that_is_no_instance() -> None:
    assert instance_of(FakeNode(provider_id="kind://docker/kind/kind-worker").object()) is None
    assert os_image_of({}) is None


@pytest.mark.parametrize(
    ("kernel", "version", "failed"),
    [
        (Kernel(), "v1.29.1", set()),
        (Kernel(gate=False), "v1.29.1", {"gate MemoryQoS", "altogether, on Kubernetes 1.29"}),
        (Kernel(factor=0.8), "v1.29.1", {"memoryThrottlingFactor"}),
        (Kernel(minor=37, factor=None), "v1.37.0", {"memoryThrottlingFactor", "altogether, on Kubernetes 1.37"}),
        (Kernel(minor=37, factor=0.9, policy="TieredReservation"), "v1.37.0", set()),
        (Kernel(minor=36, gate=False), "v1.36.0", {"gate MemoryQoS", "altogether, on Kubernetes 1.36"}),
    ],
)
def test_what_the_kubelet_says(kernel: Kernel, version: str, failed: set[str]) -> None:
    policy = "TieredReservation" if kernel.policy else "None"
    wanted = WANTED.model_copy(update={"reservation_policy": policy if kernel.minor >= 36 else None})
    check = check_on(told(FakeNode(kernel=kernel, kubelet_version=version)), wanted, proof_follows=False)
    assert {finding.what for finding in check.findings if finding.status is Status.FAILED} == failed


def test_a_gate_that_configz_does_not_show_is_seen_in_the_metrics() -> None:
    node = FakeNode(configz={}, gate_metric=1)
    assert check_on(told(node, metrics=False), None, proof_follows=False).status is Status.FAILED
    assert check_on(told(node), None, proof_follows=False).status is Status.PASSED


def test_a_missing_permission_weighs_less_where_probes_give_proof() -> None:
    refused: Answer[Any] = Answer(refusal=KubeCallError("no", kind=Refusal.FORBIDDEN, why="rbac"))
    silent = Kubeletting(refused, refused)
    assert check_on(silent, WANTED, proof_follows=True).status is Status.WARNING
    assert check_on(silent, WANTED, proof_follows=False).status is Status.UNANSWERED
    only_metrics = Kubeletting(refused, Answer(value=FakeNode().metrics()))
    assert status(check_on(only_metrics, WANTED, proof_follows=True), "gate MemoryQoS") is Status.PASSED


def test_without_a_record_idle_defaults_are_held_against_what_brqos_writes() -> None:
    node = FakeNode(kernel=Kernel(minor=37, factor=None), kubelet_version="v1.37.0")
    facts = wanted_facts(kubelet_facts(node.object(), node.kubelet_configuration()), None)
    assert (facts.gate, facts.factor, facts.policy) == (True, 0.9, "TieredReservation")
    node = FakeNode(kernel=Kernel(minor=36, factor=0.5, policy="None"), kubelet_version="v1.36.0")
    facts = wanted_facts(kubelet_facts(node.object(), node.kubelet_configuration()), None)
    assert (facts.factor, facts.policy) == (0.5, "None")


@pytest.mark.parametrize(
    ("changes", "v2", "expected"),
    [
        ({}, True, {}),
        ({}, False, {"cgroup v2": Status.FAILED}),
        ({}, None, {"cgroup v2": Status.SKIPPED}),
        ({"kernel_version": "5.4.0"}, True, {"kernel": Status.WARNING}),
        ({"kernel_version": "5.10.2"}, True, {}),
        ({"runtime": "containerd://1.5.9"}, True, {"container runtime": Status.FAILED}),
        ({"runtime": "containerd://2.1.5"}, True, {}),
        ({"runtime": "cri-o://1.30"}, True, {"container runtime": Status.WARNING}),
        ({"runtime": ""}, True, {"container runtime": Status.WARNING}),
        ({"kernel_version": "new"}, True, {"kernel": Status.UNANSWERED}),
        ({"configz": {"cgroupDriver": "cgroupfs"}}, True, {"cgroup driver": Status.WARNING}),
    ],
)
def test_what_it_needs(changes: dict[str, Any], v2: bool | None, expected: dict[str, Status]) -> None:
    node = FakeNode(**changes)
    check = check_possible(node.object(), kubelet_facts(node.object(), node.kubelet_configuration()), v2)
    others = {finding.what: finding.status for finding in check.findings if finding.status is not Status.PASSED}
    assert others == expected
