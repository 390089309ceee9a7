"""Hash trees: byte for byte what veritysetup makes, and no changed bit is overlooked."""

import os
import random
import re
import uuid
from pathlib import Path

import pytest

from brqos.image.repack.verity import (
    BLOCK,
    HashTree,
    VerityError,
    VerityParameters,
    build_tree,
    read_superblock,
    verify,
)

SALT = bytes(range(32))
UUID = uuid.UUID(int=7)


class Data:
    """A file system of random blocks, somewhere in a file, with its tree."""

    def __init__(self, folder: Path, blocks: int, offset: int = 0) -> None:
        self.path = folder / f"data-{blocks}"
        self.offset = offset
        self.path.write_bytes(b"\xff" * offset + random.Random(blocks).randbytes(blocks * BLOCK))
        bare = VerityParameters(blocks, SALT, b"")
        self.tree = self.made(bare)
        self.parameters = VerityParameters(blocks, SALT, self.tree.root_hash)

    def made(self, parameters: VerityParameters) -> HashTree:
        with self.path.open("rb") as file:
            return build_tree(file, self.offset, parameters, device_uuid=UUID.bytes)

    def verify(self, tree: bytes | None = None, parameters: VerityParameters | None = None) -> None:
        with self.path.open("rb") as file:
            verify(file, self.offset, tree or self.tree.content, parameters or self.parameters)

    def flip(self, at: int) -> None:
        with self.path.open("r+b") as file:
            file.seek(self.offset + at)
            (byte,) = file.read(1)
            file.seek(self.offset + at)
            file.write(bytes([byte ^ 1]))


@pytest.mark.processes
@pytest.mark.parametrize("blocks", [1, 2, 127, 128, 129, 300, 16385])
def test_veritysetup_makes_the_same(tmp_path: Path, tool, blocks: int) -> None:
    from brqos.process import run

    tool("veritysetup")
    data, hashes = Data(tmp_path, blocks), tmp_path / "hash"
    hashes.touch()
    out = run(["veritysetup", "format", data.path, hashes, "--salt", SALT.hex(), "--uuid", str(UUID)]).text
    assert re.search(r"Root hash:\s+(\S+)", out)[1] == data.tree.root_hash.hex()
    assert hashes.read_bytes() == data.tree.content


@pytest.mark.parametrize("blocks", [1, 3, 128, 129, 2049])
def test_what_belongs_together_is_good(tmp_path: Path, blocks: int) -> None:
    data = Data(tmp_path, blocks, offset=5 * BLOCK)
    data.verify()
    data.verify(data.tree.content + bytes(10 * BLOCK))
    told, device = read_superblock(data.tree.content[:BLOCK])
    assert (told.data_blocks, told.salt, device) == (blocks, SALT, UUID.bytes)


@pytest.mark.parametrize("seed", range(6))
def test_no_changed_bit_of_the_data_is_overlooked(tmp_path: Path, seed: int) -> None:
    data = Data(tmp_path, 300)
    at = random.Random(seed).randrange(300 * BLOCK)
    data.flip(at)
    with pytest.raises(VerityError, match="is not what its root hash stands for") as refused:
        data.verify()
    assert f"Block {at // BLOCK} of 300" in refused.value.why


@pytest.mark.parametrize("seed", range(6))
def test_no_changed_bit_of_the_tree_is_overlooked(tmp_path: Path, seed: int) -> None:
    data = Data(tmp_path, 300)
    tree = bytearray(data.tree.content)
    tree[random.Random(seed).randrange(BLOCK, len(tree))] ^= 1
    with pytest.raises(VerityError, match="the hash tree of the image is damaged"):
        data.verify(bytes(tree))


def test_another_root_hash_is_refused(tmp_path: Path) -> None:
    data = Data(tmp_path, 3)
    with pytest.raises(VerityError) as refused:
        data.verify(parameters=VerityParameters(3, SALT, bytes(32)))
    assert "Data and tree go together, but their root hash is another one." in refused.value.why


def test_a_tree_of_another_file_system_is_refused(tmp_path: Path) -> None:
    data = Data(tmp_path, 3)
    with pytest.raises(VerityError, match="is not the one that its boot configuration names"):
        data.verify(parameters=VerityParameters(4, SALT, data.tree.root_hash))


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (b"", "too short"),
        (os.urandom(BLOCK), "does not begin with"),
        (b"verity\0\0" + bytes(BLOCK), "not of format 1"),
    ],
)
def test_what_is_no_superblock_is_refused(block: bytes, why: str) -> None:
    with pytest.raises(VerityError) as refused:
        read_superblock(block)
    assert why in refused.value.why


def test_data_that_ends_too_early_is_told(tmp_path: Path) -> None:
    data = Data(tmp_path, 5)
    data.path.write_bytes(data.path.read_bytes()[: 4 * BLOCK])
    with pytest.raises(VerityError, match="is shorter than its hash tree says"):
        data.verify()
