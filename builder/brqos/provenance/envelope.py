"""DSSE: the envelope of a statement and its signatures (secure-systems-lab/dsse, protocol.md and envelope.md).

What is signed is not the payload but its pre-authentication encoding, which binds the payload's type too.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from brqos.errors import ConfigurationError

# in-toto's attestation framework, spec/v1/envelope.md.
PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature over the encoding of type and payload; `keyid` is a hint, and proves nothing."""

    sig: bytes
    keyid: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload, its type, and who signed both."""

    payload: bytes
    signatures: tuple[Signature, ...]
    payload_type: str = PAYLOAD_TYPE

    @property
    def signed(self) -> bytes:
        """The bytes that the signatures are over."""
        return encoded(self.payload, self.payload_type)

    @property
    def text(self) -> str:
        """The envelope as it is written, in one line."""
        return (
            json.dumps(
                {
                    "payloadType": self.payload_type,
                    "payload": base64.b64encode(self.payload).decode(),
                    "signatures": [
                        {"keyid": item.keyid, "sig": base64.b64encode(item.sig).decode()} for item in self.signatures
                    ],
                }
            )
            + "\n"
        )


def encoded(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body, lengths in decimal bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def parse(data: bytes, file: Path) -> Envelope:
    """Read an envelope; raises ConfigurationError naming the file for what is none."""
    try:
        told = json.loads(data)
        signatures = tuple(Signature(decoded(item["sig"]), str(item.get("keyid") or "")) for item in told["signatures"])
        found = Envelope(decoded(told["payload"]), signatures, str(told["payloadType"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigurationError(
            f"{file} is not a DSSE envelope",
            why=f"{type(error).__name__}: {error}.",
            todo="Sign again: brqos attest --sign.",
        ) from None
    if not found.signatures:
        raise ConfigurationError(f"{file} is an envelope without a signature", todo="Sign again: brqos attest --sign.")
    return found


def decoded(text: object) -> bytes:
    """Either form of base64, as the protocol has it."""
    if not isinstance(text, str):
        raise TypeError("no text")
    # Without validation what is no base64 at all would be passed over, and another payload read.
    return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
