"""Promotion to `latest` and back, in several regions of moto's; what matters most in the emulator's, too."""

from collections.abc import Iterator
from typing import Any

import moto
import pytest

from ami.worlds import publish_region
from brqos.ami.inspection.result import Inspection, Row, Verdict
from brqos.ami.model import RegionAmi
from brqos.ami.publication import Publication, Subject
from brqos.ami.publishing import parameters as parameters_module
from brqos.ami.publishing import promotion as promotion_module
from brqos.ami.publishing.promotion import PromotionFailedError, promote, proven, rollback
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.parameters import IMAGE, Parameters
from brqos.aws.session import AwsSession
from brqos.errors import AwsError, ConfigurationError
from brqos.rehearsal.emulator import Emulator, Fault

from ..conftest import Recorder
from ..worlds import FOLDER, PREFIX, SUBJECT, World

REGIONS = ("eu-west-1", "us-east-1", "ap-south-1")
LATEST_ID = f"{FOLDER}/latest/image_id"
LATEST_VERSION = f"{FOLDER}/latest/image_version"
OK = Row(check="all", expected="x", found="x", verdict=Verdict.OK)


def wishes(version: str = "1.50.0-0123abcd", prefix: str | None = PREFIX) -> Publication:
    return Publication(subject=Subject(**SUBJECT | {"image_version": version}), ssm_prefix=prefix)


def sound(amis: dict[str, RegionAmi]) -> Inspection:
    return Inspection(regions=dict.fromkeys(amis, (OK,)))


class Releases:
    """Versions, published and promoted in all regions."""

    def __init__(self, world: World, monitor: Recorder) -> None:
        self.world, self.monitor = world, monitor
        self.sessions = dict.fromkeys(REGIONS, world.session)
        self.amis: dict[str, dict[str, RegionAmi]] = {}

    def publish(self, version: str) -> None:
        self.amis[version] = {}
        for region in REGIONS:
            ami = self.world.make_ami(region, f"bottlerocket-{version}")
            self.amis[version][region] = publish_region(self.world.session, region, ami, wishes(version), self.monitor)

    def promote(self, version: str) -> Any:
        amis = self.amis[version]
        return promote(proven(amis, sound(amis)), wishes(version), self.sessions, self.monitor)

    def rollback(self, to: str | None = None) -> Any:
        return rollback(wishes("anything"), self.sessions, self.monitor, to=to)

    def latest(self) -> dict[str, str | None]:
        return {region: self.world.parameters(region).get(LATEST_VERSION) for region in REGIONS}

    def check(self, version: str) -> None:
        """`latest` is this version everywhere, and names its AMIs."""
        assert self.latest() == dict.fromkeys(REGIONS, version)
        for region in REGIONS:
            assert self.world.parameters(region)[LATEST_ID] == self.amis[version][region].id


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if getattr(request, "param", "moto") == "emulator":
        yield World(request.getfixturevalue("session"))
    else:
        with moto.mock_aws():
            yield World(AwsSession(credentials=("testing", "testing")))


in_both = pytest.mark.parametrize(
    "world", ["moto", pytest.param("emulator", marks=pytest.mark.loopback)], indirect=True
)
in_the_emulator = pytest.mark.parametrize(
    "world", [pytest.param("emulator", marks=pytest.mark.loopback)], indirect=True
)


@pytest.fixture
def releases(world: World, monitor: Recorder) -> Releases:
    releases = Releases(world, monitor)
    for version in ("1.1.0-a", "1.2.0-b", "1.3.0-c"):
        releases.publish(version)
    return releases


def broken_in(region: str, operation: str, monkeypatch: pytest.MonkeyPatch, kind: ErrorKind) -> None:
    """This call of the Parameter Store fails in one region."""
    real = getattr(Parameters, operation)

    def call(self: Parameters, *args: Any, **more: Any) -> Any:
        if self.region == region:
            raise AwsCallError(f"{operation} failed", kind=kind, why="injected")
        return real(self, *args, **more)

    monkeypatch.setattr(Parameters, operation, call)


@in_both
def test_a_promotion(releases: Releases) -> None:
    done = releases.promote("1.1.0-a")
    releases.check("1.1.0-a")
    assert done.version == "1.1.0-a"
    assert set(done.regions) == set(REGIONS)
    assert all((item.before, item.after, item.changed) == (None, "1.1.0-a", True) for item in done.regions.values())
    for region in REGIONS:
        assert releases.world.session.parameters(region).get([LATEST_ID])[LATEST_ID].data_type == IMAGE
    again = releases.promote("1.1.0-a")
    assert all((item.before, item.changed) == ("1.1.0-a", False) for item in again.regions.values())
    found = releases.world.session.parameters(REGIONS[0]).get([LATEST_ID, LATEST_VERSION])
    assert {parameter.version for parameter in found.values()} == {1}, "nothing is written twice"


@in_both
def test_two_rollbacks_go_two_back(releases: Releases) -> None:
    for version in ("1.1.0-a", "1.2.0-b", "1.3.0-c"):
        releases.promote(version)
    assert releases.rollback().version == "1.2.0-b"
    releases.check("1.2.0-b")
    assert releases.rollback().regions["eu-west-1"].before == "1.2.0-b"
    releases.check("1.1.0-a")
    with pytest.raises(AwsError, match="no version to roll back to"):
        releases.rollback()
    releases.promote("1.3.0-c")
    releases.rollback()
    releases.check("1.1.0-a")


def test_a_rollback_to_a_named_version(releases: Releases) -> None:
    for version in ("1.1.0-a", "1.2.0-b", "1.3.0-c"):
        releases.promote(version)
    releases.rollback(to="1.1.0-a")
    releases.check("1.1.0-a")


@in_both
def test_a_target_that_is_gone_somewhere_changes_nothing(releases: Releases) -> None:
    for each in ("1.1.0-a", "1.2.0-b"):
        releases.promote(each)
    gone = releases.amis["1.1.0-a"]["us-east-1"].id
    releases.world.client("ec2", "us-east-1").deregister_image(ImageId=gone)
    with pytest.raises(AwsError, match=r"1\.1\.0-a cannot be latest everywhere") as raised:
        releases.rollback()
    assert f"the AMI {gone} in us-east-1 is not there" in raised.value.why
    releases.check("1.2.0-b")


def test_a_version_without_parameters_changes_nothing(releases: Releases) -> None:
    releases.promote("1.2.0-b")
    name = f"{FOLDER}/1.1.0-a/image_version"
    releases.world.client("ssm", "ap-south-1").delete_parameter(Name=name)
    for act in (lambda: releases.promote("1.1.0-a"), lambda: releases.rollback(to="1.1.0-a")):
        with pytest.raises(AwsError, match="cannot be latest everywhere") as raised:
            act()
        assert f"there is no SSM parameter {name} in ap-south-1" in raised.value.why
        assert "nothing was changed" in raised.value.todo
    releases.check("1.2.0-b")


def test_parameters_that_name_another_ami(releases: Releases) -> None:
    releases.amis["1.1.0-a"]["us-east-1"] = releases.amis["1.2.0-b"]["us-east-1"]
    with pytest.raises(AwsError, match="name other AMIs"):
        releases.promote("1.1.0-a")
    assert releases.latest() == dict.fromkeys(REGIONS)


def test_a_partial_failure_tells_what_each_region_has_and_converges(
    releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    releases.promote("1.1.0-a")
    with monkeypatch.context() as patch:
        broken_in("us-east-1", "overwrite", patch, ErrorKind.ACCESS_DENIED)
        with pytest.raises(PromotionFailedError, match=r"latest is not 1\.2\.0-b in us-east-1") as raised:
            releases.promote("1.2.0-b")
    after = {region: item.after for region, item in raised.value.promotion.regions.items()}
    assert after == releases.latest() == {"eu-west-1": "1.2.0-b", "us-east-1": "1.1.0-a", "ap-south-1": "1.2.0-b"}
    assert "us-east-1: latest is 1.1.0-a" in raised.value.why
    assert "Run the same command again" in raised.value.todo
    again = releases.promote("1.2.0-b")
    assert [region for region, item in again.regions.items() if item.changed] == ["us-east-1"]
    releases.check("1.2.0-b")
    releases.rollback()
    releases.check("1.1.0-a")


def test_a_rollback_that_failed_in_part_goes_on_with_its_target(
    releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("1.1.0-a", "1.2.0-b", "1.3.0-c"):
        releases.promote(version)
    with monkeypatch.context() as patch:
        broken_in("us-east-1", "overwrite", patch, ErrorKind.ACCESS_DENIED)
        with pytest.raises(PromotionFailedError) as raised:
            releases.rollback()
    assert "--to 1.2.0-b" in raised.value.todo
    with pytest.raises(AwsError, match="no one version") as disagreed:
        releases.rollback()
    assert "us-east-1: 1.3.0-c now, before it 1.2.0-b" in disagreed.value.why
    releases.rollback(to="1.2.0-b")
    releases.check("1.2.0-b")
    releases.rollback()
    releases.check("1.1.0-a")


def test_an_image_id_that_does_not_take_leaves_the_version(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    releases.promote("1.1.0-a")
    monkeypatch.setattr(parameters_module, "_APPEAR_SECONDS", 0.2)
    real = Parameters.overwrite

    def overwrite(self: Parameters, name: str, value: str, **more: Any) -> None:
        if not (self.region == "us-east-1" and more["data_type"] == IMAGE):
            real(self, name, value, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Parameters, "overwrite", overwrite)
        with pytest.raises(PromotionFailedError, match="us-east-1") as raised:
            releases.promote("1.2.0-b")
    assert "did not take its value" in raised.value.why
    assert releases.latest()["us-east-1"] == "1.1.0-a"
    releases.promote("1.2.0-b")
    releases.check("1.2.0-b")


@pytest.mark.parametrize("operation", ["get", "history"])
def test_what_cannot_be_read_changes_nothing(
    releases: Releases, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("1.1.0-a", "1.2.0-b"):
        releases.promote(version)
    with monkeypatch.context() as patch:
        broken_in("ap-south-1", operation, patch, ErrorKind.ACCESS_DENIED)
        with pytest.raises(AwsError, match="everywhere") as raised:
            releases.rollback()
    assert "ap-south-1" in raised.value.why
    releases.check("1.2.0-b")


@in_the_emulator
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(kind="throttled"), id="throttled"),
        pytest.param(Fault(drop=True, after_effect=True), id="lost answer"),
    ],
)
def test_calls_that_are_made_again_count_once(releases: Releases, emulator: Emulator, fault: Fault) -> None:
    releases.promote("1.1.0-a")
    for version in ("1.2.0-b", "1.3.0-c"):
        emulator.faults.inject("PutParameter", fault, skip=1, region="us-east-1")
        releases.promote(version)
    emulator.faults.inject("PutParameter", fault, skip=1, region="eu-west-1")
    releases.rollback()
    releases.check("1.2.0-b")
    emulator.faults.inject("PutParameter", fault, skip=1, region="eu-west-1")
    releases.rollback()
    releases.check("1.1.0-a")


@in_the_emulator
def test_an_ami_that_goes_while_it_is_promoted(
    releases: Releases, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parameters_module, "_APPEAR_SECONDS", 1.0)
    releases.promote("1.1.0-a")
    gone = releases.amis["1.2.0-b"]["us-east-1"].id
    monkeypatch.setattr(promotion_module, "available", lambda image_id, _: emulator.store.images[image_id])
    emulator.store.images[gone].ready_at = emulator.store.clock() + 3600
    with pytest.raises(PromotionFailedError, match="us-east-1") as raised:
        releases.promote("1.2.0-b")
    assert f"is {releases.amis['1.1.0-a']['us-east-1'].id}, not {gone}" in raised.value.why
    assert releases.latest()["us-east-1"] == "1.1.0-a"


def test_proof_is_needed(releases: Releases) -> None:
    amis = releases.amis["1.1.0-a"]
    for verdict in (Verdict.UNKNOWN, Verdict.DIFFERENT):
        row = Row(check="UEFI data", expected="a", found="b", verdict=verdict)
        with pytest.raises(AwsError, match="not promoted") as raised:
            proven(amis, Inspection(regions={**sound(amis).regions, "us-east-1": (OK, row)}))
        assert raised.value.why == "us-east-1: UEFI data is b, expected a"
    with pytest.raises(AwsError, match="not promoted") as raised:
        proven(amis, Inspection(regions={"eu-west-1": (OK,), "us-east-1": ()}))
    assert raised.value.why == "Not inspected: us-east-1, ap-south-1."
    assert "not promoted in eu-west-1, us-east-1, ap-south-1: " in raised.value.what
    with pytest.raises(AwsError, match="not promoted"):
        proven({}, Inspection())


def test_without_a_prefix_there_is_nothing_to_promote(releases: Releases) -> None:
    with pytest.raises(ConfigurationError, match="no SSM parameters"):
        rollback(wishes(prefix=None), releases.sessions, releases.monitor)
