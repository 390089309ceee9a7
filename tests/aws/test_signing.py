"""Our signature against botocore's own, header for header."""

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from brqos.aws.credentials import Credentials
from brqos.aws.signing import UNSIGNED_PAYLOAD, signed_headers

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


@given(
    secret=KEYS,
    token=st.none() | KEYS,
    index=st.integers(0, 1 << 20),
    checksum=st.binary(min_size=32, max_size=32),
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
    base=st.sampled_from(["", "/prefix", "/a b/~c", "/ä"]),
)
def test_the_same_as_botocore(
    secret: str, token: str | None, index: int, checksum: bytes, moment: datetime, base: str
) -> None:
    import base64

    time = moment.replace(microsecond=0, tzinfo=UTC)
    path = f"{base}/snapshots/snap-0123456789abcdef0/blocks/{index}"
    headers = {
        "host": "ebs.eu-west-1.amazonaws.com",
        "x-amz-checksum": base64.b64encode(checksum).decode(),
        "x-amz-checksum-algorithm": "SHA256",
        "x-amz-data-length": "524288",
    }
    ours = signed_headers(
        "PUT",
        path,
        headers,
        credentials=Credentials("AKIA", secret, token),
        region="eu-west-1",
        service="ebs",
        time=time,
    )
    request = AWSRequest("PUT", f"https://ebs.eu-west-1.amazonaws.com{path}", data=b"", headers=dict(headers))
    request.headers["X-Amz-Content-SHA256"] = UNSIGNED_PAYLOAD
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda *_: time.replace(tzinfo=None), raising=False)
        SigV4Auth(BotocoreCredentials("AKIA", secret, token), "ebs", "eu-west-1").add_auth(request)
    theirs = {name.lower(): value for name, value in request.headers.items()}
    assert ours["authorization"] == theirs["authorization"]
    assert ours == theirs


def test_secrets_do_not_show() -> None:
    headers = signed_headers(
        "PUT", "/x", {"host": "h"}, credentials=Credentials("AKIA", "very-secret"), region="r", service="ebs",
        time=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    assert "very-secret" not in str(headers)
    assert "very-secret" not in repr(Credentials("AKIA", "very-secret", "token-too"))
