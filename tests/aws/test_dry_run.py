"""What EC2's answers to dry runs tell, by a client that answers as EC2 does and by the emulator."""

from typing import Any

import boto3
import pytest
from botocore import exceptions as botocore

from brqos.aws.dry_run import DryRunEc2, Permission, ProbeResult
from brqos.aws.errors import ErrorKind
from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY, Emulator

REGION = "eu-west-1"
IMAGE = {"ImageId": "ami-00000000000000000"}


class Client:
    """Answers each call with the same error, or with nothing."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, method: str) -> Any:
        def call(**parameters: Any) -> dict[str, Any]:
            self.calls.append((method, parameters))
            if self.error is not None:
                raise self.error
            return {}

        return call


def answered(code: str, message: str = "", status: int = 400) -> botocore.ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.ClientError(response, "DeregisterImage")


def probed(error: Exception | None) -> ProbeResult:
    client: Any = Client(error)
    result = DryRunEc2(client, REGION, None).probe("DeregisterImage", IMAGE)
    assert client.calls == [("deregister_image", {**IMAGE, "DryRun": True})]
    assert result.operation == "DeregisterImage"
    return result


def test_allowed() -> None:
    message = "Request would have succeeded, but DryRun flag is set."
    assert probed(answered("DryRunOperation", message, 412)) == ProbeResult("DeregisterImage", Permission.ALLOWED)


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "AccessDenied", "AccessDeniedException"])
def test_denied(code: str) -> None:
    told = "You are not authorized. Encoded authorization failure message: 8sJ2kQp9qwertyuiop"
    result = probed(answered(code, told, 403))
    assert (result.permission, result.words) == (Permission.DENIED, "You are not authorized.")
    assert not result.explicit
    assert probed(answered(code, "x is not authorized with an explicit deny in a service control policy")).explicit
    assert "AWS refused DeregisterImage" in probed(answered(code)).words


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("InvalidAMIID.NotFound", ErrorKind.NOT_FOUND),
        ("InvalidAMIID.Malformed", ErrorKind.VALIDATION),
        ("RequestLimitExceeded", ErrorKind.THROTTLED),
        ("OptInRequired", ErrorKind.REGION),
        ("AuthFailure", ErrorKind.CREDENTIALS),
        # 403 alone says neither by whom nor why.
        ("Unheard", ErrorKind.ACCESS_DENIED),
    ],
)
def test_anything_else_tells_nothing(code: str, kind: ErrorKind) -> None:
    result = probed(answered(code, "what EC2 says", 403))
    assert (result.permission, result.kind) == (Permission.UNKNOWN, kind)
    assert result.words == f"{code}: what EC2 says"


def test_no_answer_tells_nothing() -> None:
    result = probed(botocore.EndpointConnectionError(endpoint_url="https://x"))
    assert (result.permission, result.kind) == (Permission.UNKNOWN, ErrorKind.CONNECTION)
    assert probed(botocore.NoCredentialsError()).kind is ErrorKind.CREDENTIALS


def test_an_endpoint_that_does_not_know_dry_runs() -> None:
    result = probed(None)
    assert (result.permission, result.ignored) == (Permission.UNKNOWN, True)
    assert "took no notice" in result.words


def test_a_caller_cannot_switch_it_off() -> None:
    client: Any = Client(answered("DryRunOperation"))
    DryRunEc2(client, REGION, None).probe("DeleteSnapshot", {"SnapshotId": "snap-1", "DryRun": False})
    assert client.calls[0][1]["DryRun"] is True


@pytest.mark.loopback
def test_over_the_wire() -> None:
    with Emulator() as emulator:
        client = boto3.client(
            "ec2",
            region_name=REGION,
            endpoint_url=emulator.endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )
        asked = DryRunEc2(client, REGION, None)
        assert asked.probe("DeregisterImage", IMAGE).permission is Permission.ALLOWED
        assert asked.probe("DeleteSnapshot", {"Wrong": 1}).kind is ErrorKind.VALIDATION
