"""Two builds of one variant and architecture: told apart where anything sets them apart, else refused."""

from typing import Any

import pytest

from brqos.architecture import Architecture
from brqos.config.model import BuildSection, BuildSpec, KubeletSpec, UpstreamSpec
from brqos.errors import ConfigurationError
from brqos.fleet.clashes import check_clashes
from brqos.pipeline.foresee import Foreseen, Unforeseen
from fleet.builds import entry, foreseen, in_regions, repacked, spec

IRELAND = in_regions("eu-west-1")


def check(one: BuildSpec, other: BuildSpec, *outlooks: Any) -> None:
    check_clashes([entry(one, "a.toml"), entry(other, "b.toml")], outlooks or (Unforeseen(""), Unforeseen("")))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"build": BuildSection(pretty_name="another")}),
        ({"ami": IRELAND}, {"ami": in_regions("us-east-1")}),
        ({"ami": IRELAND}, {"ami": in_regions("eu-west-1", profile="test")}),
        ({"ami": IRELAND}, {"ami": IRELAND, "kubelet": KubeletSpec(throttling_factor=0.5)}),
        ({"ami": IRELAND}, {"ami": IRELAND, "arch": Architecture.AARCH64}),
        ({"ami": IRELAND}, {"ami": IRELAND, "variant": "aws-k8s-1.30"}),
        ({"ami": IRELAND}, {"ami": in_regions("eu-west-1", name="another")}),
        ({"ami": IRELAND}, {"ami": IRELAND, "upstream": UpstreamSpec(ref="v1.51.0")}),
        ({"ami": IRELAND, **repacked()}, {"ami": IRELAND, **repacked(switch_updates_off=True)}),
        ({"ami": IRELAND, **repacked()}, {"ami": IRELAND}),
    ],
)
def test_what_is_told_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    check(spec(**one), spec(**other))


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ({}, {}, "make the same image of aws-k8s-1.29-memoryqos"),
        ({"ami": IRELAND}, {"ami": in_regions("us-east-1", "eu-west-1")}, "register an AMI in eu-west-1"),
        ({"ami": IRELAND}, {"ami": IRELAND, "build": BuildSection(pretty_name="x")}, "with the same name"),
        (
            {"ami": in_regions("eu-west-1", name="mine")},
            {"ami": in_regions("eu-west-1", name="mine"), "variant": "aws-k8s-1.30"},
            "register an AMI in eu-west-1 as mine",
        ),
        (
            {"ami": in_regions("eu-west-1", ssm_prefix="/p", promote=True)},
            {"ami": in_regions("eu-west-1", ssm_prefix="/p", promote=True), "upstream": UpstreamSpec(ref="v1.51.0")},
            "move /p/aws-k8s-1.29-memoryqos/x86_64/latest in eu-west-1",
        ),
        ({"ami": IRELAND, **repacked()}, {"ami": IRELAND, **repacked(release="1.50.0")}, "with the same name"),
    ],
)
def test_what_clashes(one: dict[str, Any], other: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check(spec(**one), spec(**other))
    assert said in caught.value.what
    assert "a.toml: " in caught.value.why
    assert "b.toml: " in caught.value.why


def test_two_names_of_one_commit_are_one_and_native_builds_publish_nothing() -> None:
    one, other = spec(ami=IRELAND), spec(ami=IRELAND, upstream=UpstreamSpec(ref="c" * 40))
    check(one, other)
    with pytest.raises(ConfigurationError, match="with the same name"):
        check(one, other, foreseen(one), foreseen(other))
    check(one, other, Foreseen("1.66.0", native=True), Foreseen("1.66.0", native=True))
