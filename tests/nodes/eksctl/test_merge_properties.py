"""Whatever a team's file looks like, every line of it is kept."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from brqos.nodes.eksctl.file import eksctl_file
from brqos.nodes.eksctl.merge import merge
from brqos.nodes.emit import Indentation, to_yaml
from nodes.eksctl.strategies import wishes
from nodes.eksctl.team_files import is_kept

VALUES = st.recursive(
    st.sampled_from(["x", "on", "1.30", "a: b", "#", "- x", "", "two words"]) | st.integers(0, 99) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c.d"]), inner, max_size=3),
    max_leaves=6,
)
NODEGROUPS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["their-a", "their-b", "their-c"])},
        optional={"labels": VALUES, "iam": VALUES, "taints": VALUES},
    ),
    unique_by=lambda item: item["name"],
    min_size=1,
    max_size=3,
)
SECTIONS = {"managedNodeGroups": NODEGROUPS, "nodeGroups": NODEGROUPS}
NOISE = st.sampled_from(["", "", "# text", "# - name: x", "#", "# key: value"])


@st.composite
def files(draw: st.DrawFn) -> str:
    """Somebody's ClusterConfig for the cluster prod, in a style of its own, with comments and blank lines anywhere."""
    document: dict[str, Any] = {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {"name": "prod", "region": "eu-central-1"},
        **draw(
            st.fixed_dictionaries(
                {},
                optional={**SECTIONS, "addons": VALUES, "iam": VALUES},
            )
        ),
    }
    document = {key: document[key] for key in draw(st.permutations(list(document)))}
    mapping, dash = draw(st.integers(2, 5)), draw(st.integers(0, 4))
    text = to_yaml(document, indentation=Indentation(mapping, dash, dash + draw(st.integers(2, 4))))
    lines = text.splitlines()
    for _ in range(draw(st.integers(0, 6))):
        noise = draw(NOISE)
        indent = " " * draw(st.integers(0, 8)) if noise else ""
        lines.insert(draw(st.integers(0, len(lines))), indent + noise)
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return newline.join(lines) + draw(st.sampled_from([newline, newline, "", newline + "..." + newline]))


@pytest.mark.slow
@given(
    files(),
    st.lists(
        wishes(cluster="prod", vpc={}, availability_zones=()), min_size=1, max_size=3, unique_by=lambda wish: wish.name
    ),
    st.booleans(),
)
@settings(deadline=None, max_examples=25)
def test_whatever_the_file_looks_like_it_is_kept(existing: str, several: Any, replace: bool) -> None:
    file = eksctl_file(several)
    text = merge(existing, file, replace=replace)
    newline = "\r\n" if "\r\n" in existing else "\n"
    before, after = existing, text
    if not existing.endswith("\n"):
        before, after = existing + newline, text + newline
    assert is_kept(before, after)
    assert "\r" not in text.replace("\r\n", "") if newline == "\r\n" else "\r" not in text
    old, new = yaml.safe_load(existing), yaml.safe_load(text)
    for section in SECTIONS:
        assert (new.pop(section, None) or []) == (old.pop(section, None) or []) + file.document.get(section, [])
    assert new == old
    assert merge(text, file) is text
