"""What debugfs says, and how it wants to be spoken to (e2fsprogs 1.47, debugfs/debugfs.c, ls.c, xattrs.c)."""

import re

from brqos.image.repack.filesystem.model import CorruptError, FileEntry, Kind

_KINDS = {"regular": Kind.FILE, "directory": Kind.FOLDER, "symlink": Kind.LINK}
_HEAD = re.compile(rb"^Inode: \d+\s+Type: (?P<type>[\w ]+?)\s+Mode:\s+(?P<mode>[0-7]+)\s", re.MULTILINE)
_OWNER = re.compile(rb"^User:\s+(?P<uid>\d+)\s+Group:\s+(?P<gid>\d+)\s.*?Size:\s+(?P<size>\d+)$", re.MULTILINE)
_LINKS = re.compile(rb"^Links: (?P<links>\d+)", re.MULTILINE)
_TARGET = re.compile(rb'^Fast link dest: "(?P<target>.*)"$', re.MULTILINE)
_ATTRIBUTES = re.compile(rb"^Extended attributes:\n(?P<lines>(?:  .*\n)*)", re.MULTILINE)
_ATTRIBUTE = re.compile(rb'^  (?P<name>\S+) \(\d+\)(?: = "?(?P<value>.*?)"?)?$', re.MULTILINE)
_LISTED = re.compile(rb"^/\d+/(?P<mode>[0-7]+)/\d+/\d+/(?P<name>[^/]+)/\d*/$", re.MULTILINE)
_LABEL = "security.selinux"


def quoted(word: str) -> str:
    """A word of a debugfs command (lib/ss/parse.c: a quote within quotes is doubled)."""
    if any(character in word for character in "\n\r\0"):
        raise CorruptError("a name in it has a line break")
    return '"' + word.replace('"', '""') + '"'


def parse_stat(path: str, text: bytes) -> FileEntry:
    """The answer to `stat`; raises CorruptError for one that is not understood."""
    head, owner = _HEAD.search(text), _OWNER.search(text)
    if head is None or owner is None:
        raise CorruptError(f"what debugfs says about {path} is not understood: {_text(text)[:200]}")
    kind = _KINDS.get(_text(head["type"]), Kind.OTHER)
    attributes = _attributes(text)
    target, links = _TARGET.search(text), _LINKS.search(text)
    return FileEntry(
        path=path,
        kind=kind,
        mode=int(head["mode"], 8) & 0o7777,
        uid=int(owner["uid"]),
        gid=int(owner["gid"]),
        size=int(owner["size"]),
        label=attributes.pop(_LABEL, None),
        target=_text(target["target"]) if target else None,
        attributes=tuple(sorted(attributes)),
        links=int(links["links"]) if links else 1,
    )


def parse_listing(text: bytes) -> dict[str, Kind]:
    """The answer to `ls -p`: name -> kind, sorted, without `.` and `..`."""
    types = {0o040000: Kind.FOLDER, 0o100000: Kind.FILE, 0o120000: Kind.LINK}
    found = {
        _text(match["name"]): types.get(int(match["mode"], 8) & 0o170000, Kind.OTHER)
        for match in _LISTED.finditer(text)
    }
    return {name: found[name] for name in sorted(found) if name not in {".", ".."}}


def _attributes(text: bytes) -> dict[str, str]:
    block = _ATTRIBUTES.search(text)
    if block is None:
        return {}
    return {_text(match["name"]): _text(match["value"] or b"") for match in _ATTRIBUTE.finditer(block["lines"])}


def _text(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")
