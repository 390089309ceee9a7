from pathlib import Path

import pytest

from brqos.errors import ConfigurationError, UpstreamError
from brqos.rehearsal.miniature import Entry, Layout, bottlerocket, write_repository
from brqos.upstream.kit import read_kubelet_package
from brqos.upstream.tree import UpstreamTree, read_tree, version_of
from brqos.variant import KubernetesVersion, VariantName

pytestmark = pytest.mark.processes


def read(miniature, layout: Layout) -> UpstreamTree:
    repositories = miniature(layout)
    return read_tree(repositories.bottlerocket, "here", "develop", repositories.bottlerocket_commit)


@pytest.mark.parametrize("layout", list(Layout))
def test_a_tree_says_its_release_kit_and_variants(miniature, layout: Layout) -> None:
    tree = read(miniature, layout)
    assert (tree.release, tree.core_kit) == (layout.release, layout.core_kit)
    assert set(tree.variants()) == {name.base for name in layout.variants}
    assert tree.committed_at == "1735689600 +0000"


@pytest.mark.parametrize("layout", list(Layout))
def test_the_drop_in_directory_is_found_in_the_tree(miniature, layout: Layout) -> None:
    assert read(miniature, layout).has_drop_in_directory() is (layout in {Layout.DROP_IN, Layout.NATIVE})


def test_a_variant_that_is_gone_is_refused_with_the_last_release_that_had_it(miniature) -> None:
    tree = read(miniature, Layout.NATIVE)
    with pytest.raises(ConfigurationError) as caught:
        tree.require(VariantName.parse("aws-k8s-1.29"), last_release="v1.57.0")
    assert "v1.57.0" in caught.value.why
    assert "aws-k8s-1.37" in caught.value.why
    tree.require(VariantName.parse("aws-k8s-1.37"))


def test_variants_are_listed_in_the_order_of_versions(miniature) -> None:
    names = read(miniature, Layout.DROP_IN).variants()
    assert names == sorted(names, key=lambda name: (VariantName.parse(name).kubernetes, name))


def write(entries: dict[str, Entry], tmp_path: Path) -> UpstreamTree:
    repository = tmp_path / "repository"
    commit = write_repository(entries, repository)
    return read_tree(repository, "here", "develop", commit)


def test_a_tree_from_before_the_kits_is_told_apart(tmp_path: Path) -> None:
    entries = bottlerocket(Layout.EARLY)
    del entries["Twoliter.toml"]
    with pytest.raises(UpstreamError, match="built without kits"):
        write(entries, tmp_path)


def test_a_foreign_repository_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="not Bottlerocket's source"):
        write({"README.md": Entry("hello\n")}, tmp_path)


@pytest.mark.parametrize("text", ["version = 3\n", "version = [\n", "nothing = 1\n"])
def test_a_release_file_that_changed_is_refused(tmp_path: Path, text: str) -> None:
    entries = bottlerocket(Layout.DROP_IN)
    entries["Release.toml"] = Entry(text)
    with pytest.raises(UpstreamError, match=r"Release\.toml"):
        write(entries, tmp_path)


def test_the_kubelet_of_a_core_kit(miniature) -> None:
    old, new = miniature(Layout.EARLY), miniature(Layout.NATIVE)
    kubelet = read_kubelet_package(old.core_kit, "2.3.3", old.core_kit_commit, KubernetesVersion(1, 29))
    assert not kubelet.has_drop_in_directory
    assert not kubelet.has_native_settings
    assert kubelet.version == "2.3.3"
    native = read_kubelet_package(new.core_kit, "17.0.0", new.core_kit_commit, KubernetesVersion(1, 37))
    assert native.has_drop_in_directory
    assert native.has_native_settings
    assert not read_kubelet_package(
        new.core_kit, "17.0.0", new.core_kit_commit, KubernetesVersion(1, 36)
    ).has_native_settings


def test_a_core_kit_without_that_kubelet_is_refused(miniature) -> None:
    old = miniature(Layout.EARLY)
    with pytest.raises(UpstreamError, match=r"kubernetes-1\.37"):
        read_kubelet_package(old.core_kit, "2.3.3", old.core_kit_commit, KubernetesVersion(1, 37))


def test_versions_compare_as_numbers() -> None:
    assert version_of("9.2.1") < version_of("v10.0.0") < version_of("10.0.1+build")
