"""What the name of an EC2 instance type says: the processor's architecture, and whether NVIDIA GPUs are in it.

The rule is EC2's own naming convention (Amazon EC2 User Guide, “Amazon EC2 instance type naming conventions”):
letters of the series, the generation, attributes, an optional suffix, a dot and the size. The first attribute names
the processor: `a` AMD, `g` AWS Graviton (arm64), `i` Intel. Series up to the fifth generation may lack it and are
x86_64 then. Series with accelerators do not keep to it (g6 has AMD processors, p6e-gb200 has NVIDIA's own arm64
ones), so these are listed. A name that neither the list nor the rule covers is unknown, and is said to be: a guess
would refuse next year's types.
"""

import re
from dataclasses import dataclass

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError

_TYPE = re.compile(
    r"(?P<family>[a-z][a-z0-9-]*)\.(?:nano|micro|small|medium|large|\d{0,3}xlarge|metal(?:-\d{1,3}xl)?)", re.ASCII
)
_FAMILY = re.compile(r"(?P<series>[a-z]+)(?P<generation>\d+)(?P<attributes>[a-z]*)(?P<suffix>-[a-z0-9]+)?", re.ASCII)
_HIGH_MEMORY = re.compile(r"u-\d+tb1", re.ASCII)

_RULED_SERIES = frozenset({"c", "d", "h", "hpc", "i", "im", "is", "m", "r", "t", "u", "x", "z"})
_ATTRIBUTES = frozenset("abdeghinqsz")
_LAST_GENERATION_WITHOUT_PROCESSOR = 5

_NVIDIA_X86_64 = frozenset(
    {"cg1", "g2", "g3", "g3s", "g4dn", "g5", "g6", "g6e", "g6f", "g7", "g7e", "gr6", "gr6f"}
    | {"p2", "p3", "p3dn", "p4d", "p4de", "p5", "p5e", "p5en", "p6-b200", "p6-b300"}
)
_NVIDIA_ARM64 = frozenset({"g5g", "p6e-gb200"})
_OTHER_X86_64 = frozenset(
    {"cc1", "cc2", "cr1", "dl1", "dl2q", "f1", "f2", "g4ad", "hi1", "hs1", "inf1", "inf2"}
    | {"trn1", "trn1n", "trn2", "trn2u", "vt1"}
)
_OTHER_ARM64 = frozenset({"a1"})


@dataclass(frozen=True, slots=True)
class InstanceType:
    """An instance type as far as its name tells; `architecture` and `nvidia` are None where it does not."""

    name: str
    architecture: Architecture | None
    nvidia: bool | None

    @property
    def family(self) -> str:
        """What stands before the dot, `m6i`."""
        return self.name.partition(".")[0]

    @classmethod
    def parse(cls, name: str) -> "InstanceType":
        """The type of this name; raises ConfigurationError where it is none, or one of the Macs."""
        match = _TYPE.fullmatch(name)
        if match is None:
            raise ConfigurationError(
                f"“{name}” is not the name of an EC2 instance type",
                why="A name is a family, a dot and a size.",
                todo="Write it as EC2 does, for example m6i.large or m6g.large.",
            )
        family = match["family"]
        if family.startswith("mac"):
            raise ConfigurationError(
                f"{name} is a Mac, and cannot be a node of this nodegroup",
                why="EC2's Mac instances run macOS on dedicated hosts only; Bottlerocket does not start on them.",
                todo="Use another instance type, for example m6i.large or m6g.large.",
            )
        return cls(name, *_of_family(family))


def default_type(architecture: Architecture, *, nvidia: bool) -> str:
    """A type that nearly every region has, for a nodegroup that names none."""
    match architecture, nvidia:
        case Architecture.X86_64, False:
            return "m6i.large"
        case Architecture.X86_64, True:
            return "g4dn.xlarge"
        case Architecture.AARCH64, False:
            return "m6g.large"
        case _:
            return "g5g.xlarge"


def _of_family(family: str) -> tuple[Architecture | None, bool | None]:
    if family in _NVIDIA_X86_64:
        return Architecture.X86_64, True
    if family in _NVIDIA_ARM64:
        return Architecture.AARCH64, True
    if family in _OTHER_X86_64 or _HIGH_MEMORY.fullmatch(family):
        return Architecture.X86_64, False
    if family in _OTHER_ARM64:
        return Architecture.AARCH64, False
    match = _FAMILY.fullmatch(family)
    if match is None or match["series"] not in _RULED_SERIES:
        return None, None
    architecture = _by_rule(int(match["generation"]), match["attributes"])
    return architecture, None if architecture is None else False


def _by_rule(generation: int, attributes: str) -> Architecture | None:
    if not set(attributes) <= _ATTRIBUTES or "g" in attributes[1:]:
        return None
    match attributes[:1]:
        case "g":
            return Architecture.AARCH64
        case "a" | "i":
            return Architecture.X86_64
        case _:
            return Architecture.X86_64 if generation <= _LAST_GENERATION_WITHOUT_PROCESSOR else None
