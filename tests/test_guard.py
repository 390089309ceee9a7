"""The guard in conftest.py: what a test must not do fails, what it asked for works."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from brqos import process

_FAILED = pytest.fail.Exception


def test_no_process_without_the_marker() -> None:
    with pytest.raises(_FAILED, match="without the marker “processes”"):
        process.run([sys.executable, "-c", ""])
    with pytest.raises(_FAILED, match="without the marker “processes”"):
        subprocess.run(["true"], check=False)
    with pytest.raises(_FAILED, match="a shell"):
        os.system("true")


@pytest.mark.processes
def test_processes_with_the_marker() -> None:
    assert process.run([sys.executable, "-c", "print(42)"]).text == "42\n"


def test_no_connection_to_another_machine() -> None:
    with socket.socket() as client, pytest.raises(_FAILED, match="another machine"):
        client.connect(("192.0.2.1", 80))


def test_no_loopback_without_the_marker() -> None:
    with socket.socket() as client, pytest.raises(_FAILED, match="without the marker “loopback”"):
        client.connect(("127.0.0.1", 9))


@pytest.mark.loopback
def test_loopback_with_the_marker() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


@pytest.mark.loopback
def test_loopback_does_not_open_the_network() -> None:
    with socket.socket() as client, pytest.raises(_FAILED, match="another machine"):
        client.connect_ex(("192.0.2.1", 80))


def test_environment_is_empty_of_accounts(home: Path) -> None:
    assert [name for name in os.environ if name.startswith("AWS_")] == ["AWS_EC2_METADATA_DISABLED"]
    assert not [name for name in os.environ if name.startswith("BRQOS_")]
    assert Path.home() == home
    assert os.environ["XDG_CACHE_HOME"].startswith(str(home))


def test_missing_tool_is_skipped_or_fails(tool: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[tool.__module__], "_TOOLS_ARE_REQUIRED", False)
    with pytest.raises(pytest.skip.Exception, match="not installed"):
        tool("a-program-that-nobody-has")
    monkeypatch.setattr(sys.modules[tool.__module__], "_TOOLS_ARE_REQUIRED", True)
    with pytest.raises(_FAILED, match="BRQOS_TEST_TOOLS=required"):
        tool("a-program-that-nobody-has")
