"""python-tuf's judgement of metadata, over the bytes that were signed.

python-tuf reads `expires` in whole seconds only, and computes the signed bytes from what it read. tough, with which
Bottlerocket's repository is made, writes fractions of a second ("2026-11-02T00:14:47.123456789Z"), so that python-tuf
refuses the metadata: theupdateframework/python-tuf issue 1857 (found with Bottlerocket's), awslabs/tough issue 447,
both open. Here the signatures are checked over the canonical form of *what came*; only then, for python-tuf's further
checks, the fraction is cut off, which lets metadata expire by less than a second too early.

That is the only thing that differs: thresholds, versions, hashes and expiry are judged by python-tuf's own
TrustedMetadataSet. It is internal to python-tuf, hence the upper bound of its version in pyproject.toml; the tests hold
what is relied upon.
"""

import json
import re
from typing import Any

from securesystemslib.formats import encode_canonical
from tuf.api.exceptions import RepositoryError

# tuf.api.metadata is the documented place of these, but has no __all__.
from tuf.api.metadata import Metadata, Root, Signature, T, TargetFile, Targets  # type: ignore[attr-defined]
from tuf.api.serialization import DeserializationError
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType

_WITH_FRACTION = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{1,9}Z", re.ASCII)

__all__ = ["TargetFile", "TrustedMetadata", "load_as_signed"]


class TrustedMetadata(TrustedMetadataSet):
    """All metadata that is trusted so far, begun with a root.json that is trusted already."""

    def __init__(self, root: bytes) -> None:
        super().__init__(root, EnvelopeType.METADATA)

    def _load_trusted_root(self, data: bytes) -> None:
        # TrustedMetadataSet.__init__ calls this after it has chosen how metadata is loaded, and before it loads any.
        self._load_data = load_as_signed
        super()._load_trusted_root(data)


def load_as_signed(
    role: type[T], data: bytes, delegator: Root | Targets | None = None, role_name: str | None = None
) -> tuple[T, bytes, dict[str, Signature]]:
    """What python-tuf's `_load_from_metadata` does, over the bytes that were signed.

    Returns the metadata, the signed bytes, and the signatures, which are verified if there is a delegator. Raises
    RepositoryError.
    """
    metadata, payload = _taken_apart(data)
    if metadata.signed.type != role.type:
        raise RepositoryError(f"Expected '{role.type}', got '{metadata.signed.type}'")
    if delegator is not None:
        delegator.verify_delegate(role_name or role.type, payload, metadata.signatures)
    return metadata.signed, payload, metadata.signatures


def _taken_apart(data: bytes) -> tuple[Metadata[Any], bytes]:
    try:
        document = json.loads(data.decode())
        signed = document["signed"]
        canonical = encode_canonical(signed)
        if canonical is None or not isinstance(signed["expires"], str):
            raise TypeError("the metadata has not the form that TUF wants")
        if match := _WITH_FRACTION.fullmatch(signed["expires"]):
            signed["expires"] = f"{match[1]}Z"
        return Metadata.from_dict(document), canonical.encode()
    except Exception as error:
        # Whatever python-tuf stumbles over in forged metadata, it is the metadata's fault.
        raise DeserializationError("Failed to deserialize JSON") from error
