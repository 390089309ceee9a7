"""Where a build goes when it ends (`--results`), and what it is held against (`--expect`)."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brqos.errors import UsageError

if TYPE_CHECKING:
    from brqos.config.model import BuildSpec
    from brqos.console import Console
    from brqos.pipeline.results import Delivery


@dataclass(frozen=True, slots=True)
class How:
    """How a build is made: only shown, from the beginning, waiting for others, signing what it writes."""

    dry_run: bool
    force: bool
    wait: bool
    signs: bool


@contextlib.contextmanager
def delivery_to(
    results: str | None,
    spec: "BuildSpec",
    console: "Console",
    *,
    expect: str | None,
    images: bool,
    rehearse: bool,
    dry_run: bool,
) -> "Iterator[Delivery]":
    """For as long as the build takes; then what it left is put into the bucket. Raises UsageError, AwsCallError."""
    from brqos.pipeline.results import Delivery, begin, check_rehearsal, delivered, parse_target, s3_of

    delivery = Delivery(expect=expect or "")
    if results is None:
        yield delivery
        return
    target = parse_target(results)
    if dry_run:
        raise UsageError("--results and --dry-run do not go together", todo="Keep one: nothing is built in a dry run.")
    if rehearse:
        check_rehearsal()
    s3 = s3_of(spec.ami.profile)
    # A bucket that cannot be written to is told before the work, not after hours of it.
    begin(target, s3)
    with delivered(target, s3, delivery, console, images=images):
        yield delivery
