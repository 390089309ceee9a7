"""What a pipeline has to know of the builds that it is for, read from their configuration. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from brqos.ami.policy.request import PolicyRequest, policy_request
from brqos.ami.policy.rules import PolicyStage
from brqos.config.ami import AmiSpec
from brqos.config.attest import Signer
from brqos.config.model import Engine
from brqos.errors import ConfigurationError, UsageError
from brqos.fleet.codebuild.project import MOST_IN_BATCH
from brqos.fleet.expand import Entry
from brqos.fleet.pipelines.wishes import Promotion, Service, Wishes


@dataclass(frozen=True, slots=True)
class Fleet:
    """The builds; made by `fleet_of`, which refuses those that no pipeline can make.

    `publishes` tells whether the images become AMIs, `cluster` where one is tried, `prefix` below which path the SSM
    parameters are. `sbkeys` is the folder of the signing profile, if it is one of the repository.
    """

    entries: tuple[Entry, ...]
    regions: tuple[str, ...]
    region: str | None
    cluster: str | None
    prefix: str | None
    sbkeys: Path | None

    @property
    def engines(self) -> frozenset[Engine]:
        """The engines of all builds."""
        return frozenset(entry.spec.build.engine for entry in self.entries)

    @property
    def canary_region(self) -> str | None:
        """The region of the cluster."""
        return next((entry.spec.nodegroup.region for entry in self.entries if entry.spec.nodegroup.region), self.region)

    @property
    def publishes(self) -> bool:
        """Whether the images become AMIs."""
        return bool(self.regions)

    def promotes(self, wishes: Wishes) -> bool:
        """Whether `latest` is moved, by a person or by rule."""
        return self.publishes and self.prefix is not None and wishes.promotion is not Promotion.NEVER

    def policy(self, wishes: Wishes) -> PolicyRequest:
        """The permissions that the pipeline's role needs to publish them."""
        amis = [entry.spec.ami for entry in self.entries]
        roles = {role for ami in amis for role in (ami.role, *ami.region_roles.values()) if role}
        return policy_request(
            [stage for stage in PolicyStage if any(needs_stage(stage, ami) for ami in amis)],
            regions=self.regions,
            account=wishes.owner,
            ssm_prefix=self.prefix,
            kms_keys={key for ami in amis for key in ami.kms_keys.values()},
            roles=roles,
            signing_keys=self._signing_keys(),
        )

    def _signing_keys(self) -> set[str]:
        """The keys of KMS that sign the documents about the builds."""
        wishes = [entry.spec.attest for entry in self.entries]
        return {wish.key for wish in wishes if wish.enabled and wish.sign is Signer.KMS and wish.key}


def fleet_of(entries: Sequence[Entry], wishes: Wishes) -> Fleet:
    """What the pipeline for these builds is about; raises ConfigurationError and UsageError."""
    if not entries:
        raise ConfigurationError(
            "there is nothing to build", why="[matrix] leaves everything out.", todo="Leave less out."
        )
    for entry in entries:
        _check_entry(entry)
    silent = [entry for entry in entries if not entry.spec.ami.regions]
    if silent and len(silent) < len(entries):
        raise ConfigurationError(
            "some of the builds become AMIs, and some do not",
            why=f"No regions are given in {silent[0].file}.",
            todo="Write a pipeline for each kind, with --config and --output.",
        )
    regions = tuple(dict.fromkeys(region for entry in entries for region in entry.spec.ami.regions))
    fleet = Fleet(
        entries=tuple(entries),
        regions=regions,
        region=wishes.region or next(iter(regions), None),
        cluster=_cluster(entries, wishes),
        prefix=_prefix(entries),
        sbkeys=_sbkeys(entries),
    )
    if wishes.service is Service.CODEBUILD:
        _check_batch(fleet, wishes)
    elif not wishes.rehearse:
        _check_login(fleet, wishes)
    if not wishes.rehearse:
        _check_promotion(fleet, wishes)
    return fleet


def needs_stage(stage: PolicyStage, ami: AmiSpec) -> bool:
    """Whether publishing these AMIs has that part."""
    shared = bool(ami.share_accounts or ami.share_organizations or ami.share_ous or ami.public)
    asked = {
        PolicyStage.UPLOAD: True,
        PolicyStage.REGISTER: True,
        PolicyStage.COPY: len(ami.regions) > 1 and not ami.direct_upload,
        PolicyStage.SHARE: shared,
        PolicyStage.MARK: ami.protect or ami.deprecate_after is not None,
        PolicyStage.PARAMETERS: ami.ssm_prefix is not None,
        PolicyStage.VERIFY: True,
    }
    return asked.get(stage, False)


def _check_entry(entry: Entry) -> None:
    ami = entry.spec.ami
    if ami.public:
        raise ConfigurationError(
            f"{entry.file} asks for a public AMI",
            why="That is confirmed by a person each time (--confirm-public), and not once for all in a pipeline.",
            todo="Take public = true out, and publish that AMI by hand.",
        )
    if ami.profile or ami.region_profiles:
        raise ConfigurationError(
            f"{entry.file} names a profile of the AWS configuration",
            why="A runner has no such file; it logs in as a role.",
            todo="Name the role there instead (role or region-roles), and let the pipeline's role assume it.",
        )


def _cluster(entries: Sequence[Entry], wishes: Wishes) -> str | None:
    found = {entry.spec.nodegroup.cluster for entry in entries} - {None}
    if wishes.cluster is None and len(found) > 1:
        raise ConfigurationError(
            f"the configuration names several clusters: {', '.join(sorted(filter(None, found)))}",
            todo="Say with --cluster which one new images are tried in.",
        )
    return wishes.cluster or next(iter(found), None)


def _prefix(entries: Sequence[Entry]) -> str | None:
    found = {entry.spec.ami.ssm_prefix for entry in entries}
    if len(found) > 1:
        raise ConfigurationError(
            f"the builds have different prefixes: {', '.join(sorted(prefix or 'none' for prefix in found))}",
            why="One role that may write below all of them could not be narrowed to each.",
            todo="Write a pipeline for each, with its own --config, --output and --role-arn.",
        )
    return next(iter(found), None)


def _sbkeys(entries: Sequence[Entry]) -> Path | None:
    found = {entry.spec.build.sbkeys_profile for entry in entries if entry.spec.build.sbkeys_profile}
    # An absolute path is one of the machine: whoever has such runners has the keys there.
    inside = sorted(path for path in found if not path.is_absolute() and ".." not in path.parts)
    if len(inside) > 1:
        raise ConfigurationError(
            f"the builds are signed with several profiles: {', '.join(map(str, inside))}",
            why="The pipeline brings one to the machine, from one secret.",
            todo="Write a pipeline for each, with --config and --output.",
        )
    return next(iter(inside), None)


def _check_batch(fleet: Fleet, wishes: Wishes) -> None:
    if len(fleet.entries) > MOST_IN_BATCH:
        raise ConfigurationError(
            f"there are {len(fleet.entries)} builds, and CodeBuild runs at most {MOST_IN_BATCH} in one batch",
            todo="Write several pipelines, each for some of the files, with --config and --output: a stack each.",
        )
    if Engine.SOURCE in fleet.engines and wishes.image is None and not wishes.rehearse:
        raise UsageError(
            "a build from source needs an image with cargo, cargo-make and Docker, and no --image names one",
            why="CodeBuild's own images have no cargo that is new enough for upstream's lock files.",
            todo='Make one (`brqos pipeline container`) and push it to ECR; or set engine = "repack".',
        )


def _check_login(fleet: Fleet, wishes: Wishes) -> None:
    if Engine.SOURCE in fleet.engines and not wishes.runners:
        raise UsageError(
            "a build from source needs a big machine, and no --runner names one",
            why="It takes 80 GB of disk, Docker, and hours on two cores; a hosted standard runner has 14 GB.",
            todo='Give the label of a larger or own runner; or set engine = "repack", which needs none.',
        )
    if fleet.publishes and wishes.role is None:
        raise UsageError(
            "no role is given that the pipeline publishes as",
            why="It logs in by OIDC, without keys.",
            todo="Give its ARN with --role-arn; it need not be there yet: --iam prints what it has to be.",
        )


def _check_promotion(fleet: Fleet, wishes: Wishes) -> None:
    if wishes.promotion is Promotion.AFTER_VERIFY and not (fleet.cluster and fleet.prefix):
        raise UsageError(
            "--promote after-verify needs a cluster to verify in, and an ssm-prefix to promote below",
            todo="Give --cluster, and ssm-prefix in brqos.toml; or leave --promote out.",
        )
