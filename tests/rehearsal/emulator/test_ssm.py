"""SSM's Parameter Store; where moto is faithful, the same scenario is run there too."""

from collections.abc import Iterator
from typing import Any

import boto3
import moto
import pytest
from botocore.exceptions import ClientError

from brqos.rehearsal.emulator import Emulator

from .conftest import REGION, Aws, Clock, RawClient, refused

pytestmark = pytest.mark.loopback

IMAGE = {"Type": "String", "DataType": "aws:ec2:image"}


def put(aws: Aws, name: str, value: str = "value", **given: Any) -> dict[str, Any]:
    return dict(aws.ssm.put_parameter(**{"Name": name, "Value": value, "Type": "String", **given}))


def scenario(ssm: Any) -> Iterator[object]:
    """What a publisher does with parameters; yields the answers, or the codes of the errors."""

    def call(operation: str, *members: str, **given: Any) -> object:
        try:
            answer = getattr(ssm, operation)(**given)
        except ClientError as error:
            return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        return [answer.get(member) for member in members]

    def values(answer: dict[str, Any]) -> object:
        told = [(each["Name"], each["Value"], each["Version"], each["Type"]) for each in answer["Parameters"]]
        return sorted(told), answer.get("InvalidParameters")

    one = {"Name": "/brqos/one/image_id", "Value": "ami-1", "Type": "String"}
    yield call("put_parameter", "Version", "Tier", **one, Tags=[{"Key": "a", "Value": "b"}], Description="first")
    yield call("put_parameter", **one)
    yield call("put_parameter", "Version", **{**one, "Value": "ami-2"}, Overwrite=True)
    yield call("put_parameter", Name=one["Name"], Value="ami-3", Overwrite=True, Tags=[{"Key": "a", "Value": "c"}])
    yield call("put_parameter", "Version", Name=one["Name"], Value="ami-3", Overwrite=True)
    yield call("put_parameter", "Version", **{**one, "Name": "/brqos/two"})
    yield call("put_parameter", "Version", **{**one, "Name": "flat"})
    for bad in ("/aws/x/y", "aws-x", "/ssm/x/y", "ssmx"):
        yield call("put_parameter", **{**one, "Name": bad})
    yield call("put_parameter", Name="/brqos/typeless", Value="x")
    yield call("put_parameter", **{**one, "Name": "/brqos/odd", "DataType": "colour"})
    yield values(ssm.get_parameters(Names=["/brqos/two", "/brqos/none", "flat"]))
    yield call("get_parameter", Name="/brqos/none")
    yield call("get_parameter", Name="/brqos/one/image_id:9")
    for name in ("/brqos/one/image_id", "/brqos/one/image_id:2"):
        told = ssm.get_parameter(Name=name)["Parameter"]
        yield {key: told.get(key) for key in ("Name", "Value", "Version", "Type", "DataType")}
    yield values(ssm.get_parameters_by_path(Path="/brqos"))
    yield values(ssm.get_parameters_by_path(Path="/brqos", Recursive=True))
    yield values(ssm.get_parameters_by_path(Path="/", Recursive=True))
    history = ssm.get_parameter_history(Name=one["Name"])["Parameters"]
    yield [(each["Version"], each["Value"], each["Description"]) for each in history]
    yield call(
        "label_parameter_version", "InvalidLabels", "ParameterVersion", Name=one["Name"], Labels=["good", "1bad"]
    )
    yield call("get_parameter", Name=f"{one['Name']}:good") == call("get_parameter", Name=one["Name"])
    resource = {"ResourceType": "Parameter", "ResourceId": one["Name"]}
    yield call("list_tags_for_resource", "TagList", **resource)
    yield call("add_tags_to_resource", **resource, Tags=[{"Key": "c", "Value": "d"}])
    yield call("remove_tags_from_resource", **resource, TagKeys=["a", "unknown"])
    yield call("list_tags_for_resource", "TagList", **resource)
    yield call("list_tags_for_resource", **{**resource, "ResourceId": "/brqos/none"})
    for filters in (
        [{"Key": "Name", "Values": ["/brqos/two"]}],
        [{"Key": "Name", "Option": "BeginsWith", "Values": ["/brqos/"]}],
        [{"Key": "Path", "Option": "Recursive", "Values": ["/brqos"]}],
        [{"Key": "Path", "Values": ["/brqos"]}],
        [{"Key": "tag:c", "Values": ["d"]}],
        [{"Key": "Type", "Values": ["SecureString"]}],
    ):
        yield sorted(each["Name"] for each in ssm.describe_parameters(ParameterFilters=filters)["Parameters"])
    yield call("describe_parameters", ParameterFilters=[{"Key": "Colour", "Values": ["red"]}])
    yield call("delete_parameters", "DeletedParameters", "InvalidParameters", Names=["/brqos/two", "/brqos/none"])
    yield call("delete_parameter", Name="flat")
    yield call("delete_parameter", Name="flat")


def test_parameters_as_moto_has_them(aws: Aws) -> None:
    ours = list(scenario(aws.ssm))
    with moto.mock_aws():
        theirs = list(scenario(boto3.client("ssm", REGION, aws_access_key_id="x", aws_secret_access_key="y")))
    assert [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]] == []


def test_an_image_comes_in_late_and_only_if_it_is_there(aws: Aws, clock: Clock) -> None:
    image = aws.image()
    assert put(aws, "/p/good", image, **IMAGE)["Version"] == 1
    put(aws, "/p/unknown", "ami-0123456789abcdef0", **IMAGE)
    put(aws, "/p/none", "image", **IMAGE)
    assert aws.ssm.get_parameters_by_path(Path="/p")["Parameters"] == []
    assert aws.ssm.describe_parameters()["Parameters"] == []
    clock.now += 5
    (told,) = aws.ssm.get_parameters_by_path(Path="/p")["Parameters"]
    assert (told["Name"], told["Value"], told["DataType"]) == ("/p/good", image, "aws:ec2:image")
    assert put(aws, "/p/good", "ami-0123456789abcdef0", Overwrite=True)["Version"] == 2, "the data type stays"
    clock.now += 5
    assert aws.ssm.get_parameter(Name="/p/good")["Parameter"]["Version"] == 1
    with refused("ValidationException"):
        put(aws, "/p/list", image, Type="StringList", DataType="aws:ec2:image")


def test_what_an_image_must_be(aws: Aws, emulator: Emulator, clock: Clock) -> None:
    elsewhere, pending = aws.image(region="us-east-1"), aws.image()
    emulator.store.images[pending].ready_at = clock.now + 60
    put(aws, "/p/elsewhere", elsewhere, **IMAGE)
    put(aws, "/p/pending", pending, **IMAGE)
    clock.now += 5
    assert aws.ssm.get_parameters_by_path(Path="/p")["Parameters"] == []
    clock.now += 60
    emulator.deny("ec2:DescribeImages")
    put(aws, "/p/denied", pending, **IMAGE)
    emulator.allow()
    clock.now += 5
    put(aws, "/p/good", pending, **IMAGE)
    clock.now += 5
    assert [each["Name"] for each in aws.ssm.get_parameters_by_path(Path="/p")["Parameters"]] == ["/p/good"]


def test_an_image_that_is_shared(aws: Aws, clock: Clock) -> None:
    image = aws.image()
    aws.ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": "1" * 12}]})
    other = aws.client("ssm", REGION, aws.account("1" * 12))
    other.put_parameter(Name="/p", Value=image, **IMAGE)
    clock.now += 5
    assert other.get_parameter(Name="/p")["Parameter"]["ARN"] == f"arn:aws:ssm:{REGION}:{'1' * 12}:parameter/p"
    with refused("ParameterNotFound", status=400):
        aws.ssm.get_parameter(Name="/p")


def test_pages(aws: Aws) -> None:
    for number in range(23):
        put(aws, f"/p/{number:02}")
    for operation, given in (("get_parameters_by_path", {"Path": "/p"}), ("describe_parameters", {})):
        pages = [page["Parameters"] for page in aws.ssm.get_paginator(operation).paginate(**given)]
        assert [len(page) for page in pages] == [10, 10, 3]
    with refused("ValidationException"):
        aws.ssm.describe_parameters(MaxResults=51)
    with refused("InvalidNextToken"):
        aws.ssm.get_parameters_by_path(Path="/p", NextToken="x")
    first = aws.ssm.get_parameters_by_path(Path="/p")
    with refused("InvalidNextToken"):
        aws.ssm.get_parameters_by_path(Path="/other", NextToken=first["NextToken"])


def test_history_has_a_hundred_versions(aws: Aws) -> None:
    for _ in range(103):
        put(aws, "/p", Overwrite=True)
    pages = aws.ssm.get_paginator("get_parameter_history").paginate(Name="/p", PaginationConfig={"PageSize": 50})
    versions = [each["Version"] for page in pages for each in page["Parameters"]]
    assert versions == list(range(4, 104))
    aws.ssm.label_parameter_version(Name="/p", ParameterVersion=4, Labels=["kept"])
    with refused("ParameterMaxVersionLimitExceeded"):
        put(aws, "/p", Overwrite=True)
    aws.ssm.label_parameter_version(Name="/p", Labels=["kept"])
    assert put(aws, "/p", Overwrite=True)["Version"] == 104
    assert aws.ssm.get_parameter(Name="/p:kept")["Parameter"]["Version"] == 103
    with refused("ParameterVersionLabelLimitExceeded"):
        for number in range(11):
            aws.ssm.label_parameter_version(Name="/p", Labels=[f"label-{number}"])


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a/b", "ValidationException"),
        ("/a/b/", "ValidationException"),
        ("/a//b", "ValidationException"),
        ("/a b", "ValidationException"),
        ("/" + "x" * 1011, "ValidationException"),
        ("/x" * 16, "HierarchyLevelLimitExceededException"),
        ("/AWS/x/y", "AccessDeniedException"),
        ("/SSM/x/y", "ValidationException"),
    ],
)
def test_names(aws: Aws, name: str, code: str) -> None:
    with refused(code, status=400):
        put(aws, name)
    put(aws, "/x" * 15)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Value": "x" * 4097}, "ValidationException"),
        ({"AllowedPattern": "^ami-"}, "ParameterPatternMismatchException"),
        ({"Tags": [{"Key": "aws:x", "Value": ""}]}, "ValidationException"),
        ({"Policies": "[]"}, "ValidationException"),
        ({"Name": "/old", "Type": "StringList", "Overwrite": True}, "HierarchyTypeMismatchException"),
    ],
)
def test_what_is_refused(aws: Aws, given: dict[str, Any], code: str) -> None:
    put(aws, "/old")
    with refused(code):
        put(aws, name=given.pop("Name", "/new"), value=given.pop("Value", "value"), **given)


def test_secrets_and_arns(aws: Aws) -> None:
    put(aws, "/p/secret", "hidden", Type="SecureString")
    assert aws.ssm.get_parameter(Name="/p/secret")["Parameter"]["Value"] != "hidden"
    arn = aws.ssm.get_parameter(Name="/p/secret", WithDecryption=True)["Parameter"]
    assert arn["Value"] == "hidden"
    assert aws.ssm.get_parameter(Name="/p/secret:1")["Parameter"]["Selector"] == ":1"
    assert aws.ssm.get_parameter(Name=arn["ARN"])["Parameter"]["Name"] == "/p/secret"
    assert (
        aws.ssm.get_parameters_by_path(Path="/p", ParameterFilters=[{"Key": "Type", "Values": ["String"]}])[
            "Parameters"
        ]
        == []
    )
    with refused("InvalidFilterKey"):
        aws.ssm.get_parameters_by_path(Path="/p", ParameterFilters=[{"Key": "tag:a", "Values": ["b"]}])


def test_the_form_of_requests(raw: RawClient) -> None:
    def send(target: str, body: bytes, kind: str = "application/x-amz-json-1.1") -> tuple[int, str]:
        headers = {"x-amz-target": target, "content-type": kind}
        answer = raw.send("POST", "/", service="ssm", headers=headers, body=body)
        return answer.status, answer.json["__type"]

    assert send("AmazonSSM.GetParameter", b'{"Name": "/x"}') == (400, "ParameterNotFound")
    assert send("AmazonSSM.GetParameter", b"{") == (400, "SerializationException")
    assert send("AmazonSSM.GetParameter", b"{}") == (400, "ValidationException")
    assert send("AmazonSSM.GetParameter", b'{"Name": "/x", "Colour": 1}') == (400, "ValidationException")
    assert send("AmazonSSM.SendCommand", b"{}") == (400, "UnknownOperationException")
    assert send("AmazonSSM.GetParameter", b'{"Name": "/x"}', "text/plain") == (404, "UnknownOperationException")
