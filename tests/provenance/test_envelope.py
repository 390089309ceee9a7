import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.errors import ConfigurationError
from brqos.provenance.envelope import PAYLOAD_TYPE, Envelope, Signature, encoded, parse


def test_the_protocol_s_own_example() -> None:
    # secure-systems-lab/dsse, protocol.md, "Test Vectors".
    assert encoded(b"hello world", "http://example.com/HelloWorld") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@given(st.binary(), st.binary(min_size=1), st.text())
def test_what_is_written_is_read(payload: bytes, sig: bytes, keyid: str) -> None:
    written = Envelope(payload, (Signature(sig, keyid),))
    assert parse(written.text.encode(), Path("x")) == written
    assert json.loads(written.text)["payloadType"] == PAYLOAD_TYPE


def test_either_form_of_base64_is_read() -> None:
    data = bytes(range(250, 256)) * 3
    text = json.dumps(
        {
            "payloadType": PAYLOAD_TYPE,
            "payload": base64.urlsafe_b64encode(data).decode(),
            "signatures": [{"sig": base64.b64encode(data).decode()}],
        }
    )
    found = parse(text.encode(), Path("x"))
    assert (found.payload, found.signatures[0].sig, found.signatures[0].keyid) == (data, data, "")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"payload": "", "payloadType": "x", "signatures": []}',
     '{"payload": "!", "payloadType": "x", "signatures": [{"sig": "eA=="}]}',
     '{"payload": 1, "payloadType": "x", "signatures": [{"sig": "eA=="}]}'],
)  # fmt: skip
def test_what_is_no_envelope(text: str) -> None:
    with pytest.raises(ConfigurationError, match="envelope"):
        parse(text.encode(), Path("sbom.dsse.json"))
