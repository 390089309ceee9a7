"""All that is done with the images of one version: AMIs made, shared, verified, named in SSM, promoted; in this order.

Every step looks first at what is there. What finds an AMI by its SSM parameter may use it at once, so the parameters
come after all that can be seen of the AMI was held against what was asked for, and `latest` after all regions.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from brqos.ami.everywhere import everywhere
from brqos.ami.inspection.regions import inspect_all
from brqos.ami.inspection.result import Inspection, Verdict, told
from brqos.ami.making.make import Making, make_all
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan, SnapshotPlan
from brqos.ami.publishing.promotion import Promotion, PromotionFailedError, promote, proven
from brqos.ami.publishing.steps import check_publication, name_in_ssm, share_and_mark
from brqos.ami.setting import RegionSetting
from brqos.ami.upload.expected_blocks import ExpectedBlocks, expected_of
from brqos.errors import AwsError, BrqosError
from brqos.image.model import ImageRole
from brqos.monitor import Monitor

OnAmi = Callable[[str, RegionAmi], None]


class RegionsFailedError(AwsError):
    """Some regions are not as they should be; `failures` has the error of each, `amis` every AMI that is there."""

    def __init__(self, amis: Mapping[str, RegionAmi], failures: Mapping[str, BrqosError]) -> None:
        good = ", ".join(f"{region} ({ami.id})" for region, ami in amis.items() if region not in failures)
        absent = [region for region in failures if region not in amis]
        amiss = [region for region in failures if region in amis]
        what = [f"no AMI in {', '.join(absent)}"] if absent else []
        what += [f"not all is done with the AMI in {', '.join(amiss)}"] if amiss else []
        super().__init__(
            ", and ".join(what),
            why="\n".join(
                [*(f"{region}: {error}" for region, error in failures.items()), f"Done: {good or 'no region'}."]
            ),
            todo="Run the same command again: it takes what is there and makes what is missing.",
        )
        self.amis = dict(amis)
        self.failures = dict(failures)


@dataclass(frozen=True, slots=True)
class Released:
    """What there is now, and what this run did for it."""

    amis: Mapping[str, RegionAmi]
    failures: Mapping[str, BrqosError]
    sent: Mapping[ImageRole, int] = field(default_factory=dict)
    puts: int = 0
    upload_seconds: float = 0.0
    inspection: Inspection = field(default_factory=Inspection)
    promotion: Promotion | None = None
    promotion_failure: BrqosError | None = None

    def check(self) -> None:
        """Raise the only failure there is, or RegionsFailedError with those of all regions."""
        if not self.failures:
            if self.promotion_failure is not None:
                raise self.promotion_failure
            return
        if len({*self.failures, *self.amis}) == 1:
            raise next(iter(self.failures.values()))
        raise RegionsFailedError(self.amis, self.failures)


def release(
    plans: Sequence[AmiPlan], settings: Mapping[str, RegionSetting], monitor: Monitor, on_ami: OnAmi = lambda *_: None
) -> Released:
    """Do all of it in all regions; `on_ami` hears of an AMI each time something was done with it, by one at a time.

    What fails in one region is told in the result, and does not keep the others back. Raises ConfigurationError for
    wishes that AWS would refuse, before anything is made.
    """
    check_publication(plans[0].publication)
    work = _Release(plans, settings, monitor, on_ami)
    try:
        work.make()
        work.share()
        work.inspect()
        work.name()
        if plans[0].publication.promote:
            work.promote()
    except KeyboardInterrupt:
        work.tell_what_stays()
        raise
    making = work.making
    # Regions end in any order; they are told in the one that was asked for.
    amis = {plan.region: making.amis[plan.region] for plan in plans if plan.region in making.amis}
    failures = {plan.region: making.failures[plan.region] for plan in plans if plan.region in making.failures}
    return Released(
        amis, failures, making.sent, making.puts, making.seconds, work.inspection, work.promotion,
        work.promotion_failure,
    )  # fmt: skip


class _Release:
    """The steps of one release; each works on the regions that the steps before it have not failed in."""

    def __init__(
        self, plans: Sequence[AmiPlan], settings: Mapping[str, RegionSetting], monitor: Monitor, on_ami: OnAmi
    ) -> None:
        self._plans = {plan.region: plan for plan in plans}
        self._settings = settings
        self._monitor = monitor
        self._on_ami = on_ami
        self._telling = threading.Lock()
        self._heard: dict[str, RegionAmi] = {}
        self.making = Making()
        self.inspection = Inspection()
        self.promotion: Promotion | None = None
        self.promotion_failure: BrqosError | None = None

    def make(self) -> None:
        self.making = make_all(list(self._plans.values()), self._settings, self._tell)

    def share(self) -> None:
        def work(region: str) -> None:
            share_and_mark(
                self._settings[region].session,
                region,
                self.making.amis[region],
                self._plans[region].publication,
                self._monitor,
                on_step=lambda ami: self._changed(region, ami),
                stop=self._settings[region].stop,
            )

        self._everywhere(work)

    def inspect(self) -> None:
        good = self._good()
        expected = self._expected() if good else {}
        sessions = {region: self._settings[region].session for region in good}
        plans = {region: self._plans[region] for region in good}
        self.inspection = inspect_all(sessions, self.making.amis, plans, expected, self._monitor, named=False)
        for region, rows in self.inspection.having(Verdict.DIFFERENT).items():
            self._failed(region, _unlike(self.making.amis[region], region, told({region: rows})))
        for region, rows in self.inspection.having(Verdict.UNKNOWN).items():
            self._monitor.warn(f"not everything could be verified: {told({region: rows})}")

    def name(self) -> None:
        def work(region: str) -> None:
            setting, publication = self._settings[region], self._plans[region].publication
            ami = name_in_ssm(
                setting.session, region, self.making.amis[region], publication, self._monitor, stop=setting.stop
            )
            self._changed(region, ami)

        self._everywhere(work)

    def promote(self) -> None:
        if self.making.failures:
            self._monitor.warn("the version is not promoted, since not every region has what was asked for")
            return
        sessions = {region: setting.session for region, setting in self._settings.items()}
        publication = next(iter(self._plans.values())).publication
        try:
            proof = proven(self.making.amis, self.inspection)
            self.promotion = promote(proof, publication, sessions, self._monitor)
        except PromotionFailedError as error:
            self.promotion, self.promotion_failure = error.promotion, error
        except BrqosError as error:
            self.promotion_failure = error

    def tell_what_stays(self) -> None:
        for region, ami in self._heard.items():
            self._monitor.warn(
                f"{region}: {ami.id} is there and stays; the same command goes on with it, and `brqos prune` removes"
                " what is not wanted any more"
            )

    def _expected(self) -> Mapping[ImageRole, ExpectedBlocks]:
        """What the snapshots hold: from the upload where there was one, else from the images, each read once."""
        snapshots = {item.role: item for plan in self._plans.values() for item in plan.snapshots}
        return {role: self.making.expected.get(role) or self._read(item) for role, item in snapshots.items()}

    def _read(self, item: SnapshotPlan) -> ExpectedBlocks:
        with self._monitor.task(f"Reading the {item.role.value} image, to verify its snapshots"):
            return expected_of(item.image, omit_zeros=item.omit_zeros)

    def _everywhere(self, work: Callable[[str], None]) -> None:
        good = self._good()
        if not good:
            return
        for region, error in everywhere(good, work, stop=self._settings[good[0]].stop).failures.items():
            self._failed(region, error)

    def _good(self) -> list[str]:
        return [region for region in self._plans if region in self.making.amis and region not in self.making.failures]

    def _failed(self, region: str, error: BrqosError) -> None:
        self.making.failures[region] = error
        self._monitor.warn(f"{region}: {error.what}")

    def _changed(self, region: str, ami: RegionAmi) -> None:
        self.making.amis[region] = ami
        self._tell(region, ami)

    def _tell(self, region: str, ami: RegionAmi) -> None:
        with self._telling:
            self._heard[region] = ami
            self._on_ami(region, ami)


def _unlike(ami: RegionAmi, region: str, why: str) -> AwsError:
    return AwsError(
        f"the AMI {ami.id} in {region} is not what was asked for",
        why=why,
        todo="Register under another name where the content differs; for the rest run the same command again.",
    )
