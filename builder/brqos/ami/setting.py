"""What working in one region needs, beside the plan: who asks, where journals lie, whom to tell, when to stop."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from brqos.ami.upload.journal import journal_folder
from brqos.aws.ec2 import Ec2
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.regions import AwsRegions
from brqos.aws.retry import Retry
from brqos.aws.session import AwsSession
from brqos.monitor import Monitor, Silent


@dataclass(frozen=True)
class RegionSetting:
    """One region and the identity that is used there; safe to use from any thread once `ec2` was asked for."""

    region: str
    session: AwsSession
    monitor: Monitor = field(default_factory=Silent)
    stop: threading.Event = field(default_factory=threading.Event)
    retry: Retry = field(default_factory=Retry)
    journals: Path = field(default_factory=journal_folder)

    @cached_property
    def ec2(self) -> Ec2:
        """EC2 there."""
        return self.session.ec2(self.region)

    def encrypts_by_default(self) -> bool:
        """Whether the account encrypts what nobody asked to be encrypted; not, where that may not be asked."""
        try:
            return self.session.image_attributes(self.region).ebs_encryption_by_default()
        except AwsCallError as error:
            if error.kind is ErrorKind.ACCESS_DENIED:
                return False
            raise

    @cached_property
    def account(self) -> str:
        """The account that everything is made in; raises AwsCallError."""
        return self.session.identity(self.region).account


def settings_for(
    regions: Iterable[str],
    aws: AwsRegions,
    monitor: Monitor,
    *,
    journals: Path | None = None,
    retry: Retry | None = None,
) -> dict[str, RegionSetting]:
    """The settings of several regions, which one signal stops."""
    stop = threading.Event()
    return {
        region: RegionSetting(
            region, aws.session(region), monitor, stop, retry=retry or Retry(), journals=journals or journal_folder()
        )
        for region in regions
    }
