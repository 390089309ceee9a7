"""UEFI variables with the profile's keys, in the form of OVMF's variable store.

Forms: UEFI 2.10, 32.4.1 (EFI_SIGNATURE_LIST); EDK II, MdeModulePkg/Include/Guid/VariableFormat.h.
"""

import struct
import uuid
from collections.abc import Iterator

from .model import guid

GLOBAL_VARIABLE = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
IMAGE_SECURITY = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
_SECURE_BOOT_ENABLE = "f0a30bc7-af08-4556-99c4-001009c93a44"
_X509 = "a5c059a1-94e4-4aa7-87b5-ab155c2bf072"
_AUTHENTICATED_STORE = "aaf32c78-947b-439a-a180-2e144ec37792"

# Non-volatile, for boot services, at runtime; with time-based authentication.
_SETTING = 0x03
TIME_BASED = 0x27
_ADDED = 0x3F
_NO_VARIABLE = b"\xff\xff"


def signature_list(certificate: bytes) -> bytes:
    """An EFI_SIGNATURE_LIST with one X.509 certificate (DER)."""
    size = 16 + len(certificate)
    head = uuid.UUID(_X509).bytes_le + struct.pack("<III", 28 + size, 0, size)
    return head + uuid.UUID(guid("owner of the keys")).bytes_le + certificate


def secure_boot_store(empty: bytes, *, platform: bytes, exchange: bytes, database: bytes) -> bytes:
    """OVMF's empty variable file with these certificates (DER) as PK, KEK and db, and Secure Boot on."""
    header = empty.find(uuid.UUID(_AUTHENTICATED_STORE).bytes_le)
    assert header >= 0, "the file holds no store of authenticated variables"
    size = struct.unpack_from("<I", empty, header + 16)[0]
    start = header + 28
    assert empty[start : start + 2] == _NO_VARIABLE, "the store is not empty"
    content = b""
    for variable in _variables(platform, exchange, database):
        content += variable.ljust(-(-len(variable) // 4) * 4, b"\xff")
    assert start + len(content) < header + size, "the variables do not fit"
    return empty[:start] + content + empty[start + len(content) :]


def _variables(platform: bytes, exchange: bytes, database: bytes) -> Iterator[bytes]:
    yield _variable("PK", GLOBAL_VARIABLE, TIME_BASED, signature_list(platform))
    yield _variable("KEK", GLOBAL_VARIABLE, TIME_BASED, signature_list(exchange))
    yield _variable("db", IMAGE_SECURITY, TIME_BASED, signature_list(database))
    yield _variable("SecureBootEnable", _SECURE_BOOT_ENABLE, _SETTING, b"\x01")


def _variable(name: str, namespace: str, attributes: int, data: bytes) -> bytes:
    # Id, state, reserved, attributes, monotonic count, EFI_TIME (none), index of the public key, two sizes, GUID.
    encoded = f"{name}\0".encode("utf-16-le")
    head = struct.pack("<HBBIQ16xIII", 0x55AA, _ADDED, 0, attributes, 0, 0, len(encoded), len(data))
    return head + uuid.UUID(namespace).bytes_le + encoded + data
