"""Reading snapshots through EBS direct: what blocks there are, what changed, and a block's bytes."""

import base64
import hashlib
from urllib.parse import parse_qs

from brqos.rehearsal.emulator.store import BLOCK, Snapshot, Store
from brqos.rehearsal.emulator.wire import Caller, Request, Response, ServiceError, json_response

_WEEK = 7 * 86400


def find(store: Store, snapshot_id: str, caller: Caller) -> Snapshot:
    """The caller's snapshot of that id; raises ServiceError."""
    snapshot = store.snapshots.get(snapshot_id)
    if snapshot is None or snapshot.region != caller.region or snapshot.owner != caller.account:
        raise not_found(snapshot_id)
    return snapshot


def not_found(snapshot_id: str) -> ServiceError:
    """What the service says of a snapshot that it does not know (yet)."""
    message = f"The snapshot '{snapshot_id}' does not exist."
    return ServiceError("ResourceNotFoundException", message, status=404, reason="SNAPSHOT_NOT_FOUND")


def answer(store: Store, operation: str, words: dict[str, str], request: Request, caller: Caller) -> Response:
    """Carry out one of the operations that read; raises ServiceError."""
    query = {name: values[0] for name, values in parse_qs(request.raw_query).items()}
    with store.lock:
        snapshot = _readable(store, words["snapshot"], caller)
        if operation == "GetSnapshotBlock":
            _check_block(snapshot, int(words["index"]), query)
        elif operation == "ListChangedBlocks":
            return _changed(store, snapshot, query, caller)
        else:
            return _listed(store, snapshot, query)
    return _block(store, snapshot, int(words["index"]))


def _check_block(snapshot: Snapshot, index: int, query: dict[str, str]) -> None:
    if index not in snapshot.blocks:
        raise _invalid(f"Block {index} was never written", "INVALID_BLOCK")
    if query.get("blockToken") != _block_token(snapshot, index):
        raise _invalid("The block token is not that of the block", "INVALID_BLOCK_TOKEN")


def _block(store: Store, snapshot: Snapshot, index: int) -> Response:
    try:
        data = store.read(snapshot, index)
    except FileNotFoundError:
        raise ServiceError("InternalServerException", "The emulator discards blocks", status=500) from None
    headers = {
        "x-amz-Data-Length": str(BLOCK),
        "x-amz-Checksum": base64.b64encode(snapshot.blocks[index]).decode(),
        "x-amz-Checksum-Algorithm": "SHA256",
        "Content-Type": "application/octet-stream",
    }
    return Response(200, data, headers)


def _listed(store: Store, snapshot: Snapshot, query: dict[str, str]) -> Response:
    page, token = _page(sorted(snapshot.blocks), query)
    blocks = [{"BlockIndex": index, "BlockToken": _block_token(snapshot, index)} for index in page]
    return json_response({"Blocks": blocks, "NextToken": token, **_frame(store, snapshot)})


def _changed(store: Store, second: Snapshot, query: dict[str, str], caller: Caller) -> Response:
    """Blocks that differ; without a first snapshot all blocks of the second one."""
    first = _readable(store, query["firstSnapshotId"], caller) if "firstSnapshotId" in query else None
    before = first.blocks if first else {}
    indexes = [index for index in sorted({*before, *second.blocks}) if before.get(index) != second.blocks.get(index)]
    page, token = _page(indexes, query)
    blocks = [
        {
            "BlockIndex": index,
            **({"FirstBlockToken": _block_token(first, index)} if first and index in before else {}),
            **({"SecondBlockToken": _block_token(second, index)} if index in second.blocks else {}),
        }
        for index in page
    ]
    return json_response({"ChangedBlocks": blocks, "NextToken": token, **_frame(store, second)})


def _frame(store: Store, snapshot: Snapshot) -> dict[str, object]:
    return {"ExpiryTime": store.clock() + _WEEK, "VolumeSize": snapshot.volume_gib, "BlockSize": BLOCK}


def _page(indexes: list[int], query: dict[str, str]) -> tuple[list[int], str | None]:
    most = query.get("maxResults", "10000")
    if not most.isdecimal() or not 100 <= int(most) <= 10000:
        raise _invalid("maxResults must be between 100 and 10000")
    first = max(_start_of(query.get("pageToken")), int(query.get("startingBlockIndex", "0")))
    wanted = [index for index in indexes if index >= first]
    page, rest = wanted[: int(most)], wanted[int(most) :]
    return page, base64.b64encode(str(rest[0]).encode()).decode() if rest else None


def _start_of(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except ValueError:
        raise _invalid("The page token is not valid", "INVALID_PAGE_TOKEN") from None


def _readable(store: Store, snapshot_id: str, caller: Caller) -> Snapshot:
    snapshot = store.snapshots.get(snapshot_id)
    if snapshot is None or snapshot.region != caller.region or not snapshot.visible_to(caller.account):
        raise not_found(snapshot_id)
    if snapshot.state(store.clock()) != "completed":
        raise _invalid(f"The snapshot '{snapshot_id}' is not completed", "INVALID_SNAPSHOT_ID")
    return snapshot


def _block_token(snapshot: Snapshot, index: int) -> str:
    return base64.b64encode(hashlib.sha256(f"{snapshot.id}:{index}".encode()).digest()).decode()


def _invalid(message: str, reason: str = "INVALID_PARAMETER_VALUE") -> ServiceError:
    return ServiceError("ValidationException", message, reason=reason)
