"""An initramfs that does what Bottlerocket's kernel does with dm-mod.create, and then shows files of the root.

Debian's kernel has dm-verity and the filesystems as modules and no CONFIG_DM_INIT. So a small /init (busybox) loads the
modules, makes the device that the kernel's command line describes, mounts it and writes what it finds to the console.
"""

import re
import stat
from collections.abc import Sequence
from pathlib import Path

from .debian import Kernel
from .model import MissingError
from .tools import find, run

# What each of our lines on the console begins with.
MARK = "SYNTHETIC"
# libcrc32c asks for its algorithm by name, so nothing "depends" on crc32c_generic.
_MODULES = ("virtio_pci", "virtio_blk", "dm-verity", "crc32c_generic", "ext4", "erofs")

_INIT = r"""#!/bin/busybox sh
PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
say() { echo "@MARK@ $*"; }
# A reboot ends QEMU at once, so everything said before it has to be out.
stop() { say "$1"; sync; sleep 1; poweroff -f; }

for module in $(cat /modules/order); do insmod "/modules/$module" || say "module $module failed"; done
i=0; while [ ! -b /dev/vda ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
say "kernel: $(dmesg | grep -i -m1 'secure boot' || echo 'says nothing of Secure Boot')"

# GRUB puts an argument with spaces into quotes as a whole.
table=$(sed -n 's/.*dm-mod\.create="\{0,1\}root,,,ro,\([^"]*\)".*/\1/p' /proc/cmdline)
[ -n "$table" ] || stop "failed: no dm-mod.create"
uuid=$(echo "$table" | sed 's/.*PARTUUID=\([^/]*\)\/PARTNROFF=1 .*/\1/')
# The GUID as the partition table has it: the first three parts with their bytes turned round.
wanted=$(echo "$uuid" | tr -d - | sed 's/^\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)/\4\3\2\1\6\5\8\7/')
number=0
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13; do
    found=$(dd if=/dev/vda bs=16 skip=$((65 + 8 * (n - 1))) count=1 2>/dev/null | od -An -v -tx1 | tr -d ' \n')
    [ "$found" = "$wanted" ] && number=$n
done
[ $number -gt 0 ] || stop "failed: no partition $uuid"
for offset in 1 2; do
    table=$(echo "$table" | sed "s|PARTUUID=$uuid/PARTNROFF=$offset |/dev/vda$((number + offset)) |")
done
say "table: $table"
dmsetup create root --readonly --noudevsync --noudevrules --table "$table" || stop "failed: dmsetup"
mkdir -p /sysroot
mount -t ext4 -o ro /dev/dm-0 /sysroot 2>/dev/null || mount -t erofs -o ro /dev/dm-0 /sysroot || stop "failed: mount"
say "mounted: $(grep ' /sysroot ' /proc/mounts)"
while read -r path; do
    # The links of the root are absolute only below /usr, and none is on the way to a file that we show.
    file="/sysroot$path"
    if [ -f "$file" ]; then
        say "file: $path $(stat -c '%a %u %g %s' "$file")"
        sed "s/^/@MARK@| /" "$file"
        echo "@MARK@ end"
    else
        say "missing: $path"
    fi
done < /wanted
if [ -e /read-all ]; then cat /dev/dm-0 > /dev/null || stop "failed: reading the whole root"; fi
stop "done"
"""


def make_initramfs(kernel: Kernel, wanted: Sequence[str], *, read_all: bool = True) -> bytes:
    """The archive (cpio, not compressed). `wanted` are absolute paths of the files to show.

    Raises MissingError without busybox or dmsetup.
    """
    entries: dict[str, tuple[int, bytes]] = {}
    for program in ("busybox", "dmsetup"):
        path = find(program)
        entries[f"bin/{program}"] = (stat.S_IFREG | 0o755, path.read_bytes())
        for library in _libraries(path):
            entries[library.as_posix().lstrip("/")] = (stat.S_IFREG | 0o755, library.read_bytes())
    modules = _modules(kernel)
    for module in modules:
        entries[f"modules/{module.name}"] = (stat.S_IFREG | 0o644, module.read_bytes())
    entries["modules/order"] = (stat.S_IFREG | 0o644, "".join(f"{module.name}\n" for module in modules).encode())
    entries["wanted"] = (stat.S_IFREG | 0o644, "".join(f"{path}\n" for path in wanted).encode())
    if read_all:
        entries["read-all"] = (stat.S_IFREG | 0o644, b"")
    entries["init"] = (stat.S_IFREG | 0o755, _INIT.replace("@MARK@", MARK).encode())
    folders = {parent.as_posix() for name in entries for parent in Path(name).parents} | {"proc", "sys", "dev"}
    everything = dict.fromkeys(sorted(folders - {"."}), (stat.S_IFDIR | 0o755, b"")) | entries
    return _archive(everything)


def _libraries(program: Path) -> list[Path]:
    """What ldd lists, the loader included; nothing for a static program."""
    if b"ld-linux" not in program.read_bytes()[:8192]:
        return []
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", run(["ldd", program]))]


def _modules(kernel: Kernel) -> list[Path]:
    """The modules' files, those that others depend on first."""
    files = {path.name.removesuffix(".ko").replace("-", "_"): path for path in kernel.modules.rglob("*.ko")}
    order: list[Path] = []

    def add(name: str) -> None:
        path = files.get(name)
        if path is None:
            raise MissingError(f"the kernel {kernel.release} has no module {name}")
        if path not in order:
            depends = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
            for other in (depends[1].decode() if depends else "").split(","):
                if other:
                    add(other.replace("-", "_"))
            order.append(path)

    for name in _MODULES:
        add(name.replace("-", "_"))
    return order


def _archive(entries: dict[str, tuple[int, bytes]]) -> bytes:
    """The form "newc" (kernel, driver-api/early-userspace/buffer-format.rst): hexadecimal fields, padded to 4 bytes."""
    result = bytearray()
    for number, (name, (mode, content)) in enumerate([*entries.items(), ("TRAILER!!!", (0, b""))], start=1):
        encoded = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
        result += b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        result += bytes(-len(result) % 4) + content
        result += bytes(-len(result) % 4)
    return bytes(result)
