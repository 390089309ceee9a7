"""The naming rule, held against every instance type that EC2 has."""

import gzip
import importlib.util
import json
from functools import cache
from pathlib import Path

import pytest

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.nodes.instances import InstanceType, default_type

FAMILIES = Path(__file__).with_name("instance-families.txt")


@cache
def families() -> dict[str, tuple[Architecture, bool]]:
    """What the table beside this file says; a newer botocore may have families that it has not."""
    rows = [line.split() for line in FAMILIES.read_text().splitlines() if not line.startswith("#")]
    return {family: (Architecture.parse(architecture), gpus == "nvidia") for family, architecture, gpus in rows}


@cache
def all_types() -> tuple[str, ...]:
    """The enumeration of botocore's model of EC2, read as a file so that no test imports botocore for it."""
    specification = importlib.util.find_spec("botocore")
    assert specification is not None and specification.origin is not None
    newest = max(Path(specification.origin).parent.glob("data/ec2/*/service-2.json*"))
    text = gzip.decompress(newest.read_bytes()) if newest.suffix == ".gz" else newest.read_bytes()
    return tuple(json.loads(text)["shapes"]["InstanceType"]["enum"])


def test_every_known_type_is_told_right() -> None:
    known = [name for name in all_types() if name.partition(".")[0] in families()]
    assert len(known) > 1300
    for name in known:
        type_ = InstanceType.parse(name)
        assert (type_.architecture, type_.nvidia) == families()[type_.family], name


def test_every_mac_is_refused() -> None:
    macs = [name for name in all_types() if name.startswith("mac")]
    assert len(macs) >= 5
    for name in macs:
        with pytest.raises(ConfigurationError, match="is a Mac"):
            InstanceType.parse(name)


def test_a_type_that_botocore_has_and_we_have_not_is_unknown_or_follows_the_rule() -> None:
    for name in all_types():
        if not name.startswith("mac"):
            type_ = InstanceType.parse(name)
            assert (type_.architecture is None) == (type_.nvidia is None)


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("m12g.large", Architecture.AARCH64),
        ("c10gdn.48xlarge", Architecture.AARCH64),
        ("r11i.metal-96xl", Architecture.X86_64),
        ("t9a.nano", Architecture.X86_64),
        ("x9i-flex.2xlarge", Architecture.X86_64),
    ],
)
def test_types_to_come_follow_the_rule(name: str, architecture: Architecture) -> None:
    assert InstanceType.parse(name).architecture is architecture


@pytest.mark.parametrize(
    "name",
    [
        "p9.48xlarge",
        "g9.xlarge",
        "trn3.48xlarge",
        "q1.large",
        "m9.large",
        "m9ig.large",
        "a2.large",
        "m9k.large",
        "p6e-gb900.36xlarge",
    ],
)
def test_what_the_rule_does_not_cover_is_unknown(name: str) -> None:
    assert (InstanceType.parse(name).architecture, InstanceType.parse(name).nvidia) == (None, None)


@pytest.mark.parametrize(
    "name", ["", "m6i", "m6i.", ".large", "m6i.huge", "M6I.large", "m6i.large ", "mixed", "m6i.large\n", "m6i.metal-24"]
)
def test_what_is_no_type_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is not the name of an EC2 instance type"):
        InstanceType.parse(name)


@pytest.mark.parametrize("architecture", list(Architecture))
@pytest.mark.parametrize("nvidia", [False, True])
def test_the_default_fits(architecture: Architecture, nvidia: bool) -> None:
    type_ = InstanceType.parse(default_type(architecture, nvidia=nvidia))
    assert (type_.architecture, type_.nvidia) == (architecture, nvidia)
    assert type_.name in all_types()
