"""The build record: one JSON per build, which later commands and later CI jobs go on from.

`.brqos/builds/<id>/build.json`. Paths in it are relative to its folder, so the folder can be carried to another
machine. Only the pipeline writes it. It holds no secrets: values of `make-env` and logins in URLs are left out.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, JsonValue, ValidationError

from brqos import __version__
from brqos.ami.model import RegionAmi
from brqos.config.base import Model
from brqos.config.model import BuildSpec, Delivery, Engine
from brqos.errors import ConfigurationError
from brqos.files import write_atomically
from brqos.image.model import BuildResult
from brqos.stages import Stage
from brqos.upstream.mirror import without_credentials
from brqos.upstream.pins import Pins

SCHEMA_VERSION: Final = 1
FILE = "build.json"
BUILDS = Path(".brqos/builds")
REHEARSAL_PREFIX = "rehearsal-"
_NAME_ANOTHER = "Name the build.json that `brqos build` wrote, or its folder."


class StageRecord(Model):
    """A finished stage: `inputs` is the digest of all that it depends on, so an unchanged stage can be skipped."""

    inputs: str
    started: datetime
    finished: datetime

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.finished - self.started).total_seconds()


class UpstreamRecord(Model):
    """Where the source came from; of a repacked image `repository` and `ref` are empty, and `commit` is what it says.

    `release` is Bottlerocket's, `1.50.0`.
    """

    repository: str
    ref: str
    commit: str
    release: str


class CoreKitRecord(Model):
    """The core kit that was read."""

    version: str
    commit: str


class FileRecord(Model):
    """A file of the overlay, or one that was changed in an image."""

    path: str
    operation: str
    sha256: str


class InputRecord(Model):
    """An image that was repacked: SHA-256 and size of what is in the file, `.img` or `.img.lz4`."""

    file: str
    sha256: str
    bytes: int


class RepackRecord(Model):
    """What a repacked image was made of, and what was done with it.

    `official` is how an official image was verified (brqos.image.official), None for an image that was given.
    `changes` are lines that a person can check; `checks` what each independent tool said.
    """

    inputs: tuple[InputRecord, ...]
    official: dict[str, JsonValue] | None = None
    signed: bool
    changes: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


class OriginRecord(Model):
    """What made the images, kept since another machine or another brqos may write down where they come from.

    `builder` and `invocation` are URIs (brqos.provenance.builder), `brqos_sha256` is the digest of brqos's own files,
    `pins` are None for a repacked image, `log_sha256` is None where there is no log. `parameters` and `tools` are those
    of the run that made the images: a later one, which finds them made, may be asked for other things with other tools.
    """

    builder: str
    invocation: str = ""
    brqos: str
    brqos_sha256: str
    pins: Pins | None = None
    log_sha256: str | None = None
    parameters: dict[str, JsonValue] | None = None
    tools: dict[str, str] | None = None


class AttestedRecord(Model):
    """The documents about the images, and per region the AMI that has their hashes as tags."""

    sbom_sha256: str
    provenance_sha256: str
    tagged: dict[str, str] = Field(default_factory=dict)


class BuildRecord(Model):
    """All that is known about one build."""

    schema_version: Literal[1] = SCHEMA_VERSION
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,127}$")
    brqos: str = __version__
    rehearsal: bool = False
    created: datetime
    updated: datetime
    spec: BuildSpec
    variant: str
    engine: Engine = Engine.SOURCE
    delivery: Delivery
    upstream: UpstreamRecord
    core_kit: CoreKitRecord | None = None
    overlay_commit: str = ""
    work_tree: str = ""
    repack: RepackRecord | None = None
    files: tuple[FileRecord, ...]
    kubelet_configuration: dict[str, JsonValue]
    tools: dict[str, str] = Field(default_factory=dict)
    log: Path | None = None
    result: BuildResult | None = None
    amis: dict[str, RegionAmi] = Field(default_factory=dict)
    nodegroup: Path | None = None
    stages: dict[Stage, StageRecord] = Field(default_factory=dict)
    origin: OriginRecord | None = None
    attested: AttestedRecord | None = None


class StoredBuild:
    """A record and the folder that it is in; the folder's files are what its relative paths mean."""

    def __init__(self, folder: Path, record: BuildRecord) -> None:
        self.folder = folder
        self.record = record

    @property
    def file(self) -> Path:
        """The record's file."""
        return self.folder / FILE

    def path(self, relative: Path) -> Path:
        """A path of the record as it is on this machine."""
        return self.folder / relative

    def reload(self) -> None:
        """Read the record again, as somebody else may have left it."""
        self.record = load(self.file).record

    def save(self, **changes: object) -> None:
        """Put changes into the record and write it atomically."""
        self.record = self.record.model_copy(update={**changes, "updated": now()})
        write_atomically(self.file, self.record.model_dump_json(indent=2) + "\n")

    def is_done(self, stage: Stage, inputs: str) -> bool:
        """Whether the stage was finished with just these inputs, and what it left is still there."""
        done = self.record.stages.get(stage)
        return done is not None and done.inputs == inputs and all(path.exists() for path in self._left_by(stage))

    def finish(self, stage: Stage, inputs: str, started: datetime, **changes: object) -> None:
        """Record that a stage is done, with what it made."""
        done = StageRecord(inputs=inputs, started=started, finished=now())
        self.save(stages={**self.record.stages, stage: done}, **changes)

    def _left_by(self, stage: Stage) -> list[Path]:
        if stage is Stage.BUILD:
            images = self.record.result.images if self.record.result else ()
            return [self.path(image.file) for image in images]
        if stage is Stage.NODEGROUP and self.record.nodegroup:
            return [self.path(self.record.nodegroup)]
        return []


def now() -> datetime:
    """The time, in UTC and whole seconds, as records have it."""
    return datetime.now(UTC).replace(microsecond=0)


def load(file: Path) -> StoredBuild:
    """Read a record by its file or its folder; raises ConfigurationError if it is none, or from a newer brqos."""
    path = file / FILE if file.is_dir() else file
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no build record {path}", todo="`brqos status` lists the builds of this folder."
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} is not a build record", why=str(error), todo=_NAME_ANOTHER) from None
    version = content.get("schema-version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise ConfigurationError(
            f"{path} was written by a newer brqos (schema {version}, this one knows {SCHEMA_VERSION})",
            todo="Update brqos.",
        )
    try:
        record = BuildRecord.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"])) or "the file"
        raise ConfigurationError(
            f"{path} is not a build record", why=f"{key}: {problem['msg']}", todo=_NAME_ANOTHER
        ) from None
    return StoredBuild(path.parent, record)


def stored_builds(root: Path = BUILDS) -> Iterator[StoredBuild]:
    """All builds of a folder, newest first; a broken record is passed over (broken_records tells of it)."""
    found = [stored for stored in map(_loaded, root.glob(f"*/{FILE}")) if isinstance(stored, StoredBuild)]
    yield from sorted(found, key=lambda build: build.record.updated, reverse=True)


def broken_records(root: Path = BUILDS) -> list[ConfigurationError]:
    """Why each record of a folder that cannot be read cannot be read."""
    return [error for error in map(_loaded, root.glob(f"*/{FILE}")) if isinstance(error, ConfigurationError)]


def _loaded(file: Path) -> StoredBuild | ConfigurationError:
    try:
        return load(file)
    except ConfigurationError as error:
        return error


def find(build: str | None, record: Path | None, root: Path = BUILDS) -> StoredBuild:
    """The build that `--build` or `--record` names, else the latest one that is no rehearsal."""
    if record is not None:
        return load(record)
    if build is not None:
        if not (root / build / FILE).is_file():
            known = ", ".join(stored.record.id for stored in stored_builds(root)) or "none"
            raise ConfigurationError(
                f"there is no build “{build}”",
                why=f"Builds of this folder: {known}.",
                todo="Name one of them, or another folder's record with --record FILE.",
            )
        return load(root / build)
    for stored in stored_builds(root):
        # A rehearsal made no real image and no real AMI: it is never what “the latest build” means.
        if not stored.record.rehearsal:
            return stored
    raise ConfigurationError(
        "there is no build in this folder yet",
        why=f"Looked in {root}/; rehearsals do not count.",
        todo="Run `brqos build` here first, or name a record with --record FILE or a rehearsal with --build ID.",
    )


def recordable(spec: BuildSpec) -> BuildSpec:
    """The spec without what must not be written down: values of make-env, and logins in URLs."""
    upstream = spec.upstream.model_copy(
        update={
            "repository": without_credentials(spec.upstream.repository),
            "core_kit": without_credentials(spec.upstream.core_kit),
        }
    )
    hidden: Mapping[str, str] = dict.fromkeys(spec.build.make_env, "(not recorded)")
    return spec.model_copy(
        update={"upstream": upstream, "build": spec.build.model_copy(update={"make_env": dict(hidden)})}
    )
