"""A container's four values as a bar of characters."""

from collections.abc import Iterable

from brqos.memoryqos.kubelet import CgroupMemory

LEGEND = "# memory.min, never reclaimed   = memory.low, reclaimed last   - free use   ~ above memory.high, throttled"
NO_LIMIT = ">"

_HARD, _SOFT, _FREE, _THROTTLED = "#=-~"


def scale_of(memories: Iterable[CgroupMemory], allocatable: int) -> int:
    """The bytes that a whole bar stands for: the largest limit, or all of the node where a container has none."""
    limits = {memory.max for memory in memories}
    if "max" in limits:
        return allocatable
    return min(max((each for each in limits if isinstance(each, int)), default=0), allocatable) or allocatable


def bar(memory: CgroupMemory, scale: int, width: int = 24) -> str:
    """`####---~~` on a scale: what is protected, what may be used, what is throttled; `>` where there is no limit."""
    hard = _cells(memory.min, scale, width)
    soft = max(_cells(memory.low, scale, width), hard)
    end = width if memory.max == "max" else max(_cells(memory.max, scale, width), 1)
    high = end if memory.high == "max" else min(max(_cells(memory.high, scale, width), soft), end)
    drawn = _HARD * hard + _SOFT * (soft - hard) + _FREE * (high - soft) + _THROTTLED * (end - high)
    return drawn[: width - 1] + NO_LIMIT if memory.max == "max" else drawn


def _cells(amount: int | str, scale: int, width: int) -> int:
    if isinstance(amount, str):
        return width
    cells = round(width * amount / scale)
    # Something that is there is seen.
    return min(max(cells, 1 if amount else 0), width)
