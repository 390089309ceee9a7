"""The command `brqos`: its list of commands."""

import contextlib
import os
import sys
import threading
from typing import Annotated

import typer

from brqos import __version__
from brqos.cli.attest import attest
from brqos.cli.build import build
from brqos.cli.clean import clean
from brqos.cli.doctor import doctor
from brqos.cli.explain import explain
from brqos.cli.generate import generate
from brqos.cli.iam_policy import iam_policy
from brqos.cli.init import init
from brqos.cli.keys import keys
from brqos.cli.matrix import matrix
from brqos.cli.nodegroup import nodegroup
from brqos.cli.pipeline import pipeline
from brqos.cli.prune import prune
from brqos.cli.register import register
from brqos.cli.status import status
from brqos.cli.stop import stop
from brqos.cli.userdata import userdata
from brqos.cli.variants import variants
from brqos.cli.verify import verify
from brqos.cli.watch import watch
from brqos.errors import ExitCode

app = typer.Typer(
    name="brqos",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"brqos {__version__}")
        raise typer.Exit


@app.callback()
def brqos(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Bake Bottlerocket AMIs whose kubelet has Kubernetes' MemoryQoS on, and put them to use."""


for command in (
    init,
    variants,
    doctor,
    generate,
    build,
    register,
    attest,
    iam_policy,
    nodegroup,
    userdata,
    explain,
    verify,
    status,
    stop,
    matrix,
    watch,
    prune,
    clean,
):
    app.command()(command)
app.add_typer(keys, name="keys")
app.add_typer(pipeline, name="pipeline")


def main() -> None:
    """The console script."""
    try:
        app(prog_name="brqos")
    except SystemExit as end:
        if end.code == ExitCode.INTERRUPTED:
            _leave_behind(int(end.code))
        raise


def _leave_behind(code: int) -> None:
    """End at once, whatever calls still hang in threads: Python would wait for them, and nothing depends on them."""
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
