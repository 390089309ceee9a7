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
}


@dataclass
class Machine:
    """Everything is there unless a test takes it away; `missing` are programs, `answers` what programs say."""

    system: str = "Linux"
    machine: str = "x86_64"
    distribution: str = "ubuntu debian"
    environment: Mapping[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    answers: dict[str, Answer] = field(default_factory=dict)
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

    def free_bytes(self, folder: Path) -> int:
        return self.free

    def memory_bytes(self) -> int:
        return self.memory

    def cores(self) -> int:
        return self.processors
