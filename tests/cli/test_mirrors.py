"""`[mirrors]` through the command line: everything comes from somewhere else, and is the same."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from brqos.upstream.git import git, text

pytestmark = pytest.mark.processes
GITHUB = "https://github.com/bottlerocket-os/"
QUICK = ("--make-env", "BRQOS_REHEARSAL_PACE=0")
CRATES = 'crates = "sparse+https://crates.example.com/index/"\n'
REGISTRIES = '[mirrors]\nkits = "registry.example.com/b"\nsources = "https://cache.example.com/b"\n'


@pytest.fixture
def folder(history, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both repositories, under the names that they have on GitHub."""
    place = tmp_path_factory.mktemp("git")
    (place / "bottlerocket.git").symlink_to(history.bottlerocket)
    (place / "bottlerocket-core-kit.git").symlink_to(history.core_kit)
    return place


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., Path]:
    def write(more: str, variant: str = "aws-k8s-1.34", ref: str = "v1.50.0") -> Path:
        path = tmp_path / "brqos.toml"
        path.write_text(f'variant = "{variant}"\n[upstream]\nref = "{ref}"\n{more}')
        return path

    return write


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_mirrored_source_gives_the_same_commit_and_the_same_record(
    brqos, configured, history, folder: Path, scheme: str
) -> None:
    # For a template delivery the core kit is read, too.
    words = ("generate", "--variant", "aws-k8s-1.31", "--ref", "v1.36.0", "--json")
    plain = brqos(*words, "--upstream", history.bottlerocket, "--core-kit", history.core_kit).json
    configured(f'{REGISTRIES}[mirrors.git]\n"{GITHUB}" = "{scheme}{folder}/"\n')
    made = brqos(*words).json
    assert (made["commit"], made["core_kit"]) == (plain["commit"], plain["core_kit"])
    assert made["upstream"]["repository"] == f"{GITHUB}bottlerocket.git"


def test_the_tree_has_the_override_file_and_is_clean(brqos, configured, folder: Path, tmp_path: Path) -> None:
    configured(f'{REGISTRIES}[mirrors.git]\n"{GITHUB}" = "{folder}/"\n')
    tree = tmp_path / "tree"
    ran = brqos("generate", "--work-tree", tree)
    assert "kits and SDK by Twoliter.override" in ran.out
    assert "-e BUILDSYS_LOOKASIDE_CACHE=https://cache.example.com/b" in ran.out
    found = tomllib.loads((tree / "Twoliter.override").read_text())["bottlerocket"]
    assert set(found) == {"bottlerocket-sdk", "bottlerocket-core-kit", "bottlerocket-kernel-kit"}
    commit = text("rev-parse", "HEAD", at=tree)
    assert text("describe", "--always", "--dirty", "--exclude", "*", "--abbrev=12", at=tree) == commit[:12]
    assert "Twoliter.override" not in git("show", "--stat", "HEAD", at=tree).text
    # Without the mirrors the same tree has no such file.
    configured(f'[mirrors.git]\n"{GITHUB}" = "{folder}/"\n')
    brqos("generate", "--work-tree", tree)
    assert not (tree / "Twoliter.override").exists()
    assert text("rev-parse", "HEAD", at=tree) == commit
    # Somebody's own is not overwritten.
    (tree / "Twoliter.override").write_text('[bottlerocket.bottlerocket-sdk]\nname = "mine"\n')
    configured(f'{REGISTRIES}[mirrors.git]\n"{GITHUB}" = "{folder}/"\n')
    assert "brqos did not write it" in brqos("generate", "--work-tree", tree, code=3).err
    assert "mine" in (tree / "Twoliter.override").read_text()


def test_the_tree_has_cargos_configuration_and_is_clean(brqos, configured, folder: Path, tmp_path: Path) -> None:
    git_only = f'[mirrors.git]\n"{GITHUB}" = "{folder}/"\n'
    crates = 'crates = "sparse+https://crates.example.com/index"\n'
    configured(f"[mirrors]\n{crates}{git_only}")
    tree = tmp_path / "tree"
    assert "crates by .cargo/config.toml" in brqos("generate", "--work-tree", tree).out
    found = tomllib.loads((tree / ".cargo/config.toml").read_text())
    assert found["registries"]["brqos-mirror"]["index"] == "sparse+https://crates.example.com/index/"
    assert found["source"] == {"crates-io": {"replace-with": "brqos-mirror"}}
    commit = text("rev-parse", "HEAD", at=tree)
    assert text("describe", "--always", "--dirty", "--exclude", "*", "--abbrev=12", at=tree) == commit[:12]
    assert text("status", "--porcelain", at=tree) == ""
    # Other mirrors: another file, the same commit; none: no file.
    configured(f"[mirrors]\n{crates.replace('crates.ex', 'other.ex')}{git_only}")
    brqos("generate", "--work-tree", tree)
    assert "other.example.com" in (tree / ".cargo/config.toml").read_text()
    configured(git_only)
    brqos("generate", "--work-tree", tree)
    assert not (tree / ".cargo/config.toml").exists()
    assert text("rev-parse", "HEAD", at=tree) == commit
    (tree / ".cargo/config.toml").write_text("[net]\nretry = 3\n")
    configured(f"[mirrors]\n{crates}{git_only}")
    refused = brqos("generate", "--work-tree", tree, code=3).err
    assert "brqos did not write it" in refused
    assert "take crates out of [mirrors]" in refused


def test_a_release_whose_twoliter_knows_no_override_is_refused(brqos, configured, folder: Path) -> None:
    configured(f'{REGISTRIES}[mirrors.git]\n"{GITHUB}" = "{folder}/"\n', "aws-k8s-1.30", "v1.21.0")
    ran = brqos("generate", code=3)
    assert "cannot take kits or SDK from another registry" in ran.err
    assert "v1.23.0" in ran.err


def test_watch_asks_the_mirror_and_names_the_original(brqos, configured, folder: Path) -> None:
    configured(f'[mirrors.git]\n"{GITHUB}" = "{folder}/"\n')
    told = brqos("watch", "--json").json
    assert told["upstream"] == f"{GITHUB}bottlerocket.git"


@pytest.mark.loopback
def test_a_rehearsal_goes_by_the_mirrors(brqos, configured) -> None:
    configured(
        f'{REGISTRIES}{CRATES}twoliter = "https://git.example.com/t"\n[mirrors.git]\n"{GITHUB}" = "https://g.example.com/"\n'
    )
    mirrored = brqos("build", "--rehearse", *QUICK, "--json").json
    log = (Path(mirrored["record"]).parent / "build.log").read_text()
    assert "(overridden-to: registry.example.com/b/bottlerocket-core-kit:v10.9.0)" in log
    assert "TWOLITER_REPO=https://git.example.com/t" in log
    assert "Updating `brqos-mirror` index" in log
    assert "GIT_CONFIG_KEY_0=url.https://g.example.com/.insteadOf" in log
    record = json.loads(Path(mirrored["record"]).read_text())
    assert record["spec"]["mirrors"]["kits"] == "registry.example.com/b"
    # It is the build that it would be without them, and so is not made again.
    configured("")
    plain = brqos("build", "--rehearse", *QUICK, "--json")
    assert plain.json["build"] == mirrored["build"]
    assert "built already" in plain.err


def test_a_dry_run_shows_the_file_and_the_settings(brqos, configured, folder: Path) -> None:
    configured(f'{REGISTRIES}{CRATES}[mirrors.git]\n"{GITHUB}" = "{folder}/"\n')
    out = brqos("build", "--dry-run", "--image-only").out
    assert 'index = "sparse+https://crates.example.com/index/"' in out
    assert 'registry = "registry.example.com/b"' in out
    assert "BUILDSYS_LOOKASIDE_CACHE=https://cache.example.com/b" in out
    words = ("build", "--dry-run", "--image-only", "--make-env", "BUILDSYS_LOOKASIDE_CACHE=https://other.example.com")
    assert "[mirrors] says it, too" in brqos(*words, code=3).err


def test_a_wrong_mirror_is_refused_before_anything(brqos, configured, tmp_path: Path) -> None:
    configured('[mirrors]\nkits = "https://registry.example.com"\n')
    assert "has a scheme" in brqos("build", "--rehearse", code=3).err
    assert [path.name for path in tmp_path.iterdir()] == ["brqos.toml"]


@pytest.mark.loopback
def test_doctor_asks_each_mirror(brqos, configured, folder: Path) -> None:
    # Nobody listens at that port.
    configured(f'[mirrors]\nkits = "127.0.0.1:1/b"\n[mirrors.git]\n"{GITHUB}" = "file://{folder}/"\n')
    checks = {check["name"]: check for check in brqos("doctor", "--for", "build", "--json", code=4).json["checks"]}
    assert checks["mirror of bottlerocket"]["status"] == "found"
    assert checks["bottlerocket-core-kit"]["status"] == "missing"
    assert "refuses the connection" in checks["bottlerocket-core-kit"]["version"]
    assert checks["crates.io"]["status"] == "warning"
