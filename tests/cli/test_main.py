import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from brqos import process
from brqos.cli.main import app
from brqos.cli.session import running
from brqos.errors import AwsError, ExitCode

COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]
# What must not be imported before it is known which command is wanted, and with which options.
HEAVY = {"pydantic", "boto3", "botocore", "jinja2", "tomlkit", "ruamel.yaml", "lz4", "psutil", "filelock"}


@pytest.mark.processes
def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['brqos', '--help']\n"
        "try:\n from brqos.cli.main import main; main()\n"
        "finally:\n print(*sys.modules)"
    )
    words = process.run([sys.executable, "-c", code], cwd=tmp_path).text.splitlines()[-1].split()
    assert "typer" in words
    assert not HEAVY & set(words)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_every_command_is_explained(command: str) -> None:
    found = get_command(app).commands[command]  # type: ignore[attr-defined]
    assert re.match(r"[A-Z].*\.$", found.help.splitlines()[0]), found.help
    for option in found.params:
        assert option.help, f"{command} {option.opts}"
        assert option.help.endswith("."), f"{command} {option.opts}: {option.help}"
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


def test_a_wrong_option_is_a_usage_error() -> None:
    assert CliRunner().invoke(app, ["variants", "--nonsense"]).exit_code == ExitCode.USAGE


def test_an_error_is_told_with_what_why_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, running():
        raise AwsError("it failed", why="a [reason]", todo="try again")
    assert caught.value.exit_code == ExitCode.AWS
    assert capsys.readouterr().err == "error: it failed\n  a [reason]\n  try again\n"


def test_an_interrupt_says_that_the_same_command_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, running():
        raise KeyboardInterrupt
    assert caught.value.exit_code == ExitCode.INTERRUPTED
    assert "goes on" in capsys.readouterr().err


def test_a_full_disk_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, running():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/full/file")
    assert caught.value.exit_code == ExitCode.TOOL
    told = capsys.readouterr().err
    assert "the disk is full: /full/file" in told
    assert "brqos clean" in told


@pytest.mark.processes
@pytest.mark.parametrize(("command", "code"), [(["variants"], 0), (["build", "--variant", "aws-k8s-1.29"], 130)])
def test_a_reader_that_goes_away(tmp_path: Path, command: list[str], code: int) -> None:
    read, write = os.pipe()
    os.close(read)
    # Results end quietly, messages mean that nobody watches the run any more.
    target = {"stdout": write} if code == 0 else {"stderr": write}
    running = subprocess.Popen([sys.executable, "-m", "brqos", *command], cwd=tmp_path, **target)
    os.close(write)
    assert running.wait(30) == code


@pytest.mark.processes
def test_a_closed_terminal_is_an_interrupt_but_nohup_is_not(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, time\n"
        "if sys.argv[1] == 'nohup': signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from brqos.cli.session import running\n"
        "with running():\n os.kill(os.getpid(), signal.SIGHUP); time.sleep(0.2)\n"
        "print('went on')"
    )
    closed = process.run([sys.executable, "-c", code, "plain"], cwd=tmp_path, check=False)
    assert "interrupted" in closed.stderr
    assert process.run([sys.executable, "-c", code, "nohup"], cwd=tmp_path).text == "went on\n"


def test_a_bug_ends_in_one_message_and_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, running():
        raise ZeroDivisionError("oh")
    assert caught.value.exit_code == ExitCode.BUG
    told = capsys.readouterr().err
    assert "Traceback" not in told
    log = Path(re.search(r"is in (\S+)", told)[1])  # type: ignore[index]
    assert "ZeroDivisionError: oh" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    log.unlink()
