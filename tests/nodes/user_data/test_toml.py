"""User data as text: whatever the settings are, TOML's own reader gives them back."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.errors import ConfigurationError
from brqos.nodes.user_data.toml import MOST_BYTES, to_toml

TEXTS = st.text(max_size=20).filter(lambda text: "\x7f" not in text)
SCALARS = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXTS
VALUES = SCALARS | st.lists(TEXTS, max_size=3)
TREES = st.recursive(
    st.dictionaries(TEXTS, VALUES, max_size=3), lambda inner: st.dictionaries(TEXTS, VALUES | inner, max_size=3)
)


@given(TREES)
def test_what_is_written_is_read_again(settings: dict[str, Any]) -> None:
    assert tomllib.loads(to_toml(settings)) == {"settings": settings}


@pytest.mark.parametrize("value", [None, float("nan"), object(), 2**63, {"y": [-(2**63) - 1]}])
def test_what_toml_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(ConfigurationError, match="cannot carry"):
        to_toml({"kubernetes": {"x": value}})


def test_it_reads_like_upstreams_documentation() -> None:
    text = to_toml(
        {
            "host-containers": {"admin": {"enabled": False}},
            "kubernetes": {"max-pods": 58, "eviction-hard": {"memory.available": "5%"}},
        }
    )
    assert text == (
        "[settings.host-containers.admin]\nenabled = false\n\n"
        '[settings.kubernetes]\nmax-pods = 58\n\n[settings.kubernetes.eviction-hard]\n"memory.available" = "5%"\n'
    )


def test_more_than_ec2_takes_is_refused() -> None:
    fits = {"motd": "x" * (MOST_BYTES - len('[settings]\nmotd = ""\n'))}
    assert len(to_toml(fits).encode()) == MOST_BYTES
    with pytest.raises(ConfigurationError, match="16385 bytes"):
        to_toml({"motd": fits["motd"] + "x"})
