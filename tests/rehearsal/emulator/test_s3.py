"""The emulated S3 where our client does not go: addressing, bodies in pieces, checksums, ranges and refusals."""

import base64
import hashlib
import zlib
from typing import Any

import boto3
import pytest
from botocore.config import Config

from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY
from brqos.rehearsal.emulator.s3.routes import route

from .conftest import REGION, Answer, Aws, RawClient, refused

pytestmark = pytest.mark.loopback

BUCKET = "some-bucket"
TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


@pytest.fixture
def s3(aws: Aws) -> Any:
    aws.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return aws.s3


def put(raw: RawClient, body: bytes, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    payload = named.pop("payload", hashlib.sha256(body).hexdigest())
    return raw.send("PUT", f"/{BUCKET}/key", service="s3", headers=named, body=body, payload=payload)


def code_of(answer: Answer) -> str:
    return answer.body.decode().partition("<Code>")[2].partition("<")[0]


def pieces(*parts: bytes, trailer: str) -> bytes:
    framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return framed + b"0\r\n" + trailer.encode() + b"\r\n\r\n"


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def test_a_body_in_pieces_with_its_checksum_behind_it(s3: Any, raw: RawClient) -> None:
    given = {"x_amz_trailer": "x-amz-checksum-crc32", "content_encoding": "aws-chunked", "payload": TRAILER}
    body = pieces(b"hello ", b"world", trailer=f"x-amz-checksum-crc32:{crc32(b'hello world')}\r\n")
    assert put(raw, body, **given, x_amz_decoded_content_length="11").status == 200
    got = s3.get_object(Bucket=BUCKET, Key="key", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"hello world" and got["ChecksumCRC32"] == crc32(b"hello world")
    assert "ContentEncoding" not in got


@pytest.mark.parametrize(
    ("body", "length", "code"),
    [
        (pieces(b"hello", trailer=f"x-amz-checksum-crc32:{crc32(b'other')}\r\n"), "5", "BadDigest"),
        (pieces(b"hello", trailer=f"x-amz-checksum-crc32:{crc32(b'hello')}\r\n"), "6", "IncompleteBody"),
        (pieces(b"hello", trailer=""), "5", "MalformedTrailerError"),
        (pieces(b"hello", trailer="nonsense\r\n"), "5", "MalformedTrailerError"),
        (b"5\r\nhel", "5", "IncompleteBody"),
        (b"z\r\nhello\r\n0\r\n\r\n", "5", "IncompleteBody"),
        (b"", "0", "IncompleteBody"),
    ],
)
def test_pieces_that_are_wrong(s3: Any, raw: RawClient, body: bytes, length: str, code: str) -> None:
    answer = put(raw, body, x_amz_trailer="x-amz-checksum-crc32", x_amz_decoded_content_length=length, payload=TRAILER)
    assert code_of(answer) == code
    with refused("NoSuchKey"):
        s3.get_object(Bucket=BUCKET, Key="key")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x_amz_checksum_crc32": crc32(b"other")}, "BadDigest"),
        ({"x_amz_checksum_sha256": base64.b64encode(bytes(32)).decode()}, "BadDigest"),
        ({"x_amz_checksum_sha256": "!"}, "InvalidRequest"),
        ({"x_amz_checksum_crc64nvme": "AAAA"}, "NotImplemented"),
        ({"x_amz_checksum_crc32": crc32(b"hello"), "x_amz_checksum_sha1": "x"}, "InvalidRequest"),
        ({"content_md5": base64.b64encode(bytes(16)).decode()}, "BadDigest"),
        ({"payload": "0" * 64}, "InvalidSignatureException"),
        ({"payload": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}, "NotImplemented"),
        ({"x_amz_acl": "public-read"}, "NotImplemented"),
        ({"x_amz_meta_large": "x" * 2048}, "MetadataTooLarge"),
    ],
)
def test_bodies_that_are_not_what_they_should_be(s3: Any, raw: RawClient, headers: dict[str, str], code: str) -> None:
    assert code_of(put(raw, b"hello", **headers)) == code
    with refused("404"):
        s3.head_object(Bucket=BUCKET, Key="key")


def test_a_body_that_is_not_signed_is_taken(s3: Any, raw: RawClient) -> None:
    assert put(raw, b"hello", payload="UNSIGNED-PAYLOAD").status == 200


def test_a_wrong_signature(s3: Any, raw: RawClient) -> None:
    def spoil(headers: dict[str, str]) -> None:
        headers["authorization"] = headers["authorization"][:-1] + ("0" if headers["authorization"][-1] != "0" else "1")

    answer = raw.send("GET", f"/{BUCKET}/key", service="s3", payload="UNSIGNED-PAYLOAD", spoil=spoil)
    assert (answer.status, code_of(answer)) == (403, "SignatureDoesNotMatch")


def test_a_bucket_in_front_of_the_host(s3: Any) -> None:
    found = route("GET", "/a/b%20c", "x-id=GetObject", f"{BUCKET}.localhost:1234")
    assert (found.operation, found.bucket, found.key) == ("GetObject", BUCKET, "a/b c")
    assert route("GET", "/", "list-type=2", f"{BUCKET}.localhost").operation == "ListObjectsV2"


def test_the_client_addresses_by_path_here(aws: Aws, s3: Any) -> None:
    virtual = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=aws.emulator.endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
    )
    virtual.put_object(Bucket=BUCKET, Key="key", Body=b"x")
    assert s3.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"x"


def test_ranges_and_conditions(s3: Any) -> None:
    etag = s3.put_object(Bucket=BUCKET, Key="key", Body=b"0123456789")["ETag"]
    part = s3.get_object(Bucket=BUCKET, Key="key", Range="bytes=2-4", IfMatch=etag)
    assert (part["Body"].read(), part["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert s3.get_object(Bucket=BUCKET, Key="key", Range="bytes=8-")["Body"].read() == b"89"
    with refused("InvalidRange", status=416):
        s3.get_object(Bucket=BUCKET, Key="key", Range="bytes=10-")
    with refused("NotImplemented"):
        s3.get_object(Bucket=BUCKET, Key="key", Range="bytes=-3")
    with refused("PreconditionFailed", status=412):
        s3.get_object(Bucket=BUCKET, Key="key", IfMatch='"other"')
    with refused("PreconditionFailed", status=412):
        s3.put_object(Bucket=BUCKET, Key="key", Body=b"", IfNoneMatch="*")


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA256", "SHA1"])
def test_uploads_in_parts(s3: Any, algorithm: str) -> None:
    asked = {"Bucket": BUCKET, "Key": "large"}
    upload = s3.create_multipart_upload(**asked, ChecksumAlgorithm=algorithm, Metadata={"a": "b"})["UploadId"]
    bodies = [bytes(5 << 20), b"rest"]
    parts = []
    for number, body in enumerate(bodies, 1):
        answer = s3.upload_part(**asked, UploadId=upload, PartNumber=number, Body=body, ChecksumAlgorithm=algorithm)
        parts.append(
            {"PartNumber": number, "ETag": answer["ETag"], f"Checksum{algorithm}": answer[f"Checksum{algorithm}"]}
        )
    for wrong, code in (([parts[1], parts[0]], "InvalidPartOrder"), ([{**parts[0], "ETag": '"x"'}], "InvalidPart")):
        with refused(code):
            s3.complete_multipart_upload(**asked, UploadId=upload, MultipartUpload={"Parts": wrong})
    # Whoever lost the answer asks again.
    first, again = (
        s3.complete_multipart_upload(**asked, UploadId=upload, MultipartUpload={"Parts": parts}) for _ in range(2)
    )
    assert first["ETag"] == again["ETag"] and first["ETag"].endswith('-2"')
    got = s3.get_object(**asked, ChecksumMode="ENABLED")
    assert got["Body"].read() == b"".join(bodies) and got["Metadata"] == {"a": "b"}
    assert got[f"Checksum{algorithm}"].endswith("-2") is (got["ChecksumType"] == "COMPOSITE")


def test_uploads_that_go_wrong(s3: Any) -> None:
    asked = {"Bucket": BUCKET, "Key": "large"}
    with refused("NoSuchUpload", status=404):
        s3.upload_part(**asked, UploadId="none", PartNumber=1, Body=b"")
    upload = s3.create_multipart_upload(**asked)["UploadId"]
    tags = [s3.upload_part(**asked, UploadId=upload, PartNumber=number, Body=b"x")["ETag"] for number in (1, 2)]
    parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
    with refused("EntityTooSmall"):
        s3.complete_multipart_upload(**asked, UploadId=upload, MultipartUpload={"Parts": parts})
    with refused("InvalidArgument"):
        s3.upload_part(**asked, UploadId=upload, PartNumber=10_001, Body=b"x")
    s3.abort_multipart_upload(**asked, UploadId=upload)
    with refused("NoSuchUpload"):
        s3.complete_multipart_upload(**asked, UploadId=upload, MultipartUpload={"Parts": parts})


@pytest.mark.parametrize("name", ["UPPER", "a", "a..b", "1.2.3.4", "xn--x", "x-s3alias", "-ab", "a_b"])
def test_names_that_are_none(aws: Aws, name: str) -> None:
    answer = RawClient(aws.emulator).send(
        "PUT", f"/{name}", service="s3", region="us-east-1", payload=hashlib.sha256(b"").hexdigest()
    )
    assert code_of(answer) == "InvalidBucketName"


def test_making_buckets(aws: Aws, s3: Any) -> None:
    with refused("BucketAlreadyOwnedByYou", status=409):
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    with refused("IllegalLocationConstraintException"):
        s3.create_bucket(Bucket="another-one")
    with refused("IllegalLocationConstraintException"):
        s3.create_bucket(Bucket="another-one", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    first = aws.client("s3", "us-east-1")
    first.create_bucket(Bucket="another-one")
    first.create_bucket(Bucket="another-one")
    stranger = aws.client("s3", credentials=aws.account("111111111111"))
    with refused("BucketAlreadyExists", status=409):
        stranger.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    with refused("403", status=403):
        stranger.head_bucket(Bucket=BUCKET)
    with refused("AccessDenied", status=403):
        s3.list_objects_v2(Bucket=BUCKET, ExpectedBucketOwner="111111111111")
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"")
    with refused("BucketNotEmpty"):
        s3.delete_bucket(Bucket=BUCKET)
    s3.delete_object(Bucket=BUCKET, Key="key")
    s3.delete_bucket(Bucket=BUCKET)
    with refused("NoSuchBucket", status=404):
        s3.list_objects_v2(Bucket=BUCKET)


def test_another_region_is_told(aws: Aws, s3: Any, raw: RawClient) -> None:
    payload = hashlib.sha256(b"").hexdigest()
    answer = raw.send("GET", f"/{BUCKET}/key", service="s3", region="eu-west-2", payload=payload)
    assert (answer.status, code_of(answer)) == (301, "PermanentRedirect")
    assert answer.headers["x-amz-bucket-region"] == REGION
    answer = raw.send("HEAD", f"/{BUCKET}", service="s3", region="eu-west-2", payload=payload)
    assert (answer.status, answer.body, answer.headers["x-amz-bucket-region"]) == (301, b"", REGION)


def test_settings_that_are_not_there_or_wrong(s3: Any) -> None:
    with refused("NoSuchTagSet", status=404):
        s3.get_bucket_tagging(Bucket=BUCKET)
    with refused("NoSuchBucketPolicy", status=404):
        s3.get_bucket_policy(Bucket=BUCKET)
    with refused("InvalidTag"):
        s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "aws:x", "Value": ""}]})
    with refused("MalformedPolicy"):
        s3.put_bucket_policy(Bucket=BUCKET, Policy="{}")
    with refused("MalformedPolicy"):
        s3.put_bucket_policy(Bucket=BUCKET, Policy='{"Statement": [{"Resource": "arn:aws:s3:::other/*"}]}')
    rule = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 0}}
    with refused("InvalidArgument"):
        s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})


def test_what_is_not_emulated_is_refused(s3: Any) -> None:
    for call in (
        lambda: s3.list_objects(Bucket=BUCKET),
        lambda: s3.list_objects_v2(Bucket=BUCKET, Delimiter="/"),
        lambda: s3.get_bucket_versioning(Bucket=BUCKET),
        lambda: s3.copy_object(Bucket=BUCKET, Key="b", CopySource=f"{BUCKET}/key"),
        lambda: s3.list_buckets(),
    ):
        with refused("NotImplemented", status=501):
            call()


def test_xml_that_is_none(s3: Any, raw: RawClient) -> None:
    body = b"<!DOCTYPE x [<!ENTITY a 'b'>]><Delete><Object><Key>&a;</Key></Object></Delete>"
    headers = {"x-amz-checksum-crc32": crc32(body)}
    payload = hashlib.sha256(body).hexdigest()
    answer = raw.send("POST", f"/{BUCKET}?delete=", service="s3", headers=headers, body=body, payload=payload)
    assert code_of(answer) == "MalformedXML"
    body = b"<Delete><Object><Key>a</Key></Object></Delete>"
    payload = hashlib.sha256(body).hexdigest()
    answer = raw.send("POST", f"/{BUCKET}?delete=", service="s3", body=body, payload=payload)
    assert code_of(answer) == "InvalidRequest"
