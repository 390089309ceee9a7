"""The plain part of YAML that manifests are nearly always written in, read quickly.

Block mappings and sequences, scalars on one line, literal blocks, comments, and flow collections of plain scalars.
Anything else (anchors, tags, folded or multi-line scalars, odd numbers, a mistake) raises NotPlain, and the caller
takes the whole language's parser, which is some fifty times slower. What is accepted means the same to both.
"""

import json
import re
from collections.abc import Sequence
from enum import Enum, auto
from functools import lru_cache


class NotPlain(ValueError):  # noqa: N818 - not an error: the other parser has to be asked
    """The text needs the whole language's parser."""


_KEY = re.compile(
    r"""(?P<plain>[A-Za-z_][A-Za-z0-9_./-]*)|"(?P<double>[^"\\]*)"|'(?P<single>[^']*)'""",
)
_ENTRY = re.compile(rf"(?:{_KEY.pattern})[ ]*:(?:[ ]+(?P<value>\S.*)|[ ]*)$")
_WORDS: dict[str, object] = {
    **dict.fromkeys(("null", "Null", "NULL", "~"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}")
_ADDRESS = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(?:\.[0-9]+)?")
_LIKE_A_NUMBER = re.compile(
    r"[-+.0-9][-+.0-9_:]*(?:[eE][-+]?[0-9_]*)?|[-+]?0[xXoObB].*|[0-9]{4}-[0-9].*|[-+]?\..*", re.DOTALL
)
# What may begin a plain scalar; a dash only where it cannot be the one of a sequence.
_PLAIN = re.compile(r"[A-Za-z0-9_/.(+$^;~=<-][^\x00-\x1f\x7f]*")
_FLOW_SCALAR = re.compile(r"(?!-+\Z)[A-Za-z0-9_./=-]+")
_LITERAL = re.compile(r"\|(?P<chomp>[-+]?)[ ]*(?:#.*)?")
_COMMENT = re.compile(r"[ ]+#")
_OTHER_BREAKS = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ufeff\\ud800-\\udfff]")


class _Kind(Enum):
    """What stands after a key on its line."""

    SCALAR = auto()
    LITERAL = auto()
    NOTHING = auto()


class _Reader:
    """The lines of a document that say something: how deep each begins, its text, and its number.

    The functions below take and return a position in these lists; at the end stands a line at depth -1.
    """

    __slots__ = ("depths", "lines", "numbers", "texts")

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        stripped = [line.lstrip(" ") for line in lines]
        numbers = [number for number, text in enumerate(stripped) if text and text[0] != "#"]
        self.depths = [len(lines[number]) - len(stripped[number]) for number in numbers]
        self.texts = [stripped[number].rstrip(" ") for number in numbers]
        self.numbers = numbers
        self.depths.append(-1)
        self.texts.append("")
        self.numbers.append(len(lines))


def parse_document(text: str) -> object:
    """The data of one document; raises NotPlain."""
    if "\t" in text or "\r" in text or _OTHER_BREAKS.search(text):
        raise NotPlain
    reader = _Reader(text.split("\n"))
    if reader.depths[0] < 0:
        return None
    if reader.depths[0]:
        raise NotPlain
    data, end = _node(reader, 0, 0)
    if reader.depths[end] >= 0:
        raise NotPlain
    return data


def _node(reader: _Reader, at: int, depth: int) -> tuple[object, int]:
    return _sequence(reader, at, depth) if _begins_item(reader.texts[at]) else _mapping(reader, at, depth)


def _begins_item(text: str) -> bool:
    return text[:2] == "- " or text == "-"


def _mapping(reader: _Reader, at: int, depth: int) -> tuple[object, int]:
    found: dict[str, object] = {}
    depths, texts = reader.depths, reader.texts
    scalar = _Kind.SCALAR
    while depths[at] == depth:
        entry = _entry(texts[at])
        if entry is None:
            # A dash: in a sequence around this mapping, it begins the next item.
            break
        key, kind, value = entry
        if key in found:
            raise NotPlain
        if kind is scalar:
            at += 1
            if depths[at] > depth:
                raise NotPlain
            found[key] = value
        elif kind is _Kind.LITERAL:
            found[key], at = _literal(reader, at, str(value), depth)
        elif depths[at + 1] > depth:
            found[key], at = _node(reader, at + 1, depths[at + 1])
        elif depths[at + 1] == depth and _begins_item(texts[at + 1]):
            # A sequence may stand as far left as its key.
            found[key], at = _sequence(reader, at + 1, depth)
        else:
            found[key] = None
            at += 1
    if depths[at] > depth:
        raise NotPlain
    return found, at


def _sequence(reader: _Reader, at: int, depth: int) -> tuple[object, int]:
    found: list[object] = []
    depths, texts = reader.depths, reader.texts
    while depths[at] == depth and _begins_item(texts[at]):
        text = texts[at]
        rest = text[1:].lstrip(" ")
        if not rest or rest[0] == "#":
            if depths[at + 1] > depth:
                value, at = _node(reader, at + 1, depths[at + 1])
            else:
                value, at = None, at + 1
        elif rest[0] == "|":
            value, at = _literal(reader, at, rest, depth)
        elif _begins_item(rest) or _ENTRY.fullmatch(rest):
            # What follows the dash is the first line of a block of its own.
            depths[at], texts[at] = depth + len(text) - len(rest), rest
            value, at = _node(reader, at, depths[at])
        else:
            value, at = _scalar(rest), at + 1
            if depths[at] > depth:
                raise NotPlain
        found.append(value)
    if depths[at] > depth:
        raise NotPlain
    return found, at


# Manifests repeat themselves: most lines have been seen before. What is returned is shared and not to be changed.
@lru_cache(maxsize=16384)
def _entry(text: str) -> tuple[str, _Kind, object] | None:
    """`key: value`, taken apart; None for the item of a sequence."""
    match = _ENTRY.fullmatch(text)
    if match is None:
        if _begins_item(text):
            return None
        raise NotPlain
    plain, double, single, value = match.groups()
    key = plain if plain is not None else double if double is not None else single
    if plain is not None and (key in _WORDS or key == "<<"):
        raise NotPlain
    if not value or value[0] == "#":
        return key, _Kind.NOTHING, None
    if value[0] == "|":
        return key, _Kind.LITERAL, value
    return key, _Kind.SCALAR, _scalar(value)


def _literal(reader: _Reader, at: int, written: str, depth: int) -> tuple[str, int]:
    match = _LITERAL.fullmatch(written)
    if match is None or match["chomp"] == "+":
        raise NotPlain
    block: list[str] = []
    inner = 0
    number = reader.numbers[at] + 1
    for number in range(number, len(reader.lines)):  # noqa: B020 - the number after the loop is where it ended
        line = reader.lines[number]
        stripped = line.lstrip(" ")
        if stripped:
            own = len(line) - len(stripped)
            inner = inner or own
            if own < inner or own <= depth:
                break
        elif len(line) > inner:
            # Blanks deeper than the text are content, and before the first line they decide where it begins.
            raise NotPlain
        block.append(line[inner:])
    else:
        number = len(reader.lines)
        if reader.lines[-1].strip(" "):
            # Whether the last line has a line end then depends on the indicator, and on little else that is sane.
            raise NotPlain
    while block and not block[-1]:
        block.pop()
    if not block or inner <= depth:
        raise NotPlain
    while reader.numbers[at] < number:
        at += 1
    return "\n".join(block) + ("" if match["chomp"] == "-" else "\n"), at


def _scalar(written: str) -> object:
    first = written[0]
    if first in "\"'":
        return _quoted(written, first)
    if first in "{[":
        return _flow(written)
    if " #" in written:
        written = _COMMENT.split(written, maxsplit=1)[0]
    if ": " in written or written[-1] == ":" or (first == "-" and written[1:2] in ("", " ")):
        raise NotPlain
    return _plain(written)


def _plain(written: str) -> object:
    if written in _WORDS:
        return _WORDS[written]
    if _LIKE_A_NUMBER.fullmatch(written):
        if _INTEGER.fullmatch(written):
            return int(written)
        if _DECIMAL.fullmatch(written):
            return float(written)
        if not _ADDRESS.fullmatch(written):
            raise NotPlain
        return written
    if written[0] == "." or _PLAIN.fullmatch(written) is None:
        raise NotPlain
    return written


def _quoted(written: str, quote: str) -> str:
    end = written.find(quote, 1)
    if quote == "'":
        while end > 0 and written[end + 1 : end + 2] == "'":
            end = written.find(quote, end + 2)
    if end < 0:
        raise NotPlain
    if quote == '"' and "\\" in written[:end]:
        return _escaped(written)
    rest = written[end + 1 :]
    if rest and not _COMMENT.match(rest):
        raise NotPlain
    inner = written[1:end]
    return inner.replace("''", "'") if quote == "'" else inner


def _escaped(written: str) -> str:
    """A text in double quotes whose escapes JSON and YAML have in common."""
    if written[-1] != '"' or "\\u" in written:
        raise NotPlain
    try:
        value = json.loads(written)
    except ValueError:
        raise NotPlain from None
    if not isinstance(value, str):
        raise NotPlain
    return value


def _flow(written: str) -> object:
    """`{}`, `[]`, and collections of plain scalars on one line."""
    inner = written[1:-1].strip(" ")
    if written[-1] != ("}" if written[0] == "{" else "]"):
        raise NotPlain
    parts = [part.strip(" ") for part in inner.split(",")] if inner else []
    if written[0] == "[":
        return [_flow_scalar(part) for part in parts]
    found: dict[str, object] = {}
    for part in parts:
        key, colon, value = part.partition(": ")
        if not colon or _KEY.fullmatch(key) is None or key[0] in "\"'" or key in found or key in _WORDS:
            raise NotPlain
        found[key] = _flow_scalar(value.strip(" "))
    return found


def _flow_scalar(written: str) -> object:
    if written[:1] in ('"', "'"):
        if _KEY.fullmatch(written) is None:
            raise NotPlain
        return written[1:-1]
    if _FLOW_SCALAR.fullmatch(written) is None:
        raise NotPlain
    return _plain(written)
