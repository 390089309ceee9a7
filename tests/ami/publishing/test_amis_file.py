"""`amis.json` as pubsys writes it."""

import json
from pathlib import Path

import pytest

from brqos.ami.model import RegionAmi
from brqos.ami.publishing.amis_file import amis_text, launch_permission, write_amis
from brqos.errors import ConfigurationError

ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcdefghij"
OU = "arn:aws-us-gov:organizations::111122223333:ou/o-abcdefghij/ou-abcd-12345678"
AMIS = {
    "us-east-1": RegionAmi(id="ami-2", name="n", snapshots={}, shared_with=("all",)),
    "eu-west-1": RegionAmi(id="ami-1", name="n", snapshots={}, shared_with=("111122223333", ORGANIZATION, OU)),
}


def test_the_shape() -> None:
    assert json.loads(amis_text(AMIS)) == {
        "eu-west-1": {
            "id": "ami-1",
            "name": "n",
            "public": False,
            "launch_permissions": [
                {"userid": "111122223333"},
                {"organizationarn": ORGANIZATION},
                {"organizationalunitarn": OU},
            ],
        },
        "us-east-1": {"id": "ami-2", "name": "n", "public": True, "launch_permissions": [{"group": "all"}]},
    }


def test_the_text_is_the_same_each_time() -> None:
    assert amis_text(AMIS) == amis_text(dict(reversed(AMIS.items())))
    assert amis_text(AMIS).startswith('{\n  "eu-west-1": {\n    "id": "ami-1",\n')


def test_no_region_at_all() -> None:
    assert amis_text({}) == "{}\n"


def test_an_ou_whose_account_is_in_its_own_arn() -> None:
    assert launch_permission(OU) == {"organizationalunitarn": OU}


def test_it_is_written(tmp_path: Path) -> None:
    write_amis(tmp_path / "build" / "amis.json", AMIS)
    assert (tmp_path / "build" / "amis.json").read_text() == amis_text(AMIS)
    with pytest.raises(ConfigurationError):
        write_amis(tmp_path / "build" / "amis.json" / "x", AMIS)
