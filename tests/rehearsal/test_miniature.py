"""The miniature trees are what they stand for: Cargo, git and RPM's own rules hold in them."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from posixpath import normpath

import pytest

from brqos import process
from brqos.errors import ConfigurationError
from brqos.rehearsal.miniature import Entry, Layout, bottlerocket, core_kit, write_repository
from brqos.variant import VariantName
from conftest import MiniatureRepositories

LAYOUTS = pytest.mark.parametrize("layout", Layout)
SPEC = "packages/settings-defaults/settings-defaults.spec"


def _toml(tree: dict[str, Entry], path: str) -> dict:
    return tomllib.loads(tree[path].text)


@LAYOUTS
def test_each_workspace_member_is_there(layout: Layout) -> None:
    tree = bottlerocket(layout)
    for workspace in ("", "sources/"):
        for member in _toml(tree, f"{workspace}Cargo.toml")["workspace"]["members"]:
            crate = _toml(tree, f"{workspace}{member}/Cargo.toml")
            folder = PurePosixPath(f"{workspace}{member}")
            assert normpath(folder / crate["package"]["build"]) in tree
            assert normpath(folder / crate["lib"]["path"]) in tree


@LAYOUTS
def test_each_symlink_leads_to_a_file(layout: Layout) -> None:
    tree = bottlerocket(layout)
    links = {path: entry for path, entry in tree.items() if entry.is_symlink}
    assert links
    for path, entry in links.items():
        target = normpath(PurePosixPath(path).parent / entry.text)
        assert target in tree, f"{path} -> {entry.text}"
        assert not tree[target].is_symlink


@LAYOUTS
def test_lock_names_what_the_workspace_has(layout: Layout) -> None:
    tree = bottlerocket(layout)
    lock = _toml(tree, "Cargo.lock")
    names = [package["name"] for package in lock["package"]]
    assert lock["version"] == layout.traits.lock
    assert names == sorted(names)
    crates = {
        _toml(tree, path)["package"]["name"]
        for path in tree
        if re.fullmatch(r"(variants|packages)/.*/Cargo.toml", path)
    }
    assert set(names) == crates


@LAYOUTS
def test_every_variant_has_exactly_one_provider(layout: Layout) -> None:
    tree = bottlerocket(layout)
    provided = re.findall(r"^Provides: %\{_cross_os\}settings-defaults\((?!any)(.+)\)$", tree[SPEC].text, re.MULTILINE)
    assert sorted(provided) == sorted(
        {path.split("/")[1] for path in tree if re.fullmatch(r"variants/[^/]+/Cargo.toml", path)}
    )
    required = re.findall(r"variant\((.+?)\)", tree[SPEC].text)
    assert sorted(required) == sorted(provided)


def test_requires_come_in_all_of_upstreams_forms() -> None:
    early, middle = bottlerocket(Layout.EARLY)[SPEC].text, bottlerocket(Layout.MIDDLE)[SPEC].text
    assert "\nRequires: %{_cross_os}variant(aws-k8s-1.26)\n" in early
    assert "\nRequires: (%{_cross_os}variant(aws-k8s-1.24) or %{_cross_os}variant(aws-k8s-1.25))\n" in early
    assert re.search(r"^Requires: \(%\{shrink:\n           %\{_cross_os\}variant\(aws-k8s-1.27\)", early, re.MULTILINE)
    assert "%{_cross_os}variant(aws-k8s-1.28)      or\n" in middle
    assert {len(blanks) for blanks in re.findall(r"^( +)%\{nil\}\}\)$", middle, re.MULTILINE)} == {10, 11}


def test_subpackage_serves_variants_of_other_names() -> None:
    spec = bottlerocket(Layout.DROP_IN)[SPEC].text
    package = spec[spec.index("%package aws-k8s-1.31\n") : spec.index("%description aws-k8s-1.31\n")]
    assert "settings-defaults(aws-k8s-1.29-fips)" in package
    assert "%package aws-k8s-1.29" not in spec


@pytest.mark.parametrize(
    ("layout", "minor", "gates"),
    [
        (Layout.EARLY, "1.26", ["RotateKubeletServerCertificate", "CSIMigration", "CSIMigrationAWS"]),
        (Layout.EARLY, "1.27", ["RotateKubeletServerCertificate"]),
        (Layout.MIDDLE, "1.32", []),
        (Layout.DROP_IN, "1.31", []),
        (Layout.DROP_IN, "1.33", ["DynamicResourceAllocation"]),
        (Layout.NATIVE, "1.37", ["DynamicResourceAllocation", "MutableCSINodeAllocatableCount"]),
    ],
)
def test_feature_gates_are_upstreams(layout: Layout, minor: str, gates: list[str]) -> None:
    config = core_kit(layout)[f"packages/kubernetes-{minor}/kubelet-config"].text
    assert re.findall(r"^  (\w+): true$", config.partition("featureGates:\n")[2], re.MULTILINE) == gates
    assert config.count("featureGates:") == bool(gates)
    assert tomllib.loads(config.partition("\n+++\n")[0])["required-extensions"]["std"]["version"] == "v1"


def test_what_changed_between_the_layouts() -> None:
    trees = {layout: bottlerocket(layout) for layout in Layout}
    kits = {layout: core_kit(layout) for layout in Layout}
    assert {
        k: "config.d/001-snapshotter.conf" in t["sources/shared-defaults/kubernetes-services.toml"].text
        for k, t in trees.items()
    } == {
        Layout.EARLY: False,
        Layout.MIDDLE: False,
        Layout.DROP_IN: True,
        Layout.NATIVE: True,
    }
    assert [_toml(trees[layout], "Twoliter.toml")["schema-version"] for layout in Layout] == [1, 1, 2, 2]
    assert [len(_toml(trees[layout], "Twoliter.toml")["kit"]) for layout in Layout] == [1, 2, 2, 2]
    assert ["variants/aws-k8s-1.34/amispec.toml" in trees[layout] for layout in Layout] == [False, False, True, True]
    assert ["variants/aws-k8s-1.32-fips/Cargo.toml" in trees[layout] for layout in Layout] == [False, True, True, True]
    native = [path for path, entry in kits[Layout.NATIVE].items() if "memory-throttling-factor" in entry.text]
    assert native == ["packages/kubernetes-1.37/kubelet-config"]
    alpha = [path for path, entry in kits[Layout.DROP_IN].items() if "DROPIN_DIR_ALPHA" in entry.text]
    assert alpha == [f"packages/kubernetes-{minor}/kubelet-env" for minor in ("1.28", "1.29")]


@pytest.mark.parametrize("minor", range(28, 38))
def test_tree_with_the_variants_that_are_asked_for(minor: int) -> None:
    names = [f"aws-k8s-1.{minor}", f"aws-k8s-1.{minor}-nvidia"]
    tree = bottlerocket(Layout.DROP_IN, names=names, release="9.8.7")
    members = _toml(tree, "Cargo.toml")["workspace"]["members"]
    assert [member for member in members if "aws-k8s" in member] == [f"variants/{name}" for name in names]
    assert _toml(tree, "Release.toml")["version"] == "9.8.7"
    assert _toml(tree, "Twoliter.toml")["release-version"] == "9.8.7"
    assert f"packages/kubernetes-1.{minor}/kubelet-config" in core_kit(Layout.DROP_IN, names=names)


def test_unknown_variant_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="aws-ecs-2"):
        bottlerocket(Layout.DROP_IN, names=["aws-ecs-2"])


@pytest.mark.processes
def test_same_tree_gives_the_same_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = bottlerocket(Layout.EARLY)
    first = write_repository(tree, tmp_path / "one", tag="v1.21.0")
    (tmp_path / ".gitconfig").write_text("[user]\n  name = Somebody\n[commit]\n  gpgsign = true\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert write_repository(tree, tmp_path / "two") == first
    assert write_repository(core_kit(Layout.EARLY), tmp_path / "two") != first
    assert sorted(path.name for path in tmp_path.iterdir()) == [".gitconfig", "one", "two"]


@pytest.mark.processes
@LAYOUTS
def test_repository_has_the_tree(layout: Layout, miniature: Callable[[Layout], MiniatureRepositories]) -> None:
    made = miniature(layout)
    git = ["git", "-C", str(made.bottlerocket)]
    assert (
        process.run([*git, "rev-parse", f"{made.bottlerocket_tag}^{{commit}}"]).text.strip() == made.bottlerocket_commit
    )
    listed = process.run([*git, "ls-tree", "-r", made.bottlerocket_commit]).text.splitlines()
    modes = {path: meta.split()[0] for meta, path in (line.split("\t") for line in listed)}
    assert modes == {path: entry.mode for path, entry in bottlerocket(layout).items()}
    lock = process.run([*git, "show", "HEAD:Cargo.lock"]).text
    assert lock == bottlerocket(layout)["Cargo.lock"].text


@pytest.mark.processes
@LAYOUTS
def test_cargo_accepts_the_workspace(
    layout: Layout, miniature: Callable[[Layout], MiniatureRepositories], cargo: Path, tmp_path: Path
) -> None:
    process.run(["git", "clone", "--quiet", str(miniature(layout).bottlerocket), str(tmp_path / "tree")])
    found = process.run([cargo, "metadata", "--locked", "--offline", "--format-version", "1"], cwd=tmp_path / "tree")
    names = {package["name"] for package in json.loads(found.text)["packages"]}
    assert {variant.base.replace(".", "_") for variant in layout.variants} < names


def test_default_variants_are_of_each_flavor() -> None:
    assert {variant.flavor for variant in Layout.NATIVE.variants} == {"", "nvidia", "fips", "nvidia-fips"}
    assert VariantName.parse("aws-k8s-1.24-nvidia") in Layout.EARLY.variants
    assert len(Layout.DROP_IN.variants) == 21
