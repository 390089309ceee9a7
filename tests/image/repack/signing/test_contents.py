"""What the sections and small files hold."""

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.errors import ConfigurationError
from brqos.image.repack.signing.hmac import vmlinuz_hmac
from brqos.image.repack.signing.openpgp import packets
from brqos.image.repack.signing.vendor_cert import trusted_certificate, vendor_table

from ..synthetic import pe


def test_hmac_is_that_of_openssl() -> None:
    # printf kernel >vmlinuz
    # openssl sha512 -hmac FIPS-FTW-RHT2009 -hex vmlinuz | awk '{ print $2 "  vmlinuz" }' | sha256sum
    assert (
        hashlib.sha256(vmlinuz_hmac(b"kernel")).hexdigest()
        == "f1100e90ac21a04c1d76ac3bb220e6afb18e828188a4d2bb94f0e77a63ae5136"
    )
    assert vmlinuz_hmac(b"kernel").endswith(b"  vmlinuz\n")
    assert len(vmlinuz_hmac(b"")) == 128 + len("  vmlinuz\n")


def test_vendor_table_is_upstreams() -> None:
    assert vendor_table(b"certificate").ljust(4096, b"\x00") == pe.cert_table(b"certificate")
    assert trusted_certificate(pe.cert_table(b"certificate")) == b"certificate"


def test_an_empty_vendor_table_trusts_nothing() -> None:
    # imghelper's zero_shim, and a section that is all zeros.
    assert trusted_certificate(pe.cert_table(b"")) == b""
    assert trusted_certificate(bytes(4096)) == b""


@pytest.mark.parametrize("content", [b"", bytes(15), struct.pack("<IIII", 9, 0, 16, 25) + bytes(8), b"\x01" * 64])
def test_a_damaged_vendor_table(content: bytes) -> None:
    with pytest.raises(ConfigurationError, match="is damaged"):
        trusted_certificate(content)


OLD = b"\x99\x00\x03abc"
NEW = b"\xc6\x03abc"
LONG = b"\xc6\xc0\x08" + b"x" * 200
LONGEST = b"\xc6\xff\x00\x00\x00\x02ab"


@pytest.mark.parametrize("key", [b"", OLD, NEW, LONG, LONGEST, OLD + NEW + LONG + LONGEST])
@pytest.mark.parametrize("zeros", [0, 1, 3000])
def test_packets_end_where_zeros_begin(key: bytes, zeros: int) -> None:
    assert packets(key + bytes(zeros)) == key


@pytest.mark.parametrize(
    "section", [b"\x01", OLD[:-1], NEW[:-1], NEW[:1], b"\xc6\xe1x", b"\x9bx", OLD + b"\x00\x01", b"\xc6\xff\xff\xff"]
)
def test_what_is_no_run_of_packets(section: bytes) -> None:
    with pytest.raises(ConfigurationError, match="not one that GnuPG exported"):
        packets(section)


@given(st.binary(max_size=40))
def test_anything_is_read_or_refused(section: bytes) -> None:
    try:
        found = packets(section)
    except ConfigurationError:
        return
    assert section.startswith(found)
    assert not any(section[len(found) :])
