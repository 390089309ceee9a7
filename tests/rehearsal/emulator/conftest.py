"""An emulator, and a client that signs by hand: what boto3 would never send has to be refused as well."""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY, Emulator
from brqos.rehearsal.emulator import autoscaling as emulator_autoscaling
from brqos.rehearsal.emulator import ec2 as emulator_ec2
from brqos.rehearsal.emulator import eks as emulator_eks
from brqos.rehearsal.emulator import iam as emulator_iam
from brqos.rehearsal.emulator import ssm as emulator_ssm
from brqos.rehearsal.emulator import sts as emulator_sts
from brqos.rehearsal.emulator.codebuild import service as emulator_codebuild
from brqos.rehearsal.emulator.logs import service as emulator_logs

from .models import unknown_members

BLOCK = 524288
REGION = "eu-west-1"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return self.headers["x-amzn-errortype"]


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class RawClient:
    """Sends whatever it is told, with a signature that is right unless a test spoils it."""

    def __init__(self, emulator: Emulator, *, key: str = ACCESS_KEY, secret: str = SECRET_KEY) -> None:
        self.address = emulator.endpoint.removeprefix("http://")
        self.key, self.secret = key, secret

    def send(
        self,
        method: str,
        path: str,
        *,
        service: str = "ebs",
        region: str = "eu-west-1",
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        payload: str | None = None,
        date: datetime | None = None,
        spoil: Callable[[dict[str, str]], None] = lambda _: None,
    ) -> Answer:
        stamp = (date or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
        target, _, query = path.partition("?")
        sent = {"host": self.address, "x-amz-date": stamp, **{k.lower(): v for k, v in (headers or {}).items()}}
        if payload is not None:
            sent["x-amz-content-sha256"] = payload
        names = sorted(sent)
        canonical = "\n".join(
            [
                method,
                target,
                query,
                *(f"{name}:{sent[name]}" for name in names),
                "",
                ";".join(names),
                payload or hashlib.sha256(body).hexdigest(),
            ]
        )
        scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signing = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()
        sent["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
        )
        spoil(sent)
        connection = http.client.HTTPConnection(self.address, timeout=10)
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        connection.close()
        return answer

    def start(self, **members: object) -> Answer:
        body = json.dumps({"VolumeSize": 1, **members}).encode()
        return self.send("POST", "/snapshots", body=body)

    def put(self, snapshot: str, index: int, data: bytes, **headers: str | None) -> Answer:
        given: dict[str, str | None] = {
            "x-amz-data-length": str(BLOCK),
            "x-amz-checksum": base64.b64encode(hashlib.sha256(data).digest()).decode(),
            "x-amz-checksum-algorithm": "SHA256",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        kept = {name: value for name, value in given.items() if value is not None}
        path = f"/snapshots/{snapshot}/blocks/{index}"
        return self.send("PUT", path, headers=kept, body=data, payload="UNSIGNED-PAYLOAD")

    def complete(self, snapshot: str, count: int, blocks: list[bytes] | None = None, **headers: str) -> Answer:
        given = {"x-amz-changedblockscount": str(count)}
        if blocks is not None:
            digests = b"".join(hashlib.sha256(block).digest() for block in blocks)
            given |= {
                "x-amz-checksum": base64.b64encode(hashlib.sha256(digests).digest()).decode(),
                "x-amz-checksum-algorithm": "SHA256",
                "x-amz-checksum-aggregation-method": "LINEAR",
            }
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", f"/snapshots/completion/{snapshot}", headers=given)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def emulator(clock: Clock) -> Iterator[Emulator]:
    with Emulator(delay=5, clock=clock) as running:
        yield running


@pytest.fixture
def raw(emulator: Emulator) -> RawClient:
    return RawClient(emulator)


@contextlib.contextmanager
def refused(code: str, *, status: int | None = None, match: str | None = None) -> Iterator[None]:
    """The call of boto3's in the body is refused with this code."""
    with pytest.raises(ClientError, match=match) as caught:
        yield
    assert caught.value.response["Error"]["Code"] == code, str(caught.value)
    if status is not None:
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


class Aws:
    """boto3's clients for an emulator, which try everything once."""

    def __init__(self, emulator: Emulator, clock: Clock) -> None:
        self.emulator, self.clock = emulator, clock

    def client(self, service: str, region: str = REGION, credentials: dict[str, Any] | None = None) -> Any:
        given = credentials or {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY}
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.emulator.endpoint,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given.get("SessionToken"),
            config=Config(retries={"total_max_attempts": 1}, read_timeout=20),
        )

    def __getattr__(self, service: str) -> Any:
        client = self.client(service)
        setattr(self, service, client)
        return client

    def account(self, number: str) -> dict[str, Any]:
        """Credentials of another account."""
        role = f"arn:aws:iam::{number}:role/other"
        made = self.sts.assume_role(RoleArn=role, RoleSessionName="test", DurationSeconds=43200)
        return dict(made["Credentials"])

    def snapshot(self, region: str = REGION, blocks: tuple[bytes, ...] = (), **given: Any) -> str:
        """A completed snapshot."""
        ebs = self.client("ebs", region)
        started = str(ebs.start_snapshot(**{"VolumeSize": 1, **given})["SnapshotId"])
        for index, data in enumerate(blocks):
            ebs.put_snapshot_block(
                SnapshotId=started,
                BlockIndex=index,
                BlockData=data,
                DataLength=BLOCK,
                Checksum=base64.b64encode(hashlib.sha256(data).digest()).decode(),
                ChecksumAlgorithm="SHA256",
            )
        ebs.complete_snapshot(SnapshotId=started, ChangedBlocksCount=len(blocks))
        self.clock.now += 5
        return started

    def image(self, name: str = "image", region: str = REGION, snapshot: str | None = None, **given: Any) -> str:
        """An image that is available, of a snapshot or of a new one."""
        snapshot = snapshot or self.snapshot(region)
        ec2 = self.client("ec2", region)
        made = ec2.register_image(
            **{
                "Name": name,
                "RootDeviceName": "/dev/xvda",
                "Architecture": "x86_64",
                "VirtualizationType": "hvm",
                "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}],
                **given,
            }
        )
        self.clock.now += 5
        return str(made["ImageId"])

    def described(self, image: str, region: str = REGION) -> dict[str, Any]:
        """What DescribeImages tells of an image."""
        (told,) = self.client("ec2", region).describe_images(ImageIds=[image], IncludeDisabled=True)["Images"]
        return dict(told)


@pytest.fixture
def aws(emulator: Emulator, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    unknown: list[str] = []

    def checked(respond: Callable[..., Any], service: str | None) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            name = service or str(arguments[0])
            action, told = arguments[-2:]
            unknown.extend(unknown_members(name, action, told))
            return respond(*arguments)

        return call

    monkeypatch.setattr(emulator_ec2, "ec2_response", checked(emulator_ec2.ec2_response, "ec2"))
    for module in (emulator_sts, emulator_autoscaling, emulator_iam):
        monkeypatch.setattr(module, "result_response", checked(module.result_response, None))
    monkeypatch.setattr(emulator_ssm, "ssm_response", checked(emulator_ssm.ssm_response, "ssm"))
    monkeypatch.setattr(emulator_eks, "eks_response", checked(emulator_eks.eks_response, "eks"))
    monkeypatch.setattr(emulator_logs, "logs_response", checked(emulator_logs.logs_response, "logs"))
    codebuild_response = checked(emulator_codebuild.codebuild_response, "codebuild")
    monkeypatch.setattr(emulator_codebuild, "codebuild_response", codebuild_response)
    yield Aws(emulator, clock)
    assert not emulator.bugs, emulator.bugs
    assert not unknown, "members that botocore's model does not have"
