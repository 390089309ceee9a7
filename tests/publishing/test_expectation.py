"""The judge of these suites: each thing that can be wrong has to be seen."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from publishing.expectation import amiss, amiss_in, orphans, wrong_content
from publishing.processes import Zygote
from publishing.scene import Ground, Picture, Scene

pytestmark = [pytest.mark.processes, pytest.mark.loopback]
State = dict[str, Any]


@pytest.fixture(scope="module")
def scene(little: dict[str, Picture]) -> Scene:
    return Scene(little)


@pytest.fixture(scope="module")
def clean(zygote: Zygote, scene: Scene) -> State:
    with Ground(zygote, scene) as ground:
        ended = ground.publish()
        assert ended.status == 0, ended.summary
        return ground.aws.state()


@pytest.fixture
def state(clean: State) -> State:
    return copy.deepcopy(clean)


def first(things: dict[str, Any]) -> Any:
    return next(iter(things.values()))


def drop_block(state: State) -> None:
    first(state["snapshots"])["blocks"].popitem()


def change_block(state: State) -> None:
    first(state["snapshots"])["blocks"]["1"] = "0" * 64


def second_image(state: State) -> None:
    state["images"]["ami-2"] = first(state["images"])


def orphan(state: State) -> None:
    state["snapshots"]["snap-2"] = {**first(state["snapshots"]), "state": "pending", "sealed": False}


def elsewhere(state: State) -> None:
    state["parameters"].append({**state["parameters"][0], "region": "eu-north-1"})


CHANGES: list[tuple[Callable[[State], object], str]] = [
    (drop_block, "blocks, not"),
    (change_block, "wrong or missing: 1"),
    (second_image, "there are 2 AMIs, not one"),
    (orphan, "snap-2 is an orphan (pending, not sealed"),
    (elsewhere, "something is in eu-north-1"),
    (lambda state: state["images"].popitem(), "there are 0 AMIs, not one"),
    (lambda state: state["parameters"].pop(), "parameters: "),
    (lambda state: state["parameters"][0].update(value="x"), "parameters: "),
    (lambda state: state["parameters"][0]["tags"].clear(), "owner of "),
    (lambda state: first(state["images"])["permissions"].clear(), "launch permissions: "),
    (lambda state: first(state["images"]).update(protection="disabled"), "protection: "),
    (lambda state: first(state["images"]).update(deprecated_at=None), "deprecation: "),
    (lambda state: first(state["images"])["tags"].pop("brqos:arch"), "tags: brqos:arch is None"),
    (lambda state: first(state["images"])["attributes"].update(imdsSupport=None), "imdsSupport: None, not v2.0"),
    (lambda state: first(state["snapshots"])["tags"].pop("brqos:image-role"), "brqos:image-role is None"),
    (lambda state: first(state["snapshots"]).update(kms_key=None), "KMS key: None"),
    (lambda state: first(state["snapshots"]).update(state="error"), "state: error, not completed"),
]


def test_what_is_right_is_found_right(clean: State, scene: Scene) -> None:
    assert amiss(clean, scene) == wrong_content(clean, scene) == orphans(clean) == []


@pytest.mark.parametrize(("change", "words"), CHANGES, ids=[words for _, words in CHANGES])
def test_what_is_wrong_is_told(state: State, scene: Scene, change: Callable[[State], object], words: str) -> None:
    change(state)
    assert any(words in problem for problem in amiss(state, scene)), amiss(state, scene)


def test_a_region_is_judged_by_itself(state: State, scene: Scene) -> None:
    image = first(state["images"])
    image["permissions"].clear()
    other = next(region for region in scene.regions if region != image["region"])
    assert amiss_in(state, scene, image["region"])
    assert not amiss_in(state, scene, other)


def test_a_wrong_ami_and_a_parameter_that_leads_nowhere_are_never_allowed(state: State, scene: Scene) -> None:
    change_block(state)
    assert wrong_content(state, scene)
    state["images"].clear()
    assert len(wrong_content(state, scene)) == 4
