"""`brqos build --on codebuild`: all builds of the configuration files at once, as batch builds of AWS CodeBuild."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brqos.cli.on_codebuild_shown import attach_hint, result_of_run, show_run, show_setup
from brqos.errors import BrqosError, BuildError, ConfigurationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brqos.console import Console
    from brqos.fleet.codebuild.following import Follower
    from brqos.fleet.codebuild.ordering import Chosen, Order, Wishes
    from brqos.fleet.codebuild.run import Run
    from brqos.fleet.codebuild.setup import Clients
    from brqos.fleet.codebuild.store import StoredRun
    from brqos.fleet.codebuild.world import World

ENGINES = ("codebuild",)
# What `brqos build` takes that means something for builds elsewhere; all else is said in brqos.toml.
_UNDERSTOOD = frozenset(
    {
        "variant", "arch", "config", "on", "rehearse", "offline", "profile", "image_only", "images", "follow", "force",
        "confirm_public", "dry_run", "json_output", "quiet",
    }
)  # fmt: skip
_USUAL = {"wait": True, "follow": True}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says."""

    files: tuple[Path, ...]
    variant: str | None
    arch: str | None
    offline: bool | None
    profile: str | None
    rehearse: bool
    image_only: bool
    images: bool
    follow: bool
    force: bool
    confirm_public: bool
    dry_run: bool


def asked_of(given: Mapping[str, Any]) -> Asked:
    """The flags that mean something here; raises UsageError for others."""
    from brqos.config.resolve import FILE_NAME

    others = [
        name
        for name, value in given.items()
        if name not in _UNDERSTOOD and value not in (None, False, [], (), _USUAL.get(name))
    ]
    if others:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in others)
        raise UsageError(
            f"{flags} does not go together with --on codebuild",
            why="All builds of the files are made there, each as its file says.",
            todo="Say it in brqos.toml. Flags that choose builds are --config, --variant and --arch.",
        )
    if given["rehearse"] and not given["follow"]:
        raise UsageError(
            "--no-follow does not go together with --rehearse",
            why="A rehearsal's builds end with it.",
            todo="Leave one of them out.",
        )
    return Asked(
        files=tuple(map(Path, given["config"] or [FILE_NAME])),
        **{name: given[name] for name in Asked.__slots__ if name != "files"},
    )


def build_on_codebuild(console: "Console", asked: Asked) -> None:
    """Set up, send, start, follow and bring back; raises BrqosError, BuildError where builds failed."""
    from brqos.config.codebuild import CodeBuildSpec
    from brqos.fleet.codebuild.ordering import Wishes, expanded, place_of
    from brqos.fleet.codebuild.place import region_of, spec_of

    wishes = Wishes(asked.files, _only(asked), asked.offline, asked.force, asked.image_only, asked.images)
    entries = expanded(wishes)
    _check_confirmed(entries, confirmed=asked.confirm_public)
    spec: CodeBuildSpec = spec_of(asked.files, profile=asked.profile)
    with _world(spec.profile, rehearse=asked.rehearse) as world:
        found = _chosen(entries, wishes, world, console)
        _say_how_many(console, found)
        if not found.entries:
            if console.json_output:
                console.data({"run": None, "builds": []})
            return
        regions = [region for entry in entries for region in entry.spec.ami.regions]
        default = world.session.default_region() if not world.rehearsal else None
        place = place_of(spec, world.session, region_of(spec, default or _of_rehearsal(world), regions))
        _go(console, asked, world, _order(found, place, wishes, world, console))


def _go(console: "Console", asked: Asked, world: "World", order: "Order") -> None:
    from brqos.fleet.codebuild.ordering import check_idle, going_on
    from brqos.fleet.codebuild.setup import apply_setup, look, plan_setup

    clients = _clients(world, order.place.region)
    there = look(order.place, clients)
    changes = plan_setup(order.place, order.specs, there)
    before = None
    if there.project is not None and there.bucket is not None and not world.rehearsal:
        before = going_on(order, clients.codebuild, clients.s3, console)
        if before is None:
            check_idle(changes, order.place, clients.codebuild)
    if asked.dry_run:
        show_setup(console, changes, order, before)
        return
    if before is not None:
        _take_up(console, asked, world, before, order)
        return
    apply_setup(changes, clients, console)
    stored = _begin(console, world, order, clients)
    _follow_or_end(console, asked, world, stored)


def _begin(console: "Console", world: "World", order: "Order", clients: "Clients") -> "StoredRun":
    """Send the bundle, write the run down, and start it."""
    from dataclasses import replace

    from brqos.fleet.codebuild.ordering import next_id
    from brqos.fleet.codebuild.run import run_of
    from brqos.fleet.codebuild.starting import start_batches
    from brqos.fleet.codebuild.store import StoredRun

    place, bundle = order.place, order.bundle
    if next(clients.s3.listed(place.bucket, bundle.key), None) is None:
        with console.task(f"Sending {len(bundle.data) / 2**20:.1f} MiB to s3://{place.bucket}"):
            clients.s3.put(place.bucket, bundle.key, bundle.data)
    if not bundle.hashed and not world.rehearsal:
        console.warn("this brqos has no lock file with it: builders install its packages by version, without hashes")
    run_id = next_id(order, clients.s3)
    run = run_of(run_id, order.members, bundle, replace(order.way, run=run_id), place)
    stored = StoredRun(run, clients.s3, console)
    stored.save(run, shared=False)
    stored.publish()
    start_batches(stored, clients.codebuild, wait=world.sleep, seconds=world.clock)
    count = len(run.entries)
    batches = f"{len(run.batches)} batch{'es' if len(run.batches) > 1 else ''}"
    console.note(f"Started {count} build{'s' if count > 1 else ''} in {batches}: run {run.id}.")
    return stored


def _take_up(console: "Console", asked: Asked, world: "World", run: "Run", order: "Order") -> None:
    """Follow a run that makes some of the builds already, instead of starting them again."""
    from brqos.fleet.codebuild.starting import start_batches
    from brqos.fleet.codebuild.store import StoredRun

    stored = StoredRun(run, _clients(world, run.region).s3, console)
    stored.save(run, shared=False)
    if run.stopped is None and any(batch.id is None for batch in run.batches):
        start_batches(stored, _clients(world, run.region).codebuild, wait=world.sleep, seconds=world.clock)
    console.note(f"The run {run.id} makes these builds already: it is followed, and nothing is started again.")
    ours = {member.inputs for member in order.members} - {entry.inputs for entry in run.entries}
    try:
        _follow_or_end(console, asked, world, stored)
    finally:
        if ours:
            console.note(f"{len(ours)} further builds are not in it: run the same command again when it has ended.")


def _follow_or_end(console: "Console", asked: Asked, world: "World", stored: "StoredRun") -> None:
    if not asked.follow:
        if console.json_output:
            console.data(result_of_run(stored.run))
        console.note(attach_hint(stored.run))
        return
    follow_to_the_end(console, world, stored)


def follow_to_the_end(console: "Console", world: "World", stored: "StoredRun") -> None:
    """Follow a run and print what became of it; raises BuildError (exit code 6) if not all of it was built."""
    follower = _follower(console, world, stored)
    try:
        follower.follow()
    except KeyboardInterrupt:
        if not world.rehearsal:
            console.note(f"The builds go on. {attach_hint(stored.run)}")
        raise
    finally:
        _forget_rehearsal(world, stored)
    show_run(console, stored.run)
    raise_if_failed(stored.run)


def raise_if_failed(run: "Run") -> None:
    """Raise BuildError (exit code 6) if not all of a run was built."""
    bad = [entry for entry in run.entries if entry.verdict is None or not entry.verdict.is_good]
    if bad:
        raise BuildError(
            f"{len(bad)} of {len(run.entries)} builds were not made: {', '.join(entry.id for entry in bad[:5])}"
            + (f" and {len(bad) - 5} more" if len(bad) > 5 else ""),
            todo="The same command builds what is still missing, and nothing else.",
        )


def _follower(console: "Console", world: "World", stored: "StoredRun") -> "Follower":
    from brqos.fleet.codebuild.following import Follower

    session, region = world.session, stored.run.region
    clients = _clients(world, region)
    return Follower(
        stored,
        clients.codebuild,
        session.logs(region),
        clients.s3,
        console,
        pace=world.pace,
        clock=world.clock,
        sleep=world.sleep,
    )


def _clients(world: "World", region: str) -> "Clients":
    from brqos.fleet.codebuild.setup import Clients

    session = world.session
    return Clients(session.codebuild(region), session.s3(region), session.iam(region))


@contextlib.contextmanager
def _world(profile: str | None, *, rehearse: bool) -> Iterator["World"]:
    from brqos.fleet.codebuild.world import real_world, rehearsed_world

    if not rehearse:
        yield real_world(profile)
        return
    with rehearsed_world() as world:
        yield world


def _chosen(entries: "Sequence[Any]", wishes: "Wishes", world: "World", console: "Console") -> "Chosen":
    from brqos.fleet.codebuild.ordering import chosen
    from brqos.fleet.codebuild.world import rehearsed_choice
    from brqos.resources import cache_directory

    if world.rehearsal:
        return rehearsed_choice(entries, world, cache_directory(), console)
    return chosen(entries, wishes, cache_directory(), console)


def _order(found: "Chosen", place: Any, wishes: "Wishes", world: "World", console: "Console") -> "Order":  # noqa: ANN401
    from brqos.fleet.codebuild.ordering import order_of
    from brqos.fleet.codebuild.world import PROGRAM
    from brqos.resources import cache_directory

    program = PROGRAM if world.rehearsal else ()
    return order_of(found, place, wishes, cache_directory(), console, program=program, rehearsal=world.rehearsal)


def _only(asked: Asked) -> Any:  # noqa: ANN401 - imported late
    from brqos.architecture import Architecture
    from brqos.fleet.expand import Only
    from brqos.variant import VariantName

    return Only(
        frozenset({VariantName.parse(asked.variant).base} if asked.variant else ()),
        frozenset({Architecture.parse(asked.arch)} if asked.arch else ()),
    )


def _check_confirmed(entries: "Sequence[Any]", *, confirmed: bool) -> None:
    from brqos.ami.wishes import check_confirmed

    if confirmed and not any(entry.spec.ami.public for entry in entries):
        raise ConfigurationError("--confirm-public is given, and no build makes a public AMI", todo="Leave it out.")
    for entry in entries:
        check_confirmed(entry.spec.ami, confirmed=confirmed and entry.spec.ami.public)


def _say_how_many(console: "Console", found: "Chosen") -> None:
    count = len(found.entries)
    done = found.total - count
    left_out = (
        f"; {done} {'is' if done == 1 else 'are'} there already and left out (--force builds them)" if done else ""
    )
    console.note(f"{count} of {found.total} builds to make{left_out}.")


def _of_rehearsal(world: "World") -> str | None:
    from brqos.rehearsal.stand_ins import REGION

    return REGION if world.rehearsal else None


def _forget_rehearsal(world: "World", stored: "StoredRun") -> None:
    """A rehearsal that was interrupted cannot be gone on with: its AWS is gone with it."""
    if world.rehearsal and not stored.run.is_over:
        with contextlib.suppress(OSError, BrqosError):
            (stored.folder / f"{stored.run.id}.json").unlink()
