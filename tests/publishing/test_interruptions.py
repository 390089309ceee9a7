"""Ctrl-C in the middle of an upload, and what else happens to long ones; scripts/soak has more of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from publishing.interruptions import at_block, interrupt
from publishing.mishaps import image_changes, login_expires, network_is_lost, rivals_publish
from publishing.processes import Zygote
from publishing.scene import REGIONS, Picture, Scene, pictures

pytestmark = [pytest.mark.processes, pytest.mark.loopback]


@pytest.fixture
def scene(large: dict[str, Picture]) -> Scene:
    return Scene(large, REGIONS[:1])


@pytest.mark.parametrize("restart", [False, True], ids=["then the same again", "then --restart"])
def test_an_interrupt_says_what_is_kept_and_how_to_go_on(zygote: Zygote, scene: Scene, restart: bool) -> None:
    assert interrupt(zygote, scene, at_block(150), restart=restart) == []


def test_an_expired_login_is_told_and_a_new_one_goes_on(zygote: Zygote, scene: Scene) -> None:
    assert login_expires(zygote, scene, 100) == []


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Scene]:
    """Images that may be changed."""
    yield Scene(pictures(tmp_path, 60, 2), REGIONS[:1])


@pytest.mark.parametrize("restart", [False, True], ids=["taken back", "meant"])
def test_an_image_that_changed_in_between_is_refused(zygote: Zygote, own: Scene, restart: bool) -> None:
    assert image_changes(zygote, own, 30, restart=restart) == []


@pytest.mark.slow
def test_a_network_that_is_gone_for_a_moment_is_outlived(zygote: Zygote, scene: Scene) -> None:
    assert network_is_lost(zygote, scene, 100, 2.0, survives=True) == []


def test_two_machines_that_publish_the_same_at_once_make_one_ami(zygote: Zygote, own: Scene) -> None:
    assert rivals_publish(zygote, own) == []
