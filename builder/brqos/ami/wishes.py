"""Wishes of `[ami]` that contradict each other, or what AWS can do; each is refused before anything is made. Pure."""

from collections.abc import Iterable

from brqos.ami.spread import partition_of
from brqos.config.ami import AmiSpec
from brqos.errors import ConfigurationError, UsageError


def check_wishes(spec: AmiSpec) -> None:
    """Raise ConfigurationError for the first wish that cannot be fulfilled."""
    _check_regions("--kms-key", spec.kms_keys, spec)
    _check_regions("--profile", spec.region_profiles, spec)
    _check_regions("--role", spec.region_roles, spec)
    _check_partitions(spec)
    _check_keys(spec)
    _check_sharing(spec)
    _check_parameters(spec)


def check_confirmed(spec: AmiSpec, *, confirmed: bool) -> None:
    """Raise UsageError where an AMI is to be public and nobody said that this is meant."""
    if spec.public and not confirmed:
        raise UsageError(
            "the AMI would be public: every AWS account could launch it and read what is in it",
            todo="Add --confirm-public if that is meant, or leave --public out.",
        )
    if confirmed and not spec.public:
        raise UsageError("--confirm-public stands alone", todo="Add --public, or leave it out.")


def _check_regions(option: str, regions: Iterable[str], spec: AmiSpec) -> None:
    for region in regions:
        if spec.regions and region not in spec.regions:
            raise ConfigurationError(
                f"{option} names {region}, where no AMI is to be made",
                why=f"The regions are {', '.join(spec.regions)}.",
                todo=f"Add --region {region}, or leave it out of {option}.",
            )


def _check_partitions(spec: AmiSpec) -> None:
    """Credentials hold in one partition only, so a region of another one needs a profile of its own."""
    partitions: dict[tuple[str | None, str | None], tuple[str, str]] = {}
    for region in spec.regions:
        identity = (spec.region_profiles.get(region, spec.profile), spec.region_roles.get(region, spec.role))
        partition, other = partitions.setdefault(identity, (partition_of(region), region))
        if partition != partition_of(region):
            raise ConfigurationError(
                f"{other} and {region} are in different partitions ({partition} and {partition_of(region)})",
                why="No credentials hold in both.",
                todo=f"Give that region a profile of its own: --profile {region}=NAME.",
            )


def _check_keys(spec: AmiSpec) -> None:
    for region, key in spec.kms_keys.items():
        _, partition, _, place, _, _ = key.split(":", 5)
        if place != region or partition != partition_of(region):
            raise ConfigurationError(
                f"the KMS key for {region} is one of {place} ({partition})",
                why="A snapshot is encrypted with a key of its own region.",
                todo=f"Give the ARN of a key in {region}; a multi-Region key has a replica there, with another ARN.",
            )


def _check_sharing(spec: AmiSpec) -> None:
    if spec.public and spec.kms_keys:
        raise ConfigurationError(
            "an AMI with encrypted snapshots cannot be public",
            why="AWS does not share what only the owner's key can read with everybody.",
            todo="Leave out --kms-key or --public.",
        )
    if spec.share_snapshots and not (spec.share_accounts or spec.public):
        raise ConfigurationError(
            "--share-snapshots needs accounts to share them with",
            why="A snapshot is shared with accounts; organizations and their units cannot be given one.",
            todo="Add --share-account, or leave it out.",
        )


def _check_parameters(spec: AmiSpec) -> None:
    if spec.promote and not spec.ssm_prefix:
        raise ConfigurationError(
            "--promote needs the SSM parameters that it is about",
            todo="Add --ssm-prefix, for example /images/bottlerocket.",
        )
    if spec.ssm_parameters and not spec.ssm_prefix:
        raise ConfigurationError(
            "[ami.ssm-parameters] needs a prefix that they are below",
            todo="Add ssm-prefix, for example /images/bottlerocket.",
        )
    if spec.ssm_prefix and spec.ssm_prefix.split("/")[1].lower().startswith(("aws", "ssm")):
        raise ConfigurationError(
            f"the SSM prefix {spec.ssm_prefix} begins with a word that is taken",
            why="AWS keeps parameters that begin with “aws” or “ssm” for itself.",
            todo="Choose another one, for example /images/bottlerocket.",
        )
