"""Filter patterns of CloudWatch Logs, as far as they are words.

Rules: CloudWatch Logs guide, "Filter pattern syntax": all words have to be there, one of those with `?` if there are
such, and none of those with `-`; what has other signs than letters, digits and `_` has to be quoted; case counts.
Regular expressions, and patterns for JSON and for columns, are not emulated and are refused.
"""

import re
from collections.abc import Callable

_TERM = re.compile(r'\s*(?P<sign>[?-]?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<word>\w+))(?=\s|$)', re.ASCII)
_ESCAPED = re.compile(r"\\(.)")
_LONGEST = 1024


class PatternError(Exception):
    """The pattern is none, or is not emulated."""


def matcher(pattern: str) -> Callable[[str], bool]:
    """What says of a message whether the pattern fits; raises PatternError."""
    if len(pattern) > _LONGEST:
        raise PatternError(f"a pattern has at most {_LONGEST} characters")
    if pattern.lstrip()[:1] in ("{", "[", "%"):
        raise PatternError("patterns of JSON, of columns and of regular expressions are not emulated")
    required, optional, excluded = _terms(pattern)
    return lambda message: (
        all(term in message for term in required)
        and (not optional or any(term in message for term in optional))
        and not any(term in message for term in excluded)
    )


def _terms(pattern: str) -> tuple[list[str], list[str], list[str]]:
    terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
    at, pattern = 0, pattern.rstrip()
    while at < len(pattern):
        match = _TERM.match(pattern, at)
        if match is None:
            raise PatternError(f"Invalid filter pattern at {pattern[at:]!r}: quote what is not a word")
        quoted = match["quoted"]
        terms[match["sign"]].append(match["word"] if quoted is None else _ESCAPED.sub(r"\1", quoted))
        at = match.end()
    return terms[""], terms["?"], terms["-"]
