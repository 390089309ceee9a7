"""The real machine is read without harm, whatever it is."""

import sys
from pathlib import Path

import pytest

from brqos import process
from brqos.doctor.probe import Answer, ThisMachine


def test_this_machine(tmp_path: Path) -> None:
    machine = ThisMachine()
    assert machine.system in {"Linux", "Darwin"}
    assert machine.cores() >= 1
    assert machine.memory_bytes() > 1 << 26
    assert machine.free_bytes(tmp_path / "not" / "there" / "yet") > 0
    assert machine.which("no-such-program") is None
    assert machine.package("pytest")
    assert machine.package("no-such-package") is None


@pytest.mark.processes
def test_asking() -> None:
    machine = ThisMachine()
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(2)"
    assert machine.ask(sys.executable, "-c", code) == Answer(2, "out\n\nerr")
    assert machine.ask("no-such-program").status is None


def test_a_program_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(argv: tuple[str, ...], *, check: bool, timeout: float) -> None:
        raise process.TimedOut(list(argv), timeout)

    monkeypatch.setattr(process, "run", hang)
    assert ThisMachine().ask("docker", "version").status is None
