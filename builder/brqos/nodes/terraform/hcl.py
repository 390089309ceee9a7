"""HCL, written exactly as `terraform fmt` would have it, and the same as Terraform's JSON syntax.

The rules are hclwrite's (hashicorp/hcl v2, hclwrite/format.go): the equals signs of arguments that follow each other
line by line stand in one column; a comment, an empty line and a value of several lines each begin a new column.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

INDENT = 2
_WIDTH = 100
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_WORDS = frozenset({"for", "if", "in", "null", "true", "false"})
_SPECIAL = re.compile(r"[\x00-\x1f\x7f\"\\]")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_TEMPLATE = re.compile(r"[$%](?=\{)")


@dataclass(frozen=True, slots=True)
class Expression:
    """What Terraform works out, such as `data.aws_eks_cluster.prod.endpoint`."""

    text: str


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The first of some expressions that is neither null nor empty: `coalesce(...)`, one of them per line."""

    expressions: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Lines that stand as they are, with a line end after each; none of them begins with a blank that matters."""

    text: str


Value = str | bool | int | Expression | FirstOf | Text | Sequence["Value"] | Mapping[str, "Value"]


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the top level: `module "nodes" { ... }`.

    `remarks` are comments by the argument that they stand before; such an argument begins a paragraph, as do the ones
    in `paragraphs`. There is at least one argument.
    """

    kind: str
    labels: tuple[str, ...]
    arguments: Mapping[str, Value]
    remarks: Mapping[str, str] = field(default_factory=dict)
    paragraphs: Collection[str] = ()


def to_hcl(blocks: Sequence[Block], *, head: str = "") -> str:
    """The file; `head` and the remarks are without comment signs.

    Raises ValueError for a remark about an argument that is not there: it would be lost without a word.
    """
    parts = [_commented(head)] if head else []
    parts += [_block(block) for block in blocks]
    return "\n\n".join(parts) + "\n"


def to_json(blocks: Sequence[Block]) -> dict[str, object]:
    """The same in Terraform's JSON syntax (a *.tf.json file): block kind, then its labels, then its arguments."""
    document: dict[str, object] = {}
    for block in blocks:
        place = document
        for step in (block.kind, *block.labels[:-1]):
            place = place.setdefault(step, {})  # type: ignore[assignment]
        place[block.labels[-1]] = {name: _as_json(value) for name, value in block.arguments.items()}
    return document


def identifier(name: str) -> str:
    """A name as a label in Terraform's style: letters, digits and underscores, no digit first; unlike names differ."""
    written = name.replace("-", "_")
    return f"_{written}" if written[:1].isdigit() else written


def _block(block: Block) -> str:
    if lost := set(block.remarks) - set(block.arguments):
        raise ValueError(f"remarks about arguments that the block does not have: {sorted(lost)}")
    labels = "".join(f" {_quoted(label)}" for label in block.labels)
    body = "\n\n".join(_paragraphs(block))
    return f"{block.kind}{labels} {{\n{body}\n}}"


def _paragraphs(block: Block) -> Iterator[str]:
    """Arguments that stand together; one of several lines stands alone, with an empty line before and after it."""
    paragraph: dict[str, str] = {}
    for name, value in block.arguments.items():
        written = _value(value, INDENT)
        alone = "\n" in written or any("\n" in earlier for earlier in paragraph.values())
        if paragraph and (alone or name in block.remarks or name in block.paragraphs):
            yield _paragraph(block, paragraph)
            paragraph = {}
        paragraph[name] = written
    yield _paragraph(block, paragraph)


def _paragraph(block: Block, arguments: Mapping[str, str]) -> str:
    remark = block.remarks.get(next(iter(arguments)))
    above = [_commented(remark, INDENT)] if remark else []
    return "\n".join([*above, _aligned(arguments, INDENT)])


def _aligned(assignments: Mapping[str, str], indent: int) -> str:
    """`name = value` line by line; a value of several lines stands alone and ends the column."""
    lines: list[str] = []
    column: list[tuple[str, str]] = []
    for name, written in (*assignments.items(), ("", "\n")):
        if "\n" not in written:
            column.append((name, written))
            continue
        width = max((_columns(key) for key, _ in column), default=0)
        lines += [f"{key}{' ' * (width - _columns(key))} = {value}" for key, value in column]
        column = []
        if name:
            lines.append(f"{name} = {written}")
    return "\n".join(" " * indent + line for line in lines)


def _value(value: Value, indent: int) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return _quoted(value)
        case Expression():
            return value.text
        case FirstOf():
            return _several("coalesce(", [expression.text for expression in value.expressions], ")", indent)
        case Text():
            return _heredoc(value.text, indent)
        case Mapping():
            return _map(value, indent)
        case _:
            elements = [_value(element, indent + INDENT) for element in value]
            short = f"[{', '.join(elements)}]"
            return short if len(short) <= _WIDTH // 2 else _several("[", elements, "]", indent)


def _several(opening: str, elements: Sequence[str], closing: str, indent: int) -> str:
    inner = " " * (indent + INDENT)
    return "\n".join([opening, *(f"{inner}{element}," for element in elements), " " * indent + closing])


def _map(value: Mapping[str, Value], indent: int) -> str:
    if not value:
        return "{}"
    bare = all(_IDENTIFIER.fullmatch(key) and key not in _WORDS for key in value)
    written = {key if bare else _quoted(key): _value(item, indent + INDENT) for key, item in value.items()}
    return f"{{\n{_aligned(written, indent + INDENT)}\n{' ' * indent}}}"


def _heredoc(text: str, indent: int) -> str:
    # `<<-` takes away the indentation that all lines share.
    inner = " " * (indent + INDENT)
    lines = [f"{inner}{line}" if line else "" for line in _escaped(text).removesuffix("\n").split("\n")]
    return "\n".join(["<<-EOT", *lines, " " * indent + "EOT"])


def _quoted(text: str) -> str:
    return f'"{_escaped(_SPECIAL.sub(_escape, text))}"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return _ESCAPES.get(character, f"\\u{ord(character):04x}")


def _escaped(text: str) -> str:
    return _TEMPLATE.sub(lambda sign: sign[0] * 2, text)


def _commented(text: str, indent: int = 0) -> str:
    return "\n".join(f"{' ' * indent}# {line}".rstrip() for line in text.splitlines())


def _columns(key: str) -> int:
    return sum(1 for character in key if not unicodedata.combining(character))


def _as_json(value: Value) -> object:
    match value:
        case bool() | int():
            return value
        case str():
            return _escaped(value)
        case Expression():
            return f"${{{value.text}}}"
        case FirstOf():
            return f"${{coalesce({', '.join(expression.text for expression in value.expressions)})}}"
        case Text():
            return _escaped(value.text)
        case Mapping():
            return {_escaped(key): _as_json(item) for key, item in value.items()}
        case _:
            return [_as_json(element) for element in value]
