"""The stages of a build, in their order."""

from enum import StrEnum


class Stage(StrEnum):
    """One stage; its value is what records and `--for` call it."""

    GENERATE = "generate"
    BUILD = "build"
    REGISTER = "register"
    NODEGROUP = "nodegroup"
