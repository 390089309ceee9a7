"""What comes back of a build: its record with what belongs to it, or why it failed.

Nothing that comes from the bucket is trusted to name a place on this machine: a record goes into the folder that is
called by its own id, its files below it, and what is there is kept unless it is the same build and older.
"""

import contextlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from brqos.aws.errors import AwsCallError
from brqos.aws.logs import Logs
from brqos.aws.s3 import S3, StoredObject
from brqos.errors import ConfigurationError
from brqos.files import write_atomically
from brqos.fleet.codebuild.buildspec import MARK, results_prefix
from brqos.fleet.codebuild.run import Run, RunEntry
from brqos.fleet.codebuild.state import Watched
from brqos.image.failures import diagnose, meaningful
from brqos.locks import lock_of, locked
from brqos.monitor import Monitor, Silent
from brqos.pipeline.results import OUTCOME
from brqos.record import BUILDS, FILE, StoredBuild, load

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}")
_DEEPEST = 4
_LOG = "build.log"
_TAIL = 5_000
_ABANDONED = 24 * 3600.0
_ELSEWHERE = "The whole log: "


@dataclass(frozen=True, slots=True)
class Brought:
    """What came back: the id of a record that is here now; or `native`, that nothing was to be built."""

    record: str = ""
    native: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a build failed, in a few lines, and where its whole log lies here."""

    why: str
    log: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where things come from."""

    s3: S3
    logs: Logs


def bring(run: Run, entry: RunEntry, source: Source, root: Path = BUILDS) -> Brought:
    """Bring what a build that ended well left: its record with what belongs to it.

    Raises AwsCallError, and ConfigurationError for results that are not what such a build leaves.
    """
    prefix = results_prefix(run.id, entry.id, entry.attempt)
    there = dict(_files(source.s3.listed(run.bucket, prefix), prefix))
    if FILE not in there:
        if _outcome(source.s3, run, prefix).get("native"):
            return Brought(native=True)
        raise ConfigurationError(
            f"{entry.id} ended well, but left no record in s3://{run.bucket}/{prefix}",
            why="It was deleted, or has expired.",
            todo="Build it again; if this stays so, please report it.",
        )
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=root) as name:
        folder = Path(name)
        source.s3.download(run.bucket, there[FILE].key, folder / FILE)
        stored = _checked(_loaded(folder / FILE, entry, f"s3://{run.bucket}/{prefix}"), entry, run)
        # Which images lie there was decided where they were made.
        wanted = {below: item for below, item in there.items() if below not in {FILE, OUTCOME}}
        target = root / stored.record.id
        with locked(lock_of(target), f"bringing {target.name}", wait=True, monitor=Silent()):
            if _is_older(target, stored):
                target.mkdir(exist_ok=True)
                for below, item in wanted.items():
                    _download(source.s3, run.bucket, item, target, below)
                # Last, so that it never names what is not there.
                (folder / FILE).replace(target / FILE)
    return Brought(record=stored.record.id)


def explain(run: Run, entry: RunEntry, watched: Watched, source: Source, folder: Path) -> Failure:
    """Why a build failed, as far as it left word: its own error, else the last telling lines of its log.

    The whole log is written to `folder`. Never raises AwsCallError: the build failed, whatever is known of it.
    """
    prefix = results_prefix(run.id, entry.id, entry.attempt)
    lines = _printed(run, watched, source.logs)
    told = _told(source.s3, run, prefix)
    built = _attempted(source.s3, run, f"{prefix}{_LOG}")
    log = ""
    if lines or built:
        file = folder / f"{entry.id}.log"
        printed = "".join(f"{line}\n" for line in lines)
        write_atomically(file, printed + (f"\n# {_LOG}\n{built}" if built else ""))
        log = str(file)
    if told is not None:
        return Failure(told, log)
    own = [line.partition(MARK)[2].strip() if MARK in line else line for line in lines]
    known = built.splitlines()[-_TAIL:] or own
    telling = meaningful(known, diagnose(known))
    return Failure("\n".join(line for line in (watched.message, *telling) if line), log)


def _files(objects: Iterator[StoredObject], prefix: str) -> Iterator[tuple[str, StoredObject]]:
    """What lies below a prefix, by its path from there; what cannot be a file of a build is left out."""
    for item in objects:
        below = item.key.removeprefix(prefix)
        parts = PurePosixPath(below).parts
        if below != str(PurePosixPath(below)) or not 1 <= len(parts) <= _DEEPEST:
            continue
        if all(_PART.fullmatch(part) for part in parts):
            yield below, item


def _loaded(file: Path, entry: RunEntry, place: str) -> StoredBuild:
    try:
        return load(file)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{entry.id} ended well, but the record in {place} cannot be read here",
            why=error.why or error.what,
            todo="Where the builders' image has a brqos of its own it has to be this one's version.",
        ) from None


def _checked(stored: StoredBuild, entry: RunEntry, run: Run) -> StoredBuild:
    """The record, if it is one of the build that was asked for."""
    record = stored.record
    found = (record.variant, record.spec.arch.value, record.rehearsal)
    expected = entry.expected if not run.rehearsal and "-" in entry.expected else ""
    if found == (entry.variant, entry.arch, run.rehearsal) and expected in {"", record.id}:
        return stored
    raise ConfigurationError(
        f"the record that {entry.id} left is another build's",
        why=f"It is {record.id}, {record.variant} for {record.spec.arch}; wanted is {expected or entry.variant} for"
        f" {entry.arch}.",
        todo="Somebody has changed what lies in the bucket: look who may write there.",
    )


def _is_older(target: Path, stored: StoredBuild) -> bool:
    """Whether what is here gives way: nothing is here, or the same build as it was before."""
    if not target.exists():
        return True
    try:
        here = load(target).record
    except ConfigurationError:
        # Whatever it is, it is not ours to replace; without a record there is nothing to lose.
        return not (target / FILE).exists()
    return here.id == stored.record.id and here.updated <= stored.record.updated


def _download(s3: S3, bucket: str, item: StoredObject, target: Path, below: str) -> None:
    file = target / below
    if any(place.is_symlink() for place in (file, *file.parents) if place.is_relative_to(target)):
        raise ConfigurationError(
            f"{file} is a link, or lies below one",
            why="What builds leave is written into their own folder only.",
            todo="Remove the link, and follow the run again.",
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    s3.download(bucket, item.key, file)


def _outcome(s3: S3, run: Run, prefix: str) -> Mapping[str, object]:
    try:
        found = json.loads(s3.get(run.bucket, f"{prefix}{OUTCOME}") or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _told(s3: S3, run: Run, prefix: str) -> str | None:
    """The error that the build ended with, in its own words."""
    try:
        error = _outcome(s3, run, prefix).get("error")
    except AwsCallError:
        return None
    if not isinstance(error, dict):
        return None
    lines = "\n".join(str(error[key]) for key in ("what", "why", "todo") if error.get(key)).splitlines()
    # Where the log lay there is nothing any more.
    return "\n".join(line for line in lines if not line.startswith(_ELSEWHERE)) or None


def _attempted(s3: S3, run: Run, key: str) -> str:
    try:
        return (s3.get(run.bucket, key) or b"").decode(errors="replace")
    except AwsCallError:
        return ""


def _printed(run: Run, watched: Watched, logs: Logs) -> list[str]:
    stream = watched.stream or watched.build.partition(":")[2]
    try:
        return logs.tail(run.log_group, stream, _TAIL) if stream else []
    except AwsCallError:
        return []


def cleared(root: Path, monitor: Monitor) -> None:
    """Remove what runs left that were killed while they brought something.

    What is younger than a day may be another terminal's.
    """
    for folder in root.glob(".incoming-*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > _ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)
                monitor.note(f"Removed {folder}, which an earlier run had left.")
