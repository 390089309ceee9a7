from pathlib import Path

import pytest

from brqos.rehearsal.miniature import Layout
from brqos.upstream.git import text

pytestmark = pytest.mark.processes


def words(miniature, layout: Layout) -> list[object]:
    found = miniature(layout)
    return ["--all", "--upstream", found.bottlerocket, "--ref", found.bottlerocket_tag, "--core-kit", found.core_kit]


def test_every_variant_gets_a_tree_of_its_own_the_same_as_alone(brqos, miniature, tmp_path: Path) -> None:
    made = brqos("generate", *words(miniature, Layout.DROP_IN), "--work-tree", tmp_path / "all", "--json").json
    assert {one["base"] for one in made} == {name.base for name in Layout.DROP_IN.variants}
    for one in made:
        assert text("rev-parse", "HEAD", at=Path(one["work_tree"])) == one["commit"]
    alone = words(miniature, Layout.DROP_IN)[1:]
    single = brqos("generate", "--variant", made[0]["base"], *alone, "--work-tree", tmp_path / "one", "--json").json
    assert single["commit"] == made[0]["commit"]


def test_without_a_folder_nothing_is_written(brqos, miniature, tmp_path: Path) -> None:
    ran = brqos("generate", *words(miniature, Layout.NATIVE))
    assert "aws-k8s-1.37-memoryqos" in ran.out
    assert "nothing was written" in ran.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("more", [["--variant", "aws-k8s-1.34"], ["--patch", "-"]])
def test_all_goes_with_neither_a_variant_nor_a_patch(brqos, miniature, more: list[str]) -> None:
    assert "--all" in brqos("generate", *words(miniature, Layout.DROP_IN), *more, code=2).err


def test_all_needs_a_release(brqos) -> None:
    assert "--ref" in brqos("generate", "--all", code=2).err
