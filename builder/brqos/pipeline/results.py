"""What a build leaves in S3 when it ends, well or badly: for jobs whose machine is gone afterwards (`--results`).

Below the prefix lies what is in the build's folder, so whoever brings it has the build: log, nodegroup file, documents;
images where no AMI came of them in every region, or they are wanted all the same. `outcome.json` says how it ended,
also of a build that never came to have a folder. The record comes last: where it is, all is.
"""

import contextlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from brqos.aws.s3 import S3
from brqos.aws.session import AwsSession
from brqos.errors import BrqosError, ExitCode, UpstreamError, UsageError
from brqos.monitor import Monitor
from brqos.record import FILE, StoredBuild

OUTCOME = "outcome.json"
_TARGET = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<prefix>[A-Za-z0-9!_.*'()/-]+)", re.ASCII)
_ANYWHERE = "us-east-1"


@dataclass(frozen=True, slots=True)
class Target:
    """A prefix in a bucket; it ends with a slash."""

    bucket: str
    prefix: str


@dataclass
class Delivery:
    """What one build is held against and leaves; the pipeline tells it how far it is.

    `expect` is the build's name or its overlay's commit, as a plan foresaw it; empty: anything.
    """

    expect: str = ""
    stored: StoredBuild | None = None
    native: bool = False

    def check(self, build: str, commit: str) -> None:
        """Raise UpstreamError if the build is not the one that was expected."""
        if self.expect and self.expect not in {build, commit}:
            raise UpstreamError(
                f"this would be another build than the expected {self.expect}",
                why=f"It is {build}, of the overlay {commit or 'none'}. Upstream's source is not what it was when this"
                " was planned (a branch or a tag has moved), or another brqos planned it.",
                todo="Plan it again from what is there now.",
            )


def parse_target(text: str) -> Target:
    """`s3://bucket/prefix` taken apart; raises UsageError."""
    match = _TARGET.fullmatch(text)
    if match is None or "//" in match["prefix"] or ".." in match["prefix"].split("/"):
        raise UsageError(
            f"--results {text}: that is no place in S3",
            todo="Give a bucket and a prefix in it, such as s3://example-builds/runs/17.",
        )
    return Target(match["bucket"], match["prefix"].rstrip("/") + "/")


def check_rehearsal() -> None:
    """Raise UsageError where a rehearsal would write to the real S3."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    if urlsplit(endpoint).hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise UsageError(
            "--results does not go together with --rehearse",
            why="In a rehearsal nothing is real, and a bucket would be. Where AWS_ENDPOINT_URL names an emulator on"
            " this machine it is used.",
            todo="Leave one of them out.",
        )


def s3_of(profile: str | None) -> S3:
    """S3 as this machine sees it."""
    session = AwsSession(profile)
    return session.s3(session.default_region() or _ANYWHERE)


def begin(target: Target, s3: S3) -> None:
    """Say there that the build has begun; raises AwsCallError where nothing can be put there."""
    s3.put(target.bucket, f"{target.prefix}{OUTCOME}", b'{"state": "begun"}\n')


@contextlib.contextmanager
def delivered(target: Target, s3: S3, delivery: Delivery, monitor: Monitor, *, images: bool) -> Iterator[None]:
    """Put into the bucket what the body's build leaves, however it ends.

    Raises AwsCallError if that fails after a good end; after a bad one it is only told, and the error goes on.
    """
    try:
        yield
    except BaseException as error:
        try:
            _deliver(target, s3, delivery, _failed(error), images=images and not _is_interrupt(error))
        except (BrqosError, OSError) as other:
            monitor.warn(f"what the build left is not in s3://{target.bucket}/{target.prefix}: {other}")
        raise
    outcome: dict[str, object] = {"state": "built", "exit-code": int(ExitCode.DONE), "native": delivery.native}
    _deliver(target, s3, delivery, outcome, images=images)
    monitor.note(f"Results: s3://{target.bucket}/{target.prefix}")


def _failed(error: BaseException) -> dict[str, object]:
    if isinstance(error, BrqosError):
        told = {"what": error.what, "why": error.why, "todo": error.todo}
        return {"state": "failed", "exit-code": int(error.exit_code), "error": told}
    if _is_interrupt(error):
        return {"state": "failed", "exit-code": int(ExitCode.INTERRUPTED), "error": {"what": "interrupted"}}
    told = {"what": f"brqos itself failed ({type(error).__name__}: {error})"}
    return {"state": "failed", "exit-code": int(ExitCode.BUG), "error": told}


def _is_interrupt(error: BaseException) -> bool:
    return isinstance(error, KeyboardInterrupt)


def _deliver(target: Target, s3: S3, delivery: Delivery, outcome: dict[str, object], *, images: bool) -> None:
    stored = delivery.stored
    if stored is not None:
        for below in sorted(_left(stored, images=images)):
            s3.upload(target.bucket, f"{target.prefix}{below}", stored.folder / below)
    told = {**outcome, "build": stored.record.id if stored is not None else None}
    s3.put(target.bucket, f"{target.prefix}{OUTCOME}", (json.dumps(told, indent=2) + "\n").encode())
    if stored is not None and stored.file.is_file():
        s3.put(target.bucket, f"{target.prefix}{FILE}", stored.file.read_bytes())


def _left(stored: StoredBuild, *, images: bool) -> Iterator[str]:
    """The files of a build's folder but for its record, by their paths from there."""
    regions, amis = set(stored.record.spec.ami.regions), set(stored.record.amis)
    published = bool(regions) and regions <= amis
    images_of_it = {image.file for image in stored.record.result.images} if stored.record.result else set()
    for file in stored.folder.rglob("*"):
        below = file.relative_to(stored.folder)
        if file.is_symlink() or not file.is_file() or _is_hidden(below) or below == Path(FILE):
            continue
        if below not in images_of_it or images or not published:
            yield below.as_posix()


def _is_hidden(below: Path) -> bool:
    """What is being written, and what runs left that were killed."""
    return any(part.startswith(".") for part in below.parts)
