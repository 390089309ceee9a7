"""Nodegroups put into a team's own ClusterConfig, which keeps every line that it has.

Lines are added between the others, in the file's own indentation; nothing else is written anew. So what a person sees
in a diff is the nodegroups and nothing more.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from brqos.errors import ConfigurationError
from brqos.nodes.eksctl.agreement import check_agreement
from brqos.nodes.eksctl.document import SECTIONS, places
from brqos.nodes.eksctl.existing import Entry, Existing, read
from brqos.nodes.eksctl.remarks import about_vpc, remarks
from brqos.nodes.emit import to_yaml
from brqos.nodes.made import NodeFile
from brqos.nodes.remarks import REHEARSAL, Remarks

Document = dict[str, Any]
_Items = list[tuple[str, list[Any]]]


def merge(existing_text: str, made: NodeFile, *, replace: bool = False) -> str:
    """The text with the nodegroups of `made` added; the same text where it has them all, just so.

    A nodegroup of the same name and other content is replaced with `replace` only: eksctl takes a name once, whatever
    the section. The file's section `vpc` is never changed, and added where it is missing. Raises ConfigurationError for
    a text that is no ClusterConfig of the same cluster, or in which there is no place for lines.
    """
    existing = read(existing_text)
    check_agreement(existing.data, made)
    change = _Change(existing, made)
    for number, (request, (section, index)) in enumerate(places(made.requests)):
        nodegroup = made.document[section][index]
        found = _find(existing, request.name)
        if found is None:
            change.added.setdefault(section, []).append(number)
        elif found.section != section or found.content != nodegroup:
            if not replace:
                raise ConfigurationError(
                    f"the existing file has a nodegroup {request.name} with other content",
                    why="It may have been changed by hand, or belong to somebody else.",
                    todo="Give the new one another name with --name, or --force to replace it.",
                )
            change.replaced.append((found, section, number))
    text = change.text()
    if text == existing_text:
        return existing_text
    _check_result(existing, made, text)
    return text


@dataclass(frozen=True, slots=True)
class _Found:
    """A nodegroup of the file: the section, its number there, and its content."""

    section: str
    number: int
    content: Mapping[str, Any]


def _find(existing: Existing, name: str) -> _Found | None:
    found = [
        _Found(section, number, item)
        for section, items in _sections(existing)
        for number, item in enumerate(items)
        if _name(item) == name
    ]
    if len(found) > 1:
        raise ConfigurationError(
            f"the existing file has {len(found)} nodegroups called {name}",
            why="eksctl takes a name once.",
            todo="Remove one of them first.",
        )
    return found[0] if found else None


def _sections(existing: Existing) -> _Items:
    sections = [(section, existing.data.get(section) or []) for section in SECTIONS]
    for section, items in sections:
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise ConfigurationError(
                f"“{section}” in the existing file is no list of nodegroups",
                why="eksctl cannot read it.",
                todo="Correct it first.",
            )
    return sections


@dataclass(slots=True)
class _Change:
    """What is to be added and replaced, by the number of the request; and the lines that become of it.

    `before` has for each line of the file the new ones that come before it, and `dropped` the lines that go away.
    """

    existing: Existing
    made: NodeFile
    added: dict[str, list[int]] = field(default_factory=dict)
    replaced: list[tuple[_Found, str, int]] = field(default_factory=list)
    before: dict[int, list[str]] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)
    rewritten: dict[int, str] = field(default_factory=dict)

    def text(self) -> str:
        """The whole text after the change."""
        for found, section, number in self.replaced:
            self._replace(found, section, number)
        keys = [section for section in SECTIONS if section in self.added]
        if "vpc" in self.made.document and not self.existing.data.get("vpc"):
            keys.insert(0, "vpc")
        # New keys come last: a place at the end of the file may also be the one for lines of the last key.
        for key in sorted(keys, key=lambda key: self.existing.entry(key) is None):
            if key == "vpc":
                self._add_vpc()
            else:
                self._add(key, self.added[key])
        return self._joined()

    def _add_vpc(self) -> None:
        data = {"vpc": self.made.document["vpc"]}
        entry = self.existing.entry("vpc")
        lines = self._written(data, about_vpc(self.made.document), entry)
        if entry is None:
            self._new_section(lines)
        else:
            self._empty(entry)
            self.before.setdefault(entry.line + 1, []).extend(lines[lines.index(self._key("vpc")) + 1 :])

    def _add(self, section: str, numbers: list[int]) -> None:
        existing = self.existing
        entry = existing.entry(section)
        items = [self._item(section, number, entry) for number in numbers]
        if entry is None:
            self._new_section([self._key(section), *(line for item in items for line in item)])
        elif not existing.data.get(section):
            self._empty(entry)
            self.before.setdefault(entry.line + 1, []).extend(line for item in items for line in item)
        else:
            self._check_block(section, entry)
            dashes = existing.dashes(entry)
            column = max(entry.value.start_mark.column, existing.column)
            after = existing.last_line(dashes[-1], entry.end, column) + 1
            blank = [""] if len(dashes) > 1 and self._follows_blank(dashes[-1]) else []
            self.before.setdefault(after, []).extend(line for item in items for line in (*blank, *item))

    def _replace(self, found: _Found, section: str, number: int) -> None:
        existing = self.existing
        entry = existing.entry(found.section)
        if entry is None:
            raise _no_place(found.section)
        self._check_block(found.section, entry)
        dashes = [*existing.dashes(entry), entry.end]
        begin, end = dashes[found.number], dashes[found.number + 1]
        lines = range(begin, existing.last_line(begin, end, entry.value.start_mark.column) + 1)
        self.dropped.update(lines)
        if section == found.section:
            self.before.setdefault(begin, []).extend(self._item(section, number, entry))
            return
        self.added.setdefault(section, []).append(number)
        moved = [other for other, place, _ in self.replaced if other.section == found.section != place]
        if len(moved) == len(dashes) - 1:
            self.dropped.update(range(entry.line, begin))

    def _new_section(self, lines: list[str]) -> None:
        existing = self.existing
        keys = [key.start_mark.line for key, _ in existing.root.value[1:]]
        last = existing.last_text()
        # A blank line at the end belongs to a text that keeps its line breaks (|+), and one more would be its too.
        blank = [""] if existing.lines[last].strip() and any(self._follows_blank(line) for line in keys) else []
        self.before.setdefault(last + 1, []).extend([*blank, *lines])

    def _follows_blank(self, line: int) -> bool:
        lines = self.existing.lines
        while line > 0 and lines[line - 1].lstrip().startswith("#"):
            line -= 1
        return line > 0 and not lines[line - 1].strip()

    def _item(self, section: str, number: int, entry: Entry | None) -> list[str]:
        request, place = list(places(self.made.requests))[number]
        nodegroup = self.made.document[place[0]][place[1]]
        texts = remarks(request, (section, 0), nodegroup)
        if request.rehearsal:
            texts[section, 0, "ami"] = "\n".join((REHEARSAL, texts[section, 0, "ami"]))
        return self._written({section: [nodegroup]}, texts, entry)[1:]

    def _written(self, data: Document, texts: Remarks, entry: Entry | None) -> list[str]:
        text = to_yaml(data, remarks=texts, indentation=self.existing.indentation(entry))
        return [" " * self.existing.column + line for line in text.splitlines()]

    def _key(self, key: str) -> str:
        return f"{' ' * self.existing.column}{key}:"

    def _empty(self, entry: Entry) -> None:
        """Make room for lines below a key whose value is nothing: [], {}, null or none at all."""
        if entry.value.value == "":
            return
        if entry.is_alias or not entry.value.start_mark.line == entry.value.end_mark.line == entry.line:
            raise _no_place(str(entry.key.value))
        line = self.existing.lines[entry.line]
        begin, end = entry.value.start_mark.column, entry.value.end_mark.column
        if end > begin:
            self.rewritten[entry.line] = line[:begin].rstrip() + line[end:]

    def _check_block(self, section: str, entry: Entry) -> None:
        if not entry.is_block or len(self.existing.dashes(entry)) != len(entry.value.value):
            raise _no_place(section)

    def _joined(self) -> str:
        existing = self.existing
        result: list[str] = []
        for number in range(len(existing.lines) + 1):
            for line in self.before.get(number, ()):
                if result and not result[-1].endswith(("\n", "\r")):
                    # The file ends without a line break, and goes on doing so.
                    result.append(existing.newline + line)
                else:
                    ends = number < len(existing.lines) or existing.lines[-1].endswith(("\n", "\r"))
                    result.append(line + (existing.newline if ends else ""))
            if number < len(existing.lines) and number not in self.dropped:
                result.append(self.rewritten.get(number, existing.lines[number]))
        return "".join(result)


def _no_place(section: str) -> ConfigurationError:
    return ConfigurationError(
        f"“{section}” in the existing file is not a list in lines of its own",
        why="It is written in brackets, or refers to something elsewhere (*...), and nothing can be put between lines.",
        todo="Write it in lines, or add the nodegroup by hand.",
    )


def _check_result(existing: Existing, made: NodeFile, text: str) -> None:
    """Make sure that the new text says what the old one said, and the nodegroups; raises ConfigurationError if not."""
    wanted = deepcopy(dict(existing.data))
    names = {request.name for request in made.requests}
    for section in SECTIONS:
        ours = made.document.get(section, [])
        theirs = existing.data.get(section) or []
        if ours or any(_name(item) in names for item in theirs):
            wanted[section] = [item for item in theirs if _name(item) not in names] + ours
    if "vpc" in made.document and not wanted.get("vpc"):
        wanted["vpc"] = made.document["vpc"]
    try:
        result: object = _sorted(read(text).data)
    except ConfigurationError as error:
        result = error
    if result != _sorted(wanted):
        raise ConfigurationError(
            "the nodegroup cannot be put into the existing file without changing what else it says",
            why="Something there is written in a way that brqos does not expect, an anchor for example.",
            todo="Add the nodegroup by hand; --output - shows it.",
        )


def _sorted(data: Mapping[str, Any]) -> Document:
    """The data with the nodegroups in the order of their names, and without empty sections."""
    rest = {key: value for key, value in data.items() if key not in SECTIONS}
    return rest | {section: sorted(data.get(section) or [], key=_name) for section in SECTIONS}


def _name(item: Mapping[str, Any]) -> str:
    return str(item.get("name"))
