"""Names of which eksctl makes its stack and its labels."""

import re

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.eksctl.names import check_names


def test_names_may_be_long() -> None:
    check_names("c" * 63, "n" * 47)


@pytest.mark.parametrize(
    ("cluster", "nodegroup", "message"),
    [
        ("my_cluster", "nodes", "a cluster called “my_cluster”"),
        ("c" * 64, "nodes", "a cluster called"),
        ("prod", "nodes-", "a nodegroup called “nodes-”"),
        ("c" * 63, "n" * 48, "are too long together (129 characters"),
    ],
)
def test_names_that_are_refused(cluster: str, nodegroup: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)) as refused:
        check_names(cluster, nodegroup)
    assert refused.value.why and refused.value.todo
