"""The SSM parameters of a version: whose they are, and that they go with their AMI and no sooner."""

import threading
from dataclasses import replace

import pytest

from brqos.ami.pruning.apply import Pruned, apply_prune
from brqos.ami.pruning.look import look_and_plan
from brqos.ami.pruning.model import OwnParameter, PruneRules
from brqos.ami.pruning.parameters import is_made_for
from brqos.aws.retry import StoppedError
from brqos.aws.usage import ImageInstance

from .prune_account import FOLDER, REGION, VARIANT, Account, ami, image, session_of, tags, typical
from .test_prune import removed, why

VERSION = "1.50.0-0123abcd"
OWN = f"{FOLDER}/image_id"
ONE = PruneRules(keep=1)
NONE = PruneRules(keep=0)
FURTHER = {
    f"{FOLDER}/id": ami(2),
    f"{FOLDER}/name": "bottlerocket-ami-of-ours",
    f"/our/flat-{VERSION}": ami(2),
    f"/our/names/v{VERSION}": "bottlerocket-ami-of-ours",
}
LATEST = {f"{FOLDER.replace(VERSION, 'latest')}/id": ami(1), "/our/flat-latest": ami(1)}


def published(**fields: object) -> Account:
    """The older AMI is of another version; it has pubsys's parameters and further ones, and so has `latest`."""
    account = typical(**fields)
    account.images[ami(1)] = replace(account.images[ami(1)], tags=tags(version="1.51.0-0123abcd"))
    account.values |= FURTHER | LATEST
    return account


@pytest.mark.parametrize("name", [OWN, OWN.removeprefix("/our"), f"/a/b/c{OWN}"])
def test_pubsys_names(name: str) -> None:
    one, parameter = image(1), OwnParameter(name, ami(1))
    assert is_made_for(parameter, one)
    for key, value in {"brqos:arch": "aarch64", "brqos:variant": "x", "brqos:image-version": "1.51.0-0"}.items():
        assert not is_made_for(parameter, replace(one, tags={**one.tags, key: value}))
    assert not is_made_for(parameter, replace(one, tags={}))
    assert not is_made_for(parameter, replace(one, tags={**one.tags, "brqos:arch": "vax"}))
    arm = replace(one, tags={**one.tags, "brqos:arch": "aarch64"})
    assert is_made_for(replace(parameter, name=name.replace("x86_64", "arm64")), arm)


@pytest.mark.parametrize(
    ("name", "given", "made_for"),
    [
        (f"{FOLDER}/id", tags(), True),
        (f"/our/v{VERSION}", tags(), True),
        (f"{FOLDER}/id", {}, False),
        (f"{FOLDER}/id", tags(arch="aarch64"), False),
        (f"{FOLDER}/id", tags(version="1.49.0-0123abcd"), False),
        ("/our/id", tags(), False),
        # `latest` has the tags of the version that it named first.
        (f"/our/{VARIANT}/x86_64/latest/id", tags(), False),
        ("/our/aws-k8s-1.29-latest/id", tags(version="1"), False),
        (f"/our/{VERSION}/latest/image_id", tags(), False),
    ],
)
def test_further_names(name: str, given: dict[str, str], made_for: bool) -> None:
    one = image(1, tags=tags(version=given.get("brqos:image-version", VERSION)))
    parameter = OwnParameter(name, ami(1), tags=given)
    assert is_made_for(parameter, one if name != f"{FOLDER}/id" else image(1)) is made_for


def test_they_go_with_their_ami() -> None:
    account = published()
    plan = look_and_plan(REGION, session_of(account), ONE)
    assert removed(plan) == [
        ami(2),
        *sorted((*FURTHER, f"{FOLDER}/image_version")),
        f"{FOLDER}/image_id",
        *("snap-data2", "snap-orphan", "snap-os2"),
    ]
    assert why(plan, f"{FOLDER}/id") == f"remove: it names {ami(2)}, which goes"
    assert why(plan, f"/our/names/v{VERSION}") == f"remove: it belongs to {ami(2)}, which goes"
    apply_prune(Pruned(plan), session_of(account))
    assert account.values == LATEST


def test_what_latest_names_stays() -> None:
    account = published()
    account.values |= dict.fromkeys(LATEST, ami(2))
    plan = look_and_plan(REGION, session_of(account), ONE)
    assert removed(plan) == ["snap-orphan"]
    assert why(plan, ami(2)) == "keep: in use: " + ", ".join(f"SSM parameter {name}" for name in LATEST)


def test_somebody_elses_parameter_of_the_same_form_is_a_use() -> None:
    account = published()
    account.parameter_tags = {f"{FOLDER}/id": {}}
    plan = look_and_plan(REGION, session_of(account), ONE)
    assert removed(plan) == ["snap-orphan"]
    assert why(plan, ami(2)) == f"keep: in use: SSM parameter {FOLDER}/id"


def test_those_of_an_ami_that_stays_stay() -> None:
    account = published()
    account.instances_ = [ImageInstance("i-1", ami(2), "running")]
    assert removed(look_and_plan(REGION, session_of(account), ONE)) == ["snap-orphan"]


def test_two_amis_of_one_version_share_what_names_none() -> None:
    account = Account(image(1), image(2), parameters={OWN: ami(2), **FURTHER})
    session = session_of(account)
    assert removed(look_and_plan(REGION, session, ONE)) == [
        ami(2),
        *sorted(name for name in FURTHER if name != f"/our/names/v{VERSION}"),
        OWN,
    ]
    assert set(FURTHER) < set(removed(look_and_plan(REGION, session, NONE)))


def test_tags_are_asked_for_only_where_they_decide() -> None:
    account = typical()
    look_and_plan(REGION, session_of(account), ONE)
    assert f"DescribeParameters {VERSION}" not in account.calls
    account = published()
    look_and_plan(REGION, session_of(account), ONE)
    assert account.calls.count(f"DescribeParameters {VERSION}") == 1
    assert "DescribeParameters 1.51.0-0123abcd" not in account.calls


@pytest.mark.parametrize("after", range(1, 7))
def test_an_interrupt_anywhere_leaves_nothing_that_is_not_found_again(after: int) -> None:
    account = published()
    session, stop, left = session_of(account), threading.Event(), after

    def count(_item: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            stop.set()

    with pytest.raises(StoppedError):
        apply_prune(Pruned(look_and_plan(REGION, session, ONE)), session, stop=stop, on_item=count)
    assert ami(2) not in account.images
    # By it the next run knows of the others.
    assert OWN in account.values
    apply_prune(Pruned(look_and_plan(REGION, session, ONE)), session)
    assert account.values == LATEST


def test_what_cannot_be_removed_is_found_again() -> None:
    account = published()
    plan = look_and_plan(REGION, session_of(account), ONE)
    del account.images[ami(2)]
    again = look_and_plan(REGION, session_of(account), PruneRules(keep=1, variant="aws-k8s-1.29"))
    assert set(removed(again)) == set(removed(plan)) - {ami(2)}
    assert why(again, f"/our/names/v{VERSION}") == f"remove: it belongs to {ami(2)}, which is gone"
    assert OWN not in removed(look_and_plan(REGION, session_of(account), PruneRules(variant="aws-k8s-1.30")))
