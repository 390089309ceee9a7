"""A Containerfile, read as its instructions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Instruction:
    """One instruction: its keyword, its flags, its text with lines joined, and the stage that it is in."""

    word: str
    flags: tuple[str, ...]
    text: str
    stage: str


def instructions(text: str) -> list[Instruction]:
    """All instructions, in their order; comments are left out, also those between continued lines."""
    found, stage = [], ""
    for line in _joined(text):
        word, _, rest = line.partition(" ")
        flags = []
        while match := re.match(r"--\S+\s+", rest):
            flags.append(match[0].strip())
            rest = rest[match.end() :]
        if word == "FROM":
            stage = rest.split(" AS ")[1]
        found.append(Instruction(word, tuple(flags), rest, stage))
    return found


def packages(instruction: Instruction) -> set[str]:
    """What a RUN installs by apt-get, without what an argument adds."""
    calls = re.findall(r"apt-get install ([^;>]*)", instruction.text)
    words = {word for call in calls for word in call.split()}
    return {word for word in words if not word.startswith(("-", "$"))}


def _joined(text: str) -> Iterator[str]:
    lines: list[str] = []
    for line in text.splitlines():
        if line.lstrip().startswith("#") or not (line.strip() or lines):
            continue
        lines.append(line.strip().removesuffix("\\").rstrip())
        if not line.rstrip().endswith("\\"):
            yield " ".join(lines)
            lines = []
    assert not lines, "the last line is continued"
