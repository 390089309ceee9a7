"""Deprecation and protection."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.ami.publication import Publication, Subject
from brqos.ami.publishing import marks
from brqos.ami.publishing.marks import check_deprecation, deprecation_time, mark, same_time
from brqos.aws.ec2 import DescribedImage
from brqos.errors import AwsError, ConfigurationError

from ..conftest import REGION, Recorder

CREATED = datetime(2026, 11, 25, 22, 12, 49, tzinfo=UTC)
SUBJECT = Subject(variant="aws-k8s-1.29-memoryqos", arch="x86_64", image_version="1.50.0-0123abcd")

times = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def wishes(**fields: Any) -> Publication:
    return Publication(subject=SUBJECT, **fields)


class Ec2:
    """One image, and the calls that change it; `deaf` makes them as if they were never made."""

    region = REGION

    def __init__(self, *, deaf: bool = False, **fields: Any) -> None:
        self.described = DescribedImage(
            **{"id": "ami-1", "name": "n", "state": "available", "reason": "", "tags": {}, "attributes": {}}
            | {"mappings": {}, "created": CREATED, **fields}
        )
        self.deaf = deaf
        self.calls: list[str] = []

    def image(self, image_id: str) -> DescribedImage:
        return self.described

    def deprecate(self, image_id: str, at: datetime) -> None:
        self.calls.append(f"deprecate {at:%Y-%m-%d %H:%M:%S}")
        self._change(deprecated_at=at)

    def protect(self, image_id: str) -> None:
        self.calls.append("protect")
        self._change(protection="enabled-without-cooldown")

    def _change(self, **fields: Any) -> None:
        if not self.deaf:
            known = {name: getattr(self.described, name) for name in DescribedImage.__slots__}
            self.described = DescribedImage(**{**known, **fields})


def apply(ec2: Ec2, publication: Publication, monitor: Recorder, now: datetime = CREATED) -> list[str]:
    ec2.calls.clear()
    mark(ec2.described, publication, ec2, ec2, monitor, now=now)  # type: ignore[arg-type]
    return ec2.calls


@given(times, st.integers(1, 3650), st.integers(-30, 30))
def test_what_ec2_makes_of_the_time_is_the_same_time(created: datetime, days: int, rounding: int) -> None:
    at = deprecation_time(created, days)
    assert at.second == at.microsecond == 0
    assert timedelta() <= created + timedelta(days=days) - at < timedelta(minutes=1)
    assert same_time(at, at + timedelta(seconds=rounding))
    assert not same_time(at, at + timedelta(days=1))
    assert not same_time(at, None)


def test_the_time_is_in_utc() -> None:
    assert deprecation_time(datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), 1).isoformat() == (
        "2026-01-01T23:00:00+00:00"
    )


def test_both_marks_are_set_once(monitor: Recorder) -> None:
    ec2, publication = Ec2(), wishes(deprecate_after_days=90, protect=True)
    assert apply(ec2, publication, monitor) == ["deprecate 2027-02-23 22:12:00", "protect"]
    assert len(monitor.notes) == 2
    assert apply(ec2, publication, monitor) == []
    # Long after: what is there is right, and nothing is refused.
    assert apply(ec2, publication, monitor, CREATED + timedelta(days=500)) == []


def test_another_age_is_set_again(monitor: Recorder) -> None:
    ec2 = Ec2(deprecated_at=CREATED + timedelta(days=10))
    assert apply(ec2, wishes(deprecate_after_days=90), monitor) == ["deprecate 2027-02-23 22:12:00"]


def test_what_was_not_asked_for_stays(monitor: Recorder) -> None:
    ec2 = Ec2(deprecated_at=CREATED, protection="enabled-with-cooldown")
    assert apply(ec2, wishes(), monitor) == []
    assert apply(ec2, wishes(protect=True), monitor) == []


def test_a_time_that_has_passed_is_refused(monitor: Recorder) -> None:
    ec2 = Ec2()
    with pytest.raises(AwsError, match="deprecated at 2026-12-25 22:12 UTC already") as raised:
        apply(ec2, wishes(deprecate_after_days=30, protect=True), monitor, CREATED + timedelta(days=31))
    assert ec2.calls == []
    assert "2026-11-25" in raised.value.why


def test_an_image_without_a_date(monitor: Recorder) -> None:
    with pytest.raises(AwsError, match="does not tell when"):
        apply(Ec2(created=None), wishes(deprecate_after_days=30), monitor)


def test_marks_that_do_not_take(monitor: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "_TOLD_SECONDS", 0.2)
    with pytest.raises(AwsError, match="does not tell the marks") as raised:
        apply(Ec2(deaf=True), wishes(deprecate_after_days=30, protect=True), monitor)
    assert "its deprecation and its protection" in raised.value.why


@pytest.mark.parametrize(("days", "public", "years"), [(3651, False, 10), (731, True, 2)])
def test_ages_that_ec2_refuses(days: int, public: bool, years: int) -> None:
    with pytest.raises(ConfigurationError) as raised:
        check_deprecation(wishes(deprecate_after_days=days, public=public))
    assert f"{years} years" in raised.value.why
    check_deprecation(wishes(deprecate_after_days=days - 1, public=public))
    check_deprecation(wishes(public=public))
