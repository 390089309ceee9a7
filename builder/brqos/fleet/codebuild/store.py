"""Where runs are kept: a file in this folder, and a copy in the bucket for other machines."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from brqos.aws.errors import AwsCallError
from brqos.aws.s3 import S3
from brqos.errors import ConfigurationError
from brqos.files import write_atomically
from brqos.fleet.codebuild.place import RUNS
from brqos.fleet.codebuild.run import ID_PATTERN, SCHEMA_VERSION, Run
from brqos.monitor import Monitor

FOLDER = Path(".brqos/runs")


@dataclass
class StoredRun:
    """A run and where it is kept; every change is written here before it is written there."""

    run: Run
    s3: S3
    monitor: Monitor
    folder: Path = FOLDER
    _behind: bool = False

    @property
    def logs(self) -> Path:
        """Where the logs of builds that failed are put."""
        return self.folder / self.run.id

    def save(self, run: Run, *, shared: bool = True) -> None:
        """Keep a change; `shared` puts it into the bucket too, where failing to is told once, and made good later."""
        self.run = run
        text = run.model_dump_json(indent=2) + "\n"
        write_atomically(self.folder / f"{run.id}.json", text)
        if shared or self._behind:
            self._share(text)

    def publish(self) -> None:
        """Put it into the bucket; raises AwsCallError: before anything is started it has to be there."""
        self.s3.put(self.run.bucket, run_key(self.run.id), self.run.model_dump_json(indent=2).encode())

    def newer(self) -> Run | None:
        """The run as another machine left it, if that has started more batches of it; raises AwsCallError."""
        found = fetch_run(self.s3, self.run.bucket, self.run.id)
        return found if found is not None and len(found.batches) > len(self.run.batches) else None

    def _share(self, text: str) -> None:
        try:
            self.s3.put(self.run.bucket, run_key(self.run.id), text.encode())
            self._behind = False
        except AwsCallError as error:
            if not self._behind:
                self.monitor.warn(f"the run's copy in the bucket is behind: {error.what}")
            self._behind = True


def run_key(run_id: str) -> str:
    """Where a run lies in the bucket."""
    return f"{RUNS}/{run_id}/run.json"


def fetch_run(s3: S3, bucket: str, run_id: str) -> Run | None:
    """A run from the bucket; None if it is not there. Raises AwsCallError, and ConfigurationError for a broken one."""
    check_id(run_id)
    try:
        data = s3.get(bucket, run_key(run_id))
    except AwsCallError as error:
        if error.code != "NoSuchBucket":
            raise
        return None
    return None if data is None else parse_run(data, f"s3://{bucket}/{run_key(run_id)}")


def load_run(run_id: str, folder: Path = FOLDER) -> Run | None:
    """A run of this folder; None if it is not there. Raises ConfigurationError for a broken one, or a wrong id."""
    check_id(run_id)
    file = folder / f"{run_id}.json"
    try:
        return parse_run(file.read_bytes(), str(file))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read", why=str(error), todo="Make it readable.") from None


def runs_here(monitor: Monitor, folder: Path = FOLDER) -> Iterator[Run]:
    """All runs of this folder, the newest first; one that cannot be read is told."""
    found = []
    for file in folder.glob("*.json"):
        try:
            found.append(parse_run(file.read_bytes(), str(file)))
        except (ConfigurationError, OSError) as error:
            monitor.warn(str(error).replace("\n", " "))
    yield from sorted(found, key=lambda run: (run.created, run.id), reverse=True)


def parse_run(data: bytes, where: str) -> Run:
    """A run from its file; raises ConfigurationError that names the file."""
    try:
        content = json.loads(data)
        version = content.get("schema-version") if isinstance(content, dict) else None
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise ConfigurationError(f"{where} was written by a newer brqos", todo="Update brqos.")
        return Run.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"])) or "the file"
        raise ConfigurationError(f"{where} is not a run of brqos", why=f"{key}: {problem['msg']}") from None
    except ValueError as error:
        raise ConfigurationError(f"{where} is not a run of brqos", why=str(error)) from None


def check_id(run_id: str) -> None:
    """Raise ConfigurationError for what cannot be the id of a run, before it becomes part of a path."""
    if not re.fullmatch(ID_PATTERN, run_id):
        raise ConfigurationError(
            f"“{run_id}” is not the id of a run",
            why="It has eight hexadecimal digits, a dash and a number, such as 1a2b3c4d-1.",
            todo="`brqos status` lists the runs of this folder.",
        )
