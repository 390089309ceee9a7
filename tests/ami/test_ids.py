import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.ami.ids import check_ami_id, is_rehearsal
from brqos.errors import ConfigurationError

REAL = st.one_of(st.from_regex(r"\Aami-[0-9a-f]{8}\Z"), st.from_regex(r"\Aami-[0-9a-f]{17}\Z"))


@given(REAL)
def test_real_ids(ami_id: str) -> None:
    assert not is_rehearsal(ami_id)
    check_ami_id(ami_id, rehearsal=False)
    with pytest.raises(ConfigurationError, match="may be a real AMI"):
        check_ami_id(ami_id, rehearsal=True)


@given(st.from_regex(r"\Aami-rehearsal[0-9a-f]{1,17}\Z"))
def test_ids_of_rehearsals(ami_id: str) -> None:
    assert is_rehearsal(ami_id)
    check_ami_id(ami_id, rehearsal=True)
    with pytest.raises(ConfigurationError, match="made by a rehearsal"):
        check_ami_id(ami_id, rehearsal=False)


@given(st.text(max_size=30), st.booleans())
def test_anything_else(text: str, rehearsal: bool) -> None:
    if re.fullmatch(r"ami-([0-9a-f]{8}|[0-9a-f]{17}|rehearsal[0-9a-f]+)", text):
        return
    with pytest.raises(ConfigurationError, match="is not the id of an AMI"):
        check_ami_id(text, rehearsal=rehearsal)


@pytest.mark.parametrize("ami_id", ["ami-12345678\n", "ami-1234567g", "snap-12345678", "ami-123456789", "AMI-12345678"])
def test_near_misses(ami_id: str) -> None:
    with pytest.raises(ConfigurationError):
        check_ami_id(ami_id, rehearsal=False)


def test_snapshots_of_rehearsals() -> None:
    assert is_rehearsal("snap-rehearsal0123abcd")
    assert not is_rehearsal("snap-0123abcd")
