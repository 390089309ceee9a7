"""The errors that a user may meet, each with its own exit code.

An error says three things: *what* happened, *why* (where that is known) and *what to do*. Stages raise them; only the
command line turns them into text and an exit code. Anything else that escapes is a bug of ours (exit code 1).
"""

import errno
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a script may rely on (design.md, "Behaviour at the surface")."""

    DONE = 0
    BUG = 1
    USAGE = 2
    CONFIGURATION = 3
    TOOL = 4
    UPSTREAM = 5
    BUILD = 6
    AWS = 7
    CLUSTER_DISAGREES = 8
    CLUSTER_UNREACHABLE = 9
    LOCKED = 10
    BEHIND = 11
    """Upstream has something newer; only `brqos watch --exit-code` ends with it, and nothing has failed."""
    INTERRUPTED = 130


class BrqosError(Exception):
    """The base of all errors that are not bugs.

    `what` is one sentence without a full stop at its end; `why` may be several lines (the tail of a log, say); `todo`
    is what the user can do now.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(self, what: str, *, why: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.todo = todo

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.why, self.todo) if part)


class UsageError(BrqosError):
    """Options that do not go together."""

    exit_code = ExitCode.USAGE


class ConfigurationError(BrqosError):
    """A wrong value in `brqos.toml`, in a variant file, a flag, a manifest, an image, or a record."""

    exit_code = ExitCode.CONFIGURATION


class ToolError(BrqosError):
    """A tool or a resource that the work needs is missing or too old."""

    exit_code = ExitCode.TOOL


class UpstreamError(BrqosError):
    """Upstream's source cannot be had, or is not what we know how to change."""

    exit_code = ExitCode.UPSTREAM


class BuildError(BrqosError):
    """Upstream's build failed."""

    exit_code = ExitCode.BUILD


class AwsError(BrqosError):
    """AWS refused, failed, or has something else than what was asked for."""

    exit_code = ExitCode.AWS


class ClusterDisagreesError(BrqosError):
    """A node is not, or does not do, what was predicted."""

    exit_code = ExitCode.CLUSTER_DISAGREES


class ClusterUnreachableError(BrqosError):
    """The cluster cannot be asked, or its answer cannot be understood."""

    exit_code = ExitCode.CLUSTER_UNREACHABLE


class LockedError(BrqosError):
    """Somebody else holds the lock."""

    exit_code = ExitCode.LOCKED


def of_the_machine(error: OSError) -> BrqosError | None:
    """The error for a full disk or a file that may not be touched; None for any other OSError, which is a bug.

    Stages give better words where they know what a file is for; this is for those that nobody thought of.
    """
    where = f": {error.filename}" if isinstance(error.filename, str) else ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return ToolError(
            f"the disk is full{where}",
            why=str(error),
            todo="Make room (`brqos clean` frees the cache), or put the cache elsewhere with BRQOS_CACHE_DIR.",
        )
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG}:
        return ConfigurationError(
            f"a file or folder cannot be used{where}",
            why=str(error),
            todo="Correct its permissions, or name another place (BRQOS_CACHE_DIR for the cache).",
        )
    return None
