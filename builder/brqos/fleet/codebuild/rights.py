"""Whom the two roles trust, and the least that they may do. Pure.

Sources: CodeBuild's user guide, "Allow CodeBuild to interact with other AWS services" (trust, logs, S3, VPC), "Batch
build role" and "Amazon ECR sample"; for publishing `brqos.ami.policy`, as `brqos iam-policy` prints it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from brqos.ami.policy.policy import LONGEST_INLINE, policy_for, size_of
from brqos.ami.policy.request import Partition, policy_request
from brqos.ami.policy.rules import PolicyStage
from brqos.config.attest import Signer
from brqos.config.model import BuildSpec
from brqos.errors import ConfigurationError
from brqos.fleet.codebuild.place import BUNDLES, RUNS, Place
from brqos.fleet.pipelines.fleet import needs_stage

Document = dict[str, Any]
WORK, PUBLISH, START = "brqos-work", "brqos-publish", "brqos-start"
_SERVICE = "codebuild.amazonaws.com"
_LOG_ACTIONS = ("CreateLogGroup", "CreateLogStream", "PutLogEvents")
_ECR = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([a-z0-9._/-]+?)(?:[:@].*)?")


def trust_of(place: Place, *, of_batches: bool = False) -> Document:
    """CodeBuild may take the role on, for this account; for the builds' role: for this project."""
    condition: Document = {"StringEquals": {"aws:SourceAccount": place.account}}
    if not of_batches:
        condition["StringEquals"]["aws:SourceArn"] = place.arn("codebuild", f"project/{place.project}")
    statement = {"Effect": "Allow", "Principal": {"Service": _SERVICE}, "Action": "sts:AssumeRole"}
    return _document([{**statement, "Condition": condition}])


def batch_rights(place: Place) -> dict[str, Document]:
    """The inline policies of the role that starts the builds of a batch, by name."""
    actions = ["codebuild:RetryBuild", "codebuild:StartBuild", "codebuild:StopBuild"]
    project = place.arn("codebuild", f"project/{place.project}")
    return {START: _document([_allow("StartBuilds", actions, [project])])}


def build_rights(place: Place, specs: Sequence[BuildSpec]) -> dict[str, Document]:
    """The inline policies of the builds' role, by name; raises ConfigurationError where a role cannot hold them."""
    policies = {WORK: _document(_work(place)), **_publishing(place, specs)}
    size = sum(map(size_of, policies.values()))
    if size > LONGEST_INLINE:
        raise ConfigurationError(
            f"the rights to publish all of this take {size} characters, and a role holds at most {LONGEST_INLINE}",
            todo="Build some of the files by another project and role ([codebuild] project and role), or publish by a"
            " role of its own ([ami] role).",
        )
    return policies


def _work(place: Place) -> list[Document]:
    group = place.arn("logs", f"log-group:{place.log_group}")
    bucket = f"arn:{place.partition}:s3:::{place.bucket}"
    statements = [
        _allow("WriteLogs", [f"logs:{action}" for action in _LOG_ACTIONS], [group, f"{group}:*"]),
        _allow("ReadSource", ["s3:GetObject", "s3:GetObjectVersion"], [f"{bucket}/{BUNDLES}/*"]),
        _allow("FindSource", ["s3:GetBucketAcl", "s3:GetBucketLocation"], [bucket]),
        _allow("LeaveResults", ["s3:AbortMultipartUpload", "s3:PutObject"], [f"{bucket}/{RUNS}/*"]),
    ]
    return [*statements, *_keys(place), *_image(place), *_network(place), *_encryption(place)]


def _keys(place: Place) -> list[Document]:
    wanted = place.spec.sbkeys
    if wanted is None:
        return []
    if wanted.startswith("s3://"):
        return [_allow("ReadSigningKeys", ["s3:GetObject"], [f"arn:{place.partition}:s3:::{wanted[5:]}"])]
    return [_allow("ReadSigningKeys", ["secretsmanager:GetSecretValue"], [wanted])]


def _image(place: Place) -> list[Document]:
    found = _ECR.fullmatch(place.spec.image)
    if found is None:
        return []
    repository = f"arn:{place.partition}:ecr:{found[2]}:{found[1]}:repository/{found[3]}"
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    # A token is of no repository in particular.
    return [_allow("PullImage", pull, [repository]), _allow("LogInToEcr", ["ecr:GetAuthorizationToken"], ["*"])]


def _network(place: Place) -> list[Document]:
    vpc = place.spec.vpc
    if not vpc:
        return []
    attach = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeDhcpOptions",
              "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
              "ec2:DescribeVpcs"]  # fmt: skip
    permission = _allow(
        "LetCodeBuildUseInterfaces",
        ["ec2:CreateNetworkInterfacePermission"],
        [place.arn("ec2", "network-interface/*")],
    )
    subnets = [place.arn("ec2", f"subnet/{subnet}") for subnet in vpc.subnets]
    condition = {"StringEquals": {"ec2:AuthorizedService": _SERVICE}, "ArnEquals": {"ec2:Subnet": subnets}}
    # The user guide has them for all resources: describing knows no others, and interfaces have no names before.
    return [_allow("JoinNetwork", attach, ["*"]), {**permission, "Condition": condition}]


def _encryption(place: Place) -> list[Document]:
    key = place.spec.kms_key
    return [_allow("UseKey", ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], [key])] if key else []


@dataclass
class _Published:
    """What is published below one prefix of SSM parameters by the builds' own role."""

    regions: set[str] = field(default_factory=set)
    stages: set[PolicyStage] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)


def _publishing(place: Place, specs: Sequence[BuildSpec]) -> dict[str, Document]:
    by_prefix: dict[str | None, _Published] = {}
    roles: set[str] = set()
    for spec in specs:
        ami = spec.ami
        own = [region for region in ami.regions if (ami.region_roles.get(region) or ami.role) is None]
        roles |= {role for region in ami.regions if (role := ami.region_roles.get(region) or ami.role)}
        if not own:
            continue
        published = by_prefix.setdefault(ami.ssm_prefix, _Published())
        published.regions.update(own)
        published.stages.update(stage for stage in PolicyStage if needs_stage(stage, ami))
        published.keys.update(key for region, key in ami.kms_keys.items() if region in own)
        if spec.nodegroup.cluster:
            published.stages.add(PolicyStage.NODES)
    documents = [
        _of_prefix(place, prefix, published)
        for prefix, published in sorted(by_prefix.items(), key=lambda item: item[0] or "")
    ]
    if keys := {_signing_key(spec) for spec in specs if spec.attest.enabled and spec.attest.sign is Signer.KMS}:
        documents.append(policy_for(policy_request([], signing_keys=keys)))
    if roles:
        documents.append(policy_for(policy_request([PolicyStage.ASSUME], roles=roles)))
    return dict(zip(_names(len(documents)), documents, strict=True))


def _signing_key(spec: BuildSpec) -> str:
    key = spec.attest.key or ""
    if not key.startswith("arn:"):
        raise ConfigurationError(
            f"the key that signs what is attested is called {key}, and not by its ARN",
            why="The builds' role gets the right to sign with this one key, and a policy has to name the key itself.",
            todo="Write its ARN as attest.key (`aws kms describe-key` tells it).",
        )
    return key


def _of_prefix(place: Place, prefix: str | None, published: _Published) -> Document:
    request = policy_request(
        published.stages,
        regions=published.regions,
        partition=Partition(place.partition),
        account=place.account,
        ssm_prefix=prefix,
        kms_keys=published.keys,
    )
    return policy_for(request)


def _names(count: int) -> Iterable[str]:
    return (f"{PUBLISH}-{number}" if number > 1 else PUBLISH for number in range(1, count + 1))


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> Document:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def _document(statements: Sequence[Mapping[str, Any]]) -> Document:
    return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in statements]}
