"""The ids of AMIs, and how those of a rehearsal are told from real ones."""

import re

from brqos.errors import ConfigurationError

_REHEARSAL = re.compile(r"(?:ami|snap)-rehearsal[0-9a-f]+", re.ASCII)
_AMI = re.compile(r"ami-(?:[0-9a-f]{8}|[0-9a-f]{17})", re.ASCII)


def is_rehearsal(resource_id: str) -> bool:
    """Whether an id of an AMI or a snapshot comes from a rehearsal."""
    return _REHEARSAL.fullmatch(resource_id) is not None


def check_ami_id(ami_id: str, rehearsal: bool) -> None:
    """Refuse what is no id of an AMI, and a rehearsal's outside a rehearsal (or the other way round).

    EC2's ids are `ami-` and 8 or 17 hexadecimal digits. Raises ConfigurationError.
    """
    if is_rehearsal(ami_id):
        if not rehearsal:
            raise ConfigurationError(
                f"{ami_id} was made by a rehearsal: there is no such AMI",
                todo="Build without --rehearse, or give the id of a real AMI.",
            )
        return
    if _AMI.fullmatch(ami_id) is None:
        raise ConfigurationError(
            f"“{ami_id}” is not the id of an AMI",
            why="It is “ami-” with 8 or 17 hexadecimal digits.",
            todo="Give one such as ami-0123456789abcdef0.",
        )
    if rehearsal:
        raise ConfigurationError(
            f"{ami_id} may be a real AMI, and this is a rehearsal", todo="Leave it out, or run without --rehearse."
        )
