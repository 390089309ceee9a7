"""What a variant's files say."""

from collections.abc import Callable
from pathlib import Path

import pytest

from brqos.errors import UpstreamError
from brqos.image.manifest import local_crates, read_manifest, read_release
from brqos.rehearsal.miniature import Layout, bottlerocket


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Layout], Path]:
    def write(layout: Layout) -> Path:
        folder = tmp_path_factory.mktemp("tree")
        for name, entry in bottlerocket(layout).items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if entry.is_symlink:
                file.symlink_to(entry.text)
            else:
                file.write_text(entry.text)
        return folder

    return write


@pytest.mark.parametrize("layout", Layout)
def test_miniature(layout: Layout, tree: Callable[[Layout], Path]) -> None:
    folder = tree(layout)
    assert read_release(folder) == layout.release
    for variant in layout.variants:
        manifest = read_manifest(folder, variant.base)
        assert f"kubelet-{variant.kubernetes}" in manifest.included_packages
        assert manifest.split
        assert all((path / "Cargo.toml").is_file() for path in manifest.build_dependencies)
        assert {path.name for path in manifest.build_dependencies} < local_crates(folder, variant.base)


def test_ami_spec_behind_a_symlink(tree: Callable[[Layout], Path]) -> None:
    folder = tree(Layout.DROP_IN)
    assert "gp3" in (read_manifest(folder, "aws-k8s-1.33").ami_spec or "")
    assert read_manifest(folder, "aws-k8s-1.29").ami_spec is None


def test_unified_layout(tmp_path: Path) -> None:
    folder = tmp_path / "variants" / "x"
    folder.mkdir(parents=True)
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "x"\n[package.metadata.build-variant.image-layout]\npartition-plan = "unified"\n'
        "[package.metadata.build-variant.image-features]\nuefi-secure-boot = true\n"
    )
    manifest = read_manifest(tmp_path, "x")
    assert (manifest.split, manifest.secure_boot) == (False, True)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="cannot be read"):
        read_manifest(tmp_path, "aws-k8s-1.29")
    with pytest.raises(UpstreamError, match=r"Release\.toml"):
        read_release(tmp_path)
    (tmp_path / "Release.toml").write_text("version = 1")
    with pytest.raises(UpstreamError, match="no version"):
        read_release(tmp_path)
    assert local_crates(tmp_path, "aws-k8s-1.29") == frozenset()


def test_closure_leaves_out_what_is_not_needed(tmp_path: Path) -> None:
    folder = tmp_path / "variants" / "v"
    folder.mkdir(parents=True)
    (folder / "Cargo.toml").write_text('[package]\nname = "v"\n')
    (tmp_path / "Cargo.lock").write_text(
        'version = 4\n[[package]]\nname = "v"\nversion = "0.1.0"\ndependencies = ["a", "serde 1.0.0"]\n'
        '[[package]]\nname = "a"\nversion = "0.1.0"\ndependencies = ["b"]\n[[package]]\nname = "b"\nversion = "0.1.0"\n'
        '[[package]]\nname = "other"\nversion = "0.1.0"\n'
        '[[package]]\nname = "serde"\nversion = "1.0.0"\nsource = "registry+https://example.com"\n'
    )
    assert local_crates(tmp_path, "v") == {"v", "a", "b"}
