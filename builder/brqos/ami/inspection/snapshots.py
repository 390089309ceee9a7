"""Whether a snapshot holds the image: complete, encrypted as planned, its blocks there, a sample of them equal."""

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from brqos.ami.inspection.result import Row, Verdict, compared
from brqos.ami.plan import SnapshotPlan
from brqos.ami.upload.expected_blocks import ExpectedBlocks
from brqos.aws.ebs_reader import EbsReader
from brqos.aws.ec2 import DescribedSnapshot
from brqos.aws.errors import ErrorKind
from brqos.aws.retry import Retry

_READERS = 8
_SHOWN = 5
# The client repeats calls that fail; this is for blocks that come damaged.
_RETRY = Retry({ErrorKind.CONNECTION: 60.0}, first_delay=0.2)


def snapshot_rows(plan: SnapshotPlan, snapshot: DescribedSnapshot | None, *, encrypts_by_default: bool) -> list[Row]:
    """Its state, size and encryption, as DescribeSnapshots tells them. Pure."""
    title = f"{plan.role.value} snapshot"
    if snapshot is None:
        return [compared(title, "completed", "not there")]
    return [
        compared(title, "completed", snapshot.state, snapshot.message),
        compared(f"{title}, size", f"{plan.volume_gib} GiB", f"{snapshot.volume_gib} GiB"),
        _encryption(plan, snapshot, encrypts_by_default=encrypts_by_default),
    ]


def _encryption(plan: SnapshotPlan, snapshot: DescribedSnapshot, *, encrypts_by_default: bool) -> Row:
    check = f"{plan.role.value} snapshot, encryption"
    found = f"with {snapshot.kms_key or 'a key that is not told'}" if snapshot.encrypted else "none"
    if plan.kms_key is None and snapshot.encrypted and encrypts_by_default:
        return Row(
            check=check,
            expected="none",
            found=found,
            verdict=Verdict.OK,
            note="The account encrypts by default; that was not asked for.",
        )
    return compared(check, f"with {plan.kms_key}" if plan.kms_key else "none", found)


def blocks_row(role: str, expected: ExpectedBlocks, listed: Iterable[int]) -> Row:
    """Whether the blocks that the snapshot lists are those that were sent. Pure.

    Blocks of zeros may be missing in the list, or be there though they were not sent: they read the same.
    """
    sent, there = expected.sent, frozenset(listed)
    lacking, surplus = sent - there, there - sent
    lost, beyond = lacking - expected.zero, frozenset(index for index in surplus if index >= expected.count)
    notes = [
        *([f"missing: {_indexes(lost)}"] if lost else []),
        *([f"beyond the image: {_indexes(beyond)}"] if beyond else []),
        *([f"{len(lacking - lost)} blocks of zeros are not listed"] if lacking - lost else []),
        *([f"{len(surplus - beyond)} blocks of zeros were not sent by this plan"] if surplus - beyond else []),
    ]
    return Row(
        check=f"{role} snapshot, blocks",
        expected=f"{len(sent)} blocks",
        found=f"{len(there)} blocks",
        verdict=Verdict.DIFFERENT if lost or beyond else Verdict.OK,
        note="; ".join(notes),
    )


def read_sample(
    reader: EbsReader, snapshot_id: str, tokens: Mapping[int, str], indexes: Iterable[int]
) -> dict[int, bytes]:
    """The SHA-256 of those of the blocks that are listed; raises AwsCallError."""

    def read(index: int) -> tuple[int, bytes]:
        block = _RETRY.call(lambda: reader.get_block(snapshot_id, index, tokens[index]))
        return index, hashlib.sha256(block).digest()

    with ThreadPoolExecutor(_READERS, thread_name_prefix="read-block") as pool:
        return dict(pool.map(read, [index for index in indexes if index in tokens]))


def sample_row(role: str, expected: ExpectedBlocks, found: Mapping[int, bytes]) -> Row:
    """Whether the blocks that were read back are the image's. Pure."""
    wrong = frozenset(index for index, digest in found.items() if expected.sample.get(index) != digest)
    return Row(
        check=f"{role} snapshot, content",
        expected=f"{len(found)} blocks as in the image",
        found=f"different: {_indexes(wrong)}" if wrong else f"{len(found)} blocks as in the image",
        verdict=Verdict.DIFFERENT if wrong else Verdict.OK,
    )


def _indexes(indexes: frozenset[int]) -> str:
    shown = ", ".join(str(index) for index in sorted(indexes)[:_SHOWN])
    return shown + (f" and {len(indexes) - _SHOWN} more" if len(indexes) > _SHOWN else "")
