"""What a snapshot has to hold, from an image's blocks."""

import hashlib
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from brqos.ami.inspection.result import Verdict
from brqos.ami.inspection.snapshots import blocks_row, sample_row
from brqos.ami.upload.expected_blocks import SAMPLE, ExpectedBlocks, expected_blocks, expected_of
from brqos.image.model import Image

BLOCK = 524288
ZEROS = bytes(BLOCK)
_CACHE = [ZEROS, *(bytes([number]) * BLOCK for number in range(1, 6))]
_DIGESTS = [hashlib.sha256(block).digest() for block in _CACHE]

kinds = st.lists(st.integers(0, 5), max_size=60)
shas = st.binary(min_size=4, max_size=4).map(lambda data: hashlib.sha256(data).hexdigest())


def of(numbers: list[int], sha: str = "0" * 64, *, omit_zeros: bool = False, size: int = SAMPLE) -> ExpectedBlocks:
    return expected_blocks((_CACHE[number] for number in numbers), sha, omit_zeros=omit_zeros, size=size)


@given(kinds, shas, st.booleans(), st.integers(2, 20))
def test_the_sample(numbers: list[int], sha: str, omit_zeros: bool, size: int) -> None:
    expected = of(numbers, sha, omit_zeros=omit_zeros, size=size)
    filled = [index for index, number in enumerate(numbers) if number]
    assert expected.count == len(numbers)
    assert expected.zero == set(range(len(numbers))) - set(filled)
    assert expected.sent == (set(filled) if omit_zeros else set(range(len(numbers))))
    assert all(expected.sample[index] == _DIGESTS[numbers[index]] for index in expected.sample)
    must = {index for index in (0, *filled[-1:]) if numbers}
    assert must <= set(expected.sample)
    assert set(expected.sample) - must <= set(filled)
    assert len(expected.sample) == min(size, len(must | set(filled)))
    assert of(numbers, sha, omit_zeros=omit_zeros, size=size) == expected, "the same one each time"


def test_other_images_have_other_samples() -> None:
    samples = {tuple(of([1] * 200, hashlib.sha256(bytes([number])).hexdigest()).sample) for number in range(20)}
    assert len(samples) == 20


@given(kinds, st.booleans(), st.data())
def test_only_blocks_that_hold_something_may_not_be_missing(
    numbers: list[int], omit_zeros: bool, data: st.DataObject
) -> None:
    expected = of(numbers, omit_zeros=omit_zeros)
    every = range(len(numbers) + 2)
    listed = data.draw(st.frozensets(st.sampled_from(every)))
    row = blocks_row("os", expected, listed)
    filled = {index for index, number in enumerate(numbers) if number}
    right = filled <= listed and all(index < len(numbers) for index in listed)
    assert row.verdict is (Verdict.OK if right else Verdict.DIFFERENT)
    assert bool(row.note) == (listed != expected.sent)


@given(kinds.filter(bool), st.data())
def test_another_content_is_seen(numbers: list[int], data: st.DataObject) -> None:
    expected = of(numbers)
    assert sample_row("os", expected, expected.sample).verdict is Verdict.OK
    index = data.draw(st.sampled_from(sorted(expected.sample)))
    row = sample_row("os", expected, {**expected.sample, index: b"other"})
    assert row.verdict is Verdict.DIFFERENT
    assert str(index) in row.found


def test_many_blocks_are_told_shortly() -> None:
    row = blocks_row("data", of([1] * 20), [])
    assert row.note == "missing: 0, 1, 2, 3, 4 and 15 more"


def test_an_image_is_read(make_image: Callable[..., Image]) -> None:
    image = make_image(content=b"x" * BLOCK + bytes(2 * BLOCK) + b"end")
    expected = expected_of(image)
    assert (expected.count, expected.zero) == (4, {1, 2})
    assert expected.sample == {
        0: hashlib.sha256(b"x" * BLOCK).digest(),
        3: hashlib.sha256(b"end".ljust(BLOCK, b"\0")).digest(),
    }
