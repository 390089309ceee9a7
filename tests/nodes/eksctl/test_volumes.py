"""The two volumes: each mapped once, and of a kind that EC2 makes."""

import re
from typing import Any

import pytest
from hypothesis import given

from brqos.errors import ConfigurationError
from brqos.nodes.eksctl.file import eksctl_file
from brqos.nodes.eksctl.volumes import check_wished_volumes, volumes
from nodes.eksctl.strategies import volumes as wishes
from nodes.requests import request

KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"


def mappings(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """What eksctl makes of the fields (0.231: defaults.go, setVolumeDefaults; block_device_mapping.go)."""
    fields = {"volumeSize": 80, "volumeType": "gp3", **fields}
    name = fields.get("volumeName")
    encrypted = {"encrypted": fields.get("volumeEncrypted", False), "key": fields.get("volumeKmsKeyID")}
    result = [{"name": name or "/dev/xvdb", "type": fields["volumeType"], **encrypted}]
    result += [
        {
            "name": volume["volumeName"],
            "type": volume["volumeType"],
            "encrypted": volume["volumeEncrypted"],
            "key": volume.get("volumeKmsKeyID"),
        }
        for volume in fields.get("additionalVolumes", [])
    ]
    if name is None and fields.get("volumeEncrypted"):
        result.append({"name": "/dev/xvda", "type": fields["volumeType"], **encrypted})
    return result


def test_without_a_wish_eksctl_has_its_own_way() -> None:
    assert volumes(request()) == {}


@pytest.mark.parametrize(
    ("wish", "fields"),
    [
        ({"volume_size": 30}, {"volumeSize": 30}),
        ({"volume_type": "gp2"}, {"volumeSize": 80, "volumeType": "gp2"}),
        (
            {"volume_iops": 4000, "volume_throughput": 500},
            {"volumeSize": 80, "volumeIOPS": 4000, "volumeThroughput": 500},
        ),
        ({"volume_encrypted": True}, {"volumeSize": 80, "volumeEncrypted": True}),
        (
            {"volume_encrypted": True, "volume_kms_key": KEY},
            {"volumeSize": 80, "volumeEncrypted": True, "volumeKmsKeyID": KEY},
        ),
        (
            {"volume_type": "io1", "volume_iops": 200},
            {"volumeSize": 80, "volumeType": "io1", "volumeIOPS": 200, "volumeName": "/dev/xvdb"},
        ),
        (
            {"volume_type": "io2", "volume_encrypted": True, "volume_kms_key": KEY},
            {
                "volumeSize": 80,
                "volumeType": "io2",
                "volumeEncrypted": True,
                "volumeKmsKeyID": KEY,
                "volumeName": "/dev/xvdb",
                "additionalVolumes": [
                    {
                        "volumeName": "/dev/xvda",
                        "volumeSize": 10,
                        "volumeType": "gp3",
                        "volumeEncrypted": True,
                        "volumeKmsKeyID": KEY,
                    }
                ],
            },
        ),
    ],
)
def test_the_fields(wish: dict[str, Any], fields: dict[str, Any]) -> None:
    check_wished_volumes(request(**wish))
    assert volumes(request(**wish)) == fields


@given(wishes())
def test_each_volume_is_mapped_once_and_encryption_is_for_both(wish: dict[str, Any]) -> None:
    check_wished_volumes(request(**wish))
    made = mappings(volumes(request(**wish)))
    assert len({volume["name"] for volume in made}) == len(made)
    if wish.get("volume_encrypted"):
        assert {volume["name"] for volume in made} == {"/dev/xvda", "/dev/xvdb"}
        assert all(volume["encrypted"] and volume["key"] == wish["volume_kms_key"] for volume in made)
    else:
        assert [volume["name"] for volume in made] == ["/dev/xvdb"]
    system = next((volume for volume in made if volume["name"] == "/dev/xvda"), None)
    assert system is None or system["type"] in {"gp2", "gp3"}


@pytest.mark.parametrize(
    ("wish", "what"),
    [
        ({"volume_iops": 16001}, "a gp3 volume cannot have 16001 IOPS"),
        ({"volume_throughput": 1001, "volume_iops": 16000}, "a throughput of 1001 MiB/s is too much"),
        ({"volume_kms_key": KEY}, "a KMS key for volumes that are not encrypted"),
    ],
)
def test_what_eksctl_refuses_is_refused(wish: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(what)) as error:
        check_wished_volumes(request(**wish))
    assert "eksctl" in error.value.why and error.value.todo


def test_few_iops_are_worth_a_warning() -> None:
    (warning,) = check_wished_volumes(request(volume_type="io1"))
    assert "eksctl gives an io1 volume only 100 IOPS" in warning
    assert check_wished_volumes(request(volume_type="io1", volume_iops=100)) == ()


def test_the_systems_volume_is_never_smaller_than_the_amis() -> None:
    wish = {"volume_type": "io2", "volume_iops": 200, "volume_encrypted": True}
    for root, size in ((None, 10), (4, 10), (25, 25)):
        (system,) = volumes(request(**wish, root_gib=root))["additionalVolumes"]
        assert (system["volumeName"], system["volumeSize"]) == ("/dev/xvda", size)
    text = eksctl_file([request(**wish, root_gib=25)]).text
    assert "the AMI's own has 25." in " ".join(text.replace("#", "").split())
