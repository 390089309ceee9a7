"""Which SSM parameters of brqos's are made for one version, and which go: those of an AMI that goes, or is gone. Pure.

Pubsys's two are known by their names (`<variant>/<arch>/<version>/image_id` and `image_version`). Those of
`[ami.ssm-parameters]` may be called anything with the version in it, so that their tags have to say the same. A tag
alone would not do: `latest` is made once, and keeps the tags of the version that it named first.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from brqos.ami import tags as tagging
from brqos.ami.pruning.model import Inventory, Kind, OwnParameter, PruneItem, PruneRules, Verdict
from brqos.ami.pruning.words import age, and_so_on, matches
from brqos.ami.publication import LATEST
from brqos.architecture import Architecture
from brqos.aws.ec2 import DescribedImage
from brqos.errors import BrqosError

# No part of a longer word: a value may be the AMI's name, which is anybody's.
_AMI_ID = re.compile(r"(?<![\w-])ami-[0-9a-f]{8}([0-9a-f]{9})?(?![\w-])", re.ASCII)
_PUBSYS = re.compile(r"(/[^/]+)*/(?P<variant>[^/]+)/(?P<arch>[^/]+)/(?P<version>[^/]+)/image_(id|version)")
_ANCHOR = "/image_id"


class Version(NamedTuple):
    """What the AMIs and parameters of one version have in common."""

    variant: str
    arch: Architecture
    version: str

    @property
    def tags(self) -> dict[str, str]:
        """The tags that say so."""
        return {tagging.VARIANT: self.variant, tagging.ARCH: self.arch.value, tagging.IMAGE_VERSION: self.version}


def version_of(tags: Mapping[str, str]) -> Version | None:
    """The version that the tags of an AMI or a parameter tell; None where one of them is missing."""
    return _version(*(tags.get(key, "") for key in (tagging.VARIANT, tagging.ARCH, tagging.IMAGE_VERSION)))


def version_in(name: str) -> Version | None:
    """The version that one of pubsys's two names tells; None for any other name, and for `latest`."""
    match = _PUBSYS.fullmatch(name)
    if match is None or match["version"] == LATEST:
        return None
    return _version(match["variant"], match["arch"], match["version"])


def _version(variant: str, arch: str, version: str) -> Version | None:
    try:
        return Version(variant, Architecture.parse(arch), version) if variant and version else None
    except BrqosError:
        return None


def may_be_further(name: str, version: Version) -> bool:
    """Whether a parameter of ours is one of `[ami.ssm-parameters]` of this version, if its tags say so as well.

    A name with `latest` anywhere in it is taken for one that moves: a version as short as `1` is in nearly every name.
    """
    return version_in(name) is None and version.version in name and LATEST not in name


def version_of_parameter(parameter: OwnParameter) -> Version | None:
    """The version that a parameter of ours is made for, for good; None for all others, such as those of `latest`."""
    named = version_in(parameter.name)
    if named is not None:
        return named
    tagged = version_of(parameter.tags)
    return tagged if tagged is not None and may_be_further(parameter.name, tagged) else None


def is_made_for(parameter: OwnParameter, image: DescribedImage) -> bool:
    """Whether a parameter of ours is one of this AMI's own version: it would keep the AMI for ever."""
    version = version_of_parameter(parameter)
    return version is not None and version == version_of(image.tags)


def parameter_items(
    inventory: Inventory, images: Sequence[DescribedImage], rules: PruneRules, removed: Mapping[str, PruneItem]
) -> tuple[PruneItem, ...]:
    """The parameters of versions whose AMI goes, or is gone; those of the others are no items.

    `images` are ours that are there. The one called `…/image_id` is the last of its version to go: by it the next run
    finds what is left.
    """
    return _Parameters(inventory, images, rules, removed).items()


class _Parameters:
    def __init__(
        self,
        inventory: Inventory,
        images: Sequence[DescribedImage],
        rules: PruneRules,
        removed: Mapping[str, PruneItem],
    ) -> None:
        self._inventory = inventory
        self._rules = rules
        self._removed = removed
        self._amis: dict[Version, set[str]] = {}
        for image in images:
            if (version := version_of(image.tags)) is not None:
                self._amis.setdefault(version, set()).add(image.id)
        known = ((item, version_of_parameter(item)) for item in _by_name(inventory.parameters))
        of_versions = [(item, version) for item, version in known if version is not None]
        self._anchors = [(item, version) for item, version in of_versions if _is_anchor(item)]
        self._others = [(item, version) for item, version in of_versions if not _is_anchor(item)]
        self._named_in: dict[str, set[str]] = {}
        for anchor, version in self._anchors:
            self._named_in.setdefault(_folder(anchor), set()).add(anchor.value)
            self._amis.setdefault(version, set()).add(anchor.value)
        left = {item.value for item, version in self._anchors if self._is_left_over(item, version)}
        self._going = frozenset(removed) | left

    def items(self) -> tuple[PruneItem, ...]:
        others = []
        names: dict[Version, list[str]] = {}
        for parameter, version in self._others:
            named = frozenset(match[0] for match in _AMI_ID.finditer(parameter.value))
            owners = named or self._owners(parameter, version)
            if owners and owners <= self._going:
                others.append(self._item(parameter, version, owners, names=bool(named)))
                names.setdefault(version, []).append(parameter.name)
        anchors = [
            self._item(parameter, version, {parameter.value}, later_than=names.get(version, ()))
            for parameter, version in self._anchors
            if parameter.value in self._going
        ]
        return (*others, *anchors)

    def _owners(self, parameter: OwnParameter, version: Version) -> frozenset[str]:
        """The AMIs of a parameter that names none: the one that its folder is about, else all of the version."""
        nobody: set[str] = set()
        return frozenset(self._named_in.get(_folder(parameter), self._amis.get(version, nobody)))

    def _item(
        self,
        parameter: OwnParameter,
        version: Version,
        owners: Collection[str],
        *,
        names: bool = True,
        later_than: Sequence[str] = (),
    ) -> PruneItem:
        amis = sorted(owner for owner in owners if owner in self._removed)
        told = amis or sorted(owners)
        fate = "goes" if amis else "is gone"
        if len(told) > 1:
            fate = "go" if amis else "are gone"
        return PruneItem(
            kind=Kind.PARAMETER,
            region=self._inventory.region,
            id=parameter.name,
            verdict=Verdict.REMOVE,
            reason=f"it {'names' if names else 'belongs to'} {and_so_on(told)}, which {fate}",
            variant=version.variant,
            arch=version.arch.ec2,
            created=parameter.modified,
            after=(*amis, *later_than),
        )

    def _is_left_over(self, anchor: OwnParameter, version: Version) -> bool:
        if anchor.value not in self._inventory.gone or not matches(version.tags, self._rules):
            return False
        # EC2 may not know yet what was registered a moment ago.
        return age(anchor.modified, self._inventory.now) >= self._rules.older_than


def _by_name(parameters: Sequence[OwnParameter]) -> list[OwnParameter]:
    return sorted(parameters, key=lambda parameter: parameter.name)


def _is_anchor(parameter: OwnParameter) -> bool:
    return parameter.name.endswith(_ANCHOR) and version_in(parameter.name) is not None


def _folder(parameter: OwnParameter) -> str:
    return parameter.name.rpartition("/")[0]
