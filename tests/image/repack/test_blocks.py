"""Which blocks of a disk changed: by digests of what is no hole, and by the leaves of hash trees."""

import io
import random
import uuid
from pathlib import Path

from brqos.image.repack.blocks import differing, differing_leaves, digests, leaves, spans
from brqos.image.repack.gpt import Partition, PartitionTable
from brqos.image.repack.verity import BLOCK, VerityParameters, build_tree


def a_partition(number: int, start: int, size: int) -> Partition:
    return Partition(number, f"P{number}", start, size, uuid.UUID(int=1), uuid.UUID(int=2), 0)


def test_the_spans_are_the_whole_disk() -> None:
    table = PartitionTable(100_000, (a_partition(2, 50_000, 10_000), a_partition(1, 1024, 48_976)))
    found = spans(table)
    assert [(span.number, span.start, span.size) for span in found] == [
        (0, 0, 1024),
        (1, 1024, 48_976),
        (2, 50_000, 10_000),
        (0, 60_000, 40_000),
    ]
    assert [span.blocks for span in found] == [1, 12, 3, 10]


def test_every_block_that_differs_is_found_at_any_place(tmp_path: Path) -> None:
    noise = random.Random(5)
    disk, start, size = tmp_path / "disk", 512, 3 * 2**20 + 100
    with disk.open("wb") as file:
        file.truncate(start + size + 4096)
        # Data between holes, some of it blank.
        for at, content in ((0, b"x" * 600), (70_000, noise.randbytes(9000)), (2**20, bytes(2**20)), (size - 10, b"y")):
            file.seek(start + at)
            file.write(content)

    def now() -> dict[int, bytes]:
        with disk.open("rb") as file:
            return digests(file, start, size)

    before = now()
    assert set(before) == {0, *range(70_000 // BLOCK, 79_000 // BLOCK + 1), (size - 10) // BLOCK}
    for _ in range(60):
        at = noise.randrange(size)
        with disk.open("r+b") as file:
            file.seek(start + at)
            byte = file.read(1)[0]
            file.seek(start + at)
            file.write(bytes([byte ^ 0x80]))
            file.flush()
            assert differing(before, now()) == [at // BLOCK]
            file.seek(start + at)
            file.write(bytes([byte]))
    assert differing(before, now()) == []
    # What lies outside does not count.
    with disk.open("r+b") as file:
        file.write(b"outside")
        file.seek(start + size)
        file.write(b"outside")
    assert differing(before, now()) == []


def test_leaves_tell_every_block() -> None:
    noise = random.Random(6)
    for count in (2, 128, 129, 300, 128 * 128 + 1):
        content = bytearray(noise.randbytes(BLOCK) * count)
        parameters = VerityParameters(count, b"salt", b"")

        def tree(content: bytes, parameters: VerityParameters = parameters) -> bytes:
            return _tree(content, parameters)

        before = leaves(tree(content), count)
        assert len(before) == -(-count // 128) * BLOCK
        changed = sorted({0, count - 1, noise.randrange(count)})
        for number in changed:
            content[number * BLOCK] ^= 1
        assert differing_leaves(before, leaves(tree(content), count), count) == changed


def _tree(content: bytes, parameters: VerityParameters) -> bytes:
    import tempfile

    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        assert not isinstance(file, io.BytesIO)
        return build_tree(file, 0, parameters, device_uuid=bytes(16)).content
