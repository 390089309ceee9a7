"""Runs that are killed: what they leave has no name of a result, and a later run takes it away."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from brqos.image.repack.engine import repack
from brqos.image.repack.workplace import workplace
from brqos.monitor import Silent

from .conftest import NAME, STEM, a_wish, list_of, sha256
from .synthetic import SyntheticImage

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("repack_tools")]


_KILLED = f"""
import sys, time
from pathlib import Path
from brqos.image.repack import engine
from brqos.image.repack.plan import Wish
from brqos.memoryqos.settings import kubelet_settings
from brqos.monitor import Silent
from brqos.variant import KubernetesVersion

step, image, data, output = sys.argv[1:]
real = getattr(engine, step)

def last(*arguments, **more):
    real(*arguments, **more)
    print("now", flush=True)
    time.sleep(60)

setattr(engine, step, last)
settings = kubelet_settings(KubernetesVersion(1, 29))
engine.repack(Wish(Path(image), settings, {NAME!r}, None, data_image=Path(data)), Path(output), Silent())
"""


@pytest.mark.parametrize("step", ["copy_image", "write_boot_files", "pack", "publish"])
def test_killed_half_way(plain: SyntheticImage, output: Path, step: str) -> None:
    before = sha256(plain.os_image)
    words = [sys.executable, "-c", _KILLED, step, plain.os_image, plain.data_image, output]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"now\n"
        # Another run takes nothing from one that is under way.
        with workplace(output) as mine:
            assert len(list(output.glob(".brqos-repack-*"))) == 2
        assert not mine.exists()
        child.send_signal(signal.SIGKILL)
    (left,) = output.glob(".brqos-repack-*")
    # A program that was just being started holds what its parent had open, until it begins.
    wait_for(lambda: is_free(left / "lock"))
    # After the data image has its name and before the OS image has: the one is whole, the other is not there.
    assert set(list_of(output)) - {left.name} == ({f"{STEM}-data.img.lz4"} if step == "publish" else set())

    repack(a_wish(plain.os_image, data_image=plain.data_image), output, Silent())
    assert list_of(output) == [f"{STEM}-data.img.lz4", f"{STEM}.img.lz4"]
    assert sha256(plain.os_image) == before


def test_folders_in_use_and_those_of_others_stay(output: Path) -> None:
    output.mkdir()
    (output / ".brqos-repack-link").symlink_to("/nowhere")
    left = output / ".brqos-repack-left"
    left.mkdir()
    (left / "os.img").write_bytes(b"half")
    (left / "tree").mkdir()
    (left / "tree" / "file").write_bytes(b"")
    (left / "tree").chmod(0o555)
    with workplace(output) as mine, workplace(output) as other:
        assert not left.exists()
        assert mine.exists()
        assert other.exists()
    assert list_of(output) == [".brqos-repack-link"]


def test_what_a_killed_run_had_started_is_ended(output: Path) -> None:
    left = output / ".brqos-repack-left"
    left.mkdir(parents=True)
    code = f"from pathlib import Path; from brqos.process import run; run(['sleep', '60'], cwd=Path({str(left)!r}))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment) as parent:
        wait_for(lambda: sleeping_in(left))
        parent.kill()
    (sleeper,) = sleeping_in(left)
    with workplace(output):
        assert not left.exists()
        wait_for(lambda: not Path(f"/proc/{sleeper}/cmdline").exists() or not is_alive(sleeper))


def sleeping_in(folder: Path) -> list[int]:
    import psutil

    found = []
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] == "sleep" and process.info["cwd"] == str(folder):
            found.append(process.pid)
    return found


def is_alive(pid: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


def is_free(lock: Path) -> bool:
    with lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def wait_for(done: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)
