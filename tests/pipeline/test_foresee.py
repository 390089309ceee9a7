"""What builds will be called is what they are called, and no tree is read twice for it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from brqos.architecture import Architecture
from brqos.config.ami import AmiSpec
from brqos.config.model import BuildSection, BuildSpec, KubeletSpec, UpstreamSpec
from brqos.errors import BrqosError, ConfigurationError
from brqos.monitor import Silent
from brqos.overlay.apply import commit_of, commits_of
from brqos.pipeline import foresee as module
from brqos.pipeline.build import run_build
from brqos.pipeline.foresee import Foreseen, Unforeseen, foresee
from brqos.pipeline.generate import plan
from brqos.pipeline.surroundings import rehearsed
from brqos.rehearsal.miniature import Layout
from brqos.resources import cache_directory
from brqos.upstream.files import Entry, TreeFiles
from brqos.variant import VariantName

pytestmark = pytest.mark.processes


@pytest.fixture
def upstream(miniature: Callable[[Layout], object]) -> UpstreamSpec:
    trees = miniature(Layout.DROP_IN)
    return UpstreamSpec(repository=str(trees.bottlerocket), ref=trees.bottlerocket_tag, core_kit=str(trees.core_kit))  # type: ignore[attr-defined]


def spec(upstream: UpstreamSpec, variant: str = "aws-k8s-1.29", arch: str = "x86_64", **sections: object) -> BuildSpec:
    return BuildSpec.model_validate({"variant": variant, "arch": arch, "upstream": upstream, **sections})


def test_each_tree_is_read_once_and_each_overlay_planned_once(
    upstream: UpstreamSpec, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    counted = dict.fromkeys(("read_source", "plan_variant", "commits_of"), 0)

    def counting(name: str) -> Callable[..., object]:
        original = getattr(module, name)

        def call(*arguments: object, **named: object) -> object:
            counted[name] += 1
            return original(*arguments, **named)

        return call

    for name in counted:
        monkeypatch.setattr(module, name, counting(name))
    specs = [
        spec(upstream, variant, arch, build=BuildSection(pretty_name=name))
        for variant in ("aws-k8s-1.29", "aws-k8s-1.34-nvidia")
        for arch in ("x86_64", "aarch64")
        for name in ("one", "other")
    ]
    found = foresee(specs, tmp_path, Silent())
    assert counted == {"read_source": 1, "plan_variant": 2, "commits_of": 1}
    assert all(isinstance(one, Foreseen) for one in found)
    assert len({one.commit for one in found if isinstance(one, Foreseen)}) == 2
    assert len({one.build for one in found if isinstance(one, Foreseen)}) == 8


def test_all_commits_at_once_are_those_of_one_by_one(upstream: UpstreamSpec, tmp_path: Path) -> None:
    planned = [
        plan(spec(upstream, variant, kubelet=KubeletSpec(throttling_factor=factor)), tmp_path, Silent())
        for variant in ("aws-k8s-1.29", "aws-k8s-1.29-fips", "aws-k8s-1.34")
        for factor in (0.5, 0.9)
    ]
    mirror, overlays = planned[0].mirror.path, [one.overlay for one in planned]
    assert commits_of(overlays, mirror) == [commit_of(overlay, mirror) for overlay in overlays]


@pytest.mark.loopback
@pytest.mark.slow
def test_a_build_gets_the_name_that_was_foreseen(tmp_path: Path) -> None:
    wanted = BuildSpec.model_validate(
        {
            "variant": "aws-k8s-1.29",
            "arch": "aarch64",
            "upstream": {"ref": "v1.50.0"},
            "build": {"make-env": {"BRQOS_REHEARSAL_PACE": "0"}, "pretty-name": "Mine"},
        }
    )
    with rehearsed(wanted) as around:
        # All is as in a rehearsal, but for the mark in the digest and the name.
        around = replace(around, rehearsal=False, spec=around.spec.model_copy(update={"ami": AmiSpec()}))
        (future,) = foresee([around.spec], cache_directory(), Silent())
        record = run_build(around=around, planned=plan(around.spec, around.cache, Silent()), monitor=Silent(),
                           root=tmp_path).record  # fmt: skip
    assert isinstance(future, Foreseen)
    assert (future.build, future.commit) == (record.id, record.overlay_commit)
    assert record.result is not None
    assert future.image_version == record.result.image_version
    assert future.inputs in {stage.inputs for stage in record.stages.values()}


def test_each_has_its_own_error(upstream: UpstreamSpec, tmp_path: Path) -> None:
    nowhere = upstream.model_copy(update={"repository": str(tmp_path / "none")})
    good, absent, bad, lost = foresee(
        [
            spec(upstream),
            spec(upstream, "aws-k8s-1.50"),
            spec(upstream, build=BuildSection(make_env={"BUILDSYS_ARCH": "x"})),
            spec(nowhere),
        ],
        tmp_path,
        Silent(),
    )
    assert isinstance(good, Foreseen)
    assert isinstance(absent, ConfigurationError)
    assert "has no variant aws-k8s-1.50" in absent.what
    assert isinstance(bad, ConfigurationError)
    assert isinstance(lost, BrqosError)
    assert "there is no folder" in lost.what


def test_without_a_mirror_nothing_is_fetched_offline(tmp_path: Path) -> None:
    (future,) = foresee([spec(UpstreamSpec(ref="v1.50.0", offline=True))], tmp_path, Silent())
    assert isinstance(future, Unforeseen)
    assert "not mirrored yet" in future.reason
    assert not list(tmp_path.rglob("HEAD"))


def test_without_the_keys_there_is_no_name(upstream: UpstreamSpec, tmp_path: Path) -> None:
    (future,) = foresee([spec(upstream, build=BuildSection(sbkeys_profile=tmp_path / "keys"))], tmp_path, Silent())
    assert isinstance(future, Foreseen)
    assert (future.build, future.inputs) == ("", "")
    assert future.commit


def test_native_builds_nothing(miniature: Callable[[Layout], object], tmp_path: Path) -> None:
    trees = miniature(Layout.NATIVE)
    upstream = UpstreamSpec(
        repository=str(trees.bottlerocket),  # type: ignore[attr-defined]
        ref=trees.bottlerocket_tag,  # type: ignore[attr-defined]
        core_kit=str(trees.core_kit),  # type: ignore[attr-defined]
    )
    assert foresee([spec(upstream, "aws-k8s-1.37")], tmp_path, Silent()) == [Foreseen("1.66.0", native=True)]


def test_a_variant_that_is_not_for_the_architecture(upstream: UpstreamSpec, tmp_path: Path) -> None:
    tree = plan(spec(upstream), tmp_path, Silent()).tree
    variant = VariantName.parse("aws-k8s-1.29")
    tree.require_architecture(variant, Architecture.AARCH64)
    path = "variants/aws-k8s-1.29/Cargo.toml"
    text = tree.files.text(path).replace(
        "[package.metadata.build-variant]", '[package.metadata.build-variant]\nsupported-arches = ["x86_64"]'
    )
    files = TreeFiles(tree.label, {**tree.files.entries, path: Entry("100644", text.encode())})
    only = replace(tree, files=files)
    only.require_architecture(variant, Architecture.X86_64)
    with pytest.raises(ConfigurationError, match=r"builds aws-k8s-1\.29 for x86_64 only, not for aarch64"):
        only.require_architecture(variant, Architecture.AARCH64)
