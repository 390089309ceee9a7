import io
import json
import sys

import pytest

from brqos.console import Console
from brqos.errors import ConfigurationError


@pytest.fixture
def captured(capsys: pytest.CaptureFixture[str]):
    def of(**options) -> tuple[Console, pytest.CaptureFixture[str]]:
        return Console(**options), capsys

    return of


def test_results_and_progress_are_kept_apart(captured) -> None:
    console, capsys = captured()
    console.line("result")
    console.note("meanwhile")
    console.warn("careful")
    with console.task("work", total=10, unit="B") as task:
        task.advance(10)
    out, err = capsys.readouterr()
    assert out == "result\n"
    assert err.splitlines()[:2] == ["meanwhile", "warning: careful"]
    assert "✓ work" in err


def test_json_is_all_that_is_on_standard_output(captured) -> None:
    console, capsys = captured(json_output=True)
    console.line("for people")
    console.table(["A"], [["x"]])
    console.data({"ä": 1})
    assert json.loads(capsys.readouterr().out) == {"ä": 1}


def test_quiet_keeps_warnings_only(captured) -> None:
    console, capsys = captured(quiet=True)
    console.note("meanwhile")
    console.warn("careful")
    with console.task("work"):
        pass
    assert capsys.readouterr().err == "warning: careful\n"


def test_the_mark_stands_before_every_line(captured) -> None:
    console, capsys = captured(mark="[rehearsal] ")
    console.line("a [bold]b")
    console.table(["NAME", ""], [["x", "+good"]])
    console.error(ConfigurationError("what", why="why\nmore", todo="do"))
    out, err = capsys.readouterr()
    assert out.splitlines() == ["[rehearsal] a [bold]b", "[rehearsal] NAME", "[rehearsal] x     good"]
    assert all(line.startswith("[rehearsal] ") for line in err.splitlines())


def test_a_table_in_a_pipe_is_plain_and_never_cut(captured) -> None:
    console, capsys = captured()
    console.table(["A", "B"], [["x" * 150, "!bad"], ["y", "~middling"]])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "x" * 150 + "  bad"
    assert lines[2] == "y".ljust(150) + "  middling"


def test_on_a_terminal_there_are_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", Terminal())
    console = Console()
    console.table(["A"], [["!bad"]])
    assert "\x1b[31mbad" in sys.stdout.getvalue()  # type: ignore[attr-defined]


def test_tasks_in_several_threads_share_the_display(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from rich.console import Console as RichConsole

    from brqos.progress_bars import Bars

    out = io.StringIO()
    bars = Bars(RichConsole(file=out, force_terminal=True, width=100), "")
    gate = threading.Barrier(3)

    def work(name: str, unit: str) -> None:
        with bars.task(name, 4 << 20, unit) as task:
            gate.wait(5)
            task.advance(2 << 20)
            task.describe(f"[{name}]")
            gate.wait(5)

    threads = [threading.Thread(target=work, args=args) for args in (("first", "B"), ("second", "files"))]
    for thread in threads:
        thread.start()
    gate.wait(5)
    gate.wait(5)
    for thread in threads:
        thread.join(5)
    with bars.task("third", None, ""):
        pass
    assert {"first", "second", "third"} <= {name for name in ("first", "second", "third") if name in out.getvalue()}


def test_a_message_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Console().note("ID=\x1b]0;owned\x07 \x9b31m ok")
    assert capsys.readouterr().err == "ID=\ufffd]0;owned\ufffd \ufffd31m ok\n"
