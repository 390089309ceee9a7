"""shim's `.vendor_cert`: the certificates that it trusts (and those that it does not) besides the firmware's.

shim's cert.S and twoliter's imghelper (`cert_table`): four 32-bit numbers (sizes of the two lists, then where each
begins, counted from the first number), then the lists. Both say nothing where the size is 0. Of the two lists upstream
uses the first only, with one certificate as DER; the rest of the section's 4096 bytes is zero.
"""

import struct

from brqos.errors import ConfigurationError

SECTION = ".vendor_cert"
_HEADER = struct.Struct("<IIII")


def vendor_table(certificate: bytes) -> bytes:
    """The section's content for one trusted certificate (DER); what follows it has to be zeros."""
    begin, size = _HEADER.size, len(certificate)
    return _HEADER.pack(size, 0, begin, begin + size) + certificate


def trusted_certificate(content: bytes) -> bytes:
    """The trusted list of a section, as bytes (one certificate as DER, as a rule); empty if nothing is trusted."""
    if len(content) < _HEADER.size:
        raise _damaged("It is shorter than its header.")
    size, _, begin, _ = _HEADER.unpack_from(content)
    if size and (begin < _HEADER.size or begin + size > len(content)):
        raise _damaged("Its list of certificates is not inside it.")
    return content[begin : begin + size] if size else b""


def _damaged(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"shim's section {SECTION} is damaged", why=why, todo="Take the image anew; other shims are not known here."
    )
