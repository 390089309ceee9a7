"""What every test gets: an empty home, no AWS, no network, no process that it did not ask for.

A test that has the marker `processes` may start programs, one that has `loopback` may connect to this machine; nothing
may connect to another one. Fixtures of the session are made before a test's guard is in force, so they may use git.
"""

import gc
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import botocore.session
import pytest
from hypothesis import settings

from brqos.rehearsal.miniature import Layout, bottlerocket, core_kit, write_repository

# Nothing is timed in a test: the machine may be busy.
settings.register_profile("brqos", deadline=None)
settings.load_profile("brqos")

# botocore's descriptions of the services are read once for all sessions of a worker, and not for each: most of the time
# that a test with AWS takes would go there. Settings, credentials and clients are each session's own.
botocore.session.create_loader = cache(botocore.session.create_loader)

# The collected tests and what they import stay to the end. Looking through them for garbage, again and again, was a
# quarter of the suite's time.
_FIRST_GENERATION, _SECOND_GENERATION, _THIRD_GENERATION = 20_000, 20, 50

_CLEARED = ("AWS_", "BRQOS_", "GIT_", "XDG_", "BUILDSYS_")
_TOOLS_ARE_REQUIRED = os.environ.get("BRQOS_TEST_TOOLS") == "required"
_REAL_HOME = Path.home()


@dataclass(frozen=True, slots=True)
class MiniatureRepositories:
    """The two repositories of one layout; each has one commit, which the tag names."""

    bottlerocket: Path
    bottlerocket_tag: str
    bottlerocket_commit: str
    core_kit: Path
    core_kit_tag: str
    core_kit_commit: str


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(_FIRST_GENERATION, _SECOND_GENERATION, _THIRD_GENERATION)


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(_CLEARED):
                patch.delenv(name)
        # rustup and cargo would look for their toolchains below the home that we are about to hide.
        patch.setenv("RUSTUP_HOME", os.environ.get("RUSTUP_HOME", str(_REAL_HOME / ".rustup")))
        patch.setenv("CARGO_HOME", os.environ.get("CARGO_HOME", str(_REAL_HOME / ".cargo")))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        # The 1300 AMIs that moto's accounts begin with, anew in each region of each test; tests make their own.
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        _set_home(patch, tmp_path_factory.mktemp("home"))
        yield


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of the test's own; the XDG folders are in it."""
    directory = tmp_path_factory.mktemp("home")
    _set_home(monkeypatch, directory)
    return directory


def _set_home(patch: pytest.MonkeyPatch, directory: Path) -> None:
    patch.setenv("HOME", str(directory))
    for name, folder in {
        "XDG_CACHE_HOME": ".cache",
        "XDG_CONFIG_HOME": ".config",
        "XDG_DATA_HOME": ".local/share",
        "XDG_STATE_HOME": ".local/state",
    }.items():
        patch.setenv(name, str(directory / folder))


@pytest.fixture(autouse=True)
def _guard(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("processes") is None:
        _forbid_processes(monkeypatch)
    _forbid_connections(monkeypatch, loopback=request.node.get_closest_marker("loopback") is not None)


def _forbid_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(what: str) -> Callable[..., Any]:
        def call(*args: object, **_: object) -> None:
            command = args[1] if what == "a process" and len(args) > 1 else args
            pytest.fail(f"this test started {what} without the marker “processes”: {command}")

        return call

    # The class itself stays, since annotations such as Popen[bytes] are evaluated while modules are imported.
    monkeypatch.setattr(subprocess.Popen, "__init__", refuse("a process"))
    monkeypatch.setattr(os, "system", refuse("a shell"))
    for name in ("posix_spawn", "posix_spawnp", "execv", "execve", "execvp", "execvpe"):
        monkeypatch.setattr(os, name, refuse(f"os.{name}"))


def _forbid_connections(monkeypatch: pytest.MonkeyPatch, *, loopback: bool) -> None:
    def guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                if address[0] not in ("127.0.0.1", "::1", "localhost"):
                    pytest.fail(f"this test connects to another machine: {address}")
                if not loopback:
                    pytest.fail(f"this test connects to {address} without the marker “loopback”")
            return connect(self, address)

        return call

    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))


@pytest.fixture(scope="session")
def tool() -> Callable[[str], Path]:
    """Find an optional program: the test is skipped without it, and fails with BRQOS_TEST_TOOLS=required."""

    def find(program: str) -> Path:
        found = shutil.which(program)
        if found is None:
            missing(f"the program “{program}” is not installed")
        return Path(found)

    return find


@pytest.fixture(scope="session")
def cargo(tool: Callable[[str], Path]) -> Path:
    """A cargo that reads lock files of version 4 (1.78 or newer); without it as `tool`."""
    program = tool("cargo")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"cargo (\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < (1, 78):
        missing(f"cargo 1.78 or newer is needed, here is {said.strip() or 'one that does not work'}")
    return program


def missing(reason: str) -> NoReturn:
    """Skip the test that needs what is missing, or fail it where BRQOS_TEST_TOOLS=required."""
    if _TOOLS_ARE_REQUIRED:
        pytest.fail(f"{reason}, and BRQOS_TEST_TOOLS=required")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Layout], MiniatureRepositories]:
    """The miniature repositories of a layout, made once per session and not to be written to."""

    @cache
    def repositories(layout: Layout) -> MiniatureRepositories:
        folder = tmp_path_factory.mktemp(f"miniature-{layout.value}")
        release, kit = f"v{layout.release}", f"v{layout.core_kit}"
        return MiniatureRepositories(
            bottlerocket=folder / "bottlerocket",
            bottlerocket_tag=release,
            bottlerocket_commit=write_repository(bottlerocket(layout), folder / "bottlerocket", tag=release),
            core_kit=folder / "core-kit",
            core_kit_tag=kit,
            core_kit_commit=write_repository(core_kit(layout), folder / "core-kit", tag=kit),
        )

    return repositories


# Tests that look at the same images, which take seconds to make: one worker makes them for all of these.
_OF_ONE_WORKER = {
    "image/repack/test_check.py": "checked images",
    "image/repack/test_difference.py": "compared images",
    "image/repack/test_engine.py": "repacked images",
    "image/repack/test_engine_failures.py": "repacked images",
    "image/repack/test_engine_refusals.py": "refused images",
    "image/repack/test_examine.py": "refused images",
    "image/repack/test_synthetic.py": "synthetic images",
    "soak/test_repacking.py": "tampered images",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, and what shares costly things together (`--dist loadgroup`)."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and (group := _OF_ONE_WORKER.get(item.path.relative_to(here).as_posix())):
            item.add_marker(pytest.mark.xdist_group(group))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The figures that tests of publishing tell: how many points were tried."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    figures = [value for report in reports for key, value in report.user_properties if key == "publishing"]
    if figures:
        terminalreporter.section("publishing")
        for words in figures:
            terminalreporter.write_line(str(words))
