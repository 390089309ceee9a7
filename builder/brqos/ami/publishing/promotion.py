"""Promotion: `<prefix>/<variant>/<arch>/latest` names a version, the same one in every region.

All regions are looked at before the first is written to. In a region `image_id` is written first and read back: what
`image_version` says of `latest` is true at any time, or the version before.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from brqos.ami.everywhere import everywhere, told
from brqos.ami.inspection.result import Inspection, Verdict
from brqos.ami.inspection.result import told as rows_told
from brqos.ami.model import RegionAmi
from brqos.ami.publication import LATEST, Publication
from brqos.ami.publishing.latest import PROMOTED, agreed_target, rolled_back, standing
from brqos.ami.publishing.parameter_names import Wanted, further_names, names
from brqos.ami.publishing.parameters import await_values, put
from brqos.ami.publishing.steps import available
from brqos.aws.parameters import IMAGE, TEXT, Parameters
from brqos.aws.session import AwsSession
from brqos.config.base import Model
from brqos.errors import AwsError, BrqosError, ConfigurationError
from brqos.monitor import Monitor

Sessions = Mapping[str, AwsSession]
"""Per region the session to ask it with."""


class PromotedRegion(Model):
    """What `latest` named in one region, and what it names now; None where that is not known or nothing.

    `image_id` is the AMI of the version that it shall name.
    """

    before: str | None
    after: str | None
    image_id: str
    changed: bool


class Promotion(Model):
    """What came of a promotion or a rollback, per region."""

    version: str
    regions: dict[str, PromotedRegion]


@dataclass(frozen=True, slots=True)
class ProvenAmis:
    """AMIs of which an inspection of every region found nothing amiss; `proven` makes them."""

    amis: Mapping[str, RegionAmi]


class PromotionFailedError(AwsError):
    """Some regions were not written to; `promotion` tells what every region has now."""

    def __init__(self, promotion: Promotion, failures: Mapping[str, BrqosError], todo: str) -> None:
        have = [f"{region}: {LATEST} is {done.after or 'not known'}" for region, done in promotion.regions.items()]
        super().__init__(
            f"{LATEST} is not {promotion.version} in {', '.join(failures)}",
            why="\n".join([told(failures), *have]),
            todo=todo,
        )
        self.promotion = promotion
        self.failures = dict(failures)


def proven(amis: Mapping[str, RegionAmi], inspection: Inspection) -> ProvenAmis:
    """The AMIs, if each was inspected and all is as it was asked for; raises AwsError otherwise."""
    absent = [region for region in amis if not inspection.regions.get(region)]
    amiss = {**inspection.having(Verdict.UNKNOWN), **inspection.having(Verdict.DIFFERENT)}
    if not amis or absent or amiss:
        why = [f"Not inspected: {', '.join(absent)}."] if absent else []
        where = f" in {', '.join(amis)}" if amis else ""
        raise AwsError(
            f"the version is not promoted{where}: not every region's AMI is verified",
            why="\n".join([*why, rows_told(amiss)] if amiss else why) or "There is no AMI.",
            todo="Run the same command again once every region has its AMI and --verify finds nothing amiss.",
        )
    return ProvenAmis(dict(amis))


def promote(proof: ProvenAmis, publication: Publication, sessions: Sessions, monitor: Monitor) -> Promotion:
    """Make `latest` name the version of the publication in every region of the proof.

    Raises AwsError before anything is written, PromotionFailedError (an AwsError) after that.
    """
    work = _Latest(publication, sessions, monitor)
    targets = work.targets(publication.subject.image_version, proof.amis)
    foreign = [
        f"{region}: {targets[region]}, not {ami.id}" for region, ami in proof.amis.items() if targets[region] != ami.id
    ]
    if foreign:
        raise AwsError(
            f"{publication.subject.image_version} is not promoted: its parameters name other AMIs",
            why="\n".join(foreign),
            todo="Publish this version's parameters first; nothing was changed.",
        )
    todo = "Run the same command again: it writes where the version is missing and leaves the rest."
    return work.write(publication.subject.image_version, targets, lambda _: PROMOTED, todo)


def rollback(publication: Publication, sessions: Sessions, monitor: Monitor, *, to: str | None = None) -> Promotion:
    """Make `latest` name the version before the current one in every region, or the version `to`.

    What was before is what the parameter's history tells, without what was rolled back already. Raises AwsError before
    anything is written (a version or an AMI that is gone included), PromotionFailedError after that.
    """
    work = _Latest(publication, sessions, monitor)
    target = to or work.version_before()
    targets = work.targets(target, sessions)
    todo = f"Run it again with --to {target}: the version before the current one is not the same everywhere now."
    return work.write(target, targets, lambda current: rolled_back(current or "nothing"), todo)


def preview_rollback(
    publication: Publication, sessions: Sessions, monitor: Monitor, *, to: str | None = None
) -> Promotion:
    """What `rollback` would make of `latest` in every region, after the same look; nothing is changed."""
    work = _Latest(publication, sessions, monitor)
    target = to or work.version_before()
    return work.preview(target, work.targets(target, sessions))


class _Latest:
    """The parameters of `latest` in all regions."""

    def __init__(self, publication: Publication, sessions: Sessions, monitor: Monitor) -> None:
        if publication.ssm_prefix is None:
            raise ConfigurationError(
                "there are no SSM parameters to promote",
                why="Nothing says under which names they are.",
                todo="Give --ssm-prefix, or ssm-prefix in [ami].",
            )
        self._prefix = publication.ssm_prefix
        self._publication = publication
        self._sessions = sessions
        self._monitor = monitor
        self._names = names(self._prefix, publication.subject, LATEST)
        self._stop = threading.Event()

    def version_before(self) -> str:
        """The one version to go back to."""
        looked = everywhere(
            self._sessions,
            lambda region: standing(self._sessions[region].parameters(region).history(self._names.image_version)),
        )
        if looked.failures:
            raise _unchanged("the history of latest cannot be read everywhere", looked.failures)
        return agreed_target(looked.results, self._names.image_version)

    def targets(self, version: str, regions: Mapping[str, object]) -> dict[str, str]:
        """Per region the AMI that a version's parameters name; every one is there and available, else AwsError."""
        version_names = names(self._prefix, self._publication.subject, version)

        def look(region: str) -> str:
            found = self._sessions[region].parameters(region).get([version_names.image_id, version_names.image_version])
            for name in (version_names.image_id, version_names.image_version):
                if name not in found:
                    raise AwsError(f"there is no SSM parameter {name} in {region}")
            if (told_version := found[version_names.image_version].value) != version:
                raise AwsError(f"{version_names.image_version} in {region} is {told_version}, not {version}")
            return available(found[version_names.image_id].value, self._sessions[region].ec2(region)).id

        looked = everywhere(regions, look)
        if looked.failures:
            raise _unchanged(f"{version} cannot be {LATEST} everywhere", looked.failures)
        return dict(looked.results)

    def preview(self, version: str, targets: Mapping[str, str]) -> Promotion:
        """What every region has, and would have."""
        before = self._before(targets)
        return Promotion(
            version=version,
            regions={
                region: PromotedRegion(
                    before=before[region][1],
                    after=version,
                    image_id=targets[region],
                    changed=before[region] != (targets[region], version),
                )
                for region in targets
            },
        )

    def write(
        self, version: str, targets: Mapping[str, str], description: Callable[[str | None], str], todo: str
    ) -> Promotion:
        """Write all regions, whatever becomes of the others; `description` is made from the version before."""
        before = self._before(targets)

        def point(region: str) -> None:
            current = before[region]
            # What is right already is looked at all the same where there is more than the two that were read.
            if current != (targets[region], version) or self._publication.parameters:
                self._point(region, version, targets[region], description(current[1]))

        done = everywhere(targets, point, stop=self._stop)
        after = everywhere(done.failures, self._current)
        promotion = Promotion(
            version=version,
            regions={
                region: PromotedRegion(
                    before=before[region][1],
                    after=version if region in done.results else after.results.get(region, (None, None))[1],
                    image_id=targets[region],
                    changed=region in done.results and before[region] != (targets[region], version),
                )
                for region in targets
            },
        )
        if done.failures:
            raise PromotionFailedError(promotion, done.failures, todo)
        return promotion

    def _before(self, regions: Mapping[str, str]) -> Mapping[str, tuple[str | None, str | None]]:
        """AMI and version that `latest` names now, per region; raises AwsError where one cannot be read."""
        looked = everywhere(regions, self._current)
        if looked.failures:
            raise _unchanged(f"what is {LATEST} now cannot be read everywhere", looked.failures)
        return looked.results

    def _current(self, region: str) -> tuple[str | None, str | None]:
        found = self._sessions[region].parameters(region).get([self._names.image_id, self._names.image_version])
        image_id, version = found.get(self._names.image_id), found.get(self._names.image_version)
        return (image_id.value if image_id else None, version.value if version else None)

    def _point(self, region: str, version: str, image_id: str, description: str) -> None:
        parameters = self._sessions[region].parameters(region)
        wishes = (
            Wanted(self._names.image_id, image_id, IMAGE),
            *self._further(parameters, version),
            Wanted(self._names.image_version, version, TEXT),
        )
        for wish in wishes:
            put(parameters, wish, description, self._publication.tags)
            await_values(parameters, (wish,), self._monitor, stop=self._stop)
        self._monitor.note(f"{region}: {self._names.image_id} is {image_id} ({version})")

    def _further(self, parameters: Parameters, version: str) -> tuple[Wanted, ...]:
        """The version's other parameters as those of `latest`; one that the version does not have is left out."""
        pairs = dict(
            zip(further_names(self._publication, version), further_names(self._publication, LATEST), strict=True)
        )
        found = parameters.get(pairs)
        return tuple(Wanted(pairs[name], found[name].value, found[name].data_type) for name in pairs if name in found)


def _unchanged(what: str, failures: Mapping[str, BrqosError]) -> AwsError:
    return AwsError(what, why=told(failures), todo="Correct what is amiss; nothing was changed in any region.")
