"""Uploads that an earlier run on this machine did not finish: not gone on with for another image, and dropped."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan
from brqos.ami.setting import RegionSetting
from brqos.ami.upload.channel import TIMEOUT_MINUTES
from brqos.ami.upload.journal import SUFFIX, Begun, Journal, file_of, journals
from brqos.ami.upload.snapshot import upload_key
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.errors import ConfigurationError

# A journal that nothing was written to for so long tells of a snapshot that AWS has cancelled by now.
_DEAD_SECONDS = (TIMEOUT_MINUTES + 60) * 60.0


def check_unchanged(plans: Sequence[AmiPlan], settings: Mapping[str, RegionSetting], folder: Path) -> None:
    """Refuse an image file that is another one than when its upload was begun.

    Raises ConfigurationError; AwsCallError where the account has to be asked and cannot.
    """
    images = {item.image.file.absolute(): item.image for plan in plans for item in plan.snapshots}
    for file, begun in _begun_for(plans, settings, folder):
        image = images[begun.image]
        if begun.snapshot and _may_go_on(file) and begun.sha256 != image.sha256:
            raise ConfigurationError(
                f"{image.file} has changed since its upload to {begun.region} was begun",
                why=f"{begun.snapshot} has blocks of the image with SHA-256 {begun.sha256}; now it is {image.sha256}.",
                todo="Give the image as it was to go on, or drop what was begun with --restart.",
            )


def drop_unfinished(plans: Sequence[AmiPlan], settings: Mapping[str, RegionSetting], folder: Path) -> None:
    """Delete the unfinished snapshots of these image files, so that their upload begins anew; raises AwsCallError."""
    for file, begun in _begun_for(plans, settings, folder):
        if not begun.snapshot:
            continue
        setting = settings[begun.region]
        _delete(begun.snapshot, setting)
        Journal(file, setting.monitor).restart()
        setting.monitor.note(f"{begun.region}: dropped the unfinished {begun.snapshot}")


def forget_done(plan: AmiPlan, ami: RegionAmi, setting: RegionSetting) -> None:
    """Drop the journals of a region that has its AMI: a run was killed before it could, or another one was faster.

    A snapshot that was begun and is not the AMI's is deleted, since nothing will go on with it. What cannot be done is
    a warning.
    """
    if not any(setting.journals.glob(f"*{SUFFIX}")):
        return
    for item in plan.snapshots:
        try:
            key = upload_key(item, plan.region, setting.account)
            journal = Journal(file_of(setting.journals, key), setting.monitor)
            if journal.begun and journal.begun.snapshot not in ("", *ami.snapshots.values()):
                _delete(journal.begun.snapshot, setting)
        except AwsCallError as error:
            setting.monitor.warn(f"{plan.region}: what an earlier upload left cannot be cleared away: {error.what}")
        else:
            journal.drop()


def _delete(snapshot: str, setting: RegionSetting) -> None:
    try:
        setting.ec2.delete_snapshot(snapshot)
    except AwsCallError as error:
        if error.kind is not ErrorKind.NOT_FOUND:
            raise


def under_way(folder: Path) -> frozenset[str]:
    """The snapshots that uploads on this machine were begun with and not finished, and may be gone on with."""
    return frozenset(begun.snapshot for file, begun in journals(folder) if begun.snapshot and _may_go_on(file))


def _may_go_on(file: Path) -> bool:
    try:
        return time.time() - file.stat().st_mtime < _DEAD_SECONDS
    except FileNotFoundError:
        return False


def _begun_for(
    plans: Sequence[AmiPlan], settings: Mapping[str, RegionSetting], folder: Path
) -> Iterator[tuple[Path, Begun]]:
    """The unfinished uploads of these image files, to these regions, in the accounts that are used there now."""
    files = {item.image.file.absolute() for plan in plans for item in plan.snapshots}
    regions = {plan.region for plan in plans}
    for file, begun in journals(folder):
        if begun.image in files and begun.region in regions and begun.account == settings[begun.region].account:
            yield file, begun
