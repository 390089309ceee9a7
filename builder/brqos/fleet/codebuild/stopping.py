"""Stopping a run: the batches that go on, and nothing of it is started again."""

from brqos.aws.codebuild import Batch, CodeBuild
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.fleet.codebuild.run import Run
from brqos.fleet.codebuild.starting import found_batch
from brqos.fleet.codebuild.store import StoredRun
from brqos.record import now


def going_on(run: Run, codebuild: CodeBuild) -> list[Batch]:
    """The batches of the run that have not ended, also one whose start was answered by nothing; raises AwsCallError."""
    ids = [batch.id for batch in run.batches if batch.id is not None]
    unanswered = (found_batch(run, batch, codebuild) for batch in run.batches if batch.id is None)
    found = [*(codebuild.batches(ids) if ids else ()), *(batch for batch in unanswered if batch is not None)]
    return [batch for batch in found if not batch.state.ended]


def stop_run(stored: StoredRun, batches: list[Batch], codebuild: CodeBuild) -> None:
    """Stop these batches of the run; raises AwsCallError, and everything can be done again then."""
    # First of all, so that whoever follows the run does not take a stopped build for a lost one.
    stored.save(stored.run.model_copy(update={"stopped": now()}))
    for batch in batches:
        try:
            codebuild.stop_batch(batch.id)
        except AwsCallError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise
