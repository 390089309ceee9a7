"""Batches are started exactly once, whatever gets lost and whenever somebody comes back."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.aws.codebuild import Batch, BuildState
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.session import AwsSession
from brqos.errors import AwsError
from brqos.fleet.codebuild import run as run_module
from brqos.fleet.codebuild import starting
from brqos.fleet.codebuild.run import Run
from brqos.fleet.codebuild.starting import BATCH, found_batch, start_batches
from brqos.fleet.codebuild.stopping import going_on
from brqos.fleet.codebuild.store import StoredRun, parse_run
from brqos.monitor import Silent
from fleet.codebuild.parts import run

TOKEN_HOLDS = timedelta(minutes=5)


class Crash(BaseException):
    """The process is killed."""


@dataclass
class FakeS3:
    objects: dict[str, bytes] = field(default_factory=dict)

    def put(self, bucket: str, key: str, data: bytes) -> None:
        self.objects[key] = data

    def get(self, bucket: str, key: str) -> bytes | None:
        return self.objects.get(key)


@dataclass
class FakeCodeBuild:
    """As CodeBuild takes tokens: for five minutes the same call is the same batch."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    started: dict[str, Batch] = field(default_factory=dict)
    tokens: dict[str, tuple[datetime, str, object]] = field(default_factory=dict)
    mishaps: list[str] = field(default_factory=list)

    def start_batch(
        self, project: str, *, source: str, buildspec: str, token: str, variables: Mapping[str, str]
    ) -> Batch:
        mishap = self.mishaps.pop(0) if self.mishaps else ""
        if mishap == "lost on the way":
            raise AwsCallError("no answer", kind=ErrorKind.CONNECTION)
        if mishap == "killed before":
            raise Crash
        batch = self._start(token, (source, buildspec, dict(variables)), variables)
        if mishap == "killed after":
            raise Crash
        if mishap == "answer lost":
            raise AwsCallError("no answer", kind=ErrorKind.SERVER)
        return batch

    def _start(self, token: str, parameters: object, variables: Mapping[str, str]) -> Batch:
        known = self.tokens.get(token)
        if known is not None and self.now - known[0] < TOKEN_HOLDS:
            if known[2] != parameters:
                raise AwsCallError("other parameters", kind=ErrorKind.VALIDATION)
            return self.started[known[1]]
        name = f"brqos:{len(self.started)}"
        self.started[name] = Batch(name, BuildState.IN_PROGRESS, "", "", (), self.now, None, None, dict(variables))
        self.tokens[token] = (self.now, name, parameters)
        return self.started[name]

    def batch_ids(self, project: str) -> Iterator[str]:
        yield from reversed(self.started)

    def batches(self, ids: Sequence[str]) -> list[Batch]:
        return [self.started[each] for each in ids]

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def fresh(count: int) -> Run:
    made = run(count)
    return made.model_copy(update={"batches": tuple(one.model_copy(update={"id": None}) for one in made.batches)})


def start(stored: StoredRun, codebuild: Any) -> None:
    start_batches(
        stored, codebuild, clock=lambda: codebuild.now, wait=codebuild.wait, seconds=lambda: codebuild.now.timestamp()
    )


MISHAPS = ["", "lost on the way", "answer lost", "killed before", "killed after"]


@given(
    count=st.integers(1, 5),
    mishaps=st.lists(st.sampled_from(MISHAPS), max_size=12),
    pauses=st.lists(st.integers(0, 4000), min_size=40, max_size=40),
)
def test_nothing_is_started_twice(count: int, mishaps: list[str], pauses: list[int]) -> None:
    # So that there are several batches without hundreds of builds.
    with tempfile.TemporaryDirectory() as name, patch.object(run_module, "MOST_IN_BATCH", 2):
        folder, s3 = Path(name), FakeS3()
        codebuild = FakeCodeBuild(mishaps=mishaps)
        stored = StoredRun(fresh(count), s3, Silent(), folder)  # type: ignore[arg-type]
        stored.save(stored.run)
        for pause in pauses:
            try:
                start(stored, codebuild)
                break
            except (AwsError, Crash):
                # Somebody comes back later, and knows what the file says.
                codebuild.wait(pause)
                run_id = stored.run.id
                again = parse_run((folder / f"{run_id}.json").read_bytes(), "")
                stored = StoredRun(again, s3, Silent(), folder)  # type: ignore[arg-type]
        names = [batch.id for batch in stored.run.batches]
        assert None not in names
        assert sorted(filter(None, names)) == sorted(codebuild.started)
        assert len(names) == -(-count // 2)


def test_two_machines_that_start_the_same_run_start_one(tmp_path: Path) -> None:
    codebuild, s3 = FakeCodeBuild(), FakeS3()
    for name in ("here", "there"):
        stored = StoredRun(fresh(3), s3, Silent(), tmp_path / name)  # type: ignore[arg-type]
        start(stored, codebuild)
    assert len(codebuild.started) == 1


def test_no_try_comes_when_the_token_holds_no_more() -> None:
    """Of a call that is never answered the last try, ours and then botocore's own, begins within five minutes."""
    client = AwsSession(endpoint="http://127.0.0.1:9", credentials=("a", "b")).codebuild("eu-central-1")
    config = client._client.meta.config
    tries = config.retries["total_max_attempts"]
    # botocore's standard mode waits up to 2^n seconds after its nth try.
    own = (tries - 1) * (config.connect_timeout + config.read_timeout) + sum(2**n for n in range(tries - 1))
    assert max(starting._PATIENCE.seconds.values()) + own < TOKEN_HOLDS.total_seconds()


def test_a_batch_that_another_machine_made_of_others_is_taken_for_ours(tmp_path: Path) -> None:
    codebuild, s3 = FakeCodeBuild(), FakeS3()
    one = StoredRun(fresh(3), s3, Silent(), tmp_path / "one")  # type: ignore[arg-type]
    start(one, codebuild)
    other = fresh(3).with_batch(1, entries=("b0",))
    stored = StoredRun(other, s3, Silent(), tmp_path / "other")  # type: ignore[arg-type]
    start(stored, codebuild)
    assert stored.run.batches[0].id == one.run.batches[0].id


def test_a_refusal_ends_it_and_says_how_to_go_on(tmp_path: Path) -> None:
    class Refusing(FakeCodeBuild):
        def start_batch(self, *words: Any, **named: Any) -> Batch:
            raise AwsCallError("AWS refused StartBuildBatch", kind=ErrorKind.ACCESS_DENIED, why="not you")

    stored = StoredRun(fresh(1), FakeS3(), Silent(), tmp_path)  # type: ignore[arg-type]
    with pytest.raises(AwsError, match="not you") as caught:
        start(stored, Refusing())
    assert "goes on with the run" in caught.value.todo


def test_many_that_were_lost_are_several_batches() -> None:
    made = run(250).with_new_batches([f"b{number}" for number in range(150)])
    assert [len(batch.entries) for batch in made.batches] == [100, 100, 50, 100, 50]
    assert len({batch.token for batch in made.batches}) == 5
    assert (made.attempt("b0", 1), made.attempt("b0", 4), made.attempt("b249", 5)) == (1, 2, 1)


def test_looking_for_a_batch_ends_where_it_cannot_be_any_more() -> None:
    codebuild = FakeCodeBuild()
    for number in range(300):
        codebuild.wait(60)
        codebuild._start(f"t{number}", number, {BATCH: f"other.{number}"})
    asked: list[str] = []

    class Counting(FakeCodeBuild):
        def batches(self, ids: Sequence[str]) -> list[Batch]:
            asked.extend(ids)
            return super().batches(ids)

    counting = Counting(codebuild.now, codebuild.started)
    made = fresh(1).with_batch(1, asked=codebuild.now)
    assert found_batch(made, made.batches[0], counting) is None  # type: ignore[arg-type]
    assert len(asked) == 100
    assert found_batch(fresh(1), fresh(1).batches[0], counting) is None, "nobody ever asked for it"  # type: ignore[arg-type]


def test_a_batch_whose_start_was_never_answered_is_stopped_too() -> None:
    codebuild = FakeCodeBuild()
    made = fresh(1).with_batch(1, asked=codebuild.now)
    codebuild._start("t", 0, {BATCH: f"{made.id}.1"})
    assert [batch.id for batch in going_on(made, codebuild)] == ["brqos:0"]  # type: ignore[arg-type]
