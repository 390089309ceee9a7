"""What comes back is put where it belongs, whatever the bucket says."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.s3 import StoredObject
from brqos.errors import ConfigurationError
from brqos.fleet.codebuild.bringing import Source, bring, cleared, explain
from brqos.fleet.codebuild.run import Run, Verdict
from brqos.fleet.codebuild.state import Watched
from brqos.monitor import Silent
from brqos.record import load
from fleet import builds
from fleet.codebuild.parts import RUN, run

PREFIX = f"runs/{RUN}/results/b0/1/"
TIME = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class FakeS3:
    objects: dict[str, bytes] = field(default_factory=dict)

    def listed(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        return (
            StoredObject(key, len(data), TIME) for key, data in sorted(self.objects.items()) if key.startswith(prefix)
        )

    def get(self, bucket: str, key: str) -> bytes | None:
        return self.objects.get(key)

    def download(self, bucket: str, key: str, file: Path, on_bytes: object = None) -> None:
        file.write_bytes(self.objects[key])


@dataclass
class FakeLogs:
    lines: list[str] = field(default_factory=list)
    fails: bool = False

    def tail(self, group: str, stream: str, lines: int) -> list[str]:
        if self.fails:
            raise AwsCallError("no", kind=ErrorKind.THROTTLED)
        return self.lines[-lines:]


@pytest.fixture
def s3(tmp_path: Path) -> FakeS3:
    stored = builds.stored(tmp_path / "of-builder", builds.spec())
    return FakeS3({PREFIX + "build.json": stored.file.read_bytes(), PREFIX + "build.log": b"all\n"})


def a_run() -> Run:
    return run().with_entry("b0", verdict=Verdict.BUILT, expected=builds.foreseen(builds.spec()).build)


def brought(s3: FakeS3, root: Path) -> str:
    made = a_run()
    return bring(made, made.entry("b0"), Source(s3, FakeLogs()), root).record  # type: ignore[arg-type]


def test_the_record_comes_into_its_own_folder(s3: FakeS3, tmp_path: Path) -> None:
    name = brought(s3, tmp_path / "builds")
    assert load(tmp_path / "builds" / name).record.id == name
    assert (tmp_path / "builds" / name / "build.log").read_text() == "all\n"
    assert [file.name for file in (tmp_path / "builds").iterdir()] == [name]


@pytest.mark.parametrize(
    "key",
    ["../../evil", "a/../../evil", "/etc/evil", ".hidden/evil", "a//evil", "a/b/c/d/e/evil", "ev il", "ev\nil", ""],
)
def test_keys_name_no_other_place(s3: FakeS3, tmp_path: Path, key: str) -> None:
    s3.objects[PREFIX + key] = b"evil"
    brought(s3, tmp_path / "builds")
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and file.read_bytes() == b"evil"]


@pytest.mark.parametrize(("key", "value"), [("id", "another-build"), ("id", "../../evil"), ("rehearsal", True)])
def test_a_record_of_another_build_is_refused(s3: FakeS3, tmp_path: Path, key: str, value: Any) -> None:
    record = json.loads(s3.objects[PREFIX + "build.json"])
    s3.objects[PREFIX + "build.json"] = json.dumps({**record, key: value}).encode()
    with pytest.raises(ConfigurationError):
        brought(s3, tmp_path / "builds")
    assert not list((tmp_path / "builds").iterdir())


def test_what_is_newer_here_stays(s3: FakeS3, tmp_path: Path) -> None:
    root = tmp_path / "builds"
    here = load(root / brought(s3, root))
    here.save(log=Path("mine.log"))
    record = json.loads(s3.objects[PREFIX + "build.json"])
    s3.objects[PREFIX + "build.json"] = json.dumps({**record, "updated": "2020-01-01T00:00:00Z"}).encode()
    brought(s3, root)
    assert load(here.folder).record.log == Path("mine.log")


def test_what_is_older_here_gives_way(s3: FakeS3, tmp_path: Path) -> None:
    root = tmp_path / "builds"
    name = brought(s3, root)
    record = json.loads(s3.objects[PREFIX + "build.json"])
    s3.objects[PREFIX + "build.json"] = json.dumps({**record, "updated": "2099-01-01T00:00:00Z"}).encode()
    brought(s3, root)
    assert load(root / name).record.updated.year == 2099


def test_a_folder_that_holds_something_else_is_left_alone(s3: FakeS3, tmp_path: Path) -> None:
    folder = tmp_path / "builds" / builds.foreseen(builds.spec()).build
    folder.mkdir(parents=True)
    (folder / "build.json").write_text("not a record")
    brought(s3, tmp_path / "builds")
    assert (folder / "build.json").read_text() == "not a record"


def test_no_link_leads_elsewhere(s3: FakeS3, tmp_path: Path) -> None:
    folder = tmp_path / "builds" / builds.foreseen(builds.spec()).build
    folder.mkdir(parents=True)
    (folder / "images").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    s3.objects[PREFIX + "images/os.img"] = b"evil"
    with pytest.raises(ConfigurationError, match="lies below one"):
        brought(s3, tmp_path / "builds")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_nothing_to_build_is_told_apart_from_nothing_left(tmp_path: Path) -> None:
    made = a_run()
    native = FakeS3({PREFIX + "outcome.json": b'{"native": true}'})
    assert bring(made, made.entry("b0"), Source(native, FakeLogs()), tmp_path).native  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="left no record"):
        bring(made, made.entry("b0"), Source(FakeS3(), FakeLogs()), tmp_path)  # type: ignore[arg-type]


def explained(s3: FakeS3, logs: FakeLogs, folder: Path) -> Any:
    made, watched = a_run(), Watched("b0", "x0", 1, build="brqos:u0", message="COMMAND_EXECUTION_ERROR: exit status 6")
    return explain(made, made.entry("b0"), watched, Source(s3, logs), folder)  # type: ignore[arg-type]


def test_a_failure_is_told_by_its_own_words_else_by_its_log(tmp_path: Path) -> None:
    printed = ["::brqos:: Building", "noise", "::brqos:: error: it cannot be"]
    found = explained(FakeS3(), FakeLogs(printed), tmp_path)
    assert "COMMAND_EXECUTION_ERROR" in found.why
    assert "it cannot be" in found.why
    assert Path(found.log).read_text().splitlines() == printed
    told = {"error": {"what": "the disk is full", "why": "The whole log: /gone", "todo": "Make room."}}
    s3 = FakeS3(
        {PREFIX + "outcome.json": json.dumps(told).encode(), PREFIX + "build.log": b"no space left on device\n"}
    )
    found = explained(s3, FakeLogs(printed), tmp_path)
    assert found.why == "the disk is full\nMake room."
    assert "no space left on device" in Path(found.log).read_text()


def test_a_failure_of_which_nothing_is_known_is_one_all_the_same(tmp_path: Path) -> None:
    found = explained(FakeS3({PREFIX + "outcome.json": b"{"}), FakeLogs(fails=True), tmp_path)
    assert found.why == "COMMAND_EXECUTION_ERROR: exit status 6"
    assert found.log == ""


def test_only_what_is_long_abandoned_is_removed(tmp_path: Path) -> None:
    """Another terminal may follow the same run, and be bringing something just now."""
    for name in (".incoming-old", ".incoming-new", "build"):
        (tmp_path / name).mkdir()
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(tmp_path / ".incoming-old", (long_ago, long_ago))
    cleared(tmp_path, Silent())
    assert sorted(folder.name for folder in tmp_path.iterdir()) == [".incoming-new", "build"]


def test_a_record_of_another_brqos_is_told_with_its_place(s3: FakeS3, tmp_path: Path) -> None:
    record = json.loads(s3.objects[f"{PREFIX}build.json"])
    s3.objects[f"{PREFIX}build.json"] = json.dumps({**record, "of-tomorrow": 1}).encode()
    with pytest.raises(
        ConfigurationError, match=f"ended well, but the record in s3://.*/{PREFIX} cannot be read"
    ) as error:
        bring(run(), run().entries[0], Source(s3, None), tmp_path / "builds")  # type: ignore[arg-type]
    assert "of-tomorrow" in error.value.why
    assert list((tmp_path / "builds").iterdir()) == []
