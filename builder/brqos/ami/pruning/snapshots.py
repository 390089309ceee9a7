"""Which snapshots of brqos's go: those of AMIs that go, those that AWS could not complete, and orphans. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from brqos.ami import tags as tagging
from brqos.ami.pruning.model import Inventory, Kind, PruneItem, PruneRules, Verdict
from brqos.ami.pruning.words import age, and_so_on, in_words, matches
from brqos.ami.upload.channel import TIMEOUT_MINUTES
from brqos.aws.ec2 import DescribedImage, DescribedSnapshot

_CONTENT = (tagging.VARIANT, tagging.ARCH, tagging.IMAGE_VERSION)
_CANCELLED = in_words(timedelta(minutes=TIMEOUT_MINUTES))


def snapshot_items(
    inventory: Inventory,
    images: Sequence[DescribedImage],
    rules: PruneRules,
    removed: Mapping[str, PruneItem],
    under_way: Collection[str],
) -> tuple[PruneItem, ...]:
    """The verdict on every snapshot with our tag; `images` are those that are there, `removed` those that will go."""
    held: dict[str, list[str]] = {}
    for image in images:
        for mapping in image.mappings.values():
            if snapshot_id := mapping.get("SnapshotId"):
                held.setdefault(str(snapshot_id), []).append(image.id)
    unfinished = {_content(image.tags) for image in images if image.state in ("pending", "transient")}
    items = []
    for snapshot in sorted(inventory.snapshots, key=lambda snapshot: snapshot.id):
        holders = tuple(dict.fromkeys(held.get(snapshot.id, ())))
        ours = snapshot.tags.get(tagging.TOOL) == "brqos"
        # What an AMI leaves behind that goes is not left to another run with other filters.
        if not ours or not (matches(snapshot.tags, rules) or removed.keys() & set(holders)):
            continue
        goes, reason = _verdict(snapshot, holders, removed, under_way)
        if goes is None:
            goes, reason = _orphan(snapshot, inventory, rules, _content(snapshot.tags) in unfinished)
        elif goes and (obstacle := _obstacle(snapshot, inventory)):
            goes, reason = False, obstacle
        items.append(_item(snapshot, inventory.region, goes, reason, holders))
    return tuple(items)


def _content(tags: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(tags.get(key, "") for key in _CONTENT)


def _verdict(
    snapshot: DescribedSnapshot, holders: Sequence[str], removed: Mapping[str, PruneItem], under_way: Collection[str]
) -> tuple[bool | None, str]:
    """Whether the snapshot goes, and why; None where that depends on its age, since no AMI holds it."""
    if snapshot.id in under_way:
        return False, "an upload from this machine is under way"
    staying = [holder for holder in holders if holder not in removed]
    if staying:
        return False, f"held by {and_so_on(staying)}"
    if snapshot.state == "pending":
        # StartSnapshot's Timeout counts from the last block that was written; AWS ends a copy by itself.
        return False, f"it is not complete; an upload that nobody goes on with for {_CANCELLED} ends as “error”"
    if holders:
        return True, f"of {and_so_on(holders)}, which {'goes' if len(holders) == 1 else 'go'}"
    return None, ""


def _orphan(snapshot: DescribedSnapshot, inventory: Inventory, rules: PruneRules, unfinished: bool) -> tuple[bool, str]:
    if snapshot.state == "error":
        return True, "AWS could not complete it" + (f": {snapshot.message}" if snapshot.message else "")
    if snapshot.state != "completed":
        return False, f"its state is “{snapshot.state}”: somebody is busy with it"
    if age(snapshot.started, inventory.now) < rules.older_than:
        return False, f"no AMI holds it, but it is younger than {in_words(rules.older_than)}: one may be on its way"
    if unfinished:
        # Until a copy is done, EC2 does not tell which snapshots are its own.
        return False, "an AMI of the same image is being made, and may be about to hold it"
    if obstacle := _obstacle(snapshot, inventory):
        return False, obstacle
    return True, "no AMI holds it"


def _obstacle(snapshot: DescribedSnapshot, inventory: Inventory) -> str:
    usage = inventory.usage
    if uses := usage.uses.get(snapshot.id):
        return f"in use: {and_so_on(uses)}"
    if usage.unknown_of_snapshots:
        return f"whether it is in use is unknown: {', '.join(usage.unknown_of_snapshots)} is not allowed"
    return "" if snapshot.id in usage.asked else "whether it is in use was not asked"


def _item(snapshot: DescribedSnapshot, region: str, goes: bool, reason: str, holders: tuple[str, ...]) -> PruneItem:
    return PruneItem(
        kind=Kind.SNAPSHOT,
        region=region,
        id=snapshot.id,
        verdict=Verdict.REMOVE if goes else Verdict.KEEP,
        reason=reason,
        name=snapshot.tags.get(tagging.NAME, ""),
        variant=snapshot.tags.get(tagging.VARIANT, ""),
        arch=snapshot.tags.get(tagging.ARCH, ""),
        created=snapshot.started,
        gib=snapshot.volume_gib,
        after=holders,
    )
