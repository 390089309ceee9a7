"""The tags of nodes and nodegroups: which ones AWS and the tools keep for themselves, and how many there may be."""

import re
from collections.abc import Collection, Mapping

from brqos.ami.tags import check_tags as check_form
from brqos.errors import ConfigurationError

MOST_TAGS = 50
"""What AWS allows on a resource."""

_TAKEN_BY_EKS = re.compile(r"[\w\s+\-=._:/@]*")
_WHERE = "[nodegroup.tags]"


def check_tags(tags: Mapping[str, str], *, managed: bool) -> None:
    """Refuse tags that AWS or brqos cannot take, and with `managed` those that EKS cannot; raises ConfigurationError.

    Amazon EKS User Guide, “Tag restrictions”; EC2 itself takes any character.
    """
    check_form(tags, _WHERE)
    for key, value in tags.items() if managed else ():
        if _TAKEN_BY_EKS.fullmatch(key) is None or _TAKEN_BY_EKS.fullmatch(value) is None:
            raise ConfigurationError(
                f"the tag “{key}” has a character that EKS does not take",
                why="EKS takes letters, digits, spaces and + - = . _ : / @ in the tags of a nodegroup.",
                todo="Change it.",
            )
        if key.lower().startswith("eks:"):
            raise ConfigurationError(
                f"the tag “{key}” is EKS's own",
                why="EKS tags the nodes with eks:cluster-name and eks:nodegroup-name itself.",
                todo="Give it another key.",
            )


def check_not_taken(tags: Collection[str], taken: Collection[str], *, prefixes: Collection[str], by: str) -> None:
    """Refuse a key that a tool sets itself; raises ConfigurationError."""
    for key in tags:
        if key in taken or key.startswith(tuple(prefixes)):
            raise ConfigurationError(
                f"the tag “{key}” is set by {by} itself",
                why=f"By its tags {by} knows what it has made, and a resource has each key once.",
                todo="Leave it out, or give it another key.",
            )


def check_number(number: int, *, others: int, whose: str) -> None:
    """Refuse more tags than a resource may have with those of others; raises ConfigurationError."""
    if number > (most := MOST_TAGS - others):
        raise ConfigurationError(
            f"{number} tags are too many",
            why=f"AWS allows {MOST_TAGS} on each resource, and {whose} add up to {others}.",
            todo=f"Leave out {number - most} or more.",
        )
