"""A team's files, and what shows that they are kept."""

from typing import Any

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.eksctl.merge import merge
from brqos.nodes.file import node_file
from brqos.nodes.made import NodeFile
from nodes.requests import request

NAME = "memoryqos-1-29-amd64-9abcdef0"
TEAM = """\
# The production cluster. Ask before you change it!
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig

metadata:
    name: "prod"
    region: 'eu-central-1'   # Frankfurt

managedNodeGroups:
-   name: old   # keep
    instanceType: m5.large
    labels: {a: b}
    # volumeSize: 50

-   name: older
    instanceType: m5.large

# What runs on it
addons:
- name: vpc-cni
"""
PLAIN = """\
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata:
  name: prod
  region: eu-central-1
"""
WITH_ONE = PLAIN + "nodeGroups:\n  - name: old\n    instanceType: m5.large\n"

VPC: dict[str, Any] = {
    "id": "vpc-12345678",
    "security_group": "sg-12345678",
    "public_subnets": {"eu-central-1a": "subnet-1111aaaa", "eu-central-1b": "subnet-2222bbbb"},
}


def made(**wish: Any) -> NodeFile:
    return node_file([request(**wish)])


def is_kept(old: str, new: str) -> bool:
    """Whether taking lines out of `new` gives `old`, byte for byte."""
    lines = iter(new.splitlines(keepends=True))
    return all(any(line == other for other in lines) for line in old.splitlines(keepends=True))


def added(old: str, new: str) -> str:
    """What stands in `new` in one piece and not in `old`."""
    begin = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), len(old))
    while begin > 0 and old[begin - 1] != "\n":
        begin -= 1
    return new[begin : len(new) - (len(old) - begin)]


def refused(existing: str, file: NodeFile, *, replace: bool = False) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as error:
        merge(existing, file, replace=replace)
    assert error.value.todo
    return error.value
