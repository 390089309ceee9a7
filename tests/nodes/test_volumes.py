"""Volumes that EC2 makes, and those that it refuses only when the first instance is started."""

import re
from typing import Any

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.rules import check
from brqos.nodes.volumes import EC2, VolumeRules, check_volumes, is_wished, warn_of_key
from nodes.requests import request

KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"


def hold(rules: VolumeRules = EC2, **wish: Any) -> None:
    made = request(**wish)
    check_volumes(made.spec, made.region, rules)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"volume_size": 20},
        {"volume_type": "gp2", "volume_size": 16384},
        {"volume_size": 20, "volume_iops": 3000, "volume_throughput": 750},
        {"volume_iops": 40000, "volume_throughput": 2000},
        {"volume_size": 65536, "volume_iops": 80000},
        {"volume_type": "io1", "volume_size": 100, "volume_iops": 5000},
        {"volume_type": "io2", "volume_iops": 80000},
        {"volume_encrypted": True, "volume_kms_key": KEY},
    ],
)
def test_what_ec2_makes(wish: dict[str, Any]) -> None:
    hold(**wish)


@pytest.mark.parametrize(
    ("wish", "what"),
    [
        ({"volume_size": 19}, "a data volume of 19 GiB is too small"),
        ({"volume_type": "gp2", "volume_size": 16385}, "a gp2 volume of 16385 GiB is too much"),
        ({"volume_iops": 2999}, "a gp3 volume cannot have 2999 IOPS"),
        ({"volume_iops": 80001, "volume_size": 1000}, "a gp3 volume cannot have 80001 IOPS"),
        ({"volume_type": "io1", "volume_iops": 64001, "volume_size": 2000}, "an io1 volume cannot have 64001 IOPS"),
        ({"volume_type": "gp2", "volume_iops": 3000}, "a gp2 volume has no IOPS to choose"),
        ({"volume_type": "io2"}, "an io2 volume needs a number of IOPS"),
        ({"volume_iops": 10001, "volume_size": 20}, "a gp3 volume of 20 GiB with 10001 IOPS is too much"),
        ({"volume_type": "io1", "volume_iops": 4001}, "an io1 volume of 80 GiB with 4001 IOPS is too much"),
        ({"volume_type": "io2", "volume_iops": 80001}, "an io2 volume of 80 GiB with 80001 IOPS is too much"),
        ({"volume_throughput": 751}, "a throughput of 751 MiB/s is too much for 3000 IOPS"),
        ({"volume_type": "io2", "volume_iops": 500, "volume_throughput": 125}, "an io2 volume has no throughput"),
        ({"volume_kms_key": KEY}, "a KMS key for volumes that are not encrypted"),
        (
            {"volume_encrypted": True, "volume_kms_key": KEY.replace("central", "west")},
            "the KMS key is in eu-west-1, and the nodes in eu-central-1",
        ),
        ({"volume_encrypted": True, "volume_kms_key": "arn:aws:s3:::x"}, "“arn:aws:s3:::x” does not name a KMS key"),
        ({"volume_encrypted": True, "volume_kms_key": "my key"}, "“my key” does not name a KMS key"),
    ],
)
def test_what_it_does_not(wish: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(what)) as error:
        hold(**wish)
    assert error.value.todo


def test_a_tool_may_do_more_or_take_less() -> None:
    hold(VolumeRules(encrypts=True), volume_kms_key=KEY)
    hold(VolumeRules(fills_in_iops=True), volume_type="io1")
    small = VolumeRules(who="somebody", default_gib=20)
    with pytest.raises(ConfigurationError, match="an io1 volume of 20 GiB with 1001 IOPS is too much"):
        hold(small, volume_type="io1", volume_iops=1001)
    hold(small, volume_type="io1", volume_iops=1000)


@pytest.mark.parametrize("key", [KEY, KEY.replace("key/", "alias/"), "alias/nodes", "1234abcd-12ab"])
def test_a_key_of_ones_own_has_to_let_auto_scaling_in(key: str) -> None:
    encrypted: dict[str, Any] = {"volume_encrypted": True, "volume_kms_key": key}
    hold(**encrypted)
    for kind in ("eksctl-managed", "eksctl", "launch-template", "terraform"):
        (warning,) = check(request(kind=kind, **encrypted))
        assert "AWSServiceRoleForAutoScaling" in warning
    assert check(request(kind="karpenter", **encrypted)) == ()


@pytest.mark.parametrize("key", [None, "alias/aws/ebs", "arn:aws:kms:eu-central-1:111122223333:alias/aws/ebs"])
def test_the_accounts_own_key_lets_it_in_already(key: str | None) -> None:
    assert warn_of_key(request(volume_encrypted=True, volume_kms_key=key).spec) == ()


def test_any_wish_is_one() -> None:
    assert not is_wished(request().spec)
    for wish in ({"volume_size": 30}, {"volume_type": "gp3"}, {"volume_encrypted": True}, {"volume_kms_key": "x"}):
        assert is_wished(request(**wish).spec)
