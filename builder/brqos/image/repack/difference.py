"""The result held against the input: these partitions, these files, and nothing else.

The input is not kept beside the working copy. What is kept before anything is changed are digests: of every block of
the disk outside the root file system, of every block within (the old hash tree has them), of the files that will be
changed and of all files on the two boot partitions, and what tells whose a block is. Anything that changed and was not
planned makes the result a bad one: RefusedResultError, and nothing is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from brqos.image.repack import blocks, boot_difference, root_difference
from brqos.image.repack.boot_difference import BootContents
from brqos.image.repack.examine import Examined
from brqos.image.repack.filesystem.model import FileChange
from brqos.image.repack.gpt import read_table
from brqos.image.repack.result import Difference, PartitionDifference, RefusedResultError
from brqos.image.repack.root_difference import RootBefore
from brqos.image.repack.signing.model import BootFiles
from brqos.image.repack.verity import HashTree, VerityParameters
from brqos.image.repack.working import read_partition


@dataclass(frozen=True, slots=True)
class Before:
    """What is kept of the input: digests of each partition and gap, by its first byte, and of files."""

    digests: Mapping[int, blocks.Digests]
    root: RootBefore
    boot: BootContents


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, as far as it can be known beforehand."""

    changes: tuple[FileChange, ...]
    tree: HashTree
    verity: VerityParameters
    boot_files: BootFiles


def take(examined: Examined, changes: Sequence[FileChange]) -> Before:
    """Look at the working copy before it is changed."""
    return Before(
        digests=_digests(examined),
        root=root_difference.take(examined, changes),
        boot=boot_difference.take(examined.image, examined.layout),
    )


def compare(before: Before, examined: Examined, done: Done) -> Difference:
    """All that is not as it was; raises RefusedResultError for anything that was not planned."""
    layout = examined.layout
    with examined.image.open("rb") as disk:
        if read_table(disk) != layout.table:
            raise RefusedResultError("the partition table changed", "It is never written.")
    hashes = read_partition(examined.image, layout.hash)
    if hashes != done.tree.content.ljust(layout.hash.size, b"\0"):
        raise RefusedResultError(f"{layout.hash.label} does not have the new hash tree", "Nothing else belongs there.")
    files, root_blocks = root_difference.compare(before.root, examined, done.changes, done.tree, done.verity)
    boot_files = boot_difference.compare(
        before.boot,
        boot_difference.take(examined.image, layout),
        layout,
        examined.boot_files,
        done.boot_files,
    )
    return Difference(
        partitions=_partitions(before, examined, root_blocks),
        files=(*files, *boot_files),
        folders=before.root.made,
    )


def _partitions(before: Before, examined: Examined, root_blocks: int) -> tuple[PartitionDifference, ...]:
    layout, after = examined.layout, _digests(examined)
    may_change = {layout.efi.number, layout.boot.number, layout.hash.number}
    found = []
    for span in blocks.spans(layout.table):
        if span.number == layout.root.number:
            changed = root_blocks
        else:
            changed = len(blocks.differing(before.digests[span.start], after[span.start]))
        if changed and span.number not in {*may_change, layout.root.number}:
            what = f"partition {span.number} ({span.label})" if span.number else "what lies between the partitions"
            raise RefusedResultError(
                f"{what} changed", f"{changed} blocks from byte {span.start} on; none was planned."
            )
        if span.number:
            found.append(
                PartitionDifference(number=span.number, label=span.label, blocks=span.blocks, changed_blocks=changed)
            )
    return tuple(sorted(found, key=lambda item: item.number))


def _digests(examined: Examined) -> dict[int, blocks.Digests]:
    """Of the whole disk, but for the root partition."""
    root = examined.layout.root.number
    with examined.image.open("rb") as disk:
        return {
            span.start: blocks.digests(disk, span.start, span.size)
            for span in blocks.spans(examined.layout.table)
            if span.number != root
        }
