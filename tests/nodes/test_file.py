"""What is checked before any file is made, whatever the kind."""

from typing import Any

import pytest

from brqos.config.nodegroup import NodegroupKind
from brqos.errors import ConfigurationError
from brqos.nodes.file import check_all, node_file
from brqos.nodes.request import NodegroupRequest
from nodes.requests import request


def wish(kind: NodegroupKind, **spec: Any) -> NodegroupRequest:
    return request(kind=kind, name="nodes", **spec)


@pytest.mark.parametrize("kind", NodegroupKind)
def test_a_setting_that_no_image_knows_is_refused(kind: NodegroupKind) -> None:
    with pytest.raises(ConfigurationError, match=r"no setting settings\.no-such"):
        check_all([wish(kind, settings={"no-such": 1})])


@pytest.mark.parametrize("kind", NodegroupKind)
def test_max_pods_has_one_place(kind: NodegroupKind) -> None:
    with pytest.raises(ConfigurationError, match="max-pods"):
        node_file([wish(kind, max_pods=58, settings={"kubernetes": {"max-pods": 110}})])


@pytest.mark.parametrize("kind", NodegroupKind)
def test_a_warning_comes_once(kind: NodegroupKind) -> None:
    several = [
        request(kind=kind, name=name, ami=ami, eviction_hard={"memory.available": "5%"}, instance_types=("q1.large",))
        for name, ami in (("a", "ami-01234567"), ("b", "ami-89abcdef"))
    ]
    warnings = node_file(several).warnings
    assert len(warnings) == len(set(warnings)) == 2


@pytest.mark.parametrize("kind", NodegroupKind)
def test_two_of_one_name_are_refused(kind: NodegroupKind) -> None:
    with pytest.raises(ConfigurationError, match="two nodegroups would be called nodes"):
        node_file([wish(kind), wish(kind)])


@pytest.mark.parametrize("kind", NodegroupKind)
def test_the_comments_say_of_eviction_what_the_release_does(kind: NodegroupKind) -> None:
    def text(release: str | None) -> str:
        made = node_file([wish(kind, release=release, eviction_hard={"memory.available": "5%"})])
        return " ".join(made.text.replace("#", "").split())

    assert "It replaces all of the kubelet's defaults" in text("1.68.0")
    assert "Before Bottlerocket 1.69.0 it replaces" in text(None)
    assert "replaces all of the kubelet's" not in text("1.69.0")
    assert "The kubelet's defaults for all others stay." in text("1.69.0")


@pytest.mark.parametrize("kind", NodegroupKind)
@pytest.mark.parametrize("control", [False, True])
@pytest.mark.parametrize("admin", [False, True])
def test_the_comments_say_of_containers_what_is_switched(kind: NodegroupKind, control: bool, admin: bool) -> None:
    made = node_file([wish(kind, control_container=control, admin_container=admin)])
    text = " ".join(made.text.replace("#", "").split())
    assert ("reaches a node, is off." in text) is not control
    assert ("an SSH server, and on." in text) is admin
    assert ("in the control container starts it" in text) is (control and not admin)
    assert ("there is no way into a node" in text) is not (control or admin)


@pytest.mark.parametrize("kind", NodegroupKind)
def test_user_data_have_room_for_what_the_tool_adds(kind: NodegroupKind) -> None:
    assert node_file([wish(kind, settings={"motd": "x" * 13_700})]).text
    with pytest.raises(ConfigurationError) as caught:
        node_file([wish(kind, settings={"motd": "x" * 14_200})])
    assert "EC2 takes 16384" in (caught.value.why or "")


@pytest.mark.parametrize("kind", [NodegroupKind.LAUNCH_TEMPLATE, NodegroupKind.TERRAFORM])
def test_escapes_count_as_what_they_are(kind: NodegroupKind) -> None:
    with pytest.raises(ConfigurationError, match="the user data has 3"):
        node_file([wish(kind, settings={"motd": "ü" * 5_000})])
