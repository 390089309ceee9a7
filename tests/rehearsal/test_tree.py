"""What the rehearsal accepts and refuses in a tree."""

from pathlib import Path

import pytest

from brqos.image.manifest import read_manifest
from brqos.rehearsal.miniature import Layout, bottlerocket
from brqos.rehearsal.tree import RefusedError, examined, sources
from rehearsal.little_tree import DROP_IN, VARIANT, write_tree


@pytest.fixture(scope="module", params=Layout)
def miniature_tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Layout, Path]:
    folder = tmp_path_factory.mktemp("tree")
    for name, entry in bottlerocket(request.param).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if entry.is_symlink:
            file.symlink_to(entry.text)
        else:
            file.write_text(entry.text)
    return request.param, folder


def test_upstream_own_variants_are_accepted(miniature_tree: tuple[Layout, Path]) -> None:
    layout, tree = miniature_tree
    for variant in layout.variants:
        assert examined(tree, variant.base).name == variant.base


def test_a_variant_that_nothing_serves_is_refused(miniature_tree: tuple[Layout, Path]) -> None:
    layout, tree = miniature_tree
    base = layout.variants[0].base
    folder = tree / "variants" / f"{base}-memoryqos"
    folder.mkdir()
    text = (tree / "variants" / base / "Cargo.toml").read_text()
    (folder / "Cargo.toml").write_text(text)
    with pytest.raises(RefusedError, match=r"Cargo\.lock needs to be updated|use --offline"):
        examined(tree, folder.name)
    lock = tree / "Cargo.lock"
    crate = folder.name.replace(".", "_")
    lock.write_text(lock.read_text() + f'\n[[package]]\nname = "{crate}"\nversion = "0.1.0"\n')
    with pytest.raises(RefusedError, match="bottlerocket-settings-defaults"):
        examined(tree, folder.name)


def test_what_goes_into_the_root(tmp_path: Path) -> None:
    tree = write_tree(tmp_path)
    found = sources(tree, read_manifest(tree, VARIANT))
    assert found == {"packages/kubelet-memory-qos/900-memory-qos.conf": DROP_IN.encode()}
