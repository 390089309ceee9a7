"""A disk in blocks of 4096 bytes, known by their digests: to tell later which of them changed."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from brqos.image.repack.gpt import PartitionTable
from brqos.image.repack.verity import BLOCK, DIGEST

_READ = 2**20
_BLANK = bytes(_READ)
_BLANK_BLOCK = bytes(BLOCK)
_PER_BLOCK = BLOCK // DIGEST

# Block -> digest; blank ones are left out, which most of a disk is.
Digests = dict[int, bytes]


@dataclass(frozen=True, slots=True)
class Span:
    """A partition, or (`number` is 0) what lies between two of them: the tables and gaps."""

    number: int
    label: str
    start: int
    size: int

    @property
    def blocks(self) -> int:
        """How many it has; the last one may be short."""
        return -(-self.size // BLOCK)


def spans(table: PartitionTable) -> tuple[Span, ...]:
    """The whole disk, from its first byte to its last."""
    found: list[Span] = []
    position = 0
    for partition in sorted(table.partitions, key=lambda item: item.start):
        if partition.start > position:
            found.append(Span(0, "", position, partition.start - position))
        found.append(Span(partition.number, partition.label, partition.start, partition.size))
        position = partition.end
    if position < table.size:
        found.append(Span(0, "", position, table.size - position))
    return tuple(found)


def digests(disk: BinaryIO, start: int, size: int) -> Digests:
    """The digests of all blocks of a range that are not blank, counted from its start."""
    found: Digests = {}
    for at, part in _data(disk.fileno(), start, start + size):
        if part == _BLANK[: len(part)]:
            continue
        for offset in range(0, len(part), BLOCK):
            block = part[offset : offset + BLOCK]
            if block != _BLANK_BLOCK[: len(block)]:
                found[(at - start + offset) // BLOCK] = hashlib.blake2b(block, digest_size=16).digest()
    return found


def differing(before: Digests, after: Digests) -> list[int]:
    """The blocks that are not the same."""
    return sorted(number for number in before.keys() | after.keys() if before.get(number) != after.get(number))


def leaves(tree: bytes, data_blocks: int) -> bytes:
    """The lowest level of a dm-verity tree: one digest for each block of data, and zeros behind them."""
    levels = [-(-data_blocks // _PER_BLOCK)]
    while levels[-1] > 1:
        levels.append(-(-levels[-1] // _PER_BLOCK))
    # The superblock, then the levels, the lowest last (verity.py).
    begin = BLOCK * (1 + sum(levels[1:]))
    return tree[begin : begin + levels[0] * BLOCK]


def differing_leaves(before: bytes, after: bytes, data_blocks: int) -> list[int]:
    """The blocks of data whose digests differ: two trees with the same salt say it of every block."""
    found = []
    for at in range(0, data_blocks * DIGEST, BLOCK):
        if before[at : at + BLOCK] != after[at : at + BLOCK]:
            found += [
                place // DIGEST
                for place in range(at, min(at + BLOCK, data_blocks * DIGEST), DIGEST)
                if before[place : place + DIGEST] != after[place : place + DIGEST]
            ]
    return found


def _data(descriptor: int, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The parts of a range that are no holes, each beginning at a whole block from the start of the range."""
    position = start
    while position < end:
        try:
            data = os.lseek(descriptor, position, os.SEEK_DATA)
        except OSError:
            # ENXIO: nothing but a hole up to the end of the file.
            return
        position = start + (max(data, position) - start) // BLOCK * BLOCK
        hole = os.lseek(descriptor, max(data, position), os.SEEK_HOLE)
        stop = min(start + -(-(hole - start) // BLOCK) * BLOCK, end)
        while position < stop:
            part = os.pread(descriptor, min(_READ, stop - position), position)
            if not part:
                return
            yield position, part
            position += len(part)
