"""CBOR as the SDKs speak it: RFC 8949's own examples, botocore's writing, and nonsense."""

from typing import Any

import pytest
from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer
from hypothesis import given
from hypothesis import strategies as st

from brqos.rehearsal.emulator.cbor import Moment, decode, encode, operation_of
from brqos.rehearsal.emulator.wire import ServiceError

from .models import model_of

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 64), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def without_nulls(value: Any) -> Any:
    """As it is told: members that are None are left out."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


@given(values)
def test_what_is_written_is_read(value: Any) -> None:
    assert decode(encode(value)) == without_nulls(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("00", 0), ("17", 23), ("1818", 24), ("1903e8", 1000), ("1b000000e8d4a51000", 1_000_000_000_000),
        ("20", -1), ("3903e7", -1000), ("fb3ff199999999999a", 1.1), ("f93e00", 1.5), ("fa47c35000", 100000.0),
        ("f4", False), ("f5", True), ("f6", None), ("c11a514b67b0", 1363896240), ("4401020304", b"\x01\x02\x03\x04"),
        ("62c3bc", "ü"), ("83010203", [1, 2, 3]), ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ],
)  # fmt: skip
def test_examples_of_rfc_8949(text: str, value: object) -> None:
    assert decode(bytes.fromhex(text)) == value


@given(st.binary(max_size=40))
def test_nonsense_is_refused_and_nothing_else_happens(data: bytes) -> None:
    try:
        decode(data)
    except ServiceError as error:
        assert error.code == "SerializationException"


@pytest.mark.parametrize(
    "data",
    [b"", b"\x01\x01", b"\x18", b"\x5f\x41\x00\xff", b"\x9b" + b"\xff" * 8, b"\xa1\x01\x01", b"\x81" * 64 + b"\x00",
     b"\x62\xff\xff", b"\xf9\x7e\x00"],
)  # fmt: skip
def test_what_no_sdk_sends(data: bytes) -> None:
    with pytest.raises(ServiceError, match="not CBOR as this service takes it"):
        decode(data)


def test_paths() -> None:
    path = "/service/CodeBuild_20161006/operation/StartBuildBatch"
    assert operation_of(path) == ("CodeBuild_20161006", "StartBuildBatch")
    assert operation_of("/") == operation_of(f"{path}/x") == ("", "")


def test_what_botocore_writes_and_reads() -> None:
    asked = {"projectName": "x", "environmentVariablesOverride": [{"name": "a", "value": "ü"}], "idempotencyToken": "t"}
    operation = model_of("codebuild").operation_model("StartBuildBatch")
    sent = RpcV2CBORSerializer().serialize_to_request(asked, operation)
    assert operation_of(sent["url_path"]) == ("CodeBuild_20161006", "StartBuildBatch")
    assert decode(sent["body"]) == asked
    told = encode({"buildBatch": {"id": "x:1", "complete": False, "startTime": Moment(1.5), "endTime": None}})
    answer = {"status_code": 200, "headers": {}, "body": told}
    read = RpcV2CBORParser().parse(answer, operation.output_shape)["buildBatch"]
    assert (read["id"], read["complete"], read["startTime"].timestamp()) == ("x:1", False, 1.5)
    assert "endTime" not in read
