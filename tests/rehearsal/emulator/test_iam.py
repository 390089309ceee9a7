"""What the emulated IAM refuses, and how its documents look on the wire."""

import json
from typing import Any
from urllib.parse import unquote

import pytest

from .conftest import Aws, RawClient, refused

pytestmark = pytest.mark.loopback

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "x.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
)
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})


def test_documents_are_encoded_as_in_urls(aws: Aws, raw: RawClient) -> None:
    aws.iam.create_role(RoleName="one", AssumeRolePolicyDocument=TRUST)
    form = b"Action=GetRole&Version=2010-05-08&RoleName=one"
    answer = raw.send("POST", "/", service="iam", region="us-east-1", body=form)
    encoded = answer.body.decode().split("<AssumeRolePolicyDocument>")[1].split("</")[0]
    assert "{" not in encoded and unquote(encoded) == TRUST


def test_names_that_differ_in_case_only_are_the_same(aws: Aws) -> None:
    aws.iam.create_role(RoleName="One", AssumeRolePolicyDocument=TRUST)
    with refused("EntityAlreadyExists", status=409):
        aws.iam.create_role(RoleName="one", AssumeRolePolicyDocument=TRUST)


def test_another_account_has_its_own_roles(aws: Aws) -> None:
    aws.iam.create_role(RoleName="one", AssumeRolePolicyDocument=TRUST)
    with refused("NoSuchEntity", status=404):
        aws.client("iam", credentials=aws.account("111111111111")).get_role(RoleName="one")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"AssumeRolePolicyDocument": "x"}, "MalformedPolicyDocument"),
        ({"AssumeRolePolicyDocument": "{}"}, "MalformedPolicyDocument"),
        ({"AssumeRolePolicyDocument": POLICY}, "MalformedPolicyDocument"),
        ({"AssumeRolePolicyDocument": TRUST.replace("Allow", "Maybe")}, "MalformedPolicyDocument"),
        ({"AssumeRolePolicyDocument": TRUST.replace("x.amazon", "x" * 2048)}, "LimitExceeded"),
        ({"Description": "日本"}, "ValidationError"),
        ({"Tags": [{"Key": "a!", "Value": ""}]}, "ValidationError"),
        ({"Tags": [{"Key": "a", "Value": ""}, {"Key": "a", "Value": "b"}]}, "InvalidInput"),
        ({"Tags": [{"Key": "aws:x", "Value": ""}]}, "InvalidInput"),
        ({"Path": "x"}, "ValidationError"),
        ({"PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}, "ValidationError"),
    ],
)
def test_roles_that_cannot_be_made(aws: Aws, given: dict[str, Any], code: str) -> None:
    with refused(code):
        aws.iam.create_role(**{"RoleName": "one", "AssumeRolePolicyDocument": TRUST, **given})
    with refused("NoSuchEntity"):
        aws.iam.get_role(RoleName="one")


def test_white_space_does_not_count(aws: Aws) -> None:
    aws.iam.create_role(RoleName="one", AssumeRolePolicyDocument=TRUST + " " * 4000)


def test_limits_of_a_role(aws: Aws) -> None:
    aws.iam.create_role(RoleName="one", AssumeRolePolicyDocument=TRUST)
    large = POLICY.replace("s3:*", "s3:" + "x" * 6000)
    aws.iam.put_role_policy(RoleName="one", PolicyName="a", PolicyDocument=large)
    aws.iam.put_role_policy(RoleName="one", PolicyName="a", PolicyDocument=large)
    with refused("LimitExceeded"):
        aws.iam.put_role_policy(RoleName="one", PolicyName="b", PolicyDocument=large)
    aws.iam.tag_role(RoleName="one", Tags=[{"Key": f"k{number}", "Value": ""} for number in range(50)])
    with refused("LimitExceeded"):
        aws.iam.tag_role(RoleName="one", Tags=[{"Key": "more", "Value": ""}])
    assert len(aws.iam.get_role(RoleName="one")["Role"]["Tags"]) == 50


def test_what_is_not_emulated_is_refused(aws: Aws) -> None:
    with refused("InvalidAction"):
        aws.iam.list_users()


def test_what_is_denied(aws: Aws) -> None:
    aws.emulator.deny("iam:PutRolePolicy")
    with refused("AccessDenied", status=403):
        aws.iam.put_role_policy(RoleName="one", PolicyName="a", PolicyDocument=POLICY)
