"""The Parameter Store, held against moto."""

from collections.abc import Iterator

import boto3
import moto
import pytest

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.parameters import IMAGE, TEXT, Parameter, Parameters, ParameterVersion

REGION = "eu-west-1"
NAME = "/images/bottlerocket/aws-k8s-1.29/arm64/latest/image_version"


@pytest.fixture
def client() -> Iterator[object]:
    with moto.mock_aws():
        yield boto3.client("ssm", REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture
def parameters(client) -> Parameters:
    return Parameters(client, REGION, None)


def create(parameters: Parameters, name: str, value: str = "1.50.0", data_type: str = TEXT) -> None:
    parameters.create(name, value, data_type=data_type, description="made", tags={"team": "nodes"})


def test_what_is_not_there_is_left_out(parameters: Parameters) -> None:
    create(parameters, NAME)
    assert parameters.get([NAME, "/images/none"]) == {NAME: Parameter(NAME, "1.50.0", 1, TEXT)}


def test_more_names_than_one_call_takes(parameters: Parameters) -> None:
    names = [f"/images/{number}" for number in range(23)]
    for name in names:
        create(parameters, name)
    assert sorted(parameters.get(names)) == sorted(names)


def test_nothing_is_asked_for_no_names(parameters: Parameters) -> None:
    assert parameters.get([]) == {}


def test_making_one_that_is_there_is_a_kind_of_its_own(parameters: Parameters) -> None:
    create(parameters, NAME)
    with pytest.raises(AwsCallError) as raised:
        create(parameters, NAME)
    assert raised.value.kind is ErrorKind.DUPLICATE_NAME


def test_tags_and_type_go_along(parameters: Parameters, client) -> None:
    create(parameters, "/images/image_id", "ami-0123456789abcdef0", IMAGE)
    assert client.list_tags_for_resource(ResourceType="Parameter", ResourceId="/images/image_id")["TagList"] == [
        {"Key": "team", "Value": "nodes"}
    ]
    assert parameters.get(["/images/image_id"])["/images/image_id"].data_type == IMAGE


def test_the_history_has_each_version_with_its_own_description(parameters: Parameters) -> None:
    create(parameters, NAME)
    parameters.overwrite(NAME, "1.51.0", data_type=TEXT, description="brqos: promoted")
    assert parameters.history(NAME) == [
        ParameterVersion(1, "1.50.0", "made"),
        ParameterVersion(2, "1.51.0", "brqos: promoted"),
    ]
    assert parameters.get([NAME])[NAME].version == 2


def test_the_history_is_read_to_its_end(parameters: Parameters) -> None:
    create(parameters, NAME)
    for number in range(60):
        parameters.overwrite(NAME, f"2.{number}.0", data_type=TEXT, description="")
    assert [entry.version for entry in parameters.history(NAME)] == list(range(1, 62))


def test_what_is_not_there_has_no_history(parameters: Parameters) -> None:
    assert parameters.history(NAME) == []
