"""A process that has everything imported and forks: a run of brqos, or an emulator, in milliseconds and not a second.

    python -m publishing.zygote SOCKET

Each connection to the socket is one process. The first line on it is a JSON object: {"do": "emulator", "argv": [...]}
or {"do": "brqos", "argv": [...], "environment": {...}, "folder": "...", "output": "...", "errors": "..."}.

An emulator has the connection as its standard input and output: it says where it is, and ends when that is closed.
A run says its process id, waits for a line (nobody can be killed at the first call of whom nobody knows), and is told
of in the end by its exit status, negative for a signal. It ends on the standard input of the zygote being closed, too.
"""

import contextlib
import functools
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# Commands import what they need when they run.
_MODULES = (
    "brqos.cli.main",
    "brqos.cli.registering",
    "brqos.ami.pruning.regions",
    "brqos.ami.pruning.rules",
    "brqos.aws.identity",
    "brqos.config.resolve",
    "brqos.config.variants",
    "brqos.rehearsal.emulator.__main__",
    "encodings.idna",
    "filelock",
    "urllib3",
)


def main() -> None:
    """Serve until standard input closes; in a forked process this returns what that one is to do."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(64)
    warm_up()
    # Nobody waits for the children of the zygote itself.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    work = serve(listener)
    work()


def warm_up() -> None:
    """Import what a run needs, and keep botocore's descriptions of the services, which take longest to read."""
    import botocore.session

    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    for module in _MODULES:
        importlib.import_module(module)
    from brqos.aws.session import AwsSession

    session = AwsSession(endpoint="http://127.0.0.1:1", credentials=("a", "b"))
    for make in (session.ec2, session.ebs, session.ebs_reader, session.parameters, session.usage):
        make("eu-west-1")
    session._client("sts", "eu-west-1")
    assert threading.active_count() == 1, "a process with threads cannot be forked"
    gc.collect()
    gc.freeze()


def serve(listener: socket.socket) -> Callable[[], None]:
    """Fork for each connection; returns in the forked process what it is to do, and never in the zygote."""
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if sys.stdin.fileno() in ready:
                os._exit(0)
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                return functools.partial(become, connection)
            connection.close()


def become(connection: socket.socket) -> None:
    """Be what the connection asks for."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    asked = json.loads(read_line(connection))
    sys.argv = ["brqos", *asked["argv"]]
    if asked["do"] == "emulator":
        for descriptor in (0, 1):
            os.dup2(connection.fileno(), descriptor)
        connection.close()
        from brqos.rehearsal.emulator.__main__ import main as emulator

        sys.exit(emulator())
    oversee(connection, asked)


def oversee(connection: socket.socket, asked: Mapping[str, Any]) -> None:
    """Fork once more, so that somebody is there to tell how the run has ended."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        connection.close()
        go = os.read(reading, 1)
        os.close(reading)
        if go:
            run(asked)
        return
    os.close(reading)
    connection.sendall(f"{pid}\n".encode())
    if read_line(connection):
        os.write(writing, b"!")
    os.close(writing)
    _, status = os.waitpid(pid, 0)
    # Whoever was to be told may be gone.
    with contextlib.suppress(OSError):
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def run(asked: Mapping[str, Any]) -> None:
    """Be a run of brqos, as its console script is."""
    from brqos.cli.main import main as brqos

    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    Path(asked["output"]).touch()
    places = {0: (os.devnull, os.O_RDONLY), 1: (asked["output"], os.O_WRONLY), 2: (asked["errors"], os.O_WRONLY)}
    for descriptor, (file, mode) in places.items():
        opened = os.open(file, mode | os.O_CREAT, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    brqos()


def read_line(connection: socket.socket) -> bytes:
    """The next line without its end; nothing at the end of the connection."""
    line = b""
    while (byte := connection.recv(1)) not in (b"", b"\n"):
        line += byte
    return line


if __name__ == "__main__":
    main()
