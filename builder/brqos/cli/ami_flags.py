"""The flags about AMIs, and how they become values of `[ami]`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brqos.cli.pairs import pairs, single_and_by_region
from brqos.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from brqos.config.ami import AmiSpec
    from brqos.config.model import BuildSpec

_OMITTED = {"os": ("os",), "data": ("data",), "both": ("os", "data")}
_NAMES = {
    "ami.regions": "--region",
    "ami.region-profiles": "--profile",
    "ami.region-roles": "--role",
    "ami.kms-keys": "--kms-key",
    "ami.share-accounts": "--share-account",
    "ami.share-organizations": "--share-org",
    "ami.share-ous": "--share-ou",
    "ami.tags": "--tag",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiFlags:
    """What was given on the command line; None or empty where it was not."""

    region: Sequence[str] | None = None
    profile: Sequence[str] | None = None
    role: Sequence[str] | None = None
    name: str | None = None
    description: str | None = None
    tag: Sequence[str] | None = None
    kms_key: Sequence[str] | None = None
    omit_zero_blocks: str | None = None
    direct_upload: bool | None = None
    share_account: Sequence[str] | None = None
    share_org: Sequence[str] | None = None
    share_ou: Sequence[str] | None = None
    share_snapshots: bool | None = None
    public: bool | None = None
    deprecate_after: str | None = None
    protect: bool | None = None
    ssm_prefix: str | None = None
    promote: bool | None = None

    def resolved(self, config: "Path | None", recorded: "BuildSpec | None" = None) -> "AmiSpec":
        """The section `[ami]`, flags over the file over a build's record; raises UsageError, ConfigurationError."""
        from brqos.config.resolve import resolve_ami

        # False was given, by a --no-…: it overrules a `true` of the file.
        given = {key: value for key, value in self._values().items() if value not in (None, (), {})}
        return resolve_ami(given, config, recorded=recorded, flag_names=_NAMES)

    def _values(self) -> dict[str, object]:
        profile, region_profiles = single_and_by_region("--profile", self.profile, example="cn-north-1=china")
        role, region_roles = single_and_by_region("--role", self.role, example="us-east-1=arn:aws:iam::…:role/images")
        return {
            "regions": tuple(self.region or ()),
            "profile": profile,
            "region-profiles": region_profiles,
            "role": role,
            "region-roles": region_roles,
            "name": self.name,
            "description": self.description,
            "tags": pairs("--tag", self.tag, example="Team=platform"),
            "kms-keys": pairs("--kms-key", self.kms_key, example="eu-west-1=arn:aws:kms:eu-west-1:…:key/…"),
            "omit-zero-blocks": _omitted(self.omit_zero_blocks),
            "direct-upload": self.direct_upload,
            "share-accounts": tuple(self.share_account or ()),
            "share-organizations": tuple(self.share_org or ()),
            "share-ous": tuple(self.share_ou or ()),
            "share-snapshots": self.share_snapshots,
            "public": self.public,
            "deprecate-after": self.deprecate_after,
            "protect": self.protect,
            "ssm-prefix": self.ssm_prefix,
            "promote": self.promote,
        }


def _omitted(word: str | None) -> tuple[str, ...]:
    if word is None:
        return ()
    if word not in _OMITTED:
        raise UsageError(
            f"--omit-zero-blocks {word} is not known",
            todo="Write os, data or both; on encrypted volumes the omitted blocks read as garbage.",
        )
    return _OMITTED[word]
