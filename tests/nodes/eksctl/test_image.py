"""Own and official AMIs."""

import re
from typing import Any

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.eksctl.image import check_image, image, needs
from nodes.requests import AMI, request


def test_an_own_ami_is_of_the_family_bottlerocket_whatever_its_flavor() -> None:
    for variant in ("aws-k8s-1.34", "aws-k8s-1.34-fips", "aws-k8s-1.34-nvidia"):
        assert image(request(variant=variant)) == {"ami": AMI, "amiFamily": "Bottlerocket"}


@pytest.mark.parametrize(
    ("flavor", "family"),
    [
        ("", "Bottlerocket"),
        ("-nvidia", "Bottlerocket"),
        ("-fips", "BottlerocketFips"),
        ("-nvidia-fips", "BottlerocketFips"),
    ],
)
def test_an_official_ami_is_picked_by_family_and_types(flavor: str, family: str) -> None:
    wish = request(ami=None, variant=f"aws-k8s-1.37{flavor}")
    check_image(wish)
    assert image(wish) == {"amiFamily": family}


@pytest.mark.parametrize(
    ("wish", "what"),
    [
        ({"variant": "aws-k8s-1.37-nvidia-595"}, "eksctl cannot pick the official AMI of aws-k8s-1.37-nvidia-595"),
        (
            {"instance_types": ("m6i.large", "g5.xlarge")},
            "g5.xlarge has NVIDIA GPUs, for which eksctl picks the official AMI with NVIDIA's driver",
        ),
        ({"variant": "aws-k8s-1.37-fips", "instance_types": ("g5.xlarge",)}, "not aws-k8s-1.37-fips"),
    ],
)
def test_an_official_ami_that_eksctl_would_not_pick_is_refused(wish: dict[str, Any], what: str) -> None:
    wish = {"variant": "aws-k8s-1.37", **wish}
    with pytest.raises(ConfigurationError, match=re.escape(what)) as error:
        check_image(request(ami=None, **wish))
    assert "aws-k8s-1.37" in error.value.todo
    check_image(request(**wish))


@pytest.mark.parametrize(
    ("wish", "release"),
    [
        ({}, "0.211.0"),
        ({"spot": True}, "0.211.0"),
        ({"self_managed": True}, "0.97.0"),
        ({"self_managed": True, "spot": True}, "0.124.0"),
        ({"self_managed": True, "on_demand_base": 0}, "0.124.0"),
        ({"ami": None, "variant": "aws-k8s-1.37", "self_managed": True}, "0.230.0"),
    ],
)
def test_the_first_release_of_eksctl_that_takes_it(wish: dict[str, Any], release: str) -> None:
    assert needs(request(**wish)) == release
