"""What a snapshot has to hold, found in one pass over the image: how many blocks, which zeros, a sample's digests."""

import hashlib
import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from brqos.ami.upload.blocks import blocks_of, is_zero
from brqos.image.model import Image

SAMPLE = 16
"""Blocks of a snapshot that are read back and compared."""


@dataclass(frozen=True, slots=True)
class ExpectedBlocks:
    """`count` blocks, of which `zero` hold nothing but zeros; `sample` has the SHA-256 of some, by index."""

    count: int
    zero: frozenset[int]
    sample: Mapping[int, bytes]
    omit_zeros: bool = False

    @property
    def sent(self) -> frozenset[int]:
        """The indexes of the blocks that were written to the snapshot."""
        every = frozenset(range(self.count))
        return every - self.zero if self.omit_zeros else every


@dataclass(slots=True)
class Tally:
    """Takes in an image's blocks in their order; `result` may be asked once all are there.

    The sample has the first block, the last one that is not zeros, and such others as the image's own SHA-256 chooses
    among those that are not zeros: the same ones each time, and not the same ones for every image. Few digests are
    made for it, and one block at most is kept.
    """

    image_sha256: str
    size: int = SAMPLE
    _count: int = 0
    _zero: list[int] = field(default_factory=list)
    _first: bytes = b""
    _last: tuple[int, bytes] | None = None
    _chosen: list[tuple[int, int, bytes]] = field(default_factory=list)

    def add(self, block: bytes) -> None:
        """Take in the next block."""
        index = self._count
        self._count += 1
        if index == 0:
            self._first = _digest(block)
        if is_zero(block):
            self._zero.append(index)
            return
        self._last = (index, block)
        self._consider(index, block)

    def result(self, *, omit_zeros: bool = False) -> ExpectedBlocks:
        """What the snapshot of these blocks has to hold."""
        sample = {0: self._first} if self._count else {}
        if self._last is not None:
            sample[self._last[0]] = _digest(self._last[1])
        for _, index, digest in sorted(self._chosen, reverse=True):
            if len(sample) < self.size:
                sample[index] = digest
        return ExpectedBlocks(self._count, frozenset(self._zero), dict(sorted(sample.items())), omit_zeros)

    def _consider(self, index: int, block: bytes) -> None:
        # The heap's least is the one to be given up first, so that the lowest ranks stay.
        rank = -int.from_bytes(hashlib.sha256(f"{self.image_sha256}:{index}".encode()).digest()[:8])
        if len(self._chosen) < self.size:
            heapq.heappush(self._chosen, (rank, index, _digest(block)))
        elif rank > self._chosen[0][0]:
            heapq.heapreplace(self._chosen, (rank, index, _digest(block)))


def expected_blocks(
    blocks: Iterable[bytes], image_sha256: str, *, omit_zeros: bool = False, size: int = SAMPLE
) -> ExpectedBlocks:
    """What the snapshot of these blocks of 512 KiB has to hold."""
    tally = Tally(image_sha256, size)
    for block in blocks:
        tally.add(block)
    return tally.result(omit_zeros=omit_zeros)


def expected_of(image: Image, *, omit_zeros: bool = False) -> ExpectedBlocks:
    """What the snapshot of an image has to hold; reads it as a whole. Raises ConfigurationError if it has changed."""
    return expected_blocks(blocks_of(image), image.sha256, omit_zeros=omit_zeros)


def _digest(block: bytes) -> bytes:
    return hashlib.sha256(block).digest()
