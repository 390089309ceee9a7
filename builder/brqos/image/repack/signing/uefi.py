"""The UEFI data that an AMI is registered with: whether it trusts the keys that the image is signed with.

EC2's form (`AMZNUEFI`, then a checksum and compressed variables, base64) is decoded by virt-firmware. The lists in PK,
KEK and db are EFI_SIGNATURE_LISTs: UEFI Specification 2.10, 32.4.1.
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from brqos.errors import ConfigurationError
from brqos.image.repack.signing.virt_firmware import Variable, read_variables

# EFI_CERT_X509_GUID, a5c059a1-94e4-4aa7-87b5-ab155c2bf072, as it stands in memory.
_X509 = bytes.fromhex("a159c0a5e494a74a87b5ab155c2bf072")
_LIST = struct.Struct("<16sIII")
_OWNER = 16
_SECURE_BOOT = "SecureBootEnable"


def check_uefi_data(file: Path, trusted: Mapping[str, bytes]) -> tuple[str, ...]:
    """Check `efi-vars.aws` against the profile's certificates (DER, by variable: PK, KEK and db).

    Raises ConfigurationError for data that does not decode, or trusts other certificates; returns remarks on the rest.
    """
    variables = read_variables(file)
    for name, certificate in trusted.items():
        if name not in variables or certificate not in certificates(variables[name]):
            raise ConfigurationError(
                f"{name} in {file} does not have the certificate {name}.crt of the profile",
                why="Instances with this UEFI data would not trust these keys: two profiles were mixed up.",
                todo="Take all files from one profile, or make the UEFI data again: `virt-fw-vars --set-json "
                "efi-vars.json --output-aws efi-vars.aws`.",
            )
    enabled = variables.get(_SECURE_BOOT)
    if enabled is not None and enabled.data != b"\x01":
        return (f"{file.name} switches Secure Boot off: instances will boot, and verify nothing",)
    return ()


def certificates(variable: Variable) -> tuple[bytes, ...]:
    """The X.509 certificates (DER) in a variable of signature lists; raises ConfigurationError if it is damaged."""
    try:
        return tuple(_certificates(variable.data))
    except (struct.error, ValueError) as error:
        raise ConfigurationError(
            f"the EFI variable {variable.name} in the UEFI data is damaged", why=str(error), todo="Make it again."
        ) from error


def _certificates(data: bytes) -> Iterator[bytes]:
    while data:
        kind, length, header, size = _LIST.unpack_from(data)
        begin = _LIST.size + header
        if size <= _OWNER or length > len(data) or length < begin or (length - begin) % size:
            raise ValueError("A list of signatures is not as long as it says.")
        if kind == _X509:
            yield from (data[at + _OWNER : at + size] for at in range(begin, length, size))
        data = data[length:]
