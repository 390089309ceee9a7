"""Buckets and objects, held against moto and the emulator alike; and what goes wrong, against the emulator."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import moto
import pytest

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.s3 import _SETTLING, S3, Bucket
from brqos.aws.session import AwsSession
from brqos.rehearsal.emulator import ACCESS_KEY, ACCOUNT, SECRET_KEY, Emulator, Fault
from brqos.rehearsal.emulator.signature import Key

pytestmark = pytest.mark.loopback

REGION = "eu-west-1"
NAME = "brqos-123456789012-eu-west-1"
TAGS = {"brqos:tool": "brqos", "team": "nodes"}
MIB = 1 << 20


@pytest.fixture
def s3(emulator: Emulator) -> S3:
    return AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY)).s3(REGION)


@pytest.fixture(params=["moto", "emulator"])
def either(request: pytest.FixtureRequest) -> Iterator[S3]:
    """S3 as moto has it, and as the emulator does."""
    if request.param == "emulator":
        yield request.getfixturevalue("s3")
        return
    with moto.mock_aws():
        client = boto3.client("s3", REGION, aws_access_key_id="testing", aws_secret_access_key="testing")
        yield S3(client, REGION, None, lambda: "123456789012")


@pytest.fixture
def filled(either: S3) -> S3:
    either.create_bucket(NAME, TAGS, 30)
    if either.owner != ACCOUNT:
        # moto follows the Deny of our policy, but not its condition.
        either._client.delete_bucket_policy(Bucket=NAME)
    return either


def test_a_bucket(either: S3) -> None:
    assert either.bucket(NAME) is None
    either.create_bucket(NAME, TAGS, 30)
    assert either.bucket(NAME) == Bucket(NAME, REGION, TAGS)


def test_a_bucket_that_was_begun_is_finished(either: S3) -> None:
    either._client.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert either.bucket(NAME) == Bucket(NAME, REGION, {})
    either.create_bucket(NAME, TAGS, 30)
    assert either.bucket(NAME) == Bucket(NAME, REGION, TAGS)


def test_nobody_else_may_use_a_bucket(either: S3) -> None:
    either.create_bucket(NAME, TAGS, 30)
    client = either._client
    blocked = client.get_public_access_block(Bucket=NAME)["PublicAccessBlockConfiguration"]
    assert len(blocked) == 4 and all(blocked.values())
    policy = client.get_bucket_policy(Bucket=NAME)["Policy"]
    assert '"aws:SecureTransport": "false"' in policy and f"arn:aws:s3:::{NAME}/*" in policy
    (rule,) = client.get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"]
    assert rule["Expiration"]["Days"] == 30 and rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1
    (rule,) = client.get_bucket_encryption(Bucket=NAME)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_small_objects(filled: S3) -> None:
    assert filled.get(NAME, "a") is None
    filled.put(NAME, "a", b"one")
    filled.put(NAME, "a", b"two")
    filled.put(NAME, "nothing", b"")
    assert (filled.get(NAME, "a"), filled.get(NAME, "nothing")) == (b"two", b"")


@pytest.mark.parametrize("key", ["a b/c+d", "grün/ß&=?", "quoted%20/'\"<>"])
def test_keys_of_all_sorts(filled: S3, key: str) -> None:
    filled.put(NAME, key, b"x")
    assert filled.get(NAME, key) == b"x"
    assert [stored.key for stored in filled.listed(NAME, "")] == [key]


@pytest.mark.parametrize("size", [0, 100, 8 * MIB - 1, 17 * MIB])
def test_files(filled: S3, size: int, tmp_path: Path) -> None:
    data = hashlib.sha256(b"x").digest() * (size // 32 + 1)
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(data[:size])
    sent: list[int] = []
    got: list[int] = []
    filled.upload(NAME, "file", there, sent.append)
    filled.download(NAME, "file", back, got.append)
    assert back.read_bytes() == there.read_bytes()
    assert (sum(sent), sum(got)) == (size, size)
    assert list(tmp_path.iterdir()) in ([there, back], [back, there])
    assert back.stat().st_mode & 0o777 == 0o600


def test_listing_more_than_a_call_takes(s3: S3, emulator: Emulator) -> None:
    s3.create_bucket(NAME, TAGS, 30)
    keys = [f"runs/{number:04}" for number in range(1005)]
    for key in [*keys, "other"]:
        emulator.store.s3.put(NAME, key, b"four", 0.0)
    assert [stored.key for stored in s3.listed(NAME, "runs/")] == keys
    assert emulator.calls["ListObjectsV2"] == 2


def test_listing(filled: S3) -> None:
    for key in ("runs/b", "runs/a", "other"):
        filled.put(NAME, key, b"four")
    assert [(stored.key, stored.bytes) for stored in filled.listed(NAME, "runs/")] == [("runs/a", 4), ("runs/b", 4)]


def test_listing_stops_where_the_reader_does(s3: S3, emulator: Emulator) -> None:
    s3.create_bucket(NAME, TAGS, 30)
    for number in range(5):
        s3.put(NAME, str(number), b"")
    emulator.store.largest_page = 2
    assert next(s3.listed(NAME, "")).key == "0"
    assert emulator.calls["ListObjectsV2"] == 1


def test_what_is_not_there(either: S3, tmp_path: Path) -> None:
    for missing in (
        lambda: either.get(NAME, "a"),
        lambda: list(either.listed(NAME, "")),
        lambda: either.put(NAME, "a", b""),
        lambda: either.download(NAME, "a", tmp_path / "a"),
    ):
        with pytest.raises(AwsCallError) as raised:
            missing()
        assert raised.value.kind is ErrorKind.NOT_FOUND
    assert list(tmp_path.iterdir()) == []


def test_a_missing_object_leaves_no_file(filled: S3, tmp_path: Path) -> None:
    with pytest.raises(AwsCallError, match="there is no gone in the bucket") as raised:
        filled.download(NAME, "gone", tmp_path / "a")
    assert raised.value.kind is ErrorKind.NOT_FOUND and list(tmp_path.iterdir()) == []


def test_an_object_that_somebody_altered_is_refused(s3: S3, emulator: Emulator, tmp_path: Path) -> None:
    s3.create_bucket(NAME, TAGS, 30)
    s3.put(NAME, "a", b"what was put")
    kept = emulator.store.s3.known[NAME].objects["a"]
    emulator.store.s3.put(NAME, "a", b"other", kept.modified)
    altered = emulator.store.s3.known[NAME].objects["a"]
    object.__setattr__(altered, "headers", kept.headers)
    for read in (lambda: s3.get(NAME, "a"), lambda: s3.download(NAME, "a", tmp_path / "a")):
        with pytest.raises(AwsCallError, match="is not what was put there"):
            read()
    assert list(tmp_path.iterdir()) == []


def test_a_bucket_of_another_account(emulator: Emulator, s3: S3) -> None:
    emulator.keys["OTHER"] = Key("secret", "111111111111")
    AwsSession(endpoint=emulator.endpoint, credentials=("OTHER", "secret")).s3(REGION).create_bucket(NAME, TAGS, 30)
    with pytest.raises(AwsCallError, match=f"the bucket {NAME} cannot be used") as raised:
        s3.bucket(NAME)
    assert raised.value.kind is ErrorKind.ACCESS_DENIED
    with pytest.raises(AwsCallError) as raised:
        s3.create_bucket(NAME, TAGS, 30)
    assert raised.value.kind is ErrorKind.DUPLICATE_NAME


def test_every_call_names_the_owner(s3: S3) -> None:
    """A bucket of another account whose policy lets us in would pass every other check."""
    asked: dict[str, str | None] = {}
    client = s3._client
    client.meta.events.register(
        "before-sign.s3",
        lambda request, operation_name, **_: asked.setdefault(
            operation_name, request.headers.get("x-amz-expected-bucket-owner")
        ),
    )
    s3.create_bucket(NAME, TAGS, 30)
    s3.bucket(NAME)
    s3.put(NAME, "a", b"")
    s3.get(NAME, "a")
    list(s3.listed(NAME, ""))
    assert asked.pop("CreateBucket") is None
    assert len(asked) == 10 and set(asked.values()) <= {ACCOUNT, ACCOUNT.encode()}  # type: ignore[comparison-overlap]


def test_a_bucket_in_another_region(emulator: Emulator, s3: S3) -> None:
    elsewhere = AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY)).s3("us-east-1")
    elsewhere.create_bucket(NAME, TAGS, 30)
    elsewhere.put(NAME, "a", b"x")
    assert s3.bucket(NAME) == Bucket(NAME, "us-east-1", TAGS)
    assert s3.get(NAME, "a") == b"x"


@pytest.mark.parametrize(
    ("operation", "action"),
    [("PutObject", "s3:PutObject"), ("GetObject", "s3:Get*"), ("ListObjectsV2", "s3:ListBucket")],
)
def test_missing_permissions(emulator: Emulator, s3: S3, operation: str, action: str) -> None:
    s3.create_bucket(NAME, TAGS, 30)
    emulator.deny(action)
    calls: dict[str, Callable[[], object]] = {
        "PutObject": lambda: s3.put(NAME, "a", b""),
        "GetObject": lambda: s3.get(NAME, "a"),
        "ListObjectsV2": lambda: list(s3.listed(NAME, "")),
    }
    with pytest.raises(AwsCallError, match=f"AWS refused {operation} in eu-west-1: AccessDenied") as raised:
        calls[operation]()
    assert raised.value.kind is ErrorKind.ACCESS_DENIED


def test_a_bucket_that_is_still_settling(emulator: Emulator, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brqos.aws.s3._SETTLING", replace(_SETTLING, first_delay=0.001))
    aborted = Fault(code="OperationAborted", status=409)
    emulator.faults.inject("CreateBucket", aborted)
    emulator.faults.inject("PutBucketPolicy", aborted)
    emulator.faults.inject("PutBucketTagging", Fault(code="NoSuchBucket", status=404))
    s3.create_bucket(NAME, TAGS, 30)
    assert s3.bucket(NAME) == Bucket(NAME, REGION, TAGS) and len(emulator.faults.met) == 3


@pytest.mark.parametrize(
    "fault",
    [Fault(kind="throttled"), Fault(kind="internal"), Fault(reset="answer"), Fault(reset="body"), Fault(drop=True)],
    ids=lambda fault: fault.kind or fault.reset or "drop",
)
def test_faults_are_survived(emulator: Emulator, s3: S3, fault: Fault, tmp_path: Path) -> None:
    s3.create_bucket(NAME, TAGS, 30)
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(b"0123456789abcdef" * (9 * MIB // 16))
    for operation in ("UploadPart", "CompleteMultipartUpload", "GetObject", "PutObject"):
        emulator.faults.inject(operation, fault)
    s3.upload(NAME, "large", there)
    s3.download(NAME, "large", back)
    s3.put(NAME, "small", b"x")
    assert s3.get(NAME, "small") == b"x"
    assert back.read_bytes() == there.read_bytes()
    assert set(emulator.faults.met) == {"UploadPart", "CompleteMultipartUpload", "GetObject", "PutObject"}


def test_an_answer_that_breaks_off_is_read_again(emulator: Emulator, s3: S3) -> None:
    s3.create_bucket(NAME, TAGS, 30)
    s3.put(NAME, "a", b"x" * MIB)
    emulator.faults.inject("GetObject", Fault(reset="answer"), times=2)
    assert s3.get(NAME, "a") == b"x" * MIB
    emulator.faults.inject("GetObject", Fault(reset="answer"), times=30)
    with pytest.raises(AwsCallError) as raised:
        s3.get(NAME, "a")
    assert raised.value.kind is ErrorKind.CONNECTION


def test_an_upload_that_fails_leaves_no_parts(emulator: Emulator, s3: S3, tmp_path: Path) -> None:
    s3.create_bucket(NAME, TAGS, 30)
    file = tmp_path / "there"
    file.write_bytes(bytes(9 * MIB))
    emulator.faults.inject("UploadPart", Fault(code="InvalidRequest", status=400), skip=1)
    with pytest.raises(AwsCallError, match="InvalidRequest"):
        s3.upload(NAME, "large", file)
    assert emulator.store.s3.uploads == {} and s3.get(NAME, "large") is None
