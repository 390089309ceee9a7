"""StartSnapshot: what it takes, its ClientToken, and what becomes encrypted with which key.

Rules: the API's reference, and the tables of "Encryption outcomes for EBS direct APIs" in the guide.
"""

import hashlib
import json
import re
from dataclasses import dataclass

from brqos.rehearsal.emulator import kms
from brqos.rehearsal.emulator.ebs_reading import find
from brqos.rehearsal.emulator.store import BLOCK, Snapshot, Store, TokenUse
from brqos.rehearsal.emulator.wire import Caller, Request, Response, ServiceError, json_object, json_response

_MEMBERS = {
    "VolumeSize", "ParentSnapshotId", "Tags", "Description", "ClientToken", "Encrypted", "KmsKeyArn", "Timeout",
}  # fmt: skip
_MAX_VOLUME_GIB = 65536
_MAX_TAGS = 50
_MAX_PENDING = 100


@dataclass(frozen=True, slots=True)
class _Encryption:
    key: str | None

    @property
    def type(self) -> str:
        return "sse-kms" if self.key else "none"


def start(store: Store, request: Request, caller: Caller) -> Response:
    """Begin a snapshot, or answer as before to a ClientToken that was used before; raises ServiceError."""
    asked = json_object(request.body)
    _check(asked)
    token = str(asked.get("ClientToken", ""))
    parameters = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    with store.lock:
        use = store.tokens.get((caller.account, caller.region, token)) if token else None
        if use is not None:
            if use.parameters != parameters:
                raise ServiceError(
                    "ConflictException", "The client token was used before with other parameters", status=409
                )
            return json_response(use.answer, 201)
        encryption = _encryption(store, asked, caller)
        snapshot = _new_snapshot(store, asked, encryption, caller)
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
            "SseType": encryption.type,
        }
        if token:
            store.tokens[caller.account, caller.region, token] = TokenUse(parameters, answer)
    return json_response(answer, 201)


def invalid(message: str, reason: str = "INVALID_PARAMETER_VALUE") -> ServiceError:
    """A ValidationException."""
    return ServiceError("ValidationException", message, reason=reason)


def _new_snapshot(store: Store, asked: dict[str, object], encryption: _Encryption, caller: Caller) -> Snapshot:
    parent = asked.get("ParentSnapshotId")
    pending = [item for item in store.snapshots.values() if item.owner == caller.account and item.sealed_at is None]
    now = store.clock()
    if sum(item.state(now) == "pending" for item in pending) >= _MAX_PENDING:
        raise ServiceError("ConcurrentLimitExceededException", "There are too many pending snapshots", status=400)
    tags = asked.get("Tags") or []
    assert isinstance(tags, list)
    snapshot = Snapshot(
        id=store.new_id("snap"),
        region=caller.region,
        owner=caller.account,
        volume_gib=_integer(asked["VolumeSize"]),
        description=str(asked.get("Description", "")),
        tags={str(tag["Key"]): str(tag.get("Value", "")) for tag in tags},
        timeout_seconds=60.0 * _integer(asked.get("Timeout", 60)),
        started_at=now,
        written_at=now,
        parent=None if parent is None else str(parent),
        kms_key=encryption.key,
        encrypted=encryption.key is not None,
    )
    store.add(snapshot)
    return snapshot


def _encryption(store: Store, asked: dict[str, object], caller: Caller) -> _Encryption:
    by_default = store.settings(caller.region, caller.account).encryption_by_default
    if (parent_id := asked.get("ParentSnapshotId")) is not None:
        parent = find(store, str(parent_id), caller)
        if parent.encrypted and asked.get("KmsKeyArn") is not None:
            raise invalid("KmsKeyArn cannot be given with an encrypted parent", "INVALID_CUSTOMER_KEY")
        if not parent.encrypted and by_default:
            raise invalid("With encryption by default the parent has to be encrypted")
        return _Encryption(parent.kms_key)
    if asked.get("KmsKeyArn") is not None:
        if not (asked.get("Encrypted") or by_default):
            raise invalid("KmsKeyArn needs Encrypted", "INVALID_CUSTOMER_KEY")
        return _Encryption(_checked_key(store, str(asked["KmsKeyArn"]), caller))
    if by_default and asked.get("Encrypted") is False:
        raise invalid("With encryption by default a snapshot cannot be unencrypted")
    wanted = by_default or bool(asked.get("Encrypted"))
    return _Encryption(store.default_key(caller.region, caller.account) if wanted else None)


def _checked_key(store: Store, arn: str, caller: Caller) -> str:
    if not kms.is_key_arn(arn, caller.region):
        raise invalid(f"KmsKeyArn is not the ARN of a key in {caller.region}", "INVALID_CUSTOMER_KEY")
    if not store.has_key(arn):
        raise invalid("The KMS key does not exist or cannot be used", "INVALID_CUSTOMER_KEY")
    return arn


def _check(asked: dict[str, object]) -> None:
    if unknown := set(asked) - _MEMBERS:
        raise invalid(f"Unknown members: {', '.join(sorted(unknown))}")
    if "VolumeSize" not in asked or not 1 <= _integer(asked["VolumeSize"]) <= _MAX_VOLUME_GIB:
        raise invalid("VolumeSize must be between 1 and 65536", "INVALID_VOLUME_SIZE")
    if not 10 <= _integer(asked.get("Timeout", 60)) <= 4320:
        raise invalid("Timeout must be between 10 and 4320 minutes")
    token = str(asked.get("ClientToken", "x"))
    if not re.fullmatch(r"[!-~]{1,64}", token):
        raise invalid("ClientToken must be of 1 to 64 printable ASCII characters")
    if asked.get("ParentSnapshotId") is not None and asked.get("Encrypted") is not None:
        raise invalid("ParentSnapshotId and Encrypted exclude each other")
    if not isinstance(asked.get("Encrypted", False), bool):
        raise invalid("Encrypted must be a boolean")
    if len(str(asked.get("Description", ""))) > 255:
        raise invalid("Description is longer than 255 characters")
    _check_tags(asked.get("Tags") or [])


def _check_tags(tags: object) -> None:
    if not isinstance(tags, list) or not all(isinstance(tag, dict) and "Key" in tag for tag in tags):
        raise invalid("Tags must be a list of Key and Value", "INVALID_TAG")
    keys = [str(tag["Key"]) for tag in tags]
    if len(keys) > _MAX_TAGS or len(set(keys)) != len(keys):
        raise invalid("There are more than 50 tags, or one key twice", "INVALID_TAG")
    for tag in tags:
        key, value = str(tag["Key"]), str(tag.get("Value", ""))
        if not 1 <= len(key) <= 127 or key.startswith("aws:") or len(value) > 255:
            raise invalid(f"The tag {key!r} is not allowed", "INVALID_TAG")


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(f"{value!r} is not an integer")
    return value
