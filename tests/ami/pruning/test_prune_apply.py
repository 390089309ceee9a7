"""Pruning an account that lives in memory: order, failures of every kind, interrupts, and a second look."""

import threading
from typing import Any

import pytest

from brqos.ami.pruning.apply import Pruned, apply_prune, narrowed
from brqos.ami.pruning.look import look, look_and_plan
from brqos.ami.pruning.model import PruneRules
from brqos.ami.pruning.plan import plan_prune
from brqos.ami.pruning.regions import FRESH_SECONDS, look_everywhere, prune_everywhere
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.image_attributes import Grants
from brqos.aws.retry import Retry, StoppedError
from brqos.aws.usage import ImageInstance

from ..conftest import Recorder
from .prune_account import FOLDER, REGION, Account, ami, image, session_of, snapshot, typical
from .test_prune import ALL, inventory, removed, why

RETRY = Retry({ErrorKind.IN_USE: 1.0}, first_delay=0.01)


ONE = PruneRules(keep=1)
IN_ORDER = [
    f"Deregister {ami(2)}",
    f"DeleteParameter {FOLDER}/image_version",
    f"DeleteParameter {FOLDER}/image_id",
    "Delete snap-data2",
    "Delete snap-orphan",
    "Delete snap-os2",
]


def prune(account: Account, rules: PruneRules = ONE, **options: Any) -> Pruned:
    session = session_of(account)
    pruned = Pruned(look_and_plan(REGION, session, rules))
    apply_prune(pruned, session, retry=RETRY, **options)
    return pruned


def test_everything_in_order() -> None:
    account = typical()
    done: list[str] = []
    pruned = prune(account, on_item=lambda item: done.append(item.id))
    assert account.changes == IN_ORDER
    assert done == [item.id for item in pruned.removed]
    assert (list(account.images), account.values) == ([ami(1)], {})
    assert set(account.snapshots) == {"snap-os1", "snap-data1"}
    assert [item.id for item in pruned.kept] == [ami(1), "snap-data1", "snap-os1"]
    assert prune(account).removed == []


def test_what_is_gone_already_is_removed() -> None:
    account = typical()
    session = session_of(account)
    pruned = Pruned(look_and_plan(REGION, session, ONE))
    prune(account)
    apply_prune(pruned, session, retry=RETRY)
    assert (len(pruned.removed), pruned.failed) == (6, [])


def test_a_snapshot_that_is_held_for_a_moment_longer() -> None:
    account = typical()
    account.fail("Delete snap-os2", ErrorKind.IN_USE, ErrorKind.IN_USE)
    pruned = prune(account)
    assert (len(pruned.removed), pruned.failed) == (6, [])
    assert account.calls.count("Delete snap-os2") == 3


def test_an_ami_that_cannot_be_removed_keeps_what_is_its_own_and_nothing_else() -> None:
    account = typical()
    account.fail("Deregister", ErrorKind.ACCESS_DENIED)
    pruned = prune(account)
    assert account.changes == [f"Deregister {ami(2)}", "Delete snap-orphan"]
    assert [item.id for item in pruned.removed] == ["snap-orphan"]
    ((failed, error),) = pruned.failed
    assert (failed.id, str(error)) == (ami(2), "AWS refused Deregister")
    (kept,) = (item for item in pruned.kept if item.id == "snap-os2")
    assert (kept.removed, kept.reason) == (False, f"{ami(2)} could not be removed")


@pytest.mark.parametrize(("call", "left"), [("DeleteParameter", 2), ("Delete snap-data2", 1)])
def test_another_failure_hinders_nothing(call: str, left: int) -> None:
    account = typical()
    account.fail(call, ErrorKind.ACCESS_DENIED)
    pruned = prune(account)
    # A parameter that names the AMI is not removed before its companion: by it the next run finds both.
    assert (len(pruned.removed), len(pruned.failed)) == (6 - left, 1)
    assert len(prune(account).removed) == left
    assert not account.values


def test_no_further_call_without_a_connection() -> None:
    account = typical()
    account.fail("DeleteParameter", ErrorKind.EXPIRED)
    session = session_of(account)
    pruned = Pruned(look_and_plan(REGION, session, ONE))
    with pytest.raises(AwsCallError):
        apply_prune(pruned, session, retry=RETRY)
    assert account.changes == IN_ORDER[:2]
    assert [item.id for item in pruned.removed] == [ami(2)]


@pytest.mark.parametrize("after", range(6))
def test_an_interrupt_anywhere_leaves_nothing_that_is_not_found_again(after: int) -> None:
    account = typical()
    stop = threading.Event()
    left = after

    def count(_item: object) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            stop.set()

    if after == 0:
        stop.set()
    session = session_of(account)
    pruned = Pruned(look_and_plan(REGION, session, ONE))
    with pytest.raises(StoppedError):
        apply_prune(pruned, session, stop=stop, on_item=count, retry=RETRY)
    assert account.changes == IN_ORDER[:after]
    assert [item.reason for item in pruned.kept if item.id == "snap-os2"] == ["it was not tried"]
    prune(account)
    assert (list(account.images), account.values) == ([ami(1)], {})
    assert set(account.snapshots) == {"snap-os1", "snap-data1"}


def test_protection() -> None:
    account = typical(protection="enabled-without-cooldown")
    assert prune(account, PruneRules(keep=1)).removed[0].id == "snap-orphan"
    assert account.changes == ["Delete snap-orphan"]
    prune(account, PruneRules(keep=1, include_protected=True))
    assert account.changes[1:3] == [f"Unprotect {ami(2)}", f"Deregister {ami(2)}"]
    assert ami(2) not in account.images


def test_protection_with_a_cooldown() -> None:
    account = typical(protection="enabled-with-cooldown")
    rules = PruneRules(keep=1, include_protected=True)
    pruned = prune(account, rules)
    ((_, error),) = pruned.failed
    assert error.what == f"{ami(2)} in {REGION} cannot be deregistered yet"
    assert "24 hours" in error.todo
    assert account.images[ami(2)].protection == "disabled"
    account.cooling.clear()
    assert {item.id for item in prune(account, PruneRules(keep=1)).removed} >= {ami(2), "snap-os2", "snap-data2"}


def test_a_cooldown_whose_end_is_not_told() -> None:
    account = typical(protection="disabled after a while")
    ((item, error),) = prune(account).failed
    assert (item.id, error.what) == (ami(2), f"{ami(2)} in {REGION} cannot be deregistered yet")
    assert not [call for call in account.calls if call.startswith("Unprotect")]


def test_uses_are_asked_for_only_where_something_would_go() -> None:
    account = Account(image(1), snapshot("snap-a", days=0), parameters={})
    look(REGION, session_of(account), PruneRules())
    assert account.calls == ["DescribeParameters", "DescribeImages", "DescribeSnapshots"]


def test_use_and_sharing() -> None:
    account = Account(image(1), image(2), image(3))
    account.instances_ = [ImageInstance("i-1", ami(1), "running")]
    account.shared = {ami(2): Grants(accounts=frozenset({"1" * 12}))}
    plan = look_and_plan(REGION, session_of(account), ALL)
    assert removed(plan) == [ami(3)]
    # Of what is in use nobody has to know with whom it is shared.
    assert f"DescribeImageAttribute {ami(1)}" not in account.calls
    account.calls.clear()
    plan = look_and_plan(REGION, session_of(account), PruneRules(keep=0, include_shared=True))
    assert removed(plan) == [ami(3), ami(2)]
    assert not [call for call in account.calls if call.startswith("DescribeImageAttribute")]


def test_without_the_permission_to_see_sharing() -> None:
    account = Account(image(1))
    account.fail("DescribeImageAttribute", ErrorKind.ACCESS_DENIED)
    assert "whether it is shared is unknown" in why(look_and_plan(REGION, session_of(account), ALL), ami(1))


def test_without_the_permission_to_see_parameters() -> None:
    account = Account(image(1), image(2), snapshot("snap-a"))
    account.fail("DescribeParameters", *[ErrorKind.ACCESS_DENIED] * 2)
    plan = look_and_plan(REGION, session_of(account), ALL)
    assert removed(plan) == ["snap-a"]
    assert "ssm:DescribeParameters is not allowed" in why(plan, ami(1))
    assert "SSM parameters cannot be seen" in plan.warnings[0]


@pytest.mark.parametrize("kind", [ErrorKind.ACCESS_DENIED, ErrorKind.VALIDATION])
def test_a_parameter_whose_ami_cannot_be_looked_up_stays(kind: ErrorKind) -> None:
    account = Account(parameters={f"{FOLDER}/image_id": "ami-of-somebody"})
    account.fail("DescribeImage", kind)
    assert removed(look_and_plan(REGION, session_of(account), ALL)) == []


def test_a_parameter_that_names_an_ami_of_another_account_stays() -> None:
    account = Account(parameters={f"{FOLDER}/image_id": ami(7)})
    account.image = lambda image_id: image(7)  # type: ignore[method-assign]
    assert removed(look_and_plan(REGION, session_of(account), ALL)) == []


def test_narrowed() -> None:
    things = [image(8, "snap-a"), image(9, "snap-b"), snapshot("snap-a"), snapshot("snap-b"), snapshot("snap-c")]
    before = plan_prune(inventory(*things), ALL)
    assert removed(before) == [ami(9), ami(8), "snap-a", "snap-b", "snap-c"]
    used = {"uses": {ami(9): ("instance i-1 (running)",)}}
    after = plan_prune(inventory(*things, image(10), usage=used), ALL)
    both = narrowed(before, after)
    assert removed(both) == [ami(8), "snap-a", "snap-c"]
    assert why(both, ami(9)) == "keep: in use: instance i-1 (running)"
    assert narrowed(before, before) == before
    # What is not there any more needs no protection.
    assert removed(narrowed(before, plan_prune(inventory(), ALL))) == removed(before)


def test_parameters_of_an_ami_that_stays_after_all() -> None:
    account = typical()
    session = session_of(account)
    before = look_and_plan(REGION, session, ONE)
    account.instances_ = [ImageInstance("i-1", ami(2), "running")]
    both = narrowed(before, look_and_plan(REGION, session, ONE))
    assert removed(both) == ["snap-orphan"]
    assert why(both, f"{FOLDER}/image_id") == f"keep: {ami(2)} stays"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_after_a_minute_all_is_looked_at_again(monitor: Recorder) -> None:
    account, clock = typical(), Clock()
    session = session_of(account)
    pruning = look_everywhere([REGION], session, ONE, monitor, clock=clock)
    account.instances_ = [ImageInstance("i-1", ami(2), "running")]
    clock.now += FRESH_SECONDS + 1
    prune_everywhere(pruning, session, ONE, monitor, clock=clock)
    assert account.changes == ["Delete snap-orphan"]
    (pruned,) = pruning.regions.values()
    assert why(pruned.plan, ami(2)) == "keep: in use: instance i-1 (running)"


def test_within_a_minute_nothing_is_asked_twice(monitor: Recorder) -> None:
    account, clock = typical(), Clock()
    session = session_of(account)
    pruning = look_everywhere([REGION], session, ONE, monitor, clock=clock)
    clock.now += FRESH_SECONDS
    prune_everywhere(pruning, session, ONE, monitor, clock=clock)
    assert (account.changes, account.calls.count("DescribeInstances")) == (IN_ORDER, 1)
    assert (monitor.total["Removing"], monitor.done["Removing"]) == (6, 6)


def test_a_second_look_that_fails_removes_nothing(monitor: Recorder) -> None:
    account, clock = typical(), Clock()
    session = session_of(account)
    pruning = look_everywhere([REGION], session, ONE, monitor, clock=clock)
    account.fail("DescribeInstances", ErrorKind.ACCESS_DENIED)
    clock.now += FRESH_SECONDS + 1
    prune_everywhere(pruning, session, ONE, monitor, clock=clock)
    assert account.changes == ["Delete snap-orphan"]
    account.fail("DescribeImages", ErrorKind.CONNECTION)
    pruning = look_everywhere([REGION], session, ONE, monitor)
    assert (list(pruning.failures), pruning.plans) == ([REGION], ())


def test_a_region_that_fails_hides_nothing_of_the_others(monitor: Recorder) -> None:
    good, dark, other = typical(), typical(), typical()
    dark.fail("DescribeImages", ErrorKind.ACCESS_DENIED)
    other.fail("Deregister", ErrorKind.EXPIRED)
    session = session_of(good, dark, other)
    pruning = look_everywhere([REGION, "us-east-1", "ap-southeast-1", REGION], session, ONE, monitor)
    assert list(pruning.regions) == [REGION, "ap-southeast-1"]
    prune_everywhere(pruning, session, ONE, monitor)
    assert set(pruning.failures) == {"us-east-1", "ap-southeast-1"}
    assert good.changes == IN_ORDER
    assert other.changes == IN_ORDER[:1]
    assert dark.changes == []


def test_a_bug_in_one_region_is_told_and_ends_the_others(monitor: Recorder) -> None:
    account = typical()
    account.own_images = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(ZeroDivisionError):
        look_everywhere([REGION], session_of(account), ONE, monitor)


def test_a_bug_while_removing_is_told_and_hides_nothing_that_was_removed(monitor: Recorder) -> None:
    account = typical()
    pruning = look_everywhere([REGION], session_of(account), ONE, monitor)
    account.delete_snapshot = lambda _id: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(ZeroDivisionError):
        prune_everywhere(pruning, session_of(account), ONE, monitor)
    assert ami(2) in [item.id for item in pruning.regions[REGION].removed]


def test_an_interrupt_stops_all_regions(monitor: Recorder) -> None:
    first, second = typical(), typical()
    session = session_of(first, second)
    pruning = look_everywhere([REGION, "us-east-1"], session, ONE, monitor)
    began, go_on = threading.Event(), threading.Event()

    def slow(image_id: str) -> None:
        began.set()
        assert go_on.wait(10)

    def interrupted(image_id: str) -> None:
        assert began.wait(10)
        threading.Timer(0.2, go_on.set).start()
        raise KeyboardInterrupt

    first.deregister_image, second.deregister_image = interrupted, slow  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        prune_everywhere(pruning, session, ONE, monitor)
    # It ends with the call that it was in.
    assert second.changes == []
    assert [item.id for item in pruning.regions["us-east-1"].removed] == [ami(2)]
