"""Smithy RPC v2 CBOR: the protocol that newer SDKs speak with some services instead of JSON 1.1.

Rules: RFC 8949 (CBOR) as far as SDKs send it, which is without indefinite lengths; Smithy's "RPC v2 CBOR" (path,
headers, timestamps as tag 1, errors by `__type`).
"""

import math
import re
import struct
from collections.abc import Mapping
from typing import Any

from brqos.rehearsal.emulator.wire import Request, Response, ServiceError

PROTOCOL = "rpc-v2-cbor"
_PATH = re.compile(r"/service/(?P<service>[A-Za-z0-9_]+)/operation/(?P<operation>[A-Za-z0-9_]+)")
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _SIMPLE = range(8)
_EPOCH_TAG = 1
_LENGTHS = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_SIMPLE_VALUES = {20: False, 21: True, 22: None, 23: None}
_DEEPEST = 32


class Moment(float):
    """Seconds since 1970: a number in JSON, a timestamp in CBOR."""


def is_cbor(request: Request) -> bool:
    """Whether the request is of this protocol."""
    return request.headers.get("smithy-protocol") == PROTOCOL


def operation_of(path: str) -> tuple[str, str]:
    """The service's name (as JSON's X-Amz-Target begins) and the operation; empty if the path is another one."""
    match = _PATH.fullmatch(path)
    return (match["service"], match["operation"]) if match else ("", "")


def cbor_response(value: Mapping[str, Any], status: int = 200) -> Response:
    """An answer; members that are None are left out."""
    headers = {"Content-Type": "application/cbor", "smithy-protocol": PROTOCOL}
    return Response(status, encode(value), headers)


def encode(value: object) -> bytes:
    """One value in CBOR; members of maps that are None are left out."""
    into = bytearray()
    _encode(value, into)
    return bytes(into)


def decode(data: bytes) -> Any:  # noqa: ANN401 - whatever was sent
    """The one value that the data hold; raises ServiceError (SerializationException)."""
    try:
        value, end = _decode(data, 0, 0)
    except (IndexError, struct.error, UnicodeDecodeError, ValueError):
        raise _malformed() from None
    if end != len(data):
        raise _malformed()
    return value


def _encode(value: object, into: bytearray) -> None:
    if isinstance(value, bool) or value is None:
        into.append(_SIMPLE << 5 | (22 if value is None else 21 if value else 20))
    elif isinstance(value, Moment):
        into += _head(_TAG, _EPOCH_TAG) + _double(value)
    elif isinstance(value, int):
        into += _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    elif isinstance(value, float):
        into += _double(value)
    elif isinstance(value, bytes):
        into += _head(_BYTES, len(value)) + value
    elif isinstance(value, str):
        data = value.encode()
        into += _head(_TEXT, len(data)) + data
    else:
        _encode_several(value, into)


def _encode_several(value: object, into: bytearray) -> None:
    if isinstance(value, Mapping):
        items = [part for pair in value.items() if pair[1] is not None for part in pair]
        into += _head(_MAP, len(items) // 2)
    elif isinstance(value, list | tuple):
        items = list(value)
        into += _head(_LIST, len(items))
    else:
        raise TypeError(type(value))
    for item in items:
        _encode(item, into)


def _double(value: float) -> bytes:
    return bytes([_SIMPLE << 5 | 27]) + struct.pack(">d", value)


def _head(major: int, value: int) -> bytes:
    if value < 24:
        return bytes([major << 5 | value])
    additional, size = next((key, size) for key, size in _LENGTHS.items() if value < 1 << 8 * size)
    return bytes([major << 5 | additional]) + value.to_bytes(size, "big")


def _decode(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if depth > _DEEPEST:
        raise _malformed()
    major, additional = data[at] >> 5, data[at] & 31
    at += 1
    if major == _SIMPLE:
        return _simple(data, at, additional)
    value, at = _argument(data, at, additional)
    if major == _UNSIGNED:
        return value, at
    if major == _NEGATIVE:
        return -1 - value, at
    if major == _TAG:
        return _decode(data, at, depth + 1)
    if major in (_BYTES, _TEXT):
        if at + value > len(data):
            raise _malformed()
        piece = data[at : at + value]
        return (piece.decode() if major == _TEXT else piece), at + value
    return _several(data, at, major, value, depth + 1)


def _several(data: bytes, at: int, major: int, count: int, depth: int) -> tuple[Any, int]:
    items: list[Any] = []
    # Each item takes a byte at least: a length that the data cannot hold is not believed.
    if count > len(data):
        raise _malformed()
    for _ in range(count * 2 if major == _MAP else count):
        item, at = _decode(data, at, depth)
        items.append(item)
    if major == _LIST:
        return items, at
    keys = items[::2]
    if not all(isinstance(key, str) for key in keys):
        raise _malformed()
    return dict(zip(keys, items[1::2], strict=True)), at


def _argument(data: bytes, at: int, additional: int) -> tuple[int, int]:
    if additional < 24:
        return additional, at
    size = _LENGTHS.get(additional)
    if size is None or at + size > len(data):
        raise _malformed()
    return int.from_bytes(data[at : at + size], "big"), at + size


def _simple(data: bytes, at: int, additional: int) -> tuple[Any, int]:
    if additional in _SIMPLE_VALUES:
        return _SIMPLE_VALUES[additional], at
    layout = _FLOATS.get(additional)
    if layout is None:
        raise _malformed()
    size = struct.calcsize(layout)
    (value,) = struct.unpack(layout, data[at : at + size])
    if not math.isfinite(value):
        raise _malformed()
    return value, at + size


def _malformed() -> ServiceError:
    return ServiceError("SerializationException", "The body is not CBOR as this service takes it")
