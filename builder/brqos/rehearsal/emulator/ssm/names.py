"""The names of parameters, as PutParameter takes them.

Rules: the reference of PutParameter and "Parameter name requirements and constraints" in the guide. The 1011 characters
are those of the whole name where the ARN before it is counted to 2048 in all.
"""

import re

from brqos.rehearsal.emulator.ssm.call import invalid
from brqos.rehearsal.emulator.wire import ServiceError

_CHARACTERS = re.compile(r"[a-zA-Z0-9_.\-/]+")
_LONGEST = 1011
_DEEPEST = 15
_FORM = (
    "If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be "
    "formed as a mix of letters, numbers and the following 3 symbols .-_"
)


def check_name(name: str) -> None:
    """Refuse a name that a parameter cannot get; raises ServiceError."""
    _check_reserved(name)
    if not _CHARACTERS.fullmatch(name) or name.endswith("/") or "//" in name:
        raise invalid(f'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). {_FORM}')
    if "/" in name and not name.startswith("/"):
        raise invalid("Parameter name must be a fully qualified name.")
    if len(name) > _LONGEST:
        raise invalid(f"Parameter name must have at most {_LONGEST} characters.")
    if name.count("/") > _DEEPEST:
        message = f"The hierarchy of a parameter name has at most {_DEEPEST} levels."
        raise ServiceError("HierarchyLevelLimitExceededException", message)


def _check_reserved(name: str) -> None:
    bare, is_path = name.lower().removeprefix("/"), name.count("/") > 1
    if not bare.startswith(("aws", "ssm")):
        return
    if name.lower().startswith("/aws") and is_path:
        raise ServiceError("AccessDeniedException", f"No access to reserved parameter name: {name}.")
    if is_path:
        raise invalid(f'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). {_FORM}')
    raise invalid('Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).')


def check_path(path: str) -> None:
    """Refuse what is no path for GetParametersByPath; raises ServiceError."""
    if not path.startswith("/") or not _CHARACTERS.fullmatch(path) or "//" in path:
        raise invalid(
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward "
            f'slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). {_FORM}'
        )


def is_below(name: str, path: str, *, recursive: bool) -> bool:
    """Whether a parameter lies in a hierarchy, at its first level or (recursive) anywhere in it."""
    prefix = path if path.endswith("/") else f"{path}/"
    # Names that are no paths lie at the first level of the root.
    full = name if name.startswith("/") else f"/{name}"
    return full.startswith(prefix) and (recursive or "/" not in full[len(prefix) :])
