"""UEFI data: lists of certificates read as UEFI defines them."""

import json
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.errors import ConfigurationError
from brqos.image.repack.signing import uefi
from brqos.image.repack.signing.uefi import certificates, check_uefi_data
from brqos.image.repack.signing.virt_firmware import Variable

from ..synthetic.firmware import signature_list

SHA256 = uuid.UUID("c1c41626-504c-4092-aca9-41f936934328").bytes_le


def variable(data: bytes) -> Variable:
    return Variable("db", "d719b2cb-3d3a-4596-a3bc-dad00e67656f", data)


def test_certificates_of_several_lists() -> None:
    hashes = SHA256 + (28 + 48).to_bytes(4, "little") + bytes(4) + (48).to_bytes(4, "little") + bytes(48)
    data = signature_list(b"one") + hashes + signature_list(b"another")
    assert certificates(variable(data)) == (b"one", b"another")
    assert certificates(variable(b"")) == ()


@pytest.mark.parametrize("cut", [1, 17, 30])
def test_a_list_that_breaks_off(cut: int) -> None:
    with pytest.raises(ConfigurationError, match="db in the UEFI data is damaged"):
        certificates(variable(signature_list(b"certificate")[:-cut]))


@given(st.binary(max_size=80))
def test_any_data_is_read_or_refused(data: bytes) -> None:
    try:
        certificates(variable(data))
    except ConfigurationError as error:
        assert error.todo


def test_secure_boot_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"SecureBootEnable": Variable("SecureBootEnable", "", b"\x00")}
    monkeypatch.setattr(uefi, "read_variables", lambda _: found)
    assert "switches Secure Boot off" in check_uefi_data(Path("efi-vars.aws"), {})[0]


def test_json_and_ec2s_form_say_the_same(profile: Path) -> None:
    written = json.loads((profile / "efi-vars.json").read_text())["variables"]
    assert {entry["name"] for entry in written} >= {"PK", "KEK", "db", "SecureBootEnable"}
    assert (profile / "efi-vars.aws").read_text().startswith("QU1aTlVFRk")
