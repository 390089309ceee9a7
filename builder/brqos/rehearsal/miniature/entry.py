"""One file of a miniature tree."""

from dataclasses import dataclass
from typing import Literal

Mode = Literal["100644", "100755", "120000"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file's text, or a symlink's target, with git's mode for it."""

    text: str
    mode: Mode = "100644"

    @property
    def is_symlink(self) -> bool:
        """Whether `text` is where the entry points to."""
        return self.mode == "120000"


def symlink(target: str) -> Entry:
    """A symbolic link."""
    return Entry(target, "120000")


def executable(text: str) -> Entry:
    """A file that may be run."""
    return Entry(text, "100755")


def fill(template: str, **values: object) -> str:
    """The template with each `@NAME@` replaced (format strings would stumble over the braces of RPM and Handlebars)."""
    for name, value in values.items():
        template = template.replace(f"@{name}@", str(value))
    return template
