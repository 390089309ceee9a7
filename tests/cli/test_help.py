"""What `--help` prints is what we wrote: rich takes square brackets as markup and leaves them out without a word."""

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from brqos.cli.main import app

COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_no_word_is_lost(command: str) -> None:
    # Wide enough for no word to be broken or cut.
    printed = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "500"}).stdout
    found = COMMANDS[command]
    texts = [found.help, *(option.help for option in found.params), *(option.metavar or "" for option in found.params)]
    assert {word for text in texts for word in text.split()} <= set(printed.split())
    assert " under ." not in printed


@pytest.mark.parametrize("command", ["register", "iam-policy"])
def test_what_may_be_repeated_is_told_in_one_phrase(command: str) -> None:
    for option in COMMANDS[command].params:
        assert ("repeat it for several" in option.help) == option.multiple, option.opts
        assert option.help.count("repeat") == option.multiple, option.opts
