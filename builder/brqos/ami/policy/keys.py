"""What a KMS key's own policy has to say, so that Auto Scaling can launch nodes from an encrypted AMI. Pure.

Rules: Amazon EC2 Auto Scaling User Guide, "Required AWS KMS key policy for use with encrypted volumes". A managed
nodegroup launches through an Auto Scaling group, whose service-linked role may use no customer managed key by itself.
"""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from brqos.ami.policy.request import KmsKey, Partition, check_account, one_partition, parse_key
from brqos.errors import ConfigurationError

_USE_KEY = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
_OPERATIONS = (
    "CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom", "ReEncryptTo",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeyUse:
    """Keys of one account, and the other accounts whose nodes use them; made by `key_use`."""

    keys: tuple[KmsKey, ...]
    partition: Partition
    others: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """The account of the keys."""
        return self.keys[0].account


def key_use(keys: Iterable[str], accounts: Iterable[str] = ()) -> KeyUse:
    """Keys and accounts, checked and in order; raises ConfigurationError."""
    parsed = tuple(sorted({parse_key(arn) for arn in keys}))
    if not parsed:
        raise ConfigurationError("no KMS key is given", todo="Give the key's ARN with --kms-key.")
    owners = sorted({key.account for key in parsed})
    if len(owners) > 1:
        raise ConfigurationError(
            "the KMS keys belong to several accounts",
            why=f"A key's policy is written for its own account; these are of {', '.join(owners)}.",
            todo="Ask for the keys of one account at a time.",
        )
    others = {check_account(account) for account in accounts} - {owners[0]}
    return KeyUse(parsed, one_partition([key.arn for key in parsed], None), tuple(sorted(others)))


def key_policy_for(use: KeyUse) -> dict[str, Any]:
    """The statements to add to the policy of each of the keys; the ones that are there must stay.

    `*` as resource means the key that the policy belongs to. Other accounts may give the key away to their own
    service-linked role and to EBS, and to nobody else; AWS's example lets them give it to anybody.
    """
    own = {"AWS": auto_scaling_role(use.partition, use.owner)}
    for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    statements = [
        _allow("AutoScalingUsesKey", own, _USE_KEY),
        _allow("AutoScalingGrantsKeyToEbs", own, ["kms:CreateGrant"], for_aws),
    ]
    if use.others:
        accounts = {"AWS": [f"arn:{use.partition}:iam::{account}:root" for account in use.others]}
        roles = [auto_scaling_role(use.partition, account) for account in use.others]
        to_roles = {"StringEquals": {"kms:GranteePrincipal": roles}}
        statements += [
            _allow("OtherAccountsUseKey", accounts, _USE_KEY),
            _allow("OtherAccountsGrantKeyToAutoScaling", accounts, ["kms:CreateGrant"], to_roles),
            _allow("OtherAccountsGrantKeyToEbs", accounts, ["kms:CreateGrant"], for_aws),
        ]
    return {"Version": "2012-10-17", "Statement": statements}


def grant_commands(use: KeyUse) -> dict[str, tuple[str, ...]]:
    """Per other account the commands that somebody there has to run, once for each key."""
    return {
        account: tuple(_grant_command(key, auto_scaling_role(use.partition, account)) for key in use.keys)
        for account in use.others
    }


def notes_for_keys(use: KeyUse) -> tuple[str, ...]:
    """What has to be there before, and what to do after, one line each."""
    keys = ", ".join(key.arn for key in use.keys)
    make_role = "aws iam create-service-linked-role --aws-service-name autoscaling.amazonaws.com"
    notes = [
        f"Add these statements to the policy of each key, and leave those that are there: {keys}",
        f"KMS refuses a role that does not exist yet. Auto Scaling's comes with the first group, or by: {make_role}",
    ]
    for account, commands in grant_commands(use).items():
        notes += [f"In the account {account}, by somebody who may kms:CreateGrant: {command}" for command in commands]
    return tuple(notes)


def auto_scaling_role(partition: Partition, account: str) -> str:
    """The ARN of Auto Scaling's service-linked role; its path has amazonaws.com in China too."""
    path = "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    return f"arn:{partition}:iam::{account}:role/{path}"


def _grant_command(key: KmsKey, role: str) -> str:
    words = ["aws", "kms", "create-grant", "--region", key.region, "--key-id", key.arn, "--grantee-principal", role]
    return shlex.join([*words, "--operations", *_OPERATIONS])


def _allow(
    sid: str, principal: dict[str, Any], actions: list[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*"}
    return {**statement, "Condition": condition} if condition else statement
