"""Buildspecs: what a batch is made of, and what is none."""

import pytest

from brqos.rehearsal.emulator.codebuild.buildspec import (
    BatchPlan,
    BuildspecError,
    PhaseSpec,
    Task,
    read_batch,
    read_build,
)

BATCH = """\
version: 0.2
env:
  shell: bash
  variables: {A: text, B: 1, C: true}
batch:
  fast-fail: true
  build-graph:
    - identifier: one
      env:
        compute-type: BUILD_GENERAL1_LARGE
        image: image:1
        type: ARM_CONTAINER
        privileged-mode: true
        variables: {X: 1}
    - identifier: two
      depend-on: [one]
      ignore-failure: true
phases:
  post_build: {commands: [c]}
  install:
    on-failure: ABORT
    runtime-versions: {python: 3.12}
    commands: ["a", "b"]
    finally: [d]
"""


def with_batch(text: str) -> str:
    return f"version: 0.2\nbatch: {text}\nphases: {{build: {{commands: [x]}}}}\n"


def with_phases(text: str) -> str:
    return f"version: 0.2\nphases: {text}\n"


def test_a_batch() -> None:
    assert read_batch(BATCH) == BatchPlan(
        (
            Task("one", (), False, "BUILD_GENERAL1_LARGE", "image:1", "ARM_CONTAINER", True, {"X": "1"}),
            Task("two", ("one",), ignore_failure=True),
        ),
        fast_fail=True,
    )


def test_a_build() -> None:
    spec = read_build(BATCH)
    assert spec.phases == (PhaseSpec("install", ("a", "b"), ("d",), "ABORT"), PhaseSpec("post_build", ("c",)))
    assert (spec.shell, spec.variables) == ("bash", {"A": "text", "B": "1", "C": "true"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 0.2", "batch yaml definition is required"),
        ("version: 0.1\nbatch: {}", "version 0.1 is not emulated"),
        ("version: 0.2\nbatch: {a: [}", "wrong YAML"),
        ("- x", "must be a mapping"),
        ("version: 0.2\nother: 1", "other is not emulated, or not known"),
        (with_batch("{}"), "exactly one of"),
        (with_batch("{build-list: [], build-graph: []}"), "exactly one of"),
        (with_batch("{build-matrix: {}}"), "not emulated"),
        (with_batch("{build-list: []}"), "must be a list of builds"),
        (with_batch("{build-list: [{identifier: a-b}]}"), "letters, digits and underscores"),
        (with_batch("{build-list: [{}]}"), "letters, digits and underscores"),
        (with_batch("{build-list: [{identifier: a}, {identifier: a}]}"), "must be unique"),
        (with_batch("{build-list: [{identifier: a, depend-on: [b]}]}"), "depend-on is not emulated, or not known"),
        (with_batch("{build-graph: [{identifier: a, depend-on: [b]}]}"), "a depends on b"),
        (
            with_batch("{build-graph: [{identifier: a, depend-on: [b]}, {identifier: b, depend-on: [a]}]}"),
            "depend on one another: a, b",
        ),
        (with_batch("{build-list: [{identifier: a, env: {variables: {X: [1]}}}]}"), "X is no variable"),
        (with_batch("{build-list: [{identifier: a, env: {fleet: x}}]}"), "fleet is not emulated"),
        (with_batch("{build-list: [{identifier: a, ignore-failure: 1}]}"), "must be true or false"),
        (with_batch(f"{{build-list: [{', '.join(f'{{identifier: a{n}}}' for n in range(101))}]}}"), "100 builds"),
    ],
)
def test_batches_that_are_none(text: str, words: str) -> None:
    with pytest.raises(BuildspecError, match=words):
        read_batch(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 0.2", "phases must be a mapping"),
        (with_phases("{}"), "at least one phase"),
        (with_phases("{deploy: {commands: [x]}}"), "deploy is not emulated"),
        (with_phases("{build: {commands: x}}"), "a list of commands"),
        (with_phases("{build: {commands: [{a: b}]}}"), "a list of commands, each a string"),
        (with_phases("{build: {on-failure: RETRY-3}}"), "RETRY-3 is not emulated"),
        ("version: 0.2\nenv: {shell: powershell.exe}\nphases: {build: {}}", "powershell.exe is not emulated"),
    ],
)
def test_builds_that_are_none(text: str, words: str) -> None:
    with pytest.raises(BuildspecError, match=words):
        read_build(text)
