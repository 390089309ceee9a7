"""EBS direct as the service does it: checksums, lengths, indexes, counts, states and client tokens are checked.

Rules: the API's model (2019-11-02) and its guide, "EBS direct APIs". The aggregate checksum (method LINEAR) is the
SHA-256 over the raw SHA-256 digests of the blocks in the order of their indexes.
"""

import base64
import hashlib
import itertools
import re

from brqos.rehearsal.emulator import ebs_reading, ebs_start
from brqos.rehearsal.emulator.ebs_start import invalid
from brqos.rehearsal.emulator.faults import Faults
from brqos.rehearsal.emulator.signature import check_payload
from brqos.rehearsal.emulator.store import BLOCK, GIB, Snapshot, Store
from brqos.rehearsal.emulator.wire import Caller, Request, Response, ServiceError, json_response

_ROUTES = (
    ("PutSnapshotBlock", "PUT", re.compile(r"/snapshots/(?P<snapshot>[^/]+)/blocks/(?P<index>\d+)")),
    ("StartSnapshot", "POST", re.compile(r"/snapshots")),
    ("CompleteSnapshot", "POST", re.compile(r"/snapshots/completion/(?P<snapshot>[^/]+)")),
    ("GetSnapshotBlock", "GET", re.compile(r"/snapshots/(?P<snapshot>[^/]+)/blocks/(?P<index>\d+)")),
    ("ListSnapshotBlocks", "GET", re.compile(r"/snapshots/(?P<snapshot>[^/]+)/blocks")),
    ("ListChangedBlocks", "GET", re.compile(r"/snapshots/(?P<snapshot>[^/]+)/changedblocks")),
)
_ZERO_DIGEST = hashlib.sha256(bytes(BLOCK)).digest()


def route(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The operation that a request asks for, and what its path says; raises ServiceError if there is none."""
    for operation, its_method, pattern in _ROUTES:
        if method == its_method and (match := pattern.fullmatch(path)):
            return operation, match.groupdict()
    raise ServiceError("UnknownOperationException", "The requested operation is not known", status=404)


class EbsDirect:
    """The service `ebs`. Of the block puts every `verify_every`-th has its checksum verified (1: all of them)."""

    def __init__(self, store: Store, faults: Faults, *, verify_every: int = 1) -> None:
        self._store = store
        self._faults = faults
        self._verify_every = verify_every
        self._puts = itertools.count()

    def answer(self, operation: str, words: dict[str, str], request: Request, caller: Caller) -> Response:
        """Carry out one operation; raises ServiceError."""
        check_payload(request, unsigned_allowed=operation == "PutSnapshotBlock")
        match operation:
            case "PutSnapshotBlock":
                return self._put(words["snapshot"], int(words["index"]), request, caller)
            case "StartSnapshot":
                return ebs_start.start(self._store, request, caller)
            case "CompleteSnapshot":
                return self._complete(words["snapshot"], request, caller)
        return ebs_reading.answer(self._store, operation, words, request, caller)

    def _put(self, snapshot_id: str, index: int, request: Request, caller: Caller) -> Response:
        told = _check_put(request)
        with self._store.lock:
            snapshot = self._writable(snapshot_id, caller)
            new = index not in snapshot.blocks
        if (index + 1) * BLOCK > snapshot.volume_gib * GIB:
            raise invalid(f"Block {index} lies behind the end of the volume", "INVALID_BLOCK")
        # The lock is not held here: hashing and writing take most of the time, and neither needs it.
        digest = self._verified(told, request.body)
        # Zeros that nothing was written under take no room on the disk.
        if not (new and digest == _ZERO_DIGEST):
            try:
                self._store.files.write(snapshot.id, index, request.body)
            except KeyError:
                raise _takes_no_more(snapshot_id, "sealed") from None
        with self._store.lock:
            self._writable(snapshot_id, caller)
            snapshot.blocks[index] = digest
            snapshot.written_at = self._store.clock()
        headers = {"x-amz-Checksum": request.headers["x-amz-checksum"], "x-amz-Checksum-Algorithm": "SHA256"}
        return Response(201, b"", headers)

    def _verified(self, told: bytes, body: bytes | memoryview) -> bytes:
        """The digest of a block; taken at the client's word where this one is not to be verified."""
        if next(self._puts) % self._verify_every == 0 and hashlib.sha256(body).digest() != told:
            raise invalid("The checksum of the block does not match its data", "INVALID_BLOCK")
        return told

    def _complete(self, snapshot_id: str, request: Request, caller: Caller) -> Response:
        count = _header_integer(request, "x-amz-changedblockscount")
        checksum = request.headers.get("x-amz-checksum")
        if checksum is not None:
            _check_algorithm(request)
            if request.headers.get("x-amz-checksum-aggregation-method") != "LINEAR":
                raise invalid("The aggregation method must be LINEAR")
        with self._store.lock:
            snapshot = self._writable(snapshot_id, caller)
            if count != len(snapshot.blocks):
                raise invalid(f"ChangedBlocksCount is {count}, {len(snapshot.blocks)} blocks were written")
            if checksum is not None and checksum != linear_checksum(snapshot):
                raise invalid("The checksum does not match that of the blocks")
            snapshot.sealed_at = self._store.clock()
            snapshot.ready_at = snapshot.sealed_at + self._store.delay
            snapshot.fails = self._faults.snapshot_fails()
            self._store.files.seal(snapshot.id)
        return json_response({"Status": "pending"}, 202)

    def _writable(self, snapshot_id: str, caller: Caller) -> Snapshot:
        snapshot = ebs_reading.find(self._store, snapshot_id, caller)
        if self._store.clock() < snapshot.started_at + self._faults.unknown_after_start:
            raise ebs_reading.not_found(snapshot_id)
        state = snapshot.state(self._store.clock())
        if state != "pending" or snapshot.sealed_at is not None:
            raise _takes_no_more(snapshot_id, state)
        return snapshot


def linear_checksum(snapshot: Snapshot) -> str:
    """The aggregate checksum of all blocks, in base64."""
    digests = b"".join(snapshot.blocks[index] for index in sorted(snapshot.blocks))
    return base64.b64encode(hashlib.sha256(digests).digest()).decode()


def _takes_no_more(snapshot_id: str, state: str) -> ServiceError:
    return invalid(f"The snapshot '{snapshot_id}' takes no more data (it is {state})", "INVALID_SNAPSHOT_ID")


def _check_put(request: Request) -> bytes:
    """Check all that can be told without the account; the digest that the client says the block has."""
    if _header_integer(request, "x-amz-data-length") != BLOCK or len(request.body) != BLOCK:
        raise invalid(f"DataLength and the body must have {BLOCK} bytes, the body has {len(request.body)}")
    if request.headers.get("x-amz-progress") is not None and not 0 <= _header_integer(request, "x-amz-progress") <= 100:
        raise invalid("Progress must be between 0 and 100")
    _check_algorithm(request)
    try:
        digest = base64.b64decode(request.headers.get("x-amz-checksum", ""), validate=True)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise invalid("The checksum of the block does not match its data", "INVALID_BLOCK")
    return digest


def _check_algorithm(request: Request) -> None:
    if request.headers.get("x-amz-checksum-algorithm") != "SHA256":
        raise invalid("The checksum algorithm must be SHA256")


def _header_integer(request: Request, name: str) -> int:
    value = request.headers.get(name, "")
    if not value.isdecimal():
        raise invalid(f"The header {name} must be an integer")
    return int(value)
