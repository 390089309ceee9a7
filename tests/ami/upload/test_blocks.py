import hashlib
from pathlib import Path

import lz4.frame
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brqos.ami.upload.blocks import BLOCK, blocks_of
from brqos.errors import ConfigurationError
from brqos.image.model import Image, ImageRole


def image_of(file: Path, content: bytes, **changes: object) -> Image:
    fields = {
        "role": ImageRole.OS,
        "file": file,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "file_sha256": "0" * 64,
        "file_bytes": 1,
        **changes,
    }
    return Image.model_validate(fields)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(size=st.integers(1, 3 * BLOCK + 1), frames=st.integers(0, 3))
def test_blocks_are_the_image_and_padding(tmp_path: Path, size: int, frames: int) -> None:
    content = (b"bottlerocket" * (size // 12 + 1))[:size]
    file = tmp_path / "image"
    if frames:
        step = -(-size // frames)
        parts = (content[start : start + step] for start in range(0, size, step))
        file.write_bytes(b"".join(lz4.frame.compress(part) for part in parts))
    else:
        file.write_bytes(content)
    blocks = list(blocks_of(image_of(file, content)))
    assert {len(block) for block in blocks} == {BLOCK}
    whole = b"".join(blocks)
    assert len(blocks) == -(-size // BLOCK)
    assert whole[:size] == content
    assert not any(whole[size:])


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("change", ["longer", "shorter", "other", "empty", "gone"])
def test_a_changed_image_is_refused(tmp_path: Path, packed: bool, change: str) -> None:
    content = bytes(range(256)) * 5000
    now = {"longer": content + b"x", "shorter": content[:-1], "other": b"x" + content[1:], "empty": b"", "gone": b""}
    file = tmp_path / "image"
    file.write_bytes(lz4.frame.compress(now[change]) if packed else now[change])
    if change == "gone":
        file.unlink()
    with pytest.raises(ConfigurationError, match="is not the one that was recorded"):
        list(blocks_of(image_of(file, content)))


@pytest.mark.parametrize("spoil", [lambda data: data[:-20], lambda data: data[:40] + b"\xff" * 40 + data[80:]])
def test_a_damaged_image_is_refused(tmp_path: Path, spoil: object) -> None:
    content = bytes(range(256)) * 5000
    file = tmp_path / "image"
    file.write_bytes(spoil(lz4.frame.compress(content)))  # type: ignore[operator]
    with pytest.raises(ConfigurationError, match="is not the one that was recorded"):
        list(blocks_of(image_of(file, content)))
