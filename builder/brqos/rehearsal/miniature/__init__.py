"""Miniature Bottlerocket sources: the structure of real releases, a few packages, all of it written for brqos.

The rehearsal builds from them, and the tests hold the overlay against them. A tree is a dictionary from path to Entry;
`write_repository` makes a git repository of it, the same commit for the same tree on any machine.
"""

from brqos.rehearsal.miniature.entry import Entry
from brqos.rehearsal.miniature.layout import Layout
from brqos.rehearsal.miniature.repository import write_repository
from brqos.rehearsal.miniature.tree import bottlerocket, core_kit

__all__ = ["Entry", "Layout", "bottlerocket", "core_kit", "write_repository"]
