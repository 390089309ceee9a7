"""A machine as the doctor sees it, made of what a test says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from brqos.doctor.probe import Answer

GB = 10**9
GIB = 1 << 30
ANSWERS = {
    "git --version": Answer(0, "git version 2.39.5"),
    "cargo --version": Answer(0, "cargo 1.90.0 (840b83a10 2025-07-30)"),
    "cargo-make make --version": Answer(0, "cargo-make 0.37.24"),
    "docker --version": Answer(0, "Docker version 28.2.2, build e6534b4"),
    "docker buildx version": Answer(0, "github.com/docker/buildx v0.24.0 d0e5e86"),
    "docker version --format {{.Server.Version}}": Answer(0, "28.2.2"),
    "pkg-config --modversion openssl": Answer(0, "3.0.19"),
    # As Debian 12's programs say it.
    "sgdisk --version": Answer(0, "GPT fdisk (sgdisk) version 1.0.9"),
    "debugfs -V": Answer(0, "debugfs 1.47.0 (5-Feb-2023)\n\tUsing EXT2FS Library version 1.47.0"),
    "e2fsck -V": Answer(0, "e2fsck 1.47.0 (5-Feb-2023)\n\tUsing EXT2FS Library version 1.47.0, 5-Feb-2023"),
    "resize2fs": Answer(1, "resize2fs 1.47.0 (5-Feb-2023)\nUsage: resize2fs [-d debug_flags] [-f] [-F] [-M] [-P] [-p]"),
    "fsck.erofs -V": Answer(0, "fsck.erofs 1.5"),
    "veritysetup --version": Answer(0, "veritysetup 2.6.1 flags: UDEV BLKID KEYRING KERNEL_CAPI"),
    **{
        f"{name} --version": Answer(0, f"{name} (GNU mtools) 4.0.32\nconfigured with the following options: enable-xdf")
        for name in ("mcopy", "mdel", "mdir", "mtype")
    },
    "sbsign --version": Answer(0, "sbsign 0.9.4"),
    "sbverify --version": Answer(0, "sbverify 0.9.4"),
    "gpg --version": Answer(0, "gpg (GnuPG) 2.2.40\nlibgcrypt 1.10.1\nCopyright (C) 2022 g10 Code GmbH"),
    "cosign version --json": Answer(0, '{"gitVersion": "v2.4.3", "goVersion": "go1.24.0"}'),
    "gpgconf --version": Answer(0, "gpgconf (GnuPG) 2.2.40\nCopyright (C) 2022 g10 Code GmbH"),
}
PYTHON_PACKAGES = {"virt-firmware": "26.10", "cryptography": "50.0.2", "tuf": "7.0.1", "securesystemslib": "1.6.0"}


@dataclass
class Machine:
    """Everything is there unless a test takes it away.

    `missing` are programs and Python packages, `answers` what programs say, `packages` other versions of packages.
    """

    system: str = "Linux"
    machine: str = "x86_64"
    distribution: str = "ubuntu debian"
    environment: Mapping[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    answers: dict[str, Answer] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    free: int = 200 * GB
    memory: int = 64 * GIB
    processors: int = 32
    asked: list[str] = field(default_factory=list)

    def which(self, program: str) -> Path | None:
        return None if program in self.missing else Path("/usr/bin") / program

    def ask(self, *argv: str) -> Answer:
        command = " ".join(argv)
        self.asked.append(command)
        if argv[0] in self.missing:
            return Answer(None, "not installed")
        return self.answers.get(command) or ANSWERS[command]

    def package(self, name: str) -> str | None:
        return None if name in self.missing else self.packages.get(name) or PYTHON_PACKAGES[name]

    def free_bytes(self, folder: Path) -> int:
        return self.free

    def memory_bytes(self) -> int:
        return self.memory

    def cores(self) -> int:
        return self.processors
