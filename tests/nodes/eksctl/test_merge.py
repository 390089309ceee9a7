"""Nodegroups in a team's own file: every line of it stays as it was."""

from typing import Any

import pytest
import yaml

from brqos.nodes.eksctl.file import eksctl_file
from brqos.nodes.eksctl.merge import merge
from brqos.nodes.file import node_file
from nodes.eksctl.team_files import NAME, PLAIN, TEAM, VPC, WITH_ONE, added, is_kept, made, refused
from nodes.requests import request


def names(text: str, section: str) -> list[str]:
    return [item["name"] for item in yaml.safe_load(text)[section]]


def test_the_nodegroup_comes_after_the_others_in_the_files_own_style() -> None:
    text = merge(TEAM, made())
    assert is_kept(TEAM, text)
    assert f"\n\n-   name: {NAME}\n    # Bottlerocket aws-k8s-1.29 with" in text
    assert "\n    bottlerocket:\n        # As kube-reserved" in text
    assert names(text, "managedNodeGroups") == ["old", "older", NAME]
    assert text.index("older") < text.index(NAME) < text.index("# What runs on it")


def test_a_file_that_has_it_just_so_is_left_alone() -> None:
    text = merge(TEAM, made())
    assert merge(text, made()) is text
    assert merge(text.replace("minSize: 1\n", "minSize: 1 # one\n"), made()) != text


def test_a_comment_that_is_deeper_belongs_to_the_nodegroup_before_it() -> None:
    existing = WITH_ONE + "    # spot: true\n  # - name: older\n# The end\n"
    assert merge(existing, made(self_managed=True)) == (
        WITH_ONE
        + "    # spot: true\n"
        + added(existing, merge(existing, made(self_managed=True)))
        + "  # - name: older\n# The end\n"
    )


def test_a_missing_section_comes_at_the_end() -> None:
    text = merge(WITH_ONE, made())
    assert text.startswith(WITH_ONE + f"managedNodeGroups:\n  - name: {NAME}\n")
    spaced = PLAIN + "\n# Theirs\naddons: []\n# The end\n"
    assert merge(spaced, made()).startswith(spaced + f"\nmanagedNodeGroups:\n  - name: {NAME}\n")


@pytest.mark.parametrize("nothing", ["", " ~", " null", " []", " # none yet", "   []   # none yet"])
def test_a_section_with_nothing_in_it_gets_it(nothing: str) -> None:
    existing = PLAIN + f"managedNodeGroups:{nothing}\naddons: []\n"
    text = merge(existing, made())
    assert names(text, "managedNodeGroups") == [NAME]
    assert text.startswith(PLAIN + "managedNodeGroups:")
    assert text.endswith("addons: []\n")
    assert ("# none yet" in text) == ("# none yet" in nothing)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: "\ufeff" + text,
        lambda text: "---\n" + text,
        lambda text: text + "...\n",
        lambda text: "%YAML 1.1\n---\n" + text + "---\nkind: Other\n",
        lambda text: text.replace("    name: older", "    name: older\n    ami: &ami x\n    labels: {b: *ami}"),
        lambda text: text.replace("addons:", "common: &a {b: c}\naddons:") + "  configurationValues: *a\n",
        lambda text: text + "x: |+\n  kept\n\n\n",
        lambda text: text.replace("instanceType: m5.large\n\n#", "note: |\n      a\n\n      b\n\n\n#"),
        lambda text: text.replace("-   name: older", "-\n    # a comment\n    name: older"),
        lambda text: text.replace("-   name: older\n    instanceType: m5.large", "- {name: older, ami: x}"),
        lambda text: "".join(f"  {line}\n" if line else "\n" for line in text.splitlines()),
        lambda text: text.replace("name: old   # keep", "name: >-\n      old"),
        lambda text: text.replace("managedNodeGroups", '"managedNodeGroups"'),
        lambda text: text.replace("labels: {a: b}", "labels:\n        a: >\n            b\n            c"),
    ],
)
@pytest.mark.parametrize("self_managed", [False, True])
def test_every_line_stays_as_it_was(change: Any, self_managed: bool) -> None:
    existing = change(TEAM)
    text = merge(existing, made(self_managed=self_managed, taints=("a=b:NoSchedule",)))
    if existing.endswith("\n"):
        assert is_kept(existing, text)
    else:
        assert is_kept(existing + "\n", text + "\n")
        assert not text.endswith("\n")
    assert ("\r\n" in text) == ("\r\n" in existing)
    assert text.count("\n") == text.count("\r\n") or "\r" not in text
    before, after = (next(yaml.safe_load_all(each)) for each in (existing, text))
    section = "nodeGroups" if self_managed else "managedNodeGroups"
    assert after.pop(section)[-1]["name"] == NAME
    before.pop(section, None)
    assert {**after, "managedNodeGroups": None} == {**before, "managedNodeGroups": None}


def test_the_same_name_is_not_taken_twice() -> None:
    for section in ("managedNodeGroups", "nodeGroups"):
        existing = PLAIN + f"{section}:\n- name: {NAME}\n  instanceType: m5.large\n"
        error = refused(existing, made())
        assert f"has a nodegroup {NAME} with other content" in error.what
        assert "--force" in error.todo


def test_with_replace_the_nodegroup_stands_where_the_old_one_stood() -> None:
    first, last = "  # First\n  - name: a\n", "  # Last\n  - name: z\n    ami: x\n"
    old = f"  # Ours\n  - name: {NAME}\n    # inside\n    instanceType: m5.large\n    # deeper\n"
    existing = PLAIN + "managedNodeGroups:\n" + first + old + last
    text = merge(existing, made(), replace=True)
    assert text.startswith(PLAIN + "managedNodeGroups:\n" + first + f"  # Ours\n  - name: {NAME}\n    # Bottlerocket")
    assert text.endswith(last)
    assert "inside" not in text
    assert "deeper" not in text
    assert merge(text, made(), replace=True) is text


def test_with_replace_a_nodegroup_can_change_its_section() -> None:
    old = f"  - name: {NAME}\n    instanceType: m5.large\n"
    for rest in ("", "  - name: other\n"):
        existing = PLAIN + "nodeGroups:\n" + old + rest + "addons: []\n"
        text = merge(existing, made(), replace=True)
        assert text.startswith(PLAIN + ("nodeGroups:\n" + rest if rest else "") + "addons: []\nmanagedNodeGroups:\n")
        assert names(text, "managedNodeGroups") == [NAME]
        assert yaml.safe_load(text).get("nodeGroups") == ([{"name": "other"}] if rest else None)


def test_several_nodegroups_come_in_their_order() -> None:
    file = node_file([request(name="b"), request(name="a", arch="arm64"), request(name="old")])
    text = merge(TEAM.replace("name: old ", "name: oldest "), file)
    assert names(text, "managedNodeGroups") == ["oldest", "older", "b", "a", "old"]
    assert is_kept(TEAM.replace("name: old ", "name: oldest "), text)


def test_both_kinds_find_their_section() -> None:
    file = eksctl_file([request(name="a"), request(name="b", self_managed=True, vpc=VPC), request(name="c")])
    text = merge(WITH_ONE, file)
    assert is_kept(WITH_ONE, text)
    assert names(text, "managedNodeGroups") == ["a", "c"]
    assert names(text, "nodeGroups") == ["old", "b"]


def test_a_rehearsal_says_so_inside_the_nodegroup() -> None:
    text = merge(TEAM, made(ami="ami-rehearsal0123456789abcdef0", rehearsal=True))
    assert "    # REHEARSAL - DO NOT USE: the AMI below does not exist" in text


@pytest.mark.parametrize(
    ("existing", "what"),
    [
        ("", "is not a ClusterConfig"),
        ("# nothing\n", "is not a ClusterConfig"),
        ("just text\n", "is not a ClusterConfig"),
        ("- a\n- b\n", "is not a ClusterConfig"),
        ("kind: Deployment\n", "is not a ClusterConfig"),
        ("apiVersion: eksctl.io/v1alpha4\nkind: ClusterConfig\n", "has apiVersion eksctl.io/v1alpha4"),
        ("kind: ClusterConfig\n", "has apiVersion None"),
        (PLAIN + "\tname: x\n", "is not YAML that can be read (line 6)"),
        (PLAIN + "a: [b\n", "is not YAML"),
        (PLAIN + "kind: ClusterConfig\n", "is not YAML"),
        (PLAIN + "a: !own b\n", "is not YAML"),
        (PLAIN + "a: *b\n", "is not YAML"),
        (PLAIN + "a: \x00\n", "is not YAML"),
        (PLAIN + "---\n" + PLAIN, "has several documents"),
        ("kind: Other\n---\n" + PLAIN, "has several documents"),
        ('{"apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig"}', "is written in braces"),
        (PLAIN.replace("prod", "test"), "is of the cluster test, and the nodegroup of prod"),
        (PLAIN.replace("eu-central-1", "eu-west-1"), "is of the region eu-west-1"),
        (PLAIN.replace("  region: eu-central-1\n", ""), "does not say its region"),
        (PLAIN.partition("metadata")[0] + "metadata: prod\n", "“metadata” in the existing file is no mapping"),
        (PLAIN + "  version: 1.30\n", "metadata.version is a number, 1.3"),
        (PLAIN + "managedNodeGroups: {a: b}\n", "“managedNodeGroups” in the existing file is no list"),
        (PLAIN + "nodeGroups: [a]\n", "“nodeGroups” in the existing file is no list"),
        (PLAIN + "managedNodeGroups: [{name: a}]\n", "“managedNodeGroups” in the existing file is not a list in lines"),
        (PLAIN + "x: &x\n- name: a\nmanagedNodeGroups: *x\n", "is not a list in lines"),
        (PLAIN + "managedNodeGroups:\n  []\n", "is not a list in lines"),
        (PLAIN + f"nodeGroups:\n- name: {NAME}\n- name: {NAME}\n", f"has 2 nodegroups called {NAME}"),
        (PLAIN + "privateCluster: {enabled: true}\n", "the cluster is fully private"),
        (PLAIN + "x: &x {managedNodeGroups: [{name: a}]}\n<<: *x\n", "without changing what else it says"),
    ],
)
def test_files_that_are_refused(existing: str, what: str) -> None:
    assert what in refused(existing, made()).what


@pytest.mark.parametrize(
    ("version", "fits"), [("1.29", True), ("1.32", True), ("1.28", False), ("1.33", False), ("auto", True)]
)
def test_the_control_plane_is_as_new_as_the_kubelet_and_not_much_newer(version: str, fits: bool) -> None:
    existing = PLAIN + f'  version: "{version}"\n'
    if fits:
        assert is_kept(existing, merge(existing, made()))
    else:
        assert f"has Kubernetes {version}, and the AMI is for 1.29" in refused(existing, made()).what


def test_official_amis_are_of_the_clusters_version() -> None:
    official = made(ami=None, variant="aws-k8s-1.37")
    assert "MemoryQoS needs 1.37" in refused(PLAIN + '  version: "1.36"\n', official).what
    assert is_kept(PLAIN, merge(PLAIN + '  version: "1.38"\n', official))


def test_self_managed_nodes_do_not_go_with_ipv6() -> None:
    existing = PLAIN + "kubernetesNetworkConfig: {ipFamily: IPv6}\n"
    assert is_kept(existing, merge(existing, made()))
    assert "the cluster has IPv6" in refused(existing, made(self_managed=True)).what


def test_a_private_cluster_takes_private_nodes() -> None:
    existing = PLAIN + "privateCluster: {enabled: true}\n"
    assert is_kept(existing, merge(existing, made(private_networking=True)))
