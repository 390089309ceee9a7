"""EBS direct as the service does it: checksums, lengths, indexes, counts, states and client tokens are checked.

Rules: the API's model (2019-11-02) and its guide, "EBS direct APIs". The aggregate checksum (method LINEAR) is the
SHA-256 over the raw SHA-256 digests of the blocks in the order of their indexes.
"""

import base64
import hashlib
import json
import re
from urllib.parse import parse_qs

from brqos.rehearsal.emulator.faults import Faults
from brqos.rehearsal.emulator.signature import check_payload
from brqos.rehearsal.emulator.store import BLOCK, GIB, Snapshot, Store, TokenUse
from brqos.rehearsal.emulator.wire import Caller, Request, Response, ServiceError, json_response

_ROUTES = (
    ("StartSnapshot", "POST", re.compile(r"/snapshots")),
    ("CompleteSnapshot", "POST", re.compile(r"/snapshots/completion/(?P<snapshot>[^/]+)")),
    ("PutSnapshotBlock", "PUT", re.compile(r"/snapshots/(?P<snapshot>[^/]+)/blocks/(?P<index>\d+)")),
    ("GetSnapshotBlock", "GET", re.compile(r"/snapshots/(?P<snapshot>[^/]+)/blocks/(?P<index>\d+)")),
    ("ListSnapshotBlocks", "GET", re.compile(r"/snapshots/(?P<snapshot>[^/]+)/blocks")),
)
_START_MEMBERS = {
    "VolumeSize", "ParentSnapshotId", "Tags", "Description", "ClientToken", "Encrypted", "KmsKeyArn", "Timeout",
}  # fmt: skip
_MAX_VOLUME_GIB = 65536
_MAX_TAGS = 50


def route(request: Request) -> tuple[str, dict[str, str]]:
    """The operation that a request asks for, and what its path says; raises ServiceError if there is none."""
    for operation, method, path in _ROUTES:
        if request.method == method and (match := path.fullmatch(request.path)):
            return operation, match.groupdict()
    raise ServiceError("UnknownOperationException", "The requested operation is not known", status=404)


class EbsDirect:
    """The service `ebs` of one emulated account."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    def answer(self, operation: str, words: dict[str, str], request: Request, caller: Caller) -> Response:
        """Carry out one operation; raises ServiceError."""
        check_payload(request, unsigned_allowed=operation == "PutSnapshotBlock")
        match operation:
            case "StartSnapshot":
                return self._start(request, caller)
            case "PutSnapshotBlock":
                return self._put(words["snapshot"], int(words["index"]), request, caller)
            case "CompleteSnapshot":
                return self._complete(words["snapshot"], request, caller)
            case "GetSnapshotBlock":
                return self._get(words["snapshot"], int(words["index"]), request, caller)
        return self._list(words["snapshot"], request, caller)

    def _start(self, request: Request, caller: Caller) -> Response:
        asked = _json_object(request.body)
        _check_start(asked)
        token = str(asked.get("ClientToken", ""))
        parameters = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        with self._store.lock:
            use = self._store.tokens.get((caller.account, caller.region, token)) if token else None
            if use is not None:
                if use.parameters != parameters:
                    message = "The client token was used before with other parameters"
                    raise ServiceError("ConflictException", message, status=409)
                return json_response(use.answer, 201)
            snapshot = self._new_snapshot(asked, caller)
            answer: dict[str, object] = {
                "SnapshotId": snapshot.id,
                "OwnerId": snapshot.owner,
                "Status": "pending",
                "StartTime": snapshot.started_at,
                "VolumeSize": snapshot.volume_gib,
                "BlockSize": BLOCK,
                "Description": snapshot.description or None,
                "Tags": asked.get("Tags"),
                "ParentSnapshotId": snapshot.parent,
                "KmsKeyArn": snapshot.kms_key,
                "SseType": "sse-kms" if snapshot.encrypted else "none",
            }
            if token:
                self._store.tokens[caller.account, caller.region, token] = TokenUse(parameters, answer)
        return json_response(answer, 201)

    def _new_snapshot(self, asked: dict[str, object], caller: Caller) -> Snapshot:
        parent = asked.get("ParentSnapshotId")
        if parent is not None:
            self._find(str(parent), caller)
        now = self._store.clock()
        tags = asked.get("Tags") or []
        assert isinstance(tags, list)
        snapshot = Snapshot(
            id=self._store.new_id("snap"),
            region=caller.region,
            owner=caller.account,
            volume_gib=_integer(asked["VolumeSize"]),
            description=str(asked.get("Description", "")),
            tags={str(tag["Key"]): str(tag.get("Value", "")) for tag in tags},
            timeout_seconds=60.0 * _integer(asked.get("Timeout", 60)),
            started_at=now,
            written_at=now,
            parent=None if parent is None else str(parent),
            kms_key=None if asked.get("KmsKeyArn") is None else str(asked["KmsKeyArn"]),
            encrypted=bool(asked.get("Encrypted")),
        )
        self._store.add(snapshot)
        return snapshot

    def _put(self, snapshot_id: str, index: int, request: Request, caller: Caller) -> Response:
        if _header_integer(request, "x-amz-data-length") != BLOCK or len(request.body) != BLOCK:
            raise _invalid(f"DataLength and the body must have {BLOCK} bytes, the body has {len(request.body)}")
        if (
            request.headers.get("x-amz-progress") is not None
            and not 0 <= _header_integer(request, "x-amz-progress") <= 100
        ):
            raise _invalid("Progress must be between 0 and 100")
        _check_algorithm(request)
        digest = hashlib.sha256(request.body).digest()
        checksum = base64.b64encode(digest).decode()
        if request.headers.get("x-amz-checksum") != checksum:
            raise _invalid("The checksum of the block does not match its data", "INVALID_BLOCK")
        with self._store.lock:
            snapshot = self._writable(snapshot_id, caller)
            if (index + 1) * BLOCK > snapshot.volume_gib * GIB:
                raise _invalid(f"Block {index} lies behind the end of the volume", "INVALID_BLOCK")
            self._store.write(snapshot, index, request.body)
            snapshot.blocks[index] = digest
            snapshot.written_at = self._store.clock()
        return Response(201, b"", {"x-amz-Checksum": checksum, "x-amz-Checksum-Algorithm": "SHA256"})

    def _complete(self, snapshot_id: str, request: Request, caller: Caller) -> Response:
        count = _header_integer(request, "x-amz-changedblockscount")
        checksum = request.headers.get("x-amz-checksum")
        if checksum is not None:
            _check_algorithm(request)
            if request.headers.get("x-amz-checksum-aggregation-method") != "LINEAR":
                raise _invalid("The aggregation method must be LINEAR")
        with self._store.lock:
            snapshot = self._writable(snapshot_id, caller)
            if count != len(snapshot.blocks):
                raise _invalid(f"ChangedBlocksCount is {count}, {len(snapshot.blocks)} blocks were written")
            if checksum is not None and checksum != linear_checksum(snapshot):
                raise _invalid("The checksum does not match that of the blocks")
            snapshot.sealed_at = self._store.clock()
            snapshot.ready_at = snapshot.sealed_at + self._store.delay
            snapshot.fails = self._faults.snapshot_fails()
        return json_response({"Status": "pending"}, 202)

    def _get(self, snapshot_id: str, index: int, request: Request, caller: Caller) -> Response:
        with self._store.lock:
            snapshot = self._readable(snapshot_id, caller)
            if index not in snapshot.blocks:
                raise _invalid(f"Block {index} was never written", "INVALID_BLOCK")
            if parse_qs(request.raw_query).get("blockToken") != [_block_token(snapshot, index)]:
                raise _invalid("The block token is not that of the block", "INVALID_BLOCK_TOKEN")
            data = self._store.read(snapshot, index)
        headers = {
            "x-amz-Data-Length": str(BLOCK),
            "x-amz-Checksum": base64.b64encode(snapshot.blocks[index]).decode(),
            "x-amz-Checksum-Algorithm": "SHA256",
            "Content-Type": "application/octet-stream",
        }
        return Response(200, data, headers)

    def _list(self, snapshot_id: str, request: Request, caller: Caller) -> Response:
        query = {name: values[0] for name, values in parse_qs(request.raw_query).items()}
        most = int(query.get("maxResults", "10000"))
        if not 100 <= most <= 10000:
            raise _invalid("maxResults must be between 100 and 10000")
        with self._store.lock:
            snapshot = self._readable(snapshot_id, caller)
            first = max(_page(query.get("pageToken")), int(query.get("startingBlockIndex", "0")))
            indexes = [index for index in sorted(snapshot.blocks) if index >= first]
        page, rest = indexes[:most], indexes[most:]
        return json_response(
            {
                "Blocks": [{"BlockIndex": index, "BlockToken": _block_token(snapshot, index)} for index in page],
                "ExpiryTime": self._store.clock() + 7 * 86400,
                "VolumeSize": snapshot.volume_gib,
                "BlockSize": BLOCK,
                "NextToken": base64.b64encode(str(rest[0]).encode()).decode() if rest else None,
            }
        )

    def _find(self, snapshot_id: str, caller: Caller) -> Snapshot:
        snapshot = self._store.snapshots.get(snapshot_id)
        if snapshot is None or snapshot.region != caller.region or snapshot.owner != caller.account:
            message = f"The snapshot '{snapshot_id}' does not exist."
            raise ServiceError("ResourceNotFoundException", message, status=404, reason="SNAPSHOT_NOT_FOUND")
        return snapshot

    def _writable(self, snapshot_id: str, caller: Caller) -> Snapshot:
        snapshot = self._find(snapshot_id, caller)
        state = snapshot.state(self._store.clock())
        if state != "pending" or snapshot.sealed_at is not None:
            raise _invalid(f"The snapshot '{snapshot_id}' takes no more data (it is {state})", "INVALID_SNAPSHOT_ID")
        return snapshot

    def _readable(self, snapshot_id: str, caller: Caller) -> Snapshot:
        snapshot = self._find(snapshot_id, caller)
        if snapshot.state(self._store.clock()) != "completed":
            raise _invalid(f"The snapshot '{snapshot_id}' is not completed", "INVALID_SNAPSHOT_ID")
        return snapshot


def linear_checksum(snapshot: Snapshot) -> str:
    """The aggregate checksum of all blocks, in base64."""
    digests = b"".join(snapshot.blocks[index] for index in sorted(snapshot.blocks))
    return base64.b64encode(hashlib.sha256(digests).digest()).decode()


def _invalid(message: str, reason: str = "INVALID_PARAMETER_VALUE") -> ServiceError:
    return ServiceError("ValidationException", message, reason=reason)


def _json_object(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body)
    except ValueError:
        raise ServiceError("SerializationException", "The body is not JSON") from None
    if not isinstance(value, dict):
        raise ServiceError("SerializationException", "The body is not a JSON object")
    return value


def _check_start(asked: dict[str, object]) -> None:
    if unknown := set(asked) - _START_MEMBERS:
        raise _invalid(f"Unknown members: {', '.join(sorted(unknown))}")
    if "VolumeSize" not in asked or not 1 <= _integer(asked["VolumeSize"]) <= _MAX_VOLUME_GIB:
        raise _invalid("VolumeSize must be between 1 and 65536", "INVALID_VOLUME_SIZE")
    if not 10 <= _integer(asked.get("Timeout", 60)) <= 4320:
        raise _invalid("Timeout must be between 10 and 4320 minutes")
    token = str(asked.get("ClientToken", "x"))
    if not re.fullmatch(r"[!-~]{1,64}", token):
        raise _invalid("ClientToken must be of 1 to 64 printable ASCII characters")
    if asked.get("ParentSnapshotId") is not None and asked.get("Encrypted") is not None:
        raise _invalid("ParentSnapshotId and Encrypted exclude each other")
    if asked.get("KmsKeyArn") is not None and not asked.get("Encrypted"):
        raise _invalid("KmsKeyArn needs Encrypted", "INVALID_CUSTOMER_KEY")
    if len(str(asked.get("Description", ""))) > 255:
        raise _invalid("Description is longer than 255 characters")
    _check_tags(asked.get("Tags") or [])


def _check_tags(tags: object) -> None:
    if not isinstance(tags, list) or not all(isinstance(tag, dict) and "Key" in tag for tag in tags):
        raise _invalid("Tags must be a list of Key and Value", "INVALID_TAG")
    keys = [str(tag["Key"]) for tag in tags]
    if len(keys) > _MAX_TAGS or len(set(keys)) != len(keys):
        raise _invalid("There are more than 50 tags, or one key twice", "INVALID_TAG")
    for tag in tags:
        key, value = str(tag["Key"]), str(tag.get("Value", ""))
        if not 1 <= len(key) <= 127 or key.startswith("aws:") or len(value) > 255:
            raise _invalid(f"The tag {key!r} is not allowed", "INVALID_TAG")


def _check_algorithm(request: Request) -> None:
    if request.headers.get("x-amz-checksum-algorithm") != "SHA256":
        raise _invalid("The checksum algorithm must be SHA256")


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _invalid(f"{value!r} is not an integer")
    return value


def _header_integer(request: Request, name: str) -> int:
    value = request.headers.get(name, "")
    if not value.isdecimal():
        raise _invalid(f"The header {name} must be an integer")
    return int(value)


def _block_token(snapshot: Snapshot, index: int) -> str:
    return base64.b64encode(hashlib.sha256(f"{snapshot.id}:{index}".encode()).digest()).decode()


def _page(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except ValueError:
        raise _invalid("The page token is not valid", "INVALID_PAGE_TOKEN") from None
