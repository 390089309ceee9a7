"""The verdicts of pruning: one test per rule, and what has to hold whatever there is."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.ami.pruning.look import candidates
from brqos.ami.pruning.model import Inventory, Kind, OwnParameter, PruneItem, PrunePlan, PruneRules, UsageReport
from brqos.ami.pruning.plan import is_ours, plan_prune
from brqos.ami.pruning.words import in_words, summary
from brqos.ami.upload.channel import TIMEOUT_MINUTES
from brqos.architecture import Architecture
from brqos.aws.ec2 import DescribedImage, DescribedSnapshot

from .prune_account import NOW, REGION, VARIANT, ami, image, snapshot, tags


def inventory(*things: DescribedImage | DescribedSnapshot, **fields: Any) -> Inventory:
    """All of it was asked about, and is neither used nor shared."""
    images = tuple(thing for thing in things if isinstance(thing, DescribedImage))
    snapshots = tuple(thing for thing in things if isinstance(thing, DescribedSnapshot))
    usage = fields.pop("usage", {})
    values: dict[str, Any] = {
        "usage": UsageReport(**{"asked": frozenset(thing.id for thing in things), **usage}),
        "shared": {each.id: () for each in images},
        **fields,
    }
    return Inventory(region=REGION, now=NOW, images=images, snapshots=snapshots, **values)


def removed(plan: PrunePlan) -> list[str]:
    return [item.id for item in plan.removals]


def why(plan: PrunePlan, wanted: str) -> str:
    (item,) = (item for item in plan.items if item.id == wanted)
    return f"{item.verdict.value}: {item.reason}"


ALL = PruneRules(keep=0)


def test_the_newest_stay_and_the_others_go_with_all_that_is_theirs() -> None:
    everything = [image(n, f"snap-os{n}", f"snap-data{n}") for n in range(1, 6)]
    snapshots = [snapshot(f"snap-{role}{n}", days=n) for n in range(1, 6) for role in ("os", "data")]
    parameter = f"/our/{VARIANT}/x86_64/1.50.0-0123abcd/image_"
    parameters = (OwnParameter(f"{parameter}id", ami(4)), OwnParameter(f"{parameter}version", "1.50.0-0123abcd"))
    plan = plan_prune(inventory(*everything, *snapshots, parameters=parameters), PruneRules())
    assert removed(plan) == [
        *(ami(5), ami(4)),
        *(f"{parameter}version", f"{parameter}id"),
        *("snap-data4", "snap-data5", "snap-os4", "snap-os5"),
    ]
    assert why(plan, ami(5)) == f"remove: older than the newest 3 of {VARIANT} for x86_64"
    assert why(plan, ami(3)) == f"keep: one of the newest 3 of {VARIANT} for x86_64"
    assert why(plan, "snap-os3") == f"keep: held by {ami(3)}"
    assert why(plan, "snap-os5") == f"remove: of {ami(5)}, which goes"
    assert why(plan, f"{parameter}id") == f"remove: it names {ami(4)}, which goes"
    assert summary(plan.removals) == "2 AMIs, 4 snapshots and 2 SSM parameters (44 GiB of volumes) in 1 region"
    assert plan.items[0].gib == 22


def test_each_variant_and_architecture_has_its_own_newest() -> None:
    arm = {"tags": tags(arch="aarch64")}
    other = {"tags": tags(variant="aws-k8s-1.30-memoryqos")}
    things = [image(1), image(2), image(3, **arm), image(4, **arm), image(5, **other)]
    assert removed(plan_prune(inventory(*things), PruneRules(keep=1))) == [ami(4), ami(2)]
    only_arm = PruneRules(keep=1, arch=Architecture.AARCH64)
    assert removed(plan_prune(inventory(*things), only_arm)) == [ami(4)]
    plan = plan_prune(inventory(*things), PruneRules(keep=0, variant="aws-k8s-1.30"))
    assert [item.id for item in plan.items] == [ami(5)]
    assert plan_prune(inventory(*things), PruneRules(keep=0, variant="aws-k8s-1.3")).items == ()


def test_of_two_of_the_same_moment_the_greater_id_counts_as_newer() -> None:
    assert removed(plan_prune(inventory(image(7, days=1), image(8, days=1)), PruneRules(keep=1))) == [ami(7)]


def test_only_available_amis_count_as_the_newest() -> None:
    things = [image(1, state="pending"), image(2, state="disabled"), image(3, state="failed"), image(4), image(5)]
    plan = plan_prune(inventory(*things), PruneRules(keep=1))
    assert removed(plan) == [ami(5), ami(3)]
    assert why(plan, ami(1)) == "keep: it is being made (pending)"
    assert why(plan, ami(2)) == "keep: somebody has disabled it, instead of deregistering it"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "strange"}, "keep: its state is “strange”, which brqos does not know"),
        ({"state": "failed", "reason": "Client.X"}, "remove: it ended as “failed”: Client.X"),
        ({"state": "error"}, "remove: it ended as “error”"),
        ({"tags": {"brqos:tool": "brqos"}}, "keep: it lacks the tag brqos:variant, so its successors are unknown"),
        ({"created": None}, "keep: EC2 does not tell when it was made"),
        (
            {"protection": "enabled-without-cooldown"},
            "keep: protected from deregistration (enabled-without-cooldown); --include-protected takes it along",
        ),
        (
            {"protection": "disabled after 2026-11-25T11:59:00.000Z"},
            f"remove: older than the newest 0 of {VARIANT} for x86_64",
        ),
        (
            {"protection": "disabled after 2026-11-26T10:30:00.000Z"},
            "keep: its protection was switched off, and AWS lets it go only after 2026-11-26 10:30 UTC",
        ),
        ({"public": True}, "keep: shared with everybody: their use is not visible; --include-shared takes it along"),
    ],
)
def test_an_ami_by_itself(fields: dict[str, Any], words: str) -> None:
    assert why(plan_prune(inventory(image(9, **fields)), ALL), ami(9)) == words


def test_what_is_deregistered_is_not_there() -> None:
    things = [image(9, "snap-a", state="deregistered"), snapshot("snap-a")]
    plan = plan_prune(inventory(*things), ALL)
    assert [item.id for item in plan.items] == removed(plan) == ["snap-a"]


@pytest.mark.parametrize(
    "stranger", [{}, {"brqos:tool": "other"}, {"brqos:tool": "brqos2"}, {"Brqos:Tool": "brqos"}, {"tool": "brqos"}]
)
def test_what_is_not_ours_is_no_item(stranger: dict[str, str]) -> None:
    given_tags = {**tags(), "brqos:tool": "", **stranger}
    things = [image(9, state="failed", tags=given_tags), snapshot("snap-a", state="error", tags=given_tags)]
    assert plan_prune(inventory(*things), ALL).items == ()


def test_our_snapshot_in_an_ami_of_somebody_else_stays() -> None:
    things = [image(9, "snap-a", tags={}), image(8, "snap-a"), snapshot("snap-a")]
    plan = plan_prune(inventory(*things), ALL)
    assert removed(plan) == [ami(8)]
    assert why(plan, "snap-a") == f"keep: held by {ami(9)}"


def test_uses() -> None:
    uses = {ami(9): ("instance i-1 (running)",), "snap-a": tuple(f"launch template {n}" for n in range(5))}
    plan = plan_prune(inventory(image(9), snapshot("snap-a"), usage={"uses": uses}), ALL)
    assert removed(plan) == []
    assert why(plan, ami(9)) == "keep: in use: instance i-1 (running)"
    assert why(plan, "snap-a") == "keep: in use: launch template 0, launch template 1, launch template 2, and 2 more"


def test_a_snapshot_that_a_template_names_outlives_its_ami() -> None:
    uses = {"snap-a": ("launch template nodes (version 1)",)}
    plan = plan_prune(inventory(image(9, "snap-a"), snapshot("snap-a"), usage={"uses": uses}), ALL)
    assert removed(plan) == [ami(9)]


def test_nothing_goes_whose_use_is_unknown() -> None:
    things = [image(9, "snap-b"), snapshot("snap-a"), snapshot("snap-b"), snapshot("snap-c", state="error")]
    usage = {"unknown_of_images": ("ec2:DescribeInstances", "ssm:GetParameters")}
    plan = plan_prune(inventory(*things, usage=usage), ALL)
    assert why(plan, ami(9)) == (
        "keep: whether it is in use is unknown: ec2:DescribeInstances, ssm:GetParameters is not allowed"
    )
    assert removed(plan) == ["snap-a", "snap-c"]
    usage |= {"unknown_of_snapshots": ("ec2:DescribeLaunchTemplates",)}
    assert removed(plan_prune(inventory(*things, usage=usage), ALL)) == ["snap-c"]


def test_what_was_not_asked_about_stays() -> None:
    plan = plan_prune(inventory(image(9), snapshot("snap-a"), usage={"asked": frozenset()}), ALL)
    assert removed(plan) == []
    assert "was not asked" in why(plan, ami(9))
    assert "was not asked" in why(plan, "snap-a")


def test_protected() -> None:
    cooling, other = image(9, protection="enabled-with-cooldown"), image(8, protection="enabled-without-cooldown")
    plan = plan_prune(inventory(cooling, other), PruneRules(keep=0, include_protected=True))
    assert removed(plan) == [ami(9), ami(8)]
    assert why(plan, ami(9)).endswith("; its protection is switched off, and AWS lets it go 24 hours after that")
    assert why(plan, ami(8)).endswith("; its protection is switched off first")


@pytest.mark.parametrize(
    ("shared", "words"),
    [
        (("1" * 12,), "shared with 1 account:"),
        (("1" * 12, "2" * 12), "shared with 2 accounts:"),
        (
            ("1" * 12, "arn:aws:organizations::1:organization/o", "arn:aws:organizations::1:ou/o/ou-1"),
            "shared with 1 account and 1 organization and 1 organizational unit:",
        ),
        (("all",), "shared with everybody:"),
    ],
)
def test_shared(shared: tuple[str, ...], words: str) -> None:
    found = inventory(image(9), shared={ami(9): shared})
    plan = plan_prune(found, ALL)
    assert removed(plan) == []
    assert why(plan, ami(9)) == f"keep: {words} their use is not visible; --include-shared takes it along"
    assert removed(plan_prune(found, PruneRules(keep=0, include_shared=True))) == [ami(9)]


def test_where_sharing_is_unknown() -> None:
    plan = plan_prune(inventory(image(9), shared={}), ALL)
    assert "whether it is shared is unknown: ec2:DescribeImageAttribute" in why(plan, ami(9))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "remove: no AMI holds it"),
        ({"state": "error", "days": 0, "message": "no"}, "remove: AWS could not complete it: no"),
        ({"days": 1.9}, "keep: no AMI holds it, but it is younger than 2 days: one may be on its way"),
        ({"days": 2}, "remove: no AMI holds it"),
        ({"started": None}, "keep: no AMI holds it, but it is younger than 2 days: one may be on its way"),
        (
            {"state": "pending"},
            "keep: it is not complete; an upload that nobody goes on with for 24 hours ends as “error”",
        ),
        ({"state": "recovering"}, "keep: its state is “recovering”: somebody is busy with it"),
    ],
)
def test_orphans(fields: dict[str, Any], words: str) -> None:
    assert why(plan_prune(inventory(snapshot("snap-a", **fields)), ALL), "snap-a") == words


def test_an_orphan_is_older_than_any_upload_that_may_be_gone_on_with() -> None:
    """The OS image's snapshot is done; the data image's may be a day without a block, and goes on then."""
    assert PruneRules().older_than > timedelta(minutes=TIMEOUT_MINUTES)
    assert removed(plan_prune(inventory(snapshot("snap-os", days=1.5)), PruneRules())) == []


def test_older_than() -> None:
    week = PruneRules(older_than=timedelta(days=7))
    assert removed(plan_prune(inventory(snapshot("snap-a", 6), snapshot("snap-b", 8)), week)) == ["snap-b"]
    assert [in_words(timedelta(hours=hours)) for hours in (1, 24, 36, 48, 168)] == [
        *("1 hour", "24 hours", "36 hours", "2 days", "7 days"),
    ]


def test_what_is_under_way_here_is_never_touched() -> None:
    found = inventory(snapshot("snap-a", state="error"), snapshot("snap-b"), image(9, "snap-c"), snapshot("snap-c"))
    plan = plan_prune(found, ALL, {"snap-a", "snap-b", "snap-c"})
    assert removed(plan) == [ami(9)]
    assert why(plan, "snap-a") == "keep: an upload from this machine is under way"


def test_a_pending_ami_keeps_what_may_be_its_own() -> None:
    other = tags(version="1.49.0-0123abcd")
    pending = image(1, state="pending", mappings={"/dev/xvda": {}})
    plan = plan_prune(inventory(pending, snapshot("snap-a"), snapshot("snap-b", tags=other)), ALL)
    assert removed(plan) == ["snap-b"]
    assert "is being made, and may be about to hold it" in why(plan, "snap-a")


def test_parameters_that_outlived_their_ami() -> None:
    folder = f"/our/{VARIANT}/arm64"
    old, new = NOW - timedelta(days=3), NOW - timedelta(hours=1)
    parameters = (
        OwnParameter(f"{folder}/1.49.0-a/image_id", ami(1), old),
        OwnParameter(f"{folder}/1.49.0-a/image_version", "1.49.0-a", old),
        OwnParameter(f"{folder}/1.50.0-a/image_id", ami(2), new),
        OwnParameter(f"{folder}/latest/image_id", ami(1), old),
        OwnParameter("/image_id", ami(1), old),
        OwnParameter(f"{folder}/1.48.0-a/image_id", ami(3), old),
    )
    found = inventory(parameters=parameters, gone=frozenset({ami(1), ami(2)}))
    plan = plan_prune(found, PruneRules())
    assert removed(plan) == [f"{folder}/1.49.0-a/image_version", f"{folder}/1.49.0-a/image_id"]
    assert why(plan, f"{folder}/1.49.0-a/image_id") == f"remove: it names {ami(1)}, which is gone"
    for rules in (PruneRules(arch=Architecture.X86_64), PruneRules(variant="aws-k8s-1.30")):
        assert removed(plan_prune(found, rules)) == []
    assert len(removed(plan_prune(found, PruneRules(arch=Architecture.AARCH64, variant="aws-k8s-1.29")))) == 2


def test_what_an_ami_leaves_goes_with_it_whatever_the_filter() -> None:
    things = [image(9, "snap-a"), snapshot("snap-a", tags=tags(variant="other")), snapshot("snap-b", tags={})]
    assert removed(plan_prune(inventory(*things), PruneRules(keep=0, variant="aws-k8s-1.29"))) == [ami(9), "snap-a"]


def test_summary() -> None:
    assert summary([]) == ""
    one = plan_prune(inventory(snapshot("snap-a")), ALL).removals
    assert summary(one) == "1 snapshot (2 GiB of volumes) in 1 region"
    elsewhere = [item.model_copy(update={"region": "us-east-1"}) for item in one]
    assert summary([*one, *elsewhere]) == "2 snapshots (4 GiB of volumes) in 2 regions"


NAMES = [f"snap-{n}" for n in range(6)]
OURS = st.sampled_from([tags(), tags(arch="aarch64"), tags(variant="v2"), {}, {"brqos:tool": "x"}])
IMAGES = st.builds(
    lambda number, held, **fields: image(number, *held, **fields),
    st.integers(0, 60),
    st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
    days=st.integers(0, 20),
    tags=OURS,
    state=st.sampled_from(["available"] * 4 + ["pending", "failed", "disabled", "deregistered", "?"]),
    protection=st.sampled_from(
        ["disabled", "disabled", "enabled-with-cooldown", "enabled-without-cooldown", "?"]
        + [f"disabled after 2026-11-25T{hour}:59:00.000Z" for hour in (11, 12)]
    ),
    public=st.sampled_from([False] * 4 + [True]),
)
SNAPSHOTS = st.builds(
    lambda name, **fields: snapshot(name, **fields),
    st.sampled_from(NAMES),
    days=st.floats(0, 3),
    tags=OURS,
    state=st.sampled_from(["completed"] * 3 + ["pending", "error", "recovering"]),
)
RULES = st.builds(
    PruneRules,
    keep=st.integers(0, 3),
    variant=st.sampled_from([None, None, "v2", "aws-k8s-1.29"]),
    arch=st.sampled_from([None, None, *Architecture]),
    include_protected=st.booleans(),
    include_shared=st.booleans(),
)


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    images = draw(st.lists(IMAGES, max_size=12, unique_by=lambda each: each.id))
    snapshots = draw(st.lists(SNAPSHOTS, max_size=6, unique_by=lambda each: each.id))
    ids = [each.id for each in (*images, *snapshots)]
    chosen = st.sets(st.sampled_from(ids)) if ids else st.just(set[str]())
    usage = {
        "asked": frozenset(ids) if draw(st.booleans()) else frozenset(draw(chosen)),
        "uses": dict.fromkeys(draw(chosen), ("somebody",)),
        "unknown_of_images": draw(st.sampled_from([(), (), ("ec2:X",)])),
    }
    shared = {each.id: draw(st.sampled_from([(), (), ("1" * 12,)])) for each in images if draw(st.booleans())}
    return inventory(*images, *snapshots, usage=usage, shared=shared)


@given(inventories(), RULES, st.sets(st.sampled_from(NAMES), max_size=2))
def test_whatever_there_is(found: Inventory, rules: PruneRules, under_way: set[str]) -> None:
    plan = plan_prune(found, rules, under_way)
    images = {each.id: each for each in found.images if each.state != "deregistered"}
    snapshots = {each.id: each for each in found.snapshots}
    gone = {item.id for item in plan.removals if item.kind is Kind.AMI}
    usage = found.usage
    for item in plan.items:
        assert is_ours((images | snapshots)[item.id].tags)
        assert item.reason
    for ami_id in gone:
        one = images[ami_id]
        assert one.state in ("available", "failed")
        assert ami_id in usage.asked
        assert ami_id not in usage.uses
        assert not usage.unknown_of_images
        assert one.protection in ("disabled", "disabled after 2026-11-25T11:59:00.000Z") or rules.include_protected
        assert rules.include_shared or (found.shared[ami_id] == () and not one.public)
        if one.state == "available":
            group = ("brqos:variant", "brqos:arch")
            rivals = [
                each
                for each in images.values()
                if is_ours(each.tags)
                and each.state == "available"
                and all(each.tags.get(key) == one.tags[key] for key in group)
            ]
            assert sum((each.created, each.id) > (one.created, one.id) for each in rivals) >= rules.keep  # type: ignore[operator]
    for item in plan.removals:
        if item.kind is not Kind.SNAPSHOT:
            continue
        holders = {
            each.id for each in images.values() if item.id in [m.get("SnapshotId") for m in each.mappings.values()]
        }
        assert holders == set(item.after)
        assert holders <= gone
        assert item.id not in under_way
        assert snapshots[item.id].state != "pending"
        # Nothing can be started from one that AWS could not complete, whoever names it.
        assert item.id not in usage.uses or snapshots[item.id].state == "error"
        if not holders and snapshots[item.id].state != "error":
            assert NOW - snapshots[item.id].started >= rules.older_than  # type: ignore[operator]
            assert item.id in usage.asked
    order = list(Kind)
    assert [item.kind for item in plan.removals] == sorted((item.kind for item in plan.removals), key=order.index)
    assert set(removed(plan)) <= {each for ids in candidates(found, rules, under_way).values() for each in ids}


@given(inventories(), RULES)
def test_a_second_plan_finds_nothing_more(found: Inventory, rules: PruneRules) -> None:
    first = set(removed(plan_prune(found, rules)))
    left = inventory(
        *(each for each in (*found.images, *found.snapshots) if each.id not in first),
        usage={
            "asked": found.usage.asked,
            "uses": found.usage.uses,
            "unknown_of_images": found.usage.unknown_of_images,
        },
        shared=found.shared,
    )
    assert removed(plan_prune(left, rules)) == []


def test_an_item_knows_its_verdict() -> None:
    (item,) = plan_prune(inventory(image(9)), ALL).items
    assert isinstance(item, PruneItem)
    assert (item.removed, item.name, item.created) == (True, "image 9", NOW - timedelta(days=9))
