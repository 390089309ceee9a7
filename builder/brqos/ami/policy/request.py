"""What a policy is asked for, checked: regions, accounts and ARNs, all of one partition. Pure."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from brqos.ami.policy.codebuild import CodeBuildNames
from brqos.ami.policy.rule import PolicyStage
from brqos.errors import ConfigurationError

ANY_ACCOUNT = "*"


class Partition(StrEnum):
    """A separate world of AWS: its ARNs, accounts and keys are of no use in another one."""

    AWS = "aws"
    CHINA = "aws-cn"
    GOV_CLOUD = "aws-us-gov"


# From botocore's partitions.json; whatever has two letters, one word and a number else is a region of `aws`.
_REGIONS = {
    Partition.CHINA: re.compile(r"cn-[a-z]+-[0-9]{1,2}", re.ASCII),
    Partition.GOV_CLOUD: re.compile(r"us-gov-[a-z]+-[0-9]{1,2}", re.ASCII),
    Partition.AWS: re.compile(r"[a-z]{2}-[a-z]+-[0-9]{1,2}", re.ASCII),
}
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
# The rule of `ssm-prefix` in brqos.toml (brqos.config.ami).
_PREFIX = re.compile(r"(?:/[A-Za-z0-9_.-]+)+", re.ASCII)
_LONGEST_PREFIX = 900
_KEY = re.compile(
    r"arn:(?P<partition>[a-z-]+):kms:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):key/[0-9A-Za-z-]{1,128}", re.ASCII
)
_ROLE = re.compile(r"arn:(?P<partition>[a-z-]+):iam::(?P<account>[0-9]{12}):role/[A-Za-z0-9+=,.@/_-]{1,576}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class KmsKey:
    """A customer managed key, by its ARN."""

    arn: str
    region: str
    account: str


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """What a policy has to allow; made by `policy_request`, which checks it and puts it in order.

    No regions: all of the partition's. `account` is 12 digits or `*`; `ssm_prefix` begins with a slash and ends without
    one, and is there if parameters are written. `roles` are there exactly if the stage `assume` is, `signing_keys` if
    the stage `attest` is, `codebuild` if the stage of that name is. `unprotect` lets pruning switch deregistration
    protection off.
    """

    stages: tuple[PolicyStage, ...]
    regions: tuple[str, ...]
    partition: Partition
    account: str = ANY_ACCOUNT
    ssm_prefix: str | None = None
    kms_keys: tuple[KmsKey, ...] = ()
    roles: tuple[str, ...] = ()
    signing_keys: tuple[KmsKey, ...] = ()
    codebuild: CodeBuildNames | None = None
    unprotect: bool = False


def policy_request(
    stages: Iterable[PolicyStage],
    *,
    regions: Iterable[str] = (),
    partition: Partition | None = None,
    account: str | None = None,
    ssm_prefix: str | None = None,
    kms_keys: Iterable[str] = (),
    roles: Iterable[str] = (),
    signing_keys: Iterable[str] = (),
    codebuild: CodeBuildNames | None = None,
    unprotect: bool = False,
) -> PolicyRequest:
    """The request in its one order, so that the same wishes give the same policy.

    Raises ConfigurationError for what is no region, account, prefix or ARN, and for what does not go together.
    """
    role_arns = tuple(sorted(set(roles)))
    signers = tuple(sorted({parse_key(arn) for arn in signing_keys}))
    with_it = {PolicyStage.ASSUME: role_arns, PolicyStage.ATTEST: signers, PolicyStage.CODEBUILD: codebuild}
    wanted = {*stages, *(stage for stage, given in with_it.items() if given)}
    _check_stages(wanted, ssm_prefix, role_arns, unprotect=unprotect)
    if PolicyStage.ATTEST in wanted and not signers:
        raise ConfigurationError(
            "the stage “attest” needs the key that signs",
            todo="Give its ARN with --signing-key, or leave the stage out: writing documents needs no permission.",
        )
    if PolicyStage.CODEBUILD in wanted and codebuild is None:
        raise ConfigurationError(
            "the stage “codebuild” needs the names of what CodeBuild builds with",
            todo="Give the configuration that has them with --config, or leave the stage out.",
        )
    places = tuple(sorted(set(regions)))
    keys = tuple(sorted({parse_key(arn) for arn in kms_keys}))
    for arn in role_arns:
        _check_role(arn)
    for key in keys:
        _check_place(key, places)
    if ssm_prefix is not None:
        _check_prefix(ssm_prefix)
    return PolicyRequest(
        stages=tuple(stage for stage in PolicyStage if stage in wanted),
        regions=places,
        partition=one_partition(
            (*places, *(key.arn for key in (*keys, *signers)), *role_arns, *_places_of(codebuild)), partition
        ),
        account=_account(account, codebuild),
        ssm_prefix=ssm_prefix,
        kms_keys=keys,
        roles=role_arns,
        signing_keys=signers,
        codebuild=codebuild,
        unprotect=unprotect,
    )


def one_partition(places: Sequence[str], given: Partition | None) -> Partition:
    """The partition of all the regions and ARNs, else the given one, else `aws`; raises ConfigurationError."""
    found: dict[Partition, str] = {}
    if given is not None:
        found[given] = f"--partition {given}"
    for place in places:
        found.setdefault(_partition_of(place), place)
    if len(found) > 1:
        named = ", ".join(f"{place} is of {partition}" for partition, place in found.items())
        raise ConfigurationError(
            "one policy cannot be for two partitions of AWS",
            why=f"An account belongs to one of them: {named}.",
            todo="Make a policy for each, with its own regions and ARNs.",
        )
    return next(iter(found), Partition.AWS)


def parse_key(arn: str) -> KmsKey:
    """A key's ARN in its parts; raises ConfigurationError."""
    match = _KEY.fullmatch(arn)
    if match is None:
        alias = ":alias/" in arn or arn.startswith("alias/")
        raise ConfigurationError(
            f"“{arn}” is not the ARN of a KMS key",
            why="A policy has to name the key itself, not an alias." if alias else "",
            todo="Give one such as arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
            " (`aws kms describe-key` tells it).",
        )
    _partition_of(arn)
    return KmsKey(arn, match["region"], match["account"])


def check_account(account: str) -> str:
    """The account, if it is one; raises ConfigurationError."""
    if _ACCOUNT.fullmatch(account) is None:
        raise ConfigurationError(
            f"“{account}” is not an AWS account",
            why="It has 12 digits, without dashes.",
            todo="`aws sts get-caller-identity` tells your own.",
        )
    return account


def _account(given: str | None, codebuild: CodeBuildNames | None) -> str:
    """The account that is given; or that of CodeBuild, which is set up by the same identity."""
    account = ANY_ACCOUNT if given in (None, ANY_ACCOUNT) else check_account(str(given))
    own = codebuild.account if codebuild is not None else None
    if own is not None and account not in (ANY_ACCOUNT, own):
        raise ConfigurationError(
            f"CodeBuild is used in the account {own}, and the policy is for {account}",
            why="[codebuild] names its account, and an identity sets things up in its own one only.",
            todo="Leave --account out, or correct one of them.",
        )
    return own or account


def _places_of(codebuild: CodeBuildNames | None) -> tuple[str, ...]:
    """What of it belongs to a partition: its region, and roles of others."""
    if codebuild is None:
        return ()
    own = tuple(arn for arn in codebuild.passed_roles if "{" not in arn)
    return (codebuild.region, *own) if codebuild.region else own


def _partition_of(place: str) -> Partition:
    """The partition of a region or an ARN, with both agreeing where an ARN has a region."""
    if not place.startswith("arn:"):
        return _partition_of_region(place)
    name, _, region = place.split(":")[1:4]
    if name not in set(Partition):
        raise _unknown_partition(place, name)
    if region and _partition_of_region(region) is not Partition(name):
        raise ConfigurationError(
            f"the ARN {place} contradicts itself",
            why=f"The region {region} is not in the partition {name}.",
            todo="Copy the ARN from the console, or from `aws kms describe-key`.",
        )
    return Partition(name)


def _partition_of_region(region: str) -> Partition:
    for partition, pattern in _REGIONS.items():
        if pattern.fullmatch(region):
            return partition
    if re.fullmatch(r"[a-z]{2,4}(?:-[a-z]+){2}-[0-9]{1,2}|eusc(?:-[a-z]+)+-[0-9]{1,2}", region):
        raise _unknown_partition(region, "")
    raise ConfigurationError(f"“{region}” is not an AWS region", todo="Give one such as eu-west-1.")


def _unknown_partition(place: str, name: str) -> ConfigurationError:
    return ConfigurationError(
        f"{place} is in a partition of AWS that brqos does not know{f' ({name})' if name else ''}",
        why=f"Known are {', '.join(Partition)}.",
        todo="Give regions and ARNs of one of these.",
    )


def _check_stages(
    stages: Collection[PolicyStage], ssm_prefix: str | None, roles: Sequence[str], *, unprotect: bool
) -> None:
    if not stages:
        raise ConfigurationError("a policy for no stage allows nothing", todo="Name at least one stage with --for.")
    if PolicyStage.PARAMETERS in stages and ssm_prefix is None:
        raise ConfigurationError(
            "the stage “parameters” needs the prefix of the SSM parameters",
            why="Without it the policy would allow writing every parameter of the account.",
            todo="Give the prefix with --ssm-prefix, for example /platform/bottlerocket, or leave the stage out.",
        )
    if PolicyStage.ASSUME in stages and not roles:
        raise ConfigurationError(
            "the stage “assume” needs the roles", todo="Give the ARN of each with --role, or leave the stage out."
        )
    if unprotect and PolicyStage.PRUNE not in stages:
        raise ConfigurationError(
            "switching deregistration protection off is part of pruning only",
            todo="Add --for prune, or leave --unprotect out.",
        )


def _check_role(arn: str) -> None:
    if _ROLE.fullmatch(arn) is None:
        raise ConfigurationError(
            f"“{arn}” is not the ARN of a role",
            todo="Give one such as arn:aws:iam::111122223333:role/brqos-publisher.",
        )


def _check_prefix(prefix: str) -> None:
    if _PREFIX.fullmatch(prefix) is None or len(prefix) > _LONGEST_PREFIX:
        raise ConfigurationError(
            f"“{prefix}” cannot be the prefix of SSM parameters",
            why="It begins with a slash, ends without one, and has letters, digits and _ . - between slashes.",
            todo="Give one such as /platform/bottlerocket, as in ssm-prefix of brqos.toml.",
        )


def _check_place(key: KmsKey, regions: Sequence[str]) -> None:
    if regions and key.region not in regions:
        raise ConfigurationError(
            f"the KMS key {key.arn} is in {key.region}, which is not among the regions",
            why=f"EBS encrypts with keys of the same region only; the regions are {', '.join(regions)}.",
            todo=f"Add --region {key.region}, or leave the key out.",
        )
