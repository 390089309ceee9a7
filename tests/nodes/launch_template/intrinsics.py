"""What CloudFormation makes of a template's user data."""

import base64
import re
from collections.abc import Mapping
from typing import Any

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def resolved(function: Any, parameters: Mapping[str, str]) -> str:
    """Fn::Base64 and Fn::Sub carried out; what Sub would look up and does not find is a KeyError, as there."""
    match function:
        case str():
            return function
        case {"Fn::Base64": inner}:
            return base64.b64encode(resolved(inner, parameters).encode()).decode()
        case {"Fn::Sub": str(text)}:
            return _VARIABLE.sub(lambda found: parameters[found[1]], text)
    raise AssertionError(function)
