"""Both hashes of an image, in one pass; anything that is not a whole image is refused."""

import hashlib
import tracemalloc
from pathlib import Path

import lz4.frame
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brqos.errors import ConfigurationError
from brqos.image.hashing import hash_image
from brqos.image.model import Image, ImageRole
from brqos.monitor import Silent
from image.recorder import Recorder

MIB = 1 << 20
CONTENT = bytes(range(256)) * 5000


def _hash(file: Path) -> Image:
    return hash_image(ImageRole.OS, file, Silent())


def _write(tmp_path: Path, data: bytes, name: str = "os.img.lz4") -> Path:
    file = tmp_path / name
    file.write_bytes(data)
    return file


def _expect(image: Image, content: bytes, data: bytes) -> None:
    assert (image.sha256, image.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (image.file_sha256, image.file_bytes) == (hashlib.sha256(data).hexdigest(), len(data))


def test_raw(tmp_path: Path) -> None:
    _expect(_hash(_write(tmp_path, CONTENT, "os.img")), CONTENT, CONTENT)


def test_packed(tmp_path: Path) -> None:
    packed = lz4.frame.compress(CONTENT)
    _expect(_hash(_write(tmp_path, packed)), CONTENT, packed)


def test_packed_without_saying_so(tmp_path: Path) -> None:
    packed = lz4.frame.compress(CONTENT)
    _expect(_hash(_write(tmp_path, packed, "os.img")), CONTENT, packed)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=5), st.integers(0, 3))
def test_any_frames(tmp_path: Path, parts: list[bytes], level: int) -> None:
    content = b"".join(parts) or b"x"
    packed = b"".join(lz4.frame.compress(part, compression_level=level) for part in parts)
    if not b"".join(parts):
        packed += lz4.frame.compress(b"x")
    _expect(_hash(_write(tmp_path, packed)), content, packed)


@pytest.mark.parametrize("offset", range(-4, 5))
def test_a_frame_that_begins_at_the_end_of_a_read(tmp_path: Path, offset: int) -> None:
    # What does not compress is stored in blocks of 64 KiB with 4 bytes before each, 7 before all and 4 after all.
    length = MIB + offset
    content = hashlib.shake_256(b"seed").digest(length - 4 * 16 - 11)
    first = lz4.frame.compress(content, store_size=False)
    assert len(first) == length
    packed = first + lz4.frame.compress(b"last")
    _expect(_hash(_write(tmp_path, packed)), content + b"last", packed)


def test_memory_stays_small(tmp_path: Path) -> None:
    file = tmp_path / "zeros.img.lz4"
    block = bytes(8 * MIB)
    with lz4.frame.open(file, "wb") as stream:
        for _ in range(32):
            stream.write(block)
    tracemalloc.start()
    image = _hash(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert image.bytes == 256 * MIB
    assert peak < 32 * MIB


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (lz4.frame.compress(b""), "empty"),
        (lz4.frame.compress(CONTENT)[:-1], "truncated"),
        (lz4.frame.compress(CONTENT)[:1000], "truncated"),
        (lz4.frame.compress(CONTENT)[:4], "truncated"),
        (lz4.frame.compress(CONTENT) + b"rest", "follows the last frame"),
        (lz4.frame.compress(CONTENT) + lz4.frame.compress(CONTENT)[:2], "follows the last frame"),
        (lz4.frame.compress(CONTENT, content_checksum=True)[:-4] + b"\0\0\0\0", "damaged"),
        (b"\x04\x22\x4d\x18" + b"\xff" * 100, "damaged"),
        (CONTENT, "not those of an lz4 frame"),
        (b"\x1f\x8b" + CONTENT, "gzip"),
        (b"QFI\xfb" + CONTENT, "qcow2"),
    ],
)
def test_refused(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(ConfigurationError, match="not an image that can be used") as caught:
        _hash(_write(tmp_path, data))
    assert why in caught.value.why.lower()


def test_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.img", tmp_path):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            _hash(path)


def test_progress_is_that_of_the_file(tmp_path: Path) -> None:
    packed = lz4.frame.compress(CONTENT)
    said = Recorder()
    hash_image(ImageRole.DATA, _write(tmp_path, packed), said)
    assert said.tasks == [("Hashing os.img.lz4", len(packed), "B")]
    assert said.advanced == len(packed)
