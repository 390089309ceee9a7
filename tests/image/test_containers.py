"""Only this tree's containers are removed."""

from pathlib import Path

import pytest

from brqos import process
from brqos.errors import ToolError
from brqos.image.containers import name_ending, remove_left_over

TREE = Path("/cache/trees/abc")


class _Docker:
    def __init__(self, names: str) -> None:
        self.names = names
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, argv: list[str], **_: object) -> process.Completed:
        self.calls.append(tuple(argv))
        return process.Completed(tuple(argv), 0, self.names.encode(), "")


def test_token_is_buildsys_own() -> None:
    # sha512("/cache/trees/abc"), the first twelve digits, as buildsys' function `token` takes them.
    assert name_ending(TREE) == "-1707cee98fce-bypass"


def test_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, other = f"buildsys-pkg-release-x86_64{name_ending(TREE)}", "buildsys-pkg-release-x86_64-0123456789ab-bypass"
    docker = _Docker(f"{ours}\n{other}\n")
    monkeypatch.setattr(process, "run", docker)
    assert remove_left_over(TREE) == (ours,)
    assert docker.calls[1] == ("docker", "rm", "--force", ours)


def test_nothing_left(monkeypatch: pytest.MonkeyPatch) -> None:
    docker = _Docker("")
    monkeypatch.setattr(process, "run", docker)
    assert remove_left_over(TREE) == ()
    assert len(docker.calls) == 1


def test_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_docker(*_: object, **__: object) -> None:
        raise ToolError("the program “docker” is not installed")

    monkeypatch.setattr(process, "run", no_docker)
    assert remove_left_over(TREE) == ()
