"""The least IAM policy for the stages that somebody chose. Pure."""

import json
from collections.abc import Iterator
from string import Formatter
from typing import Any

from brqos.ami.policy.codebuild import USE_PROJECT, WRITE_ROLES
from brqos.ami.policy.request import ANY_ACCOUNT, Partition, PolicyRequest
from brqos.ami.policy.rules import (
    ACTIONS,
    ASSUME_ROLES,
    COPY_IMAGES,
    LOOK_AT_CLUSTERS,
    READ_PARAMETERS,
    RULES,
    SIGN_DOCUMENTS,
    TAG_STARTED,
    UNPROTECT,
    USE_PARAMETERS,
    Guard,
    PolicyStage,
    Rule,
)
from brqos.ami.tags import TOOL

__all__ = ["ACTIONS", "LONGEST", "LONGEST_INLINE", "PolicyStage", "needed_for", "notes_for", "policy_for", "size_of"]

TOOL_VALUE = "brqos"
LONGEST = 6144
"""Characters of a managed policy, white space not counted (IAM User Guide, "IAM and AWS STS quotas").

All stages but `nodes` and `codebuild` fit into one for five regions with a key in each; without keys `nodes` fits in as
well. `codebuild` is for people and not for builds, and fits with what `register` needs, for one region.
"""
LONGEST_INLINE = 10_240
"""The same of all policies that are a part of one role."""

# What EBS asks of KMS in the caller's name (EBS User Guide, "Control access to EBS direct APIs using IAM"), without
# the key pairs that GenerateDataKey* would take in.
USE_KEY = (
    "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom", "kms:ReEncryptTo",
)  # fmt: skip

_WIDE = {
    COPY_IMAGES: (
        f"{COPY_IMAGES}: ec2:CopyImage has no condition for the tags of what is copied, so it covers every AMI that the"
        " account may read."
    ),
    TAG_STARTED: (
        f"{TAG_STARTED}: AWS documents no ec2:CreateAction for EBS direct, so this also allows tagging a snapshot that"
        f" is there already, as {TOOL}={TOOL_VALUE}."
    ),
    READ_PARAMETERS: (
        f"{READ_PARAMETERS}: any SSM parameter may name an AMI, so pruning has to be able to read them all."
    ),
    WRITE_ROLES: (
        f"{WRITE_ROLES}: whoever writes the builds' role may give builds any right. Where that is too much, make the"
        " roles by hand and name their ARNs as codebuild.role and codebuild.batch-role: then they are only passed on."
    ),
}
# What is of one account, and the statements that say so.
_OF_ACCOUNT = {
    "SSM parameters": {READ_PARAMETERS, USE_PARAMETERS},
    "clusters and launch templates": {LOOK_AT_CLUSTERS},
    "CodeBuild project, bucket and roles": {USE_PROJECT},
}

Statement = dict[str, Any]


def policy_for(request: PolicyRequest) -> dict[str, Any]:
    """The policy's document; the same for the same request, to the letter."""
    statements = [_statement(rule, actions, resources, request) for rule, actions, resources in _allowed(request)]
    return {"Version": "2012-10-17", "Statement": [*statements, *_key_statements(request)]}


def needed_for(request: PolicyRequest) -> frozenset[str]:
    """Every action that the policy allows: ACTIONS of the stages, without what was not asked for."""
    actions = {action for _, its, _ in _allowed(request) for action in its}
    if request.kms_keys:
        actions |= {*USE_KEY, "kms:CreateGrant"}
    return frozenset(actions)


def size_of(policy: dict[str, Any]) -> int:
    """The policy's characters as IAM counts them."""
    return len("".join(json.dumps(policy).split()))


def notes_for(request: PolicyRequest) -> tuple[str, ...]:
    """What JSON cannot say: why a statement is not narrower, and how it could be made so. One line each."""
    sids = {rule.sid for rule, _, _ in _allowed(request)}
    notes = []
    if not request.regions and not sids <= {ASSUME_ROLES, SIGN_DOCUMENTS}:
        notes.append("The policy is for all regions, which is wider than needed: name yours with --region.")
    notes += [note for sid, note in _WIDE.items() if sid in sids]
    of_any = [what for what, its in _OF_ACCOUNT.items() if sids & its]
    if request.account == ANY_ACCOUNT and of_any:
        notes.append(f"The {' and the '.join(of_any)} are those of any account: name yours with --account.")
    if request.kms_keys:
        notes.append("The key's own policy has a say too: --key-policy prints what nodes need of it.")
    elif {PolicyStage.UPLOAD, PolicyStage.COPY} & set(request.stages):
        notes.append("No KMS key is named: where one of your own encrypts snapshots (by default, too), add --kms-key.")
    if PolicyStage.NODES in request.stages and len(request.stages) > 1:
        notes.append(
            "Whoever only writes nodegroups needs no more than --for nodes prints. All stages together, with keys in"
            " several regions, do not fit into one managed policy."
        )
    if ASSUME_ROLES in sids and len(sids) > 1:
        notes.append(f"{ASSUME_ROLES}: whoever publishes by these roles alone needs no more than --for assume prints.")
    return tuple(notes)


def _allowed(request: PolicyRequest) -> Iterator[tuple[Rule, tuple[str, ...], tuple[str, ...]]]:
    """The rules that allow something, each with its actions and resources."""
    for rule in RULES:
        if (actions := _actions(rule, request)) and (resources := _resources(rule, request)):
            yield rule, actions, resources


def _actions(rule: Rule, request: PolicyRequest) -> tuple[str, ...]:
    if rule.needs_prefix and request.ssm_prefix is None:
        return ()
    wanted = {action for stage in request.stages for action in rule.actions.get(stage, ())}
    if not request.unprotect:
        wanted.discard(UNPROTECT)
    return tuple(sorted(wanted))


def _resources(rule: Rule, request: PolicyRequest) -> tuple[str, ...]:
    values = {"partition": request.partition, "account": request.account, "prefix": request.ssm_prefix or ""}
    several = _several(request)
    found: list[str] = []
    for template in rule.resources:
        # There is at most one of them in a template.
        name = next((name for _, name, _, _ in Formatter().parse(template) if name in several), None) or ""
        found += [template.format(**values, **{name: one}) for one in several.get(name, ("",))]
    return tuple(dict.fromkeys(found))


def _several(request: PolicyRequest) -> dict[str, tuple[str, ...]]:
    """What there may be several of, or none, by the name that rules have for it."""
    found = {"role": request.roles, "signing_key": tuple(key.arn for key in request.signing_keys)}
    if (names := request.codebuild) is not None:
        left_open = {
            "project": (names.project,), "log_group": (names.log_group,), "bucket": (names.bucket,),
            "sent": names.sent, "brought": names.brought, "made_role": names.made_roles,
            "passed_role": names.passed_roles,
        }  # fmt: skip
        found |= {name: tuple(_closed(arns, request)) for name, arns in left_open.items()}
    return found


def _closed(arns: tuple[str, ...], request: PolicyRequest) -> Iterator[str]:
    """The ARNs of what CodeBuild needs, for its region; where that is not known, for all that it may be."""
    assert request.codebuild is not None
    regions = (request.codebuild.region,) if request.codebuild.region else request.regions or ("*",)
    for region in regions:
        yield from (arn.format(partition=request.partition, account=request.account, region=region) for arn in arns)


def _statement(rule: Rule, actions: tuple[str, ...], resources: tuple[str, ...], request: PolicyRequest) -> Statement:
    equals: dict[str, Any] = {}
    if request.regions and rule.regional:
        equals["aws:RequestedRegion"] = list(request.regions)
    if rule.guard is Guard.TAGGED_RESOURCE:
        equals[f"aws:ResourceTag/{TOOL}"] = TOOL_VALUE
    if rule.guard is Guard.TAGGED_REQUEST:
        equals[f"aws:RequestTag/{TOOL}"] = TOOL_VALUE
    if rule.create_action:
        equals["ec2:CreateAction"] = rule.create_action
    if rule.passed_to:
        equals["iam:PassedToService"] = rule.passed_to
    return _allow(rule.sid, actions, resources, {"StringEquals": equals} if equals else {})


def _key_statements(request: PolicyRequest) -> list[Statement]:
    if not request.kms_keys:
        return []
    keys = tuple(key.arn for key in request.kms_keys)
    via = {"kms:ViaService": _via_ec2(request)}
    # A pattern is needed only where no region is named.
    operator = "StringEquals" if request.regions else "StringLike"
    grant = {operator: via, "Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [
        _allow("UseKeys", USE_KEY, keys, {operator: via}),
        _allow("GrantKeysToEbs", ("kms:CreateGrant",), keys, grant),
    ]


def _via_ec2(request: PolicyRequest) -> list[str]:
    """How KMS names EBS in kms:ViaService; a copy reads with the source's key and writes with its own region's.

    AWS's managed policies have `ec2.*.amazonaws.com` for it, EBS direct included (AmazonInspector2AgentlessServiceRole
    Policy). For China no source tells which of the two suffixes it is; both belong to AWS, so both are let in.
    """
    suffixes = ("amazonaws.com", "amazonaws.com.cn") if request.partition is Partition.CHINA else ("amazonaws.com",)
    return [f"ec2.{region}.{suffix}" for suffix in suffixes for region in request.regions or ("*",)]


def _allow(sid: str, actions: tuple[str, ...], resources: tuple[str, ...], condition: dict[str, Any]) -> Statement:
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return {**statement, "Condition": condition} if condition else statement
