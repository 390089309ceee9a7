"""What EKS understands of TOML, and what it does not."""

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.user_data.merging import check_mergeable


def test_what_eks_can_merge_passes() -> None:
    check_mergeable({"kubernetes": {"eviction-hard": {"memory.available": "5%"}}, "ntp": {"time-servers": ["a", "b"]}})


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"motd": 'a "b"'}, "quotation mark"),
        ({"motd": "a\\b"}, "backslash"),
        ({"kernel": {"sysctl": {'a"b': "1"}}}, "in its name"),
        ({"kubernetes": {"static-pods": {"a.b": {"enabled": True}}}}, "has to be quoted"),
        ({"x": {"numbers": [1, 0.5]}}, "several types"),
        ({"container-registry": {"mirrors": [{"registry": "*"}]}}, "tables in a list"),
        ({"x": {"names": ['"']}}, "quotation mark"),
    ],
)
def test_what_eks_cannot_merge_is_refused(settings: dict[str, object], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as refused:
        check_mergeable(settings)
    assert refused.value.what.startswith("EKS cannot read")
