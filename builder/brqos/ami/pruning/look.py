"""Looking: what brqos made in a region, and who uses what of it would go."""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from brqos.ami import tags as tagging
from brqos.ami.pruning.model import Inventory, Kind, OwnParameter, PrunePlan, PruneRules, UsageReport
from brqos.ami.pruning.parameters import may_be_further, version_in, version_of
from brqos.ami.pruning.plan import is_ours, plan_prune
from brqos.ami.pruning.usage import usage_of
from brqos.aws.ec2 import Ec2
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.retry import StoppedError
from brqos.aws.session import AwsSession
from brqos.aws.usage import Usage

_OURS = {tagging.TOOL: "brqos"}


def look(
    region: str,
    session: AwsSession,
    rules: PruneRules,
    *,
    under_way: Collection[str] = (),
    stop: threading.Event | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Inventory:
    """All that `plan_prune` needs to know of one region.

    Who uses an AMI or a snapshot is asked only for what would go otherwise: without such nobody needs the permissions.
    Raises AwsCallError, and StoppedError.
    """
    stop = stop or threading.Event()
    ec2, usage = session.ec2(region), session.usage(region)
    parameters, warnings = _own_parameters(usage)
    _check(stop)
    images = tuple(ec2.own_images())
    _check(stop)
    inventory = Inventory(
        region=region,
        now=clock(),
        images=images,
        snapshots=tuple(item for item in ec2.own_snapshots(_OURS) if is_ours(item.tags)),
        parameters=parameters,
        gone=_gone(parameters, {image.id for image in images}, ec2),
        warnings=warnings,
    )
    wanted = candidates(inventory, rules, under_way)
    inventory = replace(inventory, parameters=_with_tags(inventory, wanted, usage))
    _check(stop)
    amis = [image for image in images if image.id in wanted[Kind.AMI]]
    if not amis and not wanted[Kind.SNAPSHOT]:
        return inventory
    report = usage_of(usage, amis, wanted[Kind.SNAPSHOT], own_parameters=inventory.parameters, stop=stop)
    _check(stop)
    unused = [image.id for image in amis if image.id not in report.uses]
    shared = {} if rules.include_shared or report.unknown_of_images else _shared(unused, region, session)
    return replace(inventory, usage=report, shared=shared)


def candidates(inventory: Inventory, rules: PruneRules, under_way: Collection[str] = ()) -> dict[Kind, frozenset[str]]:
    """What would go if nothing were in use or shared: of everything else no use has to be known."""
    ids = frozenset(image.id for image in inventory.images) | {snapshot.id for snapshot in inventory.snapshots}
    carefree = replace(inventory, usage=UsageReport(asked=ids))
    plan = plan_prune(carefree, rules.model_copy(update={"include_shared": True}), under_way)
    return {kind: frozenset(item.id for item in plan.removals if item.kind is kind) for kind in Kind}


def look_and_plan(
    region: str,
    session: AwsSession,
    rules: PruneRules,
    *,
    under_way: Collection[str] = (),
    stop: threading.Event | None = None,
) -> PrunePlan:
    """The verdicts for one region as it is now."""
    return plan_prune(look(region, session, rules, under_way=under_way, stop=stop), rules, under_way)


def _own_parameters(usage: Usage) -> tuple[tuple[OwnParameter, ...], tuple[str, ...]]:
    try:
        names = {item.name: item for item in usage.parameters(_OURS)}
        values = list(usage.parameter_values(sorted(names)))
    except AwsCallError as error:
        if error.kind is not ErrorKind.ACCESS_DENIED:
            raise
        return (), (f"brqos's SSM parameters cannot be seen, and stay: {error.what}",)
    return tuple(OwnParameter(name, value, names[name].modified) for name, value in values if name in names), ()


def _with_tags(inventory: Inventory, wanted: Mapping[Kind, Collection[str]], usage: Usage) -> tuple[OwnParameter, ...]:
    """The parameters, with their tags where these decide whether one is of a version that would go.

    SSM tells no tags with a list of parameters, but it lists by them: that needs no permission more.
    """
    found = {version_of(image.tags): None for image in inventory.images if image.id in wanted[Kind.AMI]}
    found |= {version_in(name): None for name in sorted(wanted[Kind.PARAMETER])}
    tagged: dict[str, dict[str, str]] = {}
    for version in found:
        if version is not None and any(may_be_further(item.name, version) for item in inventory.parameters):
            tagged |= {item.name: version.tags for item in usage.parameters(version.tags)}
    return tuple(replace(item, tags=tagged.get(item.name, {})) for item in inventory.parameters)


def _gone(parameters: Iterable[OwnParameter], own: Collection[str], ec2: Ec2) -> frozenset[str]:
    """The AMIs that our parameters name and nobody has: not we, nor an account that shares it with us."""
    named = {item.value for item in parameters if item.name.endswith("/image_id")} - set(own)
    return frozenset(image for image in named if not _exists(image, ec2))


def _exists(image_id: str, ec2: Ec2) -> bool:
    try:
        image = ec2.image(image_id)
    except AwsCallError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return False
        if error.kind in (ErrorKind.VALIDATION, ErrorKind.ACCESS_DENIED):
            # What is no id of an AMI at all was put there by somebody else.
            return True
        raise
    return image is not None and image.state != "deregistered"


def _shared(image_ids: Iterable[str], region: str, session: AwsSession) -> dict[str, tuple[str, ...]]:
    attributes = session.image_attributes(region)
    shared: dict[str, tuple[str, ...]] = {}
    for image_id in image_ids:
        try:
            shared[image_id] = attributes.launch_permissions(image_id).names
        except AwsCallError as error:
            if error.kind not in (ErrorKind.ACCESS_DENIED, ErrorKind.NOT_FOUND):
                raise
    return shared


def _check(stop: threading.Event) -> None:
    if stop.is_set():
        raise StoppedError
