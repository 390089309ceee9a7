"""Which of brqos's AMIs, parameters and snapshots go, and why each of the others stays. Pure.

What has no tag of brqos's is no item at all; what is not known to be unused stays.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from brqos.ami import tags as tagging
from brqos.ami.pruning.model import Inventory, Kind, PruneItem, PrunePlan, PruneRules, Verdict
from brqos.ami.pruning.parameters import parameter_items
from brqos.ami.pruning.snapshots import snapshot_items
from brqos.ami.pruning.words import and_so_on, counted, matches
from brqos.aws.ec2 import DescribedImage

_FAILED = ("failed", "error", "invalid")
_UNFINISHED = ("pending", "transient")
# EC2 tells of an image for a while after it was deregistered.
_GONE = "deregistered"
# What EC2 tells, with a time, after protection with a cooldown was switched off (aws-nuke, resources/ec2-image.go).
COOLING = "disabled after "
_NEVER = datetime.min.replace(tzinfo=UTC)


def plan_prune(inventory: Inventory, rules: PruneRules, under_way: Collection[str] = ()) -> PrunePlan:
    """The verdict on everything of ours in one region; `under_way` are snapshots that are never touched.

    Of each variant and architecture the newest `rules.keep` available AMIs stay, and those that are in use, protected
    or shared. Then go the parameters and snapshots of the AMIs that go, and what is left of earlier ones.
    """
    there = [image for image in inventory.images if image.state != _GONE]
    newest = _newest(there, rules.keep)
    ours = [image for image in there if is_ours(image.tags)]
    amis = [
        _ami_item(image, inventory, rules, newest) for image in sorted(ours, key=_by_age) if matches(image.tags, rules)
    ]
    removed = {item.id: item for item in amis if item.removed}
    parameters = parameter_items(inventory, ours, rules, removed)
    snapshots = snapshot_items(inventory, there, rules, removed, under_way)
    return PrunePlan(region=inventory.region, items=(*amis, *parameters, *snapshots), warnings=_warnings(inventory))


def is_ours(tags: Mapping[str, str]) -> bool:
    """Whether brqos made what has these tags."""
    return tags.get(tagging.TOOL) == "brqos"


def _warnings(inventory: Inventory) -> tuple[str, ...]:
    usage = inventory.usage
    told = [*inventory.warnings, *usage.warnings]
    if usage.unknown_of_images:
        missing = ", ".join(usage.unknown_of_images)
        told.append(f"which AMIs are in use is unknown, so all of them stay: {missing} is not allowed")
    return tuple(f"{inventory.region}: {words}" for words in told)


def _by_age(image: DescribedImage) -> tuple[datetime, str]:
    return image.created or _NEVER, image.id


def _newest(images: Sequence[DescribedImage], keep: int) -> frozenset[str]:
    """The newest available AMIs of ours of each variant and architecture; of two of the same time, by id."""
    groups: dict[tuple[str, str], list[DescribedImage]] = {}
    for image in images:
        if is_ours(image.tags) and image.state == "available":
            groups.setdefault(_group(image), []).append(image)
    return frozenset(image.id for group in groups.values() for image in sorted(group, key=_by_age, reverse=True)[:keep])


def _group(image: DescribedImage) -> tuple[str, str]:
    return image.tags.get(tagging.VARIANT, ""), image.tags.get(tagging.ARCH, "")


def _ami_item(image: DescribedImage, inventory: Inventory, rules: PruneRules, newest: Collection[str]) -> PruneItem:
    variant, arch = _group(image)
    goes, reason = _wanted(image, rules, newest)
    if goes:
        obstacle = _obstacle(image, inventory, rules)
        goes, reason = (False, obstacle) if obstacle else (True, reason + _consequence(image))
    return PruneItem(
        kind=Kind.AMI,
        region=inventory.region,
        id=image.id,
        verdict=Verdict.REMOVE if goes else Verdict.KEEP,
        reason=reason,
        name=image.name,
        variant=variant,
        arch=arch,
        created=image.created,
        gib=sum(int(mapping.get("VolumeSize") or 0) for mapping in image.mappings.values()),
        protection=image.protection,
    )


def _wanted(image: DescribedImage, rules: PruneRules, newest: Collection[str]) -> tuple[bool, str]:
    """Whether the AMI would go if nothing stood against it, and why."""
    variant, arch = _group(image)
    if image.state in _FAILED:
        return True, f"it ended as “{image.state}”" + (f": {image.reason}" if image.reason else "")
    if image.state in _UNFINISHED:
        return False, f"it is being made ({image.state})"
    if image.state == "disabled":
        return False, "somebody has disabled it, instead of deregistering it"
    if image.state != "available":
        return False, f"its state is “{image.state}”, which brqos does not know"
    if not (variant and arch):
        return False, f"it lacks the tag {tagging.ARCH if variant else tagging.VARIANT}, so its successors are unknown"
    if image.created is None:
        return False, "EC2 does not tell when it was made"
    if image.id in newest:
        return False, f"one of the newest {rules.keep} of {variant} for {arch}"
    return True, f"older than the newest {rules.keep} of {variant} for {arch}"


def _obstacle(image: DescribedImage, inventory: Inventory, rules: PruneRules) -> str:
    """Why an AMI stays that would go otherwise; empty if nothing stands against it."""
    usage = inventory.usage
    if uses := usage.uses.get(image.id):
        return f"in use: {and_so_on(uses)}"
    if (end := _end_of_cooldown(image)) is not None and inventory.now < end:
        return f"its protection was switched off, and AWS lets it go only after {end:%Y-%m-%d %H:%M} UTC"
    if may_be_protected(image.protection) and not rules.include_protected:
        return f"protected from deregistration ({image.protection}); --include-protected takes it along"
    if usage.unknown_of_images:
        return f"whether it is in use is unknown: {', '.join(usage.unknown_of_images)} is not allowed"
    if image.id not in usage.asked:
        return "whether it is in use was not asked"
    if rules.include_shared:
        return ""
    shared = ("all",) if image.public else inventory.shared.get(image.id)
    if shared is None:
        return (
            "whether it is shared is unknown: ec2:DescribeImageAttribute is not allowed; --include-shared does not ask"
        )
    if shared:
        return f"shared with {_sharers(shared)}: their use is not visible; --include-shared takes it along"
    return ""


def _sharers(shared: Sequence[str]) -> str:
    if "all" in shared:
        return "everybody"
    units = sum(1 for name in shared if ":ou/" in name)
    organizations = sum(1 for name in shared if ":organization/" in name)
    numbers = {
        "account": len(shared) - units - organizations,
        "organization": organizations,
        "organizational unit": units,
    }
    return " and ".join(counted(number, noun) for noun, number in numbers.items() if number)


def may_be_protected(protection: str) -> bool:
    """Whether EC2's word for an AMI's deregistration protection says that it is on, or is none that we know.

    Publishing asks another question (`is_protected` in publishing/marks.py): whether protection is certainly on, so
    that it need not be switched on. What cannot be undone goes by doubt: a word that is not known keeps the AMI.
    """
    return protection != "disabled" and not protection.startswith(COOLING)


def _end_of_cooldown(image: DescribedImage) -> datetime | None:
    """When an AMI can be deregistered whose protection was switched off; None where EC2 does not tell."""
    try:
        end = datetime.fromisoformat(image.protection.removeprefix(COOLING))
    except ValueError:
        return None
    return end if end.tzinfo else end.replace(tzinfo=UTC)


def _consequence(image: DescribedImage) -> str:
    if image.protection == "enabled-with-cooldown":
        return "; its protection is switched off, and AWS lets it go 24 hours after that"
    return "; its protection is switched off first" if may_be_protected(image.protection) else ""
