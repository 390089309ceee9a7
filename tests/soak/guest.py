"""A guest of QEMU's for the soak: a kernel, busybox, one script, no network, no disk; it speaks on its serial line."""

import gzip
import io
import re
import shutil
import stat
import tempfile
from pathlib import Path

from brqos import process
from soak.pods import Node

MEMORY_MIB = 512
CACHE_HIGH = 32 * 2**20
CACHE_READ_MIB = 128
_READ = (
    "memory.min memory.low memory.high memory.max memory.current memory.events memory.stat memory.pressure"
    " cgroup.controllers"
)
_BEGIN = """\
#!/bin/sh
# Console messages of the kernel must not get between our lines.
mount -t proc proc /proc; mount -t devtmpfs dev /dev; mount -t sysfs sys /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo "@@ kernel $(uname -r)"
cd /sys/fs/cgroup
echo +memory > cgroup.subtree_control
"""
_SHOW = """\
show() {{
  find "$1" -type d | while read -r d; do for f in {files}; do
    [ -r "$d/$f" ] && {{ echo "@@ file $2 ${{d#$1/}} $f"; cat "$d/$f" 2>/dev/null; }}
  done; done
  echo "@@ end $2"
}}
"""
# Reading a block device fills the page cache, and the reader's cgroup is charged for it; the cache stays for as long as
# somebody has the device open. A writer that nobody reads from holds on to its buffer.
_RECLAIM = """\
insmod /brd.ko rd_nr=1 rd_size={kib}
exec 3< /dev/ram0
mkdir throttled free
echo {high} > throttled/memory.high
for c in throttled free; do
  echo 3 > /proc/sys/vm/drop_caches
  sh -c "echo 0 > $c/cgroup.procs; exec dd if=/dev/ram0 of=/dev/null bs=1M 2>/dev/null"
  show "$c" "$c"
done
mkdir leak
echo {high} > leak/memory.high
echo {limit} > leak/memory.max
mkfifo /fifo
exec 4<> /fifo
sh -c "echo 0 > leak/cgroup.procs; exec dd if=/dev/zero of=/fifo bs={hold} count=1 2>/dev/null" &
sleep 10
show leak leak
kill -9 $! 2>/dev/null
echo "@@ done"
poweroff -f
"""


def script(nodes: list[Node]) -> str:
    """What the guest does: make each node's cgroups and show them, then show memory.high at work."""
    lines = [_BEGIN, _SHOW.format(files=_READ)]
    for number, node in enumerate(nodes):
        root = f"node{number}"
        lines.append(f"mkdir {root}; echo +memory > {root}/cgroup.subtree_control")
        for path, files in node.cgroups().items():
            lines.append(f"mkdir -p {root}/{path}")
            if not path.endswith(".scope"):
                lines.append(f"echo +memory > {root}/{path}/cgroup.subtree_control")
            lines += [f"echo {text} > {root}/{path}/{name}" for name, text in files.items()]
        lines.append(f"show {root} {root}")
    kib = CACHE_READ_MIB * 1024
    lines.append(_RECLAIM.format(kib=kib, high=CACHE_HIGH, limit=4 * CACHE_HIGH, hold=CACHE_HIGH + 2**23))
    return "\n".join(lines)


def initramfs(busybox: Path, ramdisk_module: Path, init: str) -> bytes:
    """A compressed cpio archive (newc) with busybox under all its names, the module, and the script as /init."""
    archive = io.BytesIO()
    for name in ("bin", "proc", "sys", "dev", "sys/fs", "sys/fs/cgroup", "tmp"):
        _entry(archive, name, b"", stat.S_IFDIR | 0o755)
    _entry(archive, "bin/busybox", busybox.read_bytes(), stat.S_IFREG | 0o755)
    for applet in process.run([busybox, "--list"]).text.split():
        if applet != "busybox":
            _entry(archive, f"bin/{applet}", b"busybox", stat.S_IFLNK | 0o777)
    _entry(archive, "brd.ko", ramdisk_module.read_bytes(), stat.S_IFREG | 0o644)
    _entry(archive, "init", init.encode(), stat.S_IFREG | 0o755)
    _entry(archive, "TRAILER!!!", b"", 0)
    return gzip.compress(archive.getvalue(), 1)


def _entry(archive: io.BytesIO, name: str, data: bytes, mode: int) -> None:
    encoded = name.encode() + b"\0"
    fields = (archive.tell() + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    for part in (header + encoded, data):
        archive.write(part)
        archive.write(b"\0" * (-archive.tell() % 4))


def run(kernel: Path, archive: bytes, qemu: str, seconds: float) -> str:
    """Boot the guest, without network and without disks, and return what it said; raises process.TimedOut."""
    folder = Path(tempfile.mkdtemp(prefix="brqos-soak-"))
    try:
        initrd = folder / "initrd.gz"
        initrd.write_bytes(archive)
        argv = [
            qemu, "-machine", "pc,accel=tcg", "-cpu", "max", "-m", str(MEMORY_MIB),
            "-smp", "1", "-nodefaults", "-no-user-config",
            "-display", "none", "-serial", "stdio", "-no-reboot", "-net", "none",
            "-kernel", str(kernel), "-initrd", str(initrd),
            "-append", "console=ttyS0 quiet loglevel=0 panic=-1 rdinit=/init psi=1 cgroup_no_v1=all",
        ]  # fmt: skip
        completed = process.run(argv, check=False, timeout=seconds)
        return completed.text.replace("\r", "") + completed.stderr
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def parsed(said: str) -> dict[str, dict[str, dict[str, str]]]:
    """What the guest showed: root to cgroup to file to text."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for match in re.finditer(r"^@@ file (\S+) (\S+) (\S+)\n(.*?)(?=^@@ )", said, re.MULTILINE | re.DOTALL):
        root, path, name, text = match.groups()
        found.setdefault(root, {}).setdefault("" if path == root else path, {})[name] = text
    return found


def write_tree(folder: Path, cgroups: dict[str, dict[str, str]]) -> None:
    """The copy of a cgroup tree that brqos compares."""
    for path, files in cgroups.items():
        place = folder / path
        place.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (place / name).write_text(text)
