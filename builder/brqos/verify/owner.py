"""Who made a probe: this process, so that another run on this machine can tell whether it still lives.

`<machine>/<pid>/<start>`: the machine by its boot and its namespace of processes, so the same number elsewhere is
somebody else.
"""

import contextlib
import hashlib
import os
import socket
import time
import uuid
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")


def this_process() -> str:
    """The owner that probes made by this process carry."""
    import psutil

    pid = os.getpid()
    return f"{_machine()}/{pid}/{psutil.Process(pid).create_time():.0f}"


def is_gone(owner: str) -> bool:
    """Whether it is certain that the process is over: one of this machine that is not there any more."""
    import psutil

    machine, _, rest = owner.partition("/")
    pid, _, started = rest.partition("/")
    if machine != _machine() or not (pid.isdecimal() and started.isdecimal()):
        return False
    try:
        # The clock may have been set between the two looks at it.
        return abs(psutil.Process(int(pid)).create_time() - int(started)) > 2
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


def new_run() -> str:
    """A name for a run that no other has."""
    return hashlib.sha256(f"{this_process()}/{time.time_ns()}".encode()).hexdigest()[:10]


def _machine() -> str:
    told = [socket.gethostname(), f"{uuid.getnode():x}"]
    # Where there is no /proc, name and network address have to do.
    with contextlib.suppress(OSError):
        told += [_BOOT.read_text(encoding="ascii").strip(), os.readlink(_NAMESPACE)]  # noqa: PTH115 - no real path
    return hashlib.sha256("/".join(told).encode()).hexdigest()[:12]
