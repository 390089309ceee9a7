"""Starting the batches of a run, each exactly once.

Before a batch is started the run, with the batch's token, is in its file and in the bucket. With the token CodeBuild
answers a call that comes again within five minutes by the batch that is there already (API reference, StartBuildBatch).
Whoever takes up a run looks through the project's batches first, for one that names ours.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from brqos.aws.codebuild import Batch, CodeBuild
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.retry import Retry
from brqos.errors import AwsError
from brqos.fleet.codebuild.bundle import bundle_key
from brqos.fleet.codebuild.run import Run, RunBatch
from brqos.fleet.codebuild.store import StoredRun
from brqos.record import now

RUN, BATCH = "BRQOS_RUN", "BRQOS_BATCH"
"""Variables of a batch, by which it is found again."""
# So that the last try of all begins within the token's five minutes: botocore's own ones take up to 100 s more.
_PATIENCE = Retry(dict.fromkeys((ErrorKind.CONNECTION, ErrorKind.SERVER, ErrorKind.THROTTLED), 180.0), first_delay=1.0)
# Clocks differ, and a batch has its time from CodeBuild's.
_CLOCKS = timedelta(minutes=10)


def start_batches(
    stored: StoredRun,
    codebuild: CodeBuild,
    *,
    clock: Callable[[], datetime] = now,
    wait: Callable[[float], object] = time.sleep,
    seconds: Callable[[], float] = time.monotonic,
) -> None:
    """Start what of the run was not started yet; raises AwsCallError, and everything can be done again then."""
    for batch in stored.run.batches:
        if batch.id is None:
            _start(stored, batch, codebuild, clock, lambda action: _PATIENCE.call(action, wait=wait, clock=seconds))
    # The copy for other machines: each batch is found without it, too.
    stored.save(stored.run)


def found_batch(run: Run, batch: RunBatch, codebuild: CodeBuild) -> Batch | None:
    """The batch of CodeBuild's that was started for this one, if there is any; raises AwsCallError."""
    if batch.asked is None:
        return None
    waiting: list[str] = []
    for each in codebuild.batch_ids(run.project):
        waiting.append(each)
        if len(waiting) == _PAGE:
            found, go_on = _looked_through(run, batch, codebuild.batches(waiting))
            if found is not None or not go_on:
                return found
            waiting = []
    return _looked_through(run, batch, codebuild.batches(waiting))[0] if waiting else None


_PAGE = 100


def _looked_through(run: Run, batch: RunBatch, batches: list[Batch]) -> tuple[Batch | None, bool]:
    """The batch, if it is among these, and whether older ones may be it."""
    assert batch.asked is not None
    for each in batches:
        if each.variables.get(BATCH) == _name(run, batch):
            return each, False
    oldest = min((each.started for each in batches if each.started), default=None)
    return None, oldest is None or oldest > batch.asked - _CLOCKS


def _start(
    stored: StoredRun,
    batch: RunBatch,
    codebuild: CodeBuild,
    clock: Callable[[], datetime],
    patiently: Callable[[Callable[[], Batch]], Batch],
) -> None:
    run = stored.run
    # Where a call was made before, it may have come through; the token alone would do for five minutes only.
    if (found := found_batch(run, batch, codebuild)) is not None:
        stored.save(run.with_batch(batch.number, id=found.id), shared=False)
        return
    stored.save(run.with_batch(batch.number, asked=clock()), shared=False)
    batch = stored.run.batches[batch.number - 1]
    try:
        started = patiently(lambda: _asked(run, batch, codebuild))
    except AwsCallError as error:
        started = _after(error, stored.run, batch, codebuild)
    stored.save(stored.run.with_batch(batch.number, id=started.id), shared=False)


def _asked(run: Run, batch: RunBatch, codebuild: CodeBuild) -> Batch:
    return codebuild.start_batch(
        run.project,
        source=f"{run.bucket}/{bundle_key(run.bundle)}",
        buildspec=run.buildspec(batch),
        token=batch.token,
        variables={RUN: run.id, BATCH: _name(run, batch)},
    )


def _after(error: AwsCallError, run: Run, batch: RunBatch, codebuild: CodeBuild) -> Batch:
    """What to make of a call that failed for good: somebody else may have started the very same batch."""
    if error.kind is ErrorKind.VALIDATION and (found := found_batch(run, batch, codebuild)) is not None:
        return found
    started = sum(one.id is not None for one in run.batches)
    raise AwsError(
        f"batch {batch.number} of {len(run.batches)} of the run {run.id} was not started",
        why=f"{error.what}{': ' if error.why else ''}{error.why}",
        todo=(error.todo + " " if error.todo else "")
        + f"The same command goes on with the run{f', of which {started} batches go on' if started else ''}.",
    ) from error


def _name(run: Run, batch: RunBatch) -> str:
    return f"{run.id}.{batch.number}"
