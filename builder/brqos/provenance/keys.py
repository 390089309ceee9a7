"""What a key is called, and by that who signs or verifies with it."""

import re
from dataclasses import dataclass
from enum import StrEnum

from brqos.errors import UsageError

# AWS KMS API Reference, Sign, KeyId: key id, key ARN, alias name, alias ARN.
_ARN = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:(key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+)")
_KEY_ID = re.compile(r"mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ALIAS = re.compile(r"alias/[A-Za-z0-9/_-]+")
# cosign's: awskms://, gcpkms://, azurekms://, hashivault://, k8s://, pkcs11:, env://, gitlab://
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|pkcs11:)\S+")


class KeyKind(StrEnum):
    """Who can do something with the key."""

    KMS = "kms"
    COSIGN = "cosign"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Key:
    """A key by its name; `region` is that of a KMS key where its ARN says it."""

    name: str
    kind: KeyKind
    region: str | None = None


def parse_key(name: str) -> Key:
    """What the name is of; raises UsageError for an ARN that is none of a KMS key's."""
    if match := _ARN.fullmatch(name):
        return Key(name, KeyKind.KMS, match["region"])
    if name.startswith("arn:"):
        raise UsageError(
            f"“{name}” is not the ARN of a KMS key",
            todo="Give one such as arn:aws:kms:eu-west-1:111122223333:key/1234abcd-… or …:alias/brqos-attest.",
        )
    if _ALIAS.fullmatch(name) or _KEY_ID.fullmatch(name):
        return Key(name, KeyKind.KMS)
    if _ADDRESS.fullmatch(name):
        return Key(name, KeyKind.COSIGN)
    return Key(name, KeyKind.FILE)
