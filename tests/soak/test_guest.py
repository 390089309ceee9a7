"""What the soak makes and how it judges; the guest itself is run by scripts/soak."""

import gzip
import subprocess
from pathlib import Path

import pytest

from soak.guest import CACHE_HIGH, initramfs, parsed, script
from soak.pods import nodes
from soak.verdict import verdict

PAGE = 4096
STAT = "anon {anon}\nfile {file}\n"


def said(**wrong: str) -> str:
    """What a right kernel says: what is written, floored to pages; `wrong` are values of pod-2's container."""
    lines = ["@@ kernel 6.1.0"]

    def show(root: str, path: str, files: dict[str, str]) -> None:
        for name, text in files.items():
            lines.append(f"@@ file {root} {path or root} {name}\n{text.rstrip()}")

    for number, node in enumerate(nodes()):
        for path, written in node.cgroups().items():
            files = {"memory.min": "0", "memory.low": "0", "memory.high": "max", "memory.max": "max"}
            files |= {name: str(int(text) // PAGE * PAGE) for name, text in written.items()}
            if path.endswith(f"{2:064x}.scope"):
                files |= wrong
            show(f"node{number}", path, files)
    plain = {"memory.min": "0", "memory.low": "0", "memory.high": str(CACHE_HIGH), "memory.max": "max"}
    events = "low 0\nhigh {high}\nmax 0\noom 0\noom_kill 0"
    for root, current, high, stat in (
        ("throttled", CACHE_HIGH - PAGE, 100, STAT.format(anon=4096, file=CACHE_HIGH - 2**20)),
        ("free", 4 * CACHE_HIGH, 0, STAT.format(anon=4096, file=4 * CACHE_HIGH)),
        ("leak", CACHE_HIGH, 70, STAT.format(anon=CACHE_HIGH, file=0)),
    ):
        events_now = events.format(high=high)
        show(root, "", {**plain, "memory.current": str(current), "memory.events": events_now, "memory.stat": stat})
    return "\n".join([*lines, "@@ done\n"])


def test_a_right_kernel_is_found_right() -> None:
    lines = verdict(nodes(), parsed(said()))
    assert len(lines) == 6
    assert all(line.good for line in lines), lines


def test_a_wrong_value_is_found() -> None:
    lines = verdict(nodes(), parsed(said(**{"memory.high": "199229441"})))
    assert [line.good for line in lines] == [False] * 4 + [True] * 2
    assert "memory.high: predicted 199229440, read 199229441" in lines[1].text


def test_a_guest_that_says_nothing_is_not_right() -> None:
    lines = verdict(nodes(), parsed(""))
    assert len(lines) == 7
    assert not any(line.good for line in lines)


def test_some_written_values_are_not_whole_pages() -> None:
    written = [int(text) for node in nodes() for files in node.cgroups().values() for text in files.values()]
    assert any(value % PAGE for value in written)


@pytest.mark.processes
def test_the_guest_s_script_is_a_shell_script(tmp_path: Path) -> None:
    file = tmp_path / "init"
    file.write_text(script(nodes()))
    assert subprocess.run(["sh", "-n", file], check=False).returncode == 0


@pytest.mark.processes
def test_the_archive_has_what_the_guest_needs(tmp_path: Path) -> None:
    busybox = tmp_path / "busybox"
    busybox.write_text("#!/bin/sh\nprintf 'busybox\\nsh\\nmount\\n'\n")
    busybox.chmod(0o755)
    module = tmp_path / "brd.ko"
    module.write_bytes(b"elf")
    content = gzip.decompress(initramfs(busybox, module, "#!/bin/sh\n"))
    assert content.startswith(b"070701")
    assert len(content) % 4 == 0
    for name in (b"bin/busybox\0", b"bin/sh\0", b"brd.ko\0", b"init\0", b"TRAILER!!!\0"):
        assert name in content
