"""What uploads leave on this machine that were not finished: it goes when it is of no use to anybody any more."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from brqos.ami.plan import AmiPlan, plan_amis
from brqos.ami.release import release
from brqos.ami.request import AmiRequest
from brqos.ami.upload.journal import Begun, Journal, file_of, journals
from brqos.ami.upload.snapshot import upload_key
from brqos.ami.upload.unfinished import check_unchanged, drop_unfinished, under_way
from brqos.image.model import Image, ImageRole
from brqos.rehearsal.emulator import ACCOUNT, Emulator, Fault

from ..conftest import REGION, Recorder, Settings

pytestmark = pytest.mark.loopback
DENIED = Fault("AccessDeniedException", 403, after_effect=True)
LONG_AGO = time.time() - 26 * 3600


@pytest.fixture
def plans(request_for: Callable[..., AmiRequest], make_image: Callable[..., Image]) -> tuple[AmiPlan, ...]:
    return plan_amis(request_for(make_image(ImageRole.OS)))


@pytest.fixture
def folder(settings: Settings) -> Path:
    return settings(REGION)[REGION].journals


def begin(plan: AmiPlan, folder: Path, monitor: Recorder, snapshot: str, **fields: object) -> Path:
    """A journal as a run leaves it that was killed."""
    (item,) = plan.snapshots
    values = {
        "key": upload_key(item, plan.region, ACCOUNT), "generation": 0, "snapshot": snapshot, "region": plan.region,
        "account": ACCOUNT, "image": item.image.file.absolute(), "sha256": item.image.sha256, "blocks": item.blocks,
        "started": 1.0, **fields,
    }  # fmt: skip
    begun = Begun.model_validate(values)
    journal = Journal(file_of(folder, begun.key), monitor)
    journal.begin(begun)
    journal.close()
    return file_of(folder, begun.key)


def test_a_journal_that_its_run_could_not_drop_goes_with_the_ami(
    plans: tuple[AmiPlan, ...], settings: Settings, emulator: Emulator, monitor: Recorder, folder: Path
) -> None:
    emulator.faults.inject("CompleteSnapshot", DENIED)
    assert release(plans, settings(REGION), monitor).failures
    assert list(journals(folder))
    release(plans, settings(REGION), monitor).check()
    assert list(folder.iterdir()) == []
    assert len(emulator.store.snapshots) == 1


def test_a_journal_goes_also_where_another_machine_has_made_the_ami(
    plans: tuple[AmiPlan, ...], settings: Settings, emulator: Emulator, monitor: Recorder, folder: Path
) -> None:
    release(plans, settings(REGION), monitor).check()
    (snapshot,) = emulator.store.snapshots
    begin(plans[0], folder, monitor, snapshot)
    release(plans, settings(REGION), monitor).check()
    assert list(folder.iterdir()) == []
    assert list(emulator.store.snapshots) == [snapshot]


def test_what_was_begun_and_is_not_the_amis_is_deleted(
    plans: tuple[AmiPlan, ...], settings: Settings, emulator: Emulator, monitor: Recorder, folder: Path
) -> None:
    release(plans, settings(REGION), monitor).check()
    (used,) = emulator.store.snapshots
    setting = settings(REGION)[REGION]
    begun = setting.session.ebs(REGION).start(
        volume_gib=1, description="", tags={}, token="earlier", timeout_minutes=60
    )
    begin(plans[0], folder, monitor, begun.id)
    release(plans, settings(REGION), monitor).check()
    assert list(folder.iterdir()) == []
    assert list(emulator.store.snapshots) == [used]


def test_what_cannot_be_deleted_is_told_and_keeps_its_journal(
    plans: tuple[AmiPlan, ...], settings: Settings, emulator: Emulator, monitor: Recorder, folder: Path
) -> None:
    release(plans, settings(REGION), monitor).check()
    emulator.deny("ec2:DeleteSnapshot")
    begin(plans[0], folder, monitor, "snap-0123456789abcdef0")
    release(plans, settings(REGION), monitor).check()
    assert len(list(folder.iterdir())) == 1
    assert any("what an earlier upload left cannot be cleared away" in words for words in monitor.warnings)


def test_what_aws_has_cancelled_by_now_is_under_way_no_more(
    plans: tuple[AmiPlan, ...], settings: Settings, folder: Path, monitor: Recorder
) -> None:
    file = begin(plans[0], folder, monitor, "snap-0123456789abcdef0", sha256="b" * 64)
    assert under_way(folder) == {"snap-0123456789abcdef0"}
    os.utime(file, (LONG_AGO, LONG_AGO))
    assert under_way(folder) == frozenset()
    # Nor does it keep another image from being uploaded.
    check_unchanged(plans, settings(REGION), folder)


def test_another_accounts_upload_is_no_concern(
    plans: tuple[AmiPlan, ...], settings: Settings, folder: Path, monitor: Recorder
) -> None:
    begin(plans[0], folder, monitor, "snap-0123456789abcdef0", sha256="b" * 64, account="210987654321")
    check_unchanged(plans, settings(REGION), folder)
    drop_unfinished(plans, settings(REGION), folder)
    assert under_way(folder) == {"snap-0123456789abcdef0"}
