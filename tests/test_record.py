import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from brqos.architecture import Architecture
from brqos.config.model import BuildSection, BuildSpec, Delivery, UpstreamSpec
from brqos.errors import ConfigurationError
from brqos.record import BuildRecord, StoredBuild, UpstreamRecord, find, load, now, recordable, stored_builds
from brqos.stages import Stage

SPEC = BuildSpec(variant="aws-k8s-1.29", arch=Architecture.X86_64)


def stored(root: Path, name: str, *, rehearsal: bool = False, minute: int = 0) -> StoredBuild:
    time = datetime(2026, 1, 1, 0, minute, tzinfo=UTC)
    record = BuildRecord(
        id=name,
        rehearsal=rehearsal,
        created=time,
        updated=time,
        spec=SPEC,
        variant="aws-k8s-1.29-memoryqos",
        delivery=Delivery.DROP_IN,
        upstream=UpstreamRecord(repository="r", ref="v1.50.0", commit="c" * 40, release="1.50.0"),
        overlay_commit="d" * 40,
        work_tree="/somewhere",
        files=(),
        kubelet_configuration={},
    )
    build = StoredBuild(root / name, record)
    build.save()
    build.record = record
    (root / name / "build.json").write_text(record.model_dump_json())
    return build


def test_a_record_survives_the_disk(tmp_path: Path) -> None:
    written = stored(tmp_path, "a").record
    assert load(tmp_path / "a").record == written
    assert load(tmp_path / "a" / "build.json").record == written


def test_the_latest_is_the_newest_that_is_no_rehearsal(tmp_path: Path) -> None:
    for name, rehearsal, minute in (("a", False, 1), ("b", False, 3), ("c", True, 5)):
        stored(tmp_path, name, rehearsal=rehearsal, minute=minute)
    assert [build.record.id for build in stored_builds(tmp_path)] == ["c", "b", "a"]
    assert find(None, None, tmp_path).record.id == "b"
    assert find("c", None, tmp_path).record.rehearsal
    with pytest.raises(ConfigurationError, match="no build “x”"):
        find("x", None, tmp_path)


def test_a_stage_is_done_only_with_the_same_inputs_and_while_its_files_are_there(tmp_path: Path) -> None:
    build = stored(tmp_path, "a")
    (build.folder / "nodes.yaml").write_text("x")
    build.finish(Stage.NODEGROUP, "inputs", now(), nodegroup=Path("nodes.yaml"))
    again = load(build.folder)
    assert again.is_done(Stage.NODEGROUP, "inputs")
    assert not again.is_done(Stage.NODEGROUP, "others")
    assert not again.is_done(Stage.BUILD, "inputs")
    (build.folder / "nodes.yaml").unlink()
    assert not again.is_done(Stage.NODEGROUP, "inputs")


def test_a_write_that_fails_leaves_the_record_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = stored(tmp_path, "a")
    before = build.file.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(ConfigurationError, match="cannot be written"):
        build.save(log=Path("build.log"))
    assert build.file.read_bytes() == before
    assert [path.name for path in build.folder.iterdir()] == ["build.json"]


def test_secrets_are_not_recorded() -> None:
    spec = SPEC.model_copy(
        update={
            "upstream": UpstreamSpec(repository="https://me:hunter2@git.example/b.git"),
            "build": BuildSection(make_env={"TOKEN": "hunter2"}),
        }
    )
    text = recordable(spec).model_dump_json()
    assert "hunter2" not in text
    assert json.loads(text)["upstream"]["repository"] == "https://git.example/b.git"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"schema-version": 1}', '{"schema-version": 2}'])
def test_what_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "build.json").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path)
    assert str(tmp_path) in caught.value.what
