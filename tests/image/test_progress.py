"""Upstream's lines, condensed."""

from hypothesis import given
from hypothesis import strategies as st

from brqos.image.progress import REHEARSAL_MARK, BuildProgress, Step

CRATES = ["release", "settings-defaults", "kubelet-memory-qos", "aws-k8s-1_29-memoryqos"]


def _compiling(crate: str) -> str:
    return f"   Compiling {crate} v0.1.0 (/tree/packages/{crate})"


def _progress() -> BuildProgress:
    return BuildProgress(CRATES, "aws-k8s-1_29-memoryqos")


def test_a_build() -> None:
    progress = _progress()
    assert progress.total == 4
    assert progress.step("[cargo-make] INFO - cargo make 0.37.24") is None
    assert progress.step("[cargo-make] INFO - Running Task: install-twoliter") == Step("installing twoliter")
    line = "[2025-03-06T16:41:46Z INFO  twoliter::project::lock] Extracting kit dependencies. dependencies=[...]"
    assert progress.step(line) == Step("fetching and unpacking the kits")
    assert not progress.kits_are_there
    assert progress.step("[cargo-make][1] INFO - Running Task: fetch-sdk") == Step("fetching the SDK")
    assert progress.kits_are_there
    assert progress.step(_compiling("release")) == Step("building package release (1 of 4)", 0)
    assert progress.step(_compiling("settings-defaults")) == Step("building package settings-defaults (2 of 4)", 1)
    assert progress.step(_compiling("settings-defaults")) is None
    assert progress.step("   Compiling serde v1.0.0 (/elsewhere)") is None
    assert progress.step(_compiling("aws-k8s-1_29-memoryqos")) == Step("building the image", 1)
    assert progress.step("    Finished `dev` profile [optimized] target(s) in 8m 58s") is not None
    # kubelet-memory-qos was built earlier, so cargo was silent about it.
    assert progress.finish() == 2


def test_total_unknown() -> None:
    progress = BuildProgress([], "v")
    assert progress.total is None
    assert progress.step(_compiling("a")) == Step("building package a (the 1st)", 0)
    assert progress.step(_compiling("b")) == Step("building package b (the 2nd)", 1)


def test_waiting_for_another_cargo() -> None:
    step = _progress().step("    Blocking waiting for file lock on build directory")
    assert step == Step("waiting: another cargo holds the lock on its build directory")


def test_rehearsal_is_read_the_same() -> None:
    assert _progress().step(REHEARSAL_MARK + _compiling("release")) == Step("building package release (1 of 4)", 0)


@given(st.lists(st.sampled_from([*CRATES, "unknown"])))
def test_never_more_than_the_total(crates: list[str]) -> None:
    progress = _progress()
    done = 0
    for crate in crates:
        if step := progress.step(_compiling(crate)):
            done += step.advance
    assert done < 4
    assert done + progress.finish() == 4


@given(st.text())
def test_any_line_is_taken(line: str) -> None:
    _progress().step(line)
