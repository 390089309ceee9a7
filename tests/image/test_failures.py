"""Causes are told by real words, and only by them."""

from pathlib import Path

import pytest

from brqos.errors import BuildError, ToolError
from brqos.image.failures import CAUSES, diagnose, meaningful
from brqos.image.progress import REHEARSAL_MARK
from brqos.rehearsal.failures import WORDS, words

# As cargo-make, twoliter, docker and buildsys printed them in public issue threads, not shortened.
SEEN = {
    "source-cache": "  Failed to fetch 'https://cache.bottlerocket.aws/libnftnl-1.2.5.tar.xz/576ccd0815063a6ef30"
    "95b5514c3"
    "d286b4450fad98fbf7a85cd537f66adf043e7e6295d4c84cc3cbfd18cf9a29576d15a88cc439a61a3e654841a27"
    "c71babea1/libnftnl-1.2.5."
    "tar.xz': 403 Forbidden",
    "source-unreachable": "  Failed to request 'https://cache.bottlerocket.aws/iproute2-5.7.0.tar.xz/d5ef68/iproute2-5"
    ".7."
    "0.tar.xz': error sending request for url",
    "docker-permission": "docker: Got permission denied while trying to connect to the Docker daemon socket at "
    "unix:///var/run/docker.sock: Post http://%2Fvar%2Frun%2Fdocker.sock/v1.24/containers/create: dial unix "
    "/var/run/docker.sock: connect: permission denied.",
    "docker-down": "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    "disk-full": "ERROR: failed to build: failed to solve: ResourceExhausted: failed to read dockerfile: failed to "
    "create "
    "temp dir: mkdir /var/lib/docker/tmp/buildkit-mount2667628103: no space left on device",
    "kit-cache": "Error: Unable to read from '/home/ec2-user/playground/build/external-kits/cache/sha256-b075"
    "d3764a0efc5f"
    "/index.json'",
    "cargo-lock": "error: the lock file /mnt/gits/packages/soci-snapshotter/Cargo.lock needs to be updated but "
    "--locked "
    "was passed to prevent this",
    "registry-limit": "invalid from flag value public.ecr.aws/amazonlinux/amazonlinux:2: toomanyrequests: Rate "
    "exceeded",
    "kit-pull": "Error: failed to inspect manifest of resource at public.ecr.aws/bottlerocket/bottlerocket-sdk:v0.41.0",
    "cargo-make-missing": "error: no such command: `make`",
    "licence": "error[rejected]: failed to satisfy license requirements",
}


@pytest.mark.parametrize("name", SEEN)
def test_seen_in_the_wild(name: str) -> None:
    cause = diagnose(["   Compiling release v0.1.0 (/tree/packages/release)", SEEN[name], "[cargo-make] ERROR - x"])
    assert cause is not None
    assert cause.name == name


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (
            "  Failed to fetch 'https://cache.example.com/b/acl-2.3.2.tar.gz/31aeb3/acl-2.3.2.tar.gz': 404 Not Found",
            "source-cache",
        ),
        (
            "  Failed to request 'http://cache.example.com/acl.tar.gz/31aeb3/acl.tar.gz': error sending",
            "source-unreachable",
        ),
        (
            "Error: failed to fetch manifest for resource at registry.example.com/b/bottlerocket-core-kit:v10.9.0",
            "kit-pull",
        ),
        # Where it comes from upstream itself the cache is not to blame.
        ("  Failed to fetch 'https://github.com/acl/acl-2.3.2.tar.gz': 404 Not Found", None),
    ],
)
def test_mirrors_fail_in_the_same_words(line: str, name: str | None) -> None:
    cause = diagnose([line])
    assert (cause.name if cause else None) == name


def test_each_cause_can_be_rehearsed_and_is_recognised() -> None:
    assert set(WORDS) == {cause.name for cause in CAUSES} | {"unknown"}
    for cause in CAUSES:
        assert diagnose([REHEARSAL_MARK + line for line in words(cause.name, Path("/tree"))]) is cause
        assert cause.todo
        assert cause.error in {BuildError, ToolError}
    assert diagnose(words("unknown", Path("/tree"))) is None


@pytest.mark.parametrize(
    "line",
    [
        "   Compiling docker v0.1.0 (/tree/packages/docker)",
        "permission denied",
        "the lock file is fine",
        "403 Forbidden",
        "index.json",
        "Unable to find a package",
        "   Compiling lock v4.0.0",
    ],
)
def test_nothing_else_is_a_cause(line: str) -> None:
    assert diagnose([line]) is None


def test_lines_of_a_known_cause() -> None:
    lines = [
        "a",
        *words("disk-full", Path("/tree")),
        "[cargo-make] ERROR - Error while executing command, exit code: 101",
    ]
    assert len(told := meaningful(lines, diagnose(lines))) == 1
    assert "no space left" in told[0]


def test_lines_of_an_unknown_cause() -> None:
    lines = [
        "error: failed to run custom build command for `release v0.1.0`",
        "",
        "Caused by:",
        "  process didn't exit successfully: `build-script-build` (exit status: 1)",
        "  --- stdout",
        "  cargo:rerun-if-changed=Cargo.toml",
        "  #18 12.3 /bin/sh: line 1: cmake: command not found",
        "  --- stderr",
        "warning: build failed, waiting for other jobs to finish...",
        "[cargo-make][1] ERROR - Error while executing command, exit code: 101",
        "[cargo-make][1] WARN - Build Failed.",
    ]
    assert meaningful(lines) == [lines[0], lines[6]]
    assert meaningful(["one", "two"]) == ["one", "two"]
    assert meaningful([f"line {n}" for n in range(100)]) == [f"line {n}" for n in range(90, 100)]
    assert meaningful([]) == []
