"""The section `vpc` of a team's file: added where it is missing, never changed."""

import pytest
import yaml

from brqos.nodes.eksctl.merge import merge
from nodes.eksctl.team_files import PLAIN, VPC, is_kept, made, refused

VPC_TEXT = """\
vpc:
  id: vpc-12345678
  securityGroup: sg-12345678
  nat: {gateway: Disable}
  subnets:
    public:
      first: {id: subnet-1111aaaa, az: eu-central-1a}
      eu-central-1b: {id: subnet-2222bbbb}
      eu-central-1c: {id: subnet-3333cccc}
"""


def test_a_missing_vpc_is_added() -> None:
    for existing in (PLAIN, PLAIN + "vpc:\n", PLAIN + "vpc: {}\naddons: []\n"):
        text = merge(existing, made(vpc=VPC))
        assert yaml.safe_load(text)["vpc"]["subnets"]["public"]["eu-central-1b"] == {"id": "subnet-2222bbbb"}
        assert merge(text, made(vpc=VPC)) is text
    assert is_kept(PLAIN, merge(PLAIN, made(vpc=VPC)))


def test_a_vpc_that_agrees_stays_as_it_is() -> None:
    existing = PLAIN + VPC_TEXT
    assert is_kept(existing, merge(existing, made(vpc=VPC)))
    assert is_kept(existing, merge(existing, made()))


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("vpc-12345678", "vpc-87654321", "vpc.id is vpc-87654321, and not vpc-12345678"),
        ("  securityGroup: sg-12345678\n", "", "vpc.securityGroup is not there"),
        ("subnet-1111aaaa", "subnet-9999ffff", "vpc.subnets.public.eu-central-1a is subnet-9999ffff"),
        ("public:", "private:", "vpc.subnets.public.eu-central-1a is not there"),
        ("first: {id: subnet-1111aaaa, az: eu-central-1a}", "first: subnet", "“first” in the existing file is no mapp"),
    ],
)
def test_a_vpc_that_does_not_agree_is_never_changed(old: str, new: str, what: str) -> None:
    existing = PLAIN + VPC_TEXT.replace(old, new)
    assert what in refused(existing, made(vpc=VPC), replace=True).what
