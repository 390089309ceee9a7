import re
from pathlib import Path

import pytest

from brqos.rehearsal.miniature import Layout
from brqos.upstream.git import git, text

pytestmark = pytest.mark.processes


@pytest.fixture
def source(miniature):
    def words(layout: Layout) -> list[object]:
        repositories = miniature(layout)
        return [
            "--upstream",
            repositories.bottlerocket,
            "--ref",
            repositories.bottlerocket_tag,
            "--core-kit",
            repositories.core_kit,
        ]

    return words


def test_the_json_that_scripts_rely_on(brqos, source, miniature, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    result = brqos("generate", "--variant", "aws-k8s-1.29", *source(Layout.EARLY), "--work-tree", tree, "--json").json
    repositories = miniature(Layout.EARLY)
    assert result["variant"] == "aws-k8s-1.29-memoryqos"
    assert result["base"] == "aws-k8s-1.29"
    assert result["kubernetes"] == "1.29"
    assert result["delivery"] == "template"
    assert result["upstream"]["commit"] == repositories.bottlerocket_commit
    assert result["upstream"]["ref"] == "v1.21.0"
    assert result["core_kit"] == {"version": "2.3.3", "commit": repositories.core_kit_commit}
    assert result["commit"] == text("rev-parse", "HEAD", at=tree)
    assert result["work_tree"] == str(tree)
    assert {file["operation"] for file in result["files"]} <= {"create", "modify", "link"}
    assert all(re.fullmatch(r"[0-9a-f]{64}", file["sha256"]) for file in result["files"])
    assert result["kubelet_configuration"]["featureGates"] == {"MemoryQoS": True}


def test_the_core_kit_is_null_where_it_was_not_needed(brqos, source, tmp_path: Path) -> None:
    result = brqos(
        "generate", "--variant", "aws-k8s-1.34", *source(Layout.DROP_IN), "--work-tree", tmp_path / "t", "--json"
    )
    assert result.json["core_kit"] is None
    assert result.json["delivery"] == "drop-in"


def test_without_a_folder_the_tree_is_kept_in_the_cache(brqos, source, home: Path) -> None:
    result = brqos("generate", "--variant", "aws-k8s-1.34", *source(Layout.DROP_IN), "--json").json
    assert Path(result["work_tree"]).is_relative_to(home / ".cache" / "brqos" / "trees")


def test_a_dry_run_writes_nothing(brqos, source, tmp_path: Path, home: Path) -> None:
    ran = brqos(
        "generate", "--variant", "aws-k8s-1.34", *source(Layout.DROP_IN), "--work-tree", tmp_path / "t", "--dry-run"
    )
    assert "variants/aws-k8s-1.34-memoryqos/Cargo.toml" in ran.out
    assert not (tmp_path / "t").exists()
    assert not (home / ".cache" / "brqos").exists()


def test_the_patch_on_standard_output_is_all_that_is_there(brqos, source, miniature, tmp_path: Path) -> None:
    ran = brqos(
        "generate", "--variant", "aws-k8s-1.34", *source(Layout.DROP_IN), "--work-tree", tmp_path / "t", "--patch", "-"
    )
    clone = tmp_path / "clone"
    git("clone", "--quiet", miniature(Layout.DROP_IN).bottlerocket, clone)
    git("apply", "--check", at=clone, stdin=ran.out.encode())
    assert ran.out.startswith("From ")


def test_a_native_release_says_that_nothing_needs_to_be_built(brqos, source) -> None:
    ran = brqos("generate", "--variant", "aws-k8s-1.37", *source(Layout.NATIVE))
    assert "memory-reservation-policy = TieredReservation" in ran.out
    result = brqos("generate", "--variant", "aws-k8s-1.37", *source(Layout.NATIVE), "--json").json
    assert (result["delivery"], result["files"], result["commit"]) == ("native", [], None)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--variant", "aws-k8s-1.99"], 3, "has no variant aws-k8s-1.99"),
        (["--variant", "aws-ecs-2"], 3, "not the name of a Bottlerocket variant"),
        (["--variant", "aws-k8s-1.34", "--factor", "1.5"], 3, "not in the range"),
        (["--variant", "aws-k8s-1.34", "--policy", "TieredReservation"], 3, "no memoryReservationPolicy"),
        (["--variant", "aws-k8s-1.34", "--feature-gate", "MemoryQoS=true"], 3, "given twice"),
        (
            ["--variant", "aws-k8s-1.34", "--feature-gate", "A=true", "--feature-gate", "A=false"],
            2,
            "gives A two values",
        ),
        (["--variant", "aws-k8s-1.34", "--feature-gate", "A=yes"], 2, "true or false"),
        (["--variant", "aws-k8s-1.34", "--ref", "v9.9.9"], 5, "no tag, branch or commit"),
        (["--variant", "aws-k8s-1.34", "--upstream", "/nowhere"], 5, "no folder /nowhere"),
        (["--variant", "aws-k8s-1.34", "--delivery", "native"], 3, "does not work for Bottlerocket"),
        (["--variant", "aws-k8s-1.34", "--delivery", "magic"], 3, "delivery"),
        ([], 3, "no variant is given"),
    ],
)
def test_bad_input_is_one_message_and_the_right_exit_code(
    brqos, source, words: list[str], code: int, said: str
) -> None:
    ran = brqos("generate", *source(Layout.DROP_IN), *words, code=code)
    assert ran.out == ""
    assert said in ran.err
    assert ran.err.count("error:") == 1


def test_a_release_that_no_longer_carries_a_variant_names_the_last_that_did(brqos, source) -> None:
    ran = brqos("generate", "--variant", "aws-k8s-1.29", *source(Layout.NATIVE), code=3)
    assert "The last release with aws-k8s-1.29 is v1.57.0" in ran.err


def test_a_checkout_with_changes_is_not_built_without_them(brqos, miniature, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git("clone", "--quiet", miniature(Layout.DROP_IN).bottlerocket, clone)
    (clone / "Release.toml").write_text('version = "1.50.0"\n# mine\n')
    ran = brqos(
        "generate",
        "--variant",
        "aws-k8s-1.34",
        "--upstream",
        clone,
        "--ref",
        "HEAD",
        "--work-tree",
        tmp_path / "t",
        code=5,
    )
    assert "Release.toml" in ran.err
    assert not (tmp_path / "t").exists()
