"""From configuration files to a run: what is to be built, where, and what has to be sent. Nothing is changed yet."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from brqos.aws.codebuild import Batch, CodeBuild
from brqos.aws.errors import AwsCallError
from brqos.aws.s3 import S3
from brqos.aws.session import AwsSession
from brqos.config.codebuild import CodeBuildSpec
from brqos.config.model import BuildSpec, Engine
from brqos.errors import ConfigurationError, LockedError, UsageError
from brqos.fleet.codebuild.buildspec import Way
from brqos.fleet.codebuild.bundle import Bundle, bundle_of, contents_of
from brqos.fleet.codebuild.members import Member, members_of
from brqos.fleet.codebuild.place import RUNS, Place, check_arns
from brqos.fleet.codebuild.run import ID_PATTERN, Run, inputs_of
from brqos.fleet.codebuild.setup import Change
from brqos.fleet.codebuild.starting import RUN
from brqos.fleet.codebuild.store import fetch_run, runs_here
from brqos.fleet.expand import Entry, Only, expand
from brqos.fleet.survey import survey
from brqos.monitor import Monitor
from brqos.pipeline.foresee import Foreseen, Outlook, patches

_LOOKED_THROUGH = 100


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody asks for. `every` builds what is there already, too; `images` brings images that have AMIs."""

    files: tuple[Path, ...]
    only: Only = field(default_factory=Only)
    offline: bool | None = None
    every: bool = False
    image_only: bool = False
    images: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """The builds that are needed, each with what it will be; `total` is how many the files stand for."""

    entries: tuple[Entry, ...]
    outlooks: tuple[Outlook | None, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Order:
    """All that is needed to start a run; `specs` are those of all builds of the files, for the rights of the role."""

    place: Place
    members: tuple[Member, ...]
    bundle: Bundle
    way: Way
    specs: tuple[BuildSpec, ...]

    @property
    def inputs(self) -> str:
        """The first part of the run's id."""
        return inputs_of(self.members, self.bundle, self.way)


def expanded(wishes: Wishes) -> list[Entry]:
    """The builds of the files, as they are wanted here; raises ConfigurationError."""
    entries = expand(wishes.files, only=wishes.only, offline=wishes.offline)
    return [_image_only(entry) for entry in entries] if wishes.image_only else entries


def chosen(entries: Sequence[Entry], wishes: Wishes, cache: Path, monitor: Monitor, *, aws: bool = True) -> Chosen:
    """The builds that are not there yet, as `brqos matrix` tells it; raises BrqosError."""
    found = survey(entries, cache, monitor, aws=aws)
    for remark in found.remarks:
        monitor.note(f"Not compared, {remark}")
    wanted = found.standings if wishes.every else found.open
    needed = tuple(one.entry for one in wanted if not _is_native(found.outlooks.get(one.entry.id)))
    return Chosen(needed, tuple(found.outlooks.get(entry.id) for entry in needed), len(found.standings))


def place_of(spec: CodeBuildSpec, session: AwsSession, region: str) -> Place:
    """The account that the session is of, if it is the one that it has to be; raises AwsCallError."""
    identity = session.identity(region)
    if spec.account is not None and spec.account != identity.account:
        raise ConfigurationError(
            f"this login is of the account {identity.account}, and [codebuild] names {spec.account}",
            why=f"It is {identity.arn}.",
            todo="Log in to the other account, give its profile with --profile, or correct the configuration.",
        )
    place = Place(identity.account, region, identity.partition, spec)
    check_arns(place)
    return place


def order_of(
    found: Chosen,
    place: Place,
    wishes: Wishes,
    cache: Path,
    monitor: Monitor,
    *,
    program: tuple[str, ...] = (),
    rehearsal: bool = False,
) -> Order:
    """All that is sent and started; raises ConfigurationError and UsageError for what cannot be built there.

    `program` is brqos's command in a rehearsal.
    """
    spec = place.spec
    contents = contents_of(wishes.files)
    members = members_of(
        found.entries, found.outlooks, spec, contents, rehearsal=rehearsal, signs=not wishes.image_only
    )
    if not program and spec.brqos_in_image:
        program = ("brqos",)
    way = Way(
        bucket=place.bucket,
        run="",
        hashed=True,
        sbkeys=spec.sbkeys if any(member.needs_keys for member in members) else None,
        program=program,
        rehearsal=rehearsal,
        image_only=wishes.image_only,
        images=wishes.images,
    )
    bundle = bundle_of(
        members, contents, _overlays(members, cache, monitor, rehearsal=rehearsal), with_brqos=not program
    )
    # Not only of those that are built now: what the role may do shall not change from run to run.
    specs = tuple(entry.spec for entry in expanded(replace(wishes, only=Only())))
    return Order(place, tuple(members), bundle, replace(way, hashed=bundle.hashed), specs)


def going_on(order: Order, codebuild: CodeBuild, s3: S3, monitor: Monitor) -> Run | None:
    """An unfinished run that makes some of these builds already, here or started elsewhere; raises AwsCallError."""
    wanted = {member.inputs for member in order.members}
    place = order.place
    known = list(runs_here(monitor))
    here = [run for run in known if _is_in(run, place)]
    for run in [*here, *_elsewhere(place, codebuild, s3, {run.id for run in known})]:
        open_ = {entry.inputs for entry in run.entries if not entry.is_over}
        if not run.rehearsal and run.stopped is None and open_ & wanted:
            return run
    return None


def check_idle(changes: Sequence[Change], place: Place, codebuild: CodeBuild) -> None:
    """Raise LockedError if a change takes rights away while builds of the project go on; raises AwsCallError."""
    narrowed = [change.what for change in changes if change.narrows]
    if not narrowed or not (batches := _open_batches(place, codebuild)):
        return
    runs = sorted({batch.variables.get(RUN, batch.id) for batch in batches})
    raise LockedError(
        f"the {narrowed[0]} would lose rights, and builds go on that may need them: {', '.join(runs)}",
        why="They were started for other configuration files, or by another brqos; without these rights they would fail"
        " at their end, after hours.",
        todo="Wait until they have ended (brqos status --follow RUN), or give these files a project and roles of their"
        " own below [codebuild].",
    )


def next_id(order: Order, s3: S3) -> str:
    """An id for a new run: the first number that no run with these inputs has; raises AwsCallError."""
    taken = {0}
    prefix = f"{RUNS}/{order.inputs}-"
    for item in s3.listed(order.place.bucket, prefix):
        name = item.key.split("/")[1]
        if re.fullmatch(ID_PATTERN, name):
            taken.add(int(name.rpartition("-")[2]))
    return f"{order.inputs}-{max(taken) + 1}"


def _elsewhere(place: Place, codebuild: CodeBuild, s3: S3, known: set[str]) -> Sequence[Run]:
    """The runs of batches that go on in the project, and that this folder knows nothing of."""
    names = {batch.variables.get(RUN, "") for batch in _open_batches(place, codebuild)} - known - {""}
    found = []
    for name in sorted(names):
        try:
            run = fetch_run(s3, place.bucket, name)
        except (AwsCallError, ConfigurationError):
            # Somebody else's variable of that name, or a run of a newer brqos.
            continue
        if run is not None:
            found.append(run)
    return found


def _open_batches(place: Place, codebuild: CodeBuild) -> list[Batch]:
    ids = list(itertools.islice(codebuild.batch_ids(place.project), _LOOKED_THROUGH))
    return [batch for batch in codebuild.batches(ids) if not batch.state.ended]


def _is_in(run: Run, place: Place) -> bool:
    there = (run.account, run.region, run.project, run.bucket)
    return not run.is_over and there == (place.account, place.region, place.project, place.bucket)


def _overlays(members: Sequence[Member], cache: Path, monitor: Monitor, *, rehearsal: bool) -> Mapping[str, str]:
    """What was planned here, for whoever wants to see what is built; a rehearsal's source is gone after it."""
    specs = [one.entry.spec for one in members if one.expected and one.entry.spec.build.engine is Engine.SOURCE]
    return {} if rehearsal or not specs else patches(specs, cache, monitor)


def _image_only(entry: Entry) -> Entry:
    spec = entry.spec
    ami, nodegroup = spec.ami.model_copy(update={"regions": ()}), spec.nodegroup.model_copy(update={"cluster": None})
    return replace(entry, spec=spec.model_copy(update={"ami": ami, "nodegroup": nodegroup}))


def _is_native(outlook: Outlook | None) -> bool:
    return isinstance(outlook, Foreseen) and outlook.native


def refuse_repack(entries: Sequence[Entry]) -> None:
    """Raise UsageError for builds that cannot be rehearsed."""
    for entry in entries:
        if entry.spec.build.engine is Engine.REPACK:
            raise UsageError(
                f"{entry.title} uses the repack engine, which has no rehearsal",
                why="A rehearsal stands in for upstream's build; repacking needs none, it takes seconds.",
                todo="Leave it out with --variant or --arch, or try it for real without --region.",
            )
