"""Whether a record is the build that is wanted, with upstream's tree and without it."""

from pathlib import Path
from typing import Any

import pytest

from brqos.architecture import Architecture
from brqos.config.model import BuildSection, BuildSpec, Delivery, Engine, KubeletSpec, UpstreamSpec
from brqos.config.repack import RepackSpec
from brqos.fleet.sameness import is_same, not_compared, wanted_release
from brqos.image.official.fetch import OfficialImage, OfficialImages, Repository
from brqos.pipeline.foresee import Foreseen, Unforeseen
from brqos.pipeline.generate import settings_of
from brqos.pipeline.identity import repack_inputs
from brqos.pipeline.repack import Sources
from brqos.pipeline.repack import inputs_of as inputs_of_repack
from brqos.record import BuildRecord, RepackRecord, StageRecord
from brqos.stages import Stage
from fleet.builds import TIME, foreseen, repacked, spec, stored

UNKNOWN = Unforeseen("no mirror")
ENVIRONMENT = {"BUILDSYS_UPSTREAM_SOURCE_FALLBACK": "true"}

OTHERS: list[dict[str, Any]] = [
    {"arch": Architecture.AARCH64},
    {"variant": "aws-k8s-1.30"},
    {"kubelet": KubeletSpec(throttling_factor=0.8)},
    {"kubelet": KubeletSpec(feature_gates={"A": True})},
    {"build": BuildSection(pretty_name="another")},
    {"build": BuildSection(make_env={"BUILDSYS_UPSTREAM_SOURCE_FALLBACK": "false"})},
    {"build": BuildSection(make_env={**ENVIRONMENT, "MORE": "x"})},
]
# With the tree these show in the overlay's commit, which the test's outlook does not have.
OF_THE_TREE: list[dict[str, Any]] = [
    {"build": BuildSection(delivery=Delivery.TEMPLATE, make_env=ENVIRONMENT)},
    {"build": BuildSection(bake=True, make_env=ENVIRONMENT)},
    {"upstream": UpstreamSpec(ref="v1.49.0")},
    {"upstream": UpstreamSpec(ref="develop")},
    {"upstream": UpstreamSpec(ref="e" * 40)},
    {"upstream": UpstreamSpec(ref="v1.50.0", repository="https://example.com/b.git")},
    {"upstream": UpstreamSpec(ref="v1.50.0", core_kit="https://example.com/k.git")},
    {"upstream": UpstreamSpec(ref="v1.50.0", core_kit_ref="v10.9.0")},
]


def usual(**sections: Any) -> BuildSpec:
    return spec(**{"build": BuildSection(make_env=ENVIRONMENT), **sections})


@pytest.fixture
def record(tmp_path: Path) -> BuildRecord:
    return stored(tmp_path, usual()).record


@pytest.mark.parametrize("ref", ["v1.50.0", "1.50.0", "c" * 40])
def test_the_same_wishes_are_the_same_build(record: BuildRecord, ref: str) -> None:
    wanted = usual(upstream=UpstreamSpec(ref=ref))
    assert is_same(wanted, foreseen(wanted), record)
    assert is_same(wanted, UNKNOWN, record)
    # How fast it is built changes nothing of it.
    faster = usual(build=BuildSection(make_env=ENVIRONMENT, jobs=4))
    assert is_same(faster, foreseen(faster), record)
    assert is_same(faster, UNKNOWN, record)


@pytest.mark.parametrize("changed", OTHERS)
def test_other_inputs_are_another_build(record: BuildRecord, changed: dict[str, Any]) -> None:
    wanted = usual(**changed)
    future = foreseen(wanted) if "kubelet" not in changed else foreseen(wanted, "e" * 40)
    assert not is_same(wanted, future, record)
    assert not is_same(wanted, UNKNOWN, record)


@pytest.mark.parametrize("changed", OF_THE_TREE)
def test_without_the_tree_whatever_may_change_the_overlay_counts(record: BuildRecord, changed: dict[str, Any]) -> None:
    assert not is_same(usual(**changed), UNKNOWN, record)


def test_what_is_not_finished_rehearsed_or_of_another_brqos(record: BuildRecord) -> None:
    wanted = usual()
    for changes in ({"stages": {}}, {"rehearsal": True}, {"engine": Engine.REPACK}):
        other = record.model_copy(update=changes)
        assert not is_same(wanted, foreseen(wanted), other)
        assert not is_same(wanted, UNKNOWN, other)
    assert not is_same(wanted, UNKNOWN, record.model_copy(update={"brqos": "0.0.1"}))
    moved = record.model_copy(update={"upstream": record.upstream.model_copy(update={"ref": "develop"})})
    assert not is_same(wanted, UNKNOWN, moved), "a branch's tree says a release too"


def test_keys_that_are_not_here_are_not_compared(record: BuildRecord, tmp_path: Path) -> None:
    wanted = usual(build=BuildSection(make_env=ENVIRONMENT, sbkeys_profile=tmp_path / "keys"))
    without = Foreseen("1.50.0", "d" * 40)
    assert not is_same(wanted, without, record)
    assert not is_same(wanted, UNKNOWN, record)
    for outlook in (without, UNKNOWN):
        assert "PK.crt" in not_compared(wanted, outlook)


def test_it_is_said_what_was_not_compared() -> None:
    assert not_compared(spec(), foreseen(spec())) == ""
    assert "v1.50.0 is still the same commit" in not_compared(spec(), UNKNOWN)
    assert "x.img was not read" in not_compared(spec(**repacked(image="x.img")), None)
    assert "newest" in not_compared(spec(**repacked(release="newest")), None)
    assert "by their records" in not_compared(spec(**repacked()), None)


@pytest.mark.parametrize(
    ("sections", "release"),
    [
        ({}, "1.50.0"),
        ({"upstream": UpstreamSpec(ref="develop")}, None),
        (repacked(), "1.50.0"),
        (repacked(release="1.49.0"), "1.49.0"),
        (repacked(release="newest"), None),
    ],
)
def test_the_release_that_is_asked_for(sections: dict[str, Any], release: str | None) -> None:
    assert wanted_release(spec(**sections)) == release


def official(release: str = "1.50.0") -> OfficialImages:
    def image(digit: str) -> OfficialImage:
        return OfficialImage(
            file=Path("x"), target="x", address="x", file_sha256=digit * 64, file_bytes=1, from_cache=False
        )

    repository = Repository(
        metadata="m", targets="t", root_sha512="f" * 128, root_origin="o", root_version=1, timestamp_version=1,
        snapshot_version=1, targets_version=1, expires=TIME,
    )  # fmt: skip
    return OfficialImages(
        variant="aws-k8s-1.29", architecture=Architecture.X86_64, version=release, build="abc", os=image("1"),
        data=image("2"), repository=repository,
    )  # fmt: skip


def record_of_repacked(wanted: BuildSpec, folder: Path, **repack: Any) -> BuildRecord:
    images = official()
    inputs = repack_inputs(wanted, settings_of(wanted), images.os.file_sha256, images.data.file_sha256)
    kept = RepackRecord(inputs=(), official=images.model_dump(mode="json"), signed=False)
    return stored(folder, wanted).record.model_copy(
        update={
            "engine": Engine.REPACK,
            "repack": kept.model_copy(update=repack),
            "stages": {Stage.BUILD: StageRecord(inputs=inputs, started=TIME, finished=TIME)},
        }
    )


def test_the_repack_engine_gives_the_same_digest() -> None:
    """pipeline.repack makes its own: the two must never differ."""
    images = official()
    wanted = spec(**repacked(switch_updates_off=True), kubelet=KubeletSpec(throttling_factor=0.5))
    from brqos.monitor import Silent

    theirs = inputs_of_repack(wanted, Sources(Path("x"), Path("y"), images), Silent())
    ours = repack_inputs(wanted, settings_of(wanted), images.os.file_sha256, images.data.file_sha256)
    assert theirs == ours


def test_a_repacked_official_image_is_known_by_its_record(tmp_path: Path) -> None:
    wanted = spec(**repacked())
    record = record_of_repacked(wanted, tmp_path)
    assert is_same(wanted, None, record)
    assert is_same(spec(**repacked(release="1.50.0", lz4_level=9)), None, record)


@pytest.mark.parametrize(
    "changed",
    [
        repacked(release="newest"),
        repacked(release="1.49.0"),
        repacked(image="x.img"),
        repacked(switch_updates_off=True),
        repacked(tuf_root="root.json"),
        repacked(tuf_root="root.json", tuf_root_sha512="a" * 128),
        {**repacked(), "kubelet": KubeletSpec(throttling_factor=0.5)},
        {"build": BuildSection(engine=Engine.REPACK, bake=True), "repack": RepackSpec(unsigned=True)},
        {"upstream": UpstreamSpec(ref="develop"), **repacked()},
        {},
    ],
)
def test_another_repacked_image_is_another(tmp_path: Path, changed: dict[str, Any]) -> None:
    assert not is_same(spec(**changed), None, record_of_repacked(spec(**repacked()), tmp_path))


@pytest.mark.parametrize("kept", [{"official": None}, {"official": {}}, {"official": {"os": "x"}}])
def test_a_record_that_does_not_tell_the_official_image(tmp_path: Path, kept: dict[str, Any]) -> None:
    wanted = spec(**repacked())
    assert not is_same(wanted, None, record_of_repacked(wanted, tmp_path, **kept))
