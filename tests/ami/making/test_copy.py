"""AMIs in several regions: copies, their tags and keys, and what happens where a region fails."""

from collections.abc import Callable
from typing import Any

import pytest

from brqos.ami.model import RegionAmi
from brqos.ami.plan import plan_amis
from brqos.ami.release import Released, release
from brqos.ami.request import AmiRequest
from brqos.aws.errors import AwsCallError
from brqos.config.ami import AmiSpec
from brqos.image.model import ImageRole
from brqos.rehearsal.emulator import Emulator, Fault

from ..conftest import Recorder, Settings

pytestmark = pytest.mark.loopback
REGIONS = ("eu-west-1", "us-east-1", "eu-north-1")
KEY = "arn:aws:kms:{0}:000000000000:key/12345678-1234-1234-1234-123456789012"
DENIED = Fault("UnauthorizedOperation", 403)

Publish = Callable[..., Released]


@pytest.fixture
def publish(request_for: Callable[..., AmiRequest], settings: Settings, monitor: Recorder) -> Publish:
    images = request_for().images

    def run(**fields: Any) -> Released:
        spec = AmiSpec.model_validate({"regions": REGIONS, **fields})
        plans = plan_amis(request_for(*images, spec=spec, secure_boot=True, uefi_data="QUJD"))
        return release(plans, settings(*spec.regions), monitor)

    return run


def test_the_first_is_uploaded_and_the_others_are_copies(publish: Publish, emulator: Emulator) -> None:
    released = publish()
    released.check()
    assert {region: ami.copied_from for region, ami in released.amis.items()} == {
        "eu-west-1": None,
        "us-east-1": "eu-west-1",
        "eu-north-1": "eu-west-1",
    }
    assert (emulator.calls["StartSnapshot"], emulator.calls["CopyImage"]) == (2, 2)
    images = {image.region: image for image in emulator.store.images.values()}
    first = images["eu-west-1"]
    for region in REGIONS[1:]:
        image = images[region]
        assert image.attributes["uefiData"] == "QUJD"
        assert image.tags == first.tags
        snapshots = released.amis[region].snapshots
        for role in ImageRole:
            copied = emulator.store.snapshots[snapshots[role]]
            original = emulator.store.snapshots[released.amis["eu-west-1"].snapshots[role]]
            assert copied.blocks == original.blocks
            assert copied.tags == original.tags, "a copy's snapshots are found again like uploaded ones"
    assert released.inspection.agreed


def test_nothing_is_copied_twice(publish: Publish, emulator: Emulator) -> None:
    first = publish()
    again = publish()
    again.check()
    assert {region: ami.id for region, ami in again.amis.items()} == {
        region: ami.id for region, ami in first.amis.items()
    }
    assert emulator.calls["CopyImage"] == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault("RequestLimitExceeded", 503),
        Fault("InternalError", 500, after_effect=True),
        Fault(drop=True, after_effect=True),
    ],
)
def test_a_lost_answer_makes_no_second_copy(publish: Publish, emulator: Emulator, fault: Fault) -> None:
    emulator.faults.inject("CopyImage", fault)
    publish(regions=REGIONS[:2]).check()
    assert len(emulator.store.images) == 2


def test_a_copy_that_fails_is_cleared_away(publish: Publish, emulator: Emulator, monkeypatch: Any) -> None:
    monkeypatch.setattr("brqos.ami.making.copy._UNKNOWN_SECONDS", 0.3)
    publish(regions=REGIONS[:1]).check()
    emulator.faults.fail_copies()
    released = publish(regions=REGIONS[:2])
    assert set(released.failures) == {"us-east-1"}
    assert [image.region for image in emulator.store.images.values()] == ["eu-west-1"]
    assert {snapshot.region for snapshot in emulator.store.snapshots.values()} == {"eu-west-1"}
    publish(regions=REGIONS[:2]).check()


def test_one_snapshot_of_a_failed_copy_that_is_gone_does_not_keep_the_other(
    publish: Publish, emulator: Emulator, monkeypatch: Any
) -> None:
    publish(regions=REGIONS[:1]).check()
    emulator.faults.fail_copies()
    emulator.faults.inject("DeleteSnapshot", Fault("InvalidSnapshot.NotFound", 400))
    released = publish(regions=REGIONS[:2])
    assert "It was deregistered" in released.failures["us-east-1"].todo
    left = [snapshot for snapshot in emulator.store.snapshots.values() if snapshot.region == "us-east-1"]
    assert len(left) == 1


def test_good_snapshots_stay_when_a_later_copy_there_fails(publish: Publish, emulator: Emulator) -> None:
    """The second region was uploaded to, as the first one failed; then it is to be a copy, and finds a failed AMI."""
    emulator.faults.inject("RegisterImage", DENIED)
    emulator.faults.fail_images()
    publish(regions=REGIONS[:2])
    uploaded = {item.id for item in emulator.store.snapshots.values() if item.region == "us-east-1"}
    publish(regions=REGIONS[:2])
    assert uploaded <= set(emulator.store.snapshots)


def test_a_copy_that_was_deregistered_is_made_again(publish: Publish, emulator: Emulator, monkeypatch: Any) -> None:
    monkeypatch.setattr("brqos.ami.making.copy._UNKNOWN_SECONDS", 0.3)
    first = publish(regions=REGIONS[:2])
    del emulator.store.images[first.amis["us-east-1"].id]
    again = publish(regions=REGIONS[:2])
    again.check()
    assert again.amis["us-east-1"].id != first.amis["us-east-1"].id


def test_where_the_first_fails_the_next_takes_its_place(publish: Publish, emulator: Emulator) -> None:
    emulator.faults.inject("RegisterImage", DENIED)
    released = publish()
    assert set(released.failures) == {"eu-west-1"}
    assert isinstance(released.failures["eu-west-1"], AwsCallError)
    assert {region: ami.copied_from for region, ami in released.amis.items()} == {
        "us-east-1": None,
        "eu-north-1": "us-east-1",
    }
    publish().check()
    assert len(emulator.store.images) == 3


def test_credentials_that_expired_are_not_tried_in_every_region(publish: Publish, emulator: Emulator) -> None:
    emulator.faults.inject("StartSnapshot", Fault("ExpiredTokenException", 403), times=100)
    released = publish()
    assert set(released.failures) == set(REGIONS)
    assert "nothing was copied to us-east-1" in released.failures["us-east-1"].what
    assert emulator.calls["StartSnapshot"] <= 2


def test_keys(publish: Publish, emulator: Emulator) -> None:
    keys = {region: KEY.format(region) for region in REGIONS[:2]}
    released = publish(kms_keys=keys)
    released.check()
    for region, ami in released.amis.items():
        for snapshot in ami.snapshots.values():
            found = emulator.store.snapshots[snapshot]
            assert (found.encrypted, found.kms_key) == (region in keys, keys.get(region))
    assert released.amis["us-east-1"].copied_from == "eu-west-1"
    assert released.amis["eu-north-1"].copied_from is None, "a copy of what is encrypted would be encrypted"


def test_a_plain_snapshot_does_not_stand_for_an_encrypted_one(publish: Publish, emulator: Emulator) -> None:
    publish(regions=REGIONS[:1], name="plain").check()
    publish(regions=REGIONS[:1], name="encrypted", kms_keys={"eu-west-1": KEY.format("eu-west-1")}).check()
    assert sorted(snapshot.encrypted for snapshot in emulator.store.snapshots.values()) == [False, False, True, True]
    publish(regions=REGIONS[:1], name="plain-again").check()
    assert len(emulator.store.snapshots) == 4


def test_everything_at_once(publish: Publish, emulator: Emulator) -> None:
    released = publish(
        share_accounts=("123456789012",), deprecate_after="90d", protect=True, ssm_prefix="/images", promote=True
    )
    released.check()
    assert released.promotion is not None
    assert set(released.promotion.regions) == set(REGIONS)
    for ami in released.amis.values():
        assert ami.shared_with == ("123456789012",)
        names = set(ami.parameters)
        assert names == {
            "/images/aws-k8s-1.29-memoryqos/x86_64/1.50.0-0123abcd/image_id",
            "/images/aws-k8s-1.29-memoryqos/x86_64/1.50.0-0123abcd/image_version",
        }


def test_one_region_that_is_not_verified_keeps_latest_back(
    publish: Publish, emulator: Emulator, monitor: Recorder
) -> None:
    emulator.faults.inject("CopyImage", DENIED)
    released = publish(ssm_prefix="/images", promote=True)
    assert len(released.failures) == 1
    assert released.promotion is None
    assert any("is not promoted" in warning for warning in monitor.warnings)


def test_on_ami_hears_of_every_step(
    request_for: Callable[..., AmiRequest], settings: Settings, monitor: Recorder, emulator: Emulator
) -> None:
    spec = AmiSpec(regions=("eu-west-1",), share_accounts=("123456789012",), ssm_prefix="/images")
    heard: list[RegionAmi] = []
    release(
        plan_amis(request_for(spec=spec)), settings("eu-west-1"), monitor, lambda _region, ami: heard.append(ami)
    ).check()
    assert [(bool(ami.shared_with), bool(ami.parameters)) for ami in heard] == [
        (False, False),
        (True, False),
        (True, True),
    ]
