"""The SSM parameters of a version; everything that moto knows is held against moto."""

from collections.abc import Iterator
from typing import Any

import moto
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.ami.publication import Publication, Subject
from brqos.ami.publishing import parameters as module
from brqos.ami.publishing.parameter_names import Wanted, check_parameters, further_names, names, wanted, wanted_latest
from brqos.ami.publishing.parameters import missing, publish_parameters, put
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.parameters import IMAGE, TEXT, Parameter, Parameters
from brqos.aws.session import AwsSession
from brqos.errors import AwsError, ConfigurationError

from ..conftest import REGION, Recorder
from ..worlds import FOLDER, PREFIX, SUBJECT, World

AMI = "ami-0123456789abcdef0"
OTHER = "ami-0fedcba9876543210"
VERSION = SUBJECT["image_version"]
IMAGE_ID = f"{FOLDER}/{VERSION}/image_id"
IMAGE_VERSION = f"{FOLDER}/{VERSION}/image_version"


def wishes(prefix: str | None = PREFIX, **fields: Any) -> Publication:
    subject = Subject(**SUBJECT | {key: fields.pop(key) for key in list(fields) if key in {*SUBJECT, "image_name"}})
    return Publication(subject=subject, ssm_prefix=prefix, **fields)


FURTHER = {
    "{variant}/{arch}/{image_version}/image_name": "{image_name}",
    "by-region/{image_version}/{variant}": "{region}: {image_id}",
    "/ids/{image_version}": "{image_id}",
}


def test_further_parameters_come_from_templates() -> None:
    publication = wishes(parameters=FURTHER, image_name="my-name")
    found = {wish.name: (wish.value, wish.data_type) for wish in wanted(publication, AMI, "eu-west-1")}
    variant = SUBJECT["variant"]
    assert list(found)[:2] == [IMAGE_ID, IMAGE_VERSION]
    assert found[f"{FOLDER}/{VERSION}/image_name"] == ("my-name", TEXT)
    assert found[f"{PREFIX}/by-region/{VERSION}/{variant}"] == (f"eu-west-1: {AMI}", TEXT)
    assert found[f"{PREFIX}/ids/{VERSION}"] == (AMI, IMAGE)
    latest = {wish.name: wish.value for wish in wanted_latest(publication, AMI, "eu-west-1")}
    assert latest[f"{FOLDER}/latest/image_version"] == VERSION
    assert latest[f"{PREFIX}/ids/latest"] == AMI
    assert further_names(publication, "1.2.3")[2] == f"{PREFIX}/ids/1.2.3"
    check_parameters(publication)


@pytest.mark.parametrize(
    ("template", "value", "words"),
    [
        ("{variant}/image_id", "{image_id}", "would be the same one for every version"),
        ("{variant}/{image_version}/{region}", "x", "is not a template that can be filled in"),
        ("{image_version}/{nothing}", "x", "is not a template that can be filled in"),
        ("{image_version}", "{secret}", "is not a template that can be filled in"),
        ("{image_version}/{", "x", "is not a template that can be filled in"),
        ("{image_version}/a b", "x", "cannot be the name of an SSM parameter"),
    ],
)
def test_templates_that_cannot_be(template: str, value: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        check_parameters(wishes(parameters={template: value}))


@pytest.fixture
def world() -> Iterator[World]:
    with moto.mock_aws():
        yield World(AwsSession(credentials=("testing", "testing")))


@pytest.fixture
def store(world: World) -> Parameters:
    return world.session.parameters(REGION)


class Forgetful:
    """A Parameter Store whose aws:ec2:image is checked afterwards, and never passes."""

    def __init__(self, inner: Parameters) -> None:
        self.inner, self.region = inner, inner.region

    def create(self, name: str, value: str, *, data_type: str, **more: Any) -> None:
        if data_type != IMAGE:
            self.inner.create(name, value, data_type=data_type, **more)

    def overwrite(self, name: str, value: str, *, data_type: str, **more: Any) -> None:
        if data_type != IMAGE:
            self.inner.overwrite(name, value, data_type=data_type, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Lossy:
    """A Parameter Store whose answers to PutParameter are lost so many times, after the call was carried out."""

    def __init__(self, inner: Parameters, times: int) -> None:
        self.inner, self.region, self.times = inner, inner.region, times

    def create(self, *args: Any, **more: Any) -> None:
        self.inner.create(*args, **more)
        self._lose()

    def overwrite(self, *args: Any, **more: Any) -> None:
        self.inner.overwrite(*args, **more)
        self._lose()

    def _lose(self) -> None:
        self.times -= 1
        if self.times >= 0:
            raise AwsCallError("lost", kind=ErrorKind.CONNECTION)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def test_the_names_are_those_of_pubsys() -> None:
    found = names("/images/bottlerocket/", Subject(**SUBJECT))
    assert found.image_id == "/images/bottlerocket/aws-k8s-1.29-memoryqos/x86_64/1.50.0-0123abcd/image_id"
    assert found.image_version == "/images/bottlerocket/aws-k8s-1.29-memoryqos/x86_64/1.50.0-0123abcd/image_version"
    assert names("/x", Subject(**SUBJECT), "latest").image_id == "/x/aws-k8s-1.29-memoryqos/x86_64/latest/image_id"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"image_version": "latest"}, "“latest”"),
        ({"image_version": "1.50.0+x"}, "letters, digits"),
        ({"prefix": "/AWS/x"}, "for itself"),
        ({"prefix": "/ssm"}, "for itself"),
        ({"prefix": "/a" * 12}, "15 levels"),
        ({"prefix": "/" + "a" * 900}, "longer than"),
        ({"tags": {"team": "nodes, images"}}, "“nodes, images”"),
    ],
)
def test_names_that_ssm_refuses(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        check_parameters(wishes(**fields))
    assert told in str(raised.value)


def test_names_that_are_good() -> None:
    check_parameters(wishes("/a" * 11, tags={"brqos:variant": "größe 1/2 + x=y@z", "empty": ""}))
    check_parameters(wishes(None, image_version="latest"))


@given(st.dictionaries(st.sampled_from([IMAGE_ID, IMAGE_VERSION]), st.sampled_from([AMI, OTHER, VERSION])))
def test_only_what_is_missing_is_made_and_nothing_is_overwritten(found: dict[str, str]) -> None:
    wanted_now = wanted(wishes(), AMI, "eu-west-1")
    there = {name: Parameter(name, value) for name, value in found.items()}
    right = {wish.name: wish.value for wish in wanted_now}
    if all(right[name] == value for name, value in found.items()):
        lacking = missing(wanted_now, there, REGION)
        assert {wish.name for wish in lacking} == set(right) - set(found)
    else:
        with pytest.raises(AwsError):
            missing(wanted_now, there, REGION)


def test_they_are_made_once(world: World, store: Parameters, monitor: Recorder) -> None:
    publication = wishes(tags={"team": "nodes"})
    expected = {IMAGE_ID: AMI, IMAGE_VERSION: VERSION}
    assert publish_parameters(store, publication, AMI, monitor) == expected
    assert world.parameters(REGION) == expected
    found = store.get(expected)
    assert (found[IMAGE_ID].data_type, found[IMAGE_VERSION].data_type) == (IMAGE, TEXT)
    ssm = world.client("ssm", REGION)
    for name in expected:
        tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
        assert tags == [{"Key": "team", "Value": "nodes"}]
    assert publish_parameters(store, publication, AMI, monitor) == expected
    assert {parameter.version for parameter in store.get(expected).values()} == {1}


def test_nothing_without_a_prefix(world: World, store: Parameters, monitor: Recorder) -> None:
    assert publish_parameters(store, wishes(None), AMI, monitor) == {}
    assert world.parameters(REGION) == {}


def test_another_value_is_never_overwritten(world: World, store: Parameters, monitor: Recorder) -> None:
    world.put_parameter(REGION, IMAGE_ID, OTHER)
    with pytest.raises(AwsError, match=f"has the value {OTHER}, not {AMI}") as raised:
        publish_parameters(store, wishes(), AMI, monitor)
    assert f"aws ssm delete-parameter --region {REGION} --name {IMAGE_ID}" in raised.value.todo
    assert world.parameters(REGION) == {IMAGE_ID: OTHER}


def test_an_equal_one_of_pubsys_is_taken_and_told(world: World, store: Parameters, monitor: Recorder) -> None:
    world.put_parameter(REGION, IMAGE_ID, AMI)
    publish_parameters(store, wishes(), AMI, monitor)
    assert any("is there as text" in note for note in monitor.notes)
    assert store.get([IMAGE_ID])[IMAGE_ID].version == 1


@pytest.mark.parametrize("times", [1, 3])
def test_a_lost_answer(store: Parameters, monitor: Recorder, times: int) -> None:
    publish_parameters(Lossy(store, times), wishes(), AMI, monitor)  # type: ignore[arg-type]
    assert {parameter.version for parameter in store.get([IMAGE_ID, IMAGE_VERSION]).values()} == {1}


def test_one_that_never_takes(store: Parameters, monitor: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_APPEAR_SECONDS", 0.2)
    with pytest.raises(AwsError, match="did not take its value") as raised:
        publish_parameters(Forgetful(store), wishes(), AMI, monitor)  # type: ignore[arg-type]
    assert f"{IMAGE_ID} is not there, not {AMI}" in raised.value.why
    assert IMAGE_VERSION not in raised.value.why


def test_overwriting_keeps_the_data_type(world: World, store: Parameters) -> None:
    world.put_parameter(REGION, "/x", OTHER)
    put(store, Wanted("/x", AMI, IMAGE), "brqos: promoted", {})
    assert store.get(["/x"])["/x"] == Parameter("/x", AMI, 2, TEXT)
    put(store, Wanted("/x", AMI, IMAGE), "again", {})
    assert store.get(["/x"])["/x"].version == 2
    put(store, Wanted("/y", AMI, IMAGE), "brqos: promoted", {"a": "b"})
    assert store.get(["/y"])["/y"] == Parameter("/y", AMI, 1, IMAGE)


def test_a_refusal_is_raised(store: Parameters, monitor: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AwsCallError("no", kind=ErrorKind.ACCESS_DENIED)

    monkeypatch.setattr(store, "create", refuse)
    with pytest.raises(AwsCallError, match="no"):
        publish_parameters(store, wishes(), AMI, monitor)
