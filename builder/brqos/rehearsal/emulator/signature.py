"""Signature Version 4 as the services check it: who signed, for what, and whether the bytes are those that were signed.

Rules: AWS "Create a signed AWS API request" (canonical request, string to sign, derived key).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

from brqos.rehearsal.emulator.errors import usual_error
from brqos.rehearsal.emulator.wire import Caller, Request, ServiceError

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_CLOCK_SKEW_SECONDS = 15 * 60
_SERVICES = ("ec2", "ebs", "sts", "ssm", "autoscaling", "eks", "s3", "logs", "codebuild", "iam", "kms")
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)"
    r"/aws4_request, *SignedHeaders=(?P<headers>[a-z0-9;-]+), *Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Key:
    """An access key that the emulator knows, and the account that it belongs to.

    `expires` is the store's time at which it stops working, `session` the ARN of the role session that it stands for.
    """

    secret: str
    account: str
    token: str | None = None
    expires: float | None = None
    session: str = ""


def claimed(authorization: str) -> tuple[str, str]:
    """The service and the region that a request says it is for, unchecked; empty where it does not say."""
    match = _AUTHORIZATION.fullmatch(authorization)
    return (match["service"], match["region"]) if match and match["service"] in _SERVICES else ("", "")


def claims_s3(headers: Mapping[str, str]) -> bool:
    """Whether a request says that it is for S3, unchecked; `headers` have names in lower case."""
    return "/s3/aws4_request" in headers.get("authorization", "")


def authenticate(request: Request, keys: Mapping[str, Key], stranger: Key | None = None, now: float = 0.0) -> Caller:
    """Who made the request; raises ServiceError as the services do for a missing, unknown or wrong signature.

    A key that is not known counts as `stranger` if there is one: its secret is not known either, so only the form
    of the signature is looked at. `now` is the store's time, by which keys expire.
    """
    header = request.headers.get("authorization", "")
    if not header:
        raise ServiceError("MissingAuthenticationToken", "Missing Authentication Token", status=403)
    match = _AUTHORIZATION.fullmatch(header)
    if match is None or match["service"] not in _SERVICES:
        raise ServiceError("IncompleteSignature", "Authorization header is malformed", status=400)
    key = keys.get(match["key"])
    if key is None:
        if stranger is None:
            raise usual_error(match["service"], "unknown-key")
        _check_date(request, match["date"])
        return Caller(stranger.account, match["key"], match["region"], match["service"])
    if request.headers.get("x-amz-security-token") != key.token:
        raise ServiceError("ExpiredToken", "The security token included in the request is expired", status=403)
    _check_date(request, match["date"])
    expected = _signature(request, match, key.secret)
    if not hmac.compare_digest(expected, match["signature"]):
        message = "The request signature we calculated does not match the signature you provided."
        raise ServiceError("SignatureDoesNotMatch", message, status=403)
    if key.expires is not None and now >= key.expires:
        raise usual_error(match["service"], "expired")
    return Caller(key.account, match["key"], match["region"], match["service"], key.session)


def check_payload(request: Request, *, unsigned_allowed: bool) -> None:
    """The declared hash of the body has to be that of the body; only block puts may leave it unsigned."""
    declared = request.headers.get("x-amz-content-sha256")
    if declared == UNSIGNED_PAYLOAD:
        if not unsigned_allowed:
            message = "x-amz-content-sha256 must be the hash of the body"
            raise ServiceError("InvalidSignatureException", message, status=403)
        return
    if declared is not None and declared != hashlib.sha256(request.body).hexdigest():
        raise ServiceError("InvalidSignatureException", "x-amz-content-sha256 is not the body's hash", status=403)


@lru_cache(maxsize=64)
def _seconds(stamp: str) -> float:
    """The time of an x-amz-date; raises ValueError."""
    return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _check_date(request: Request, scope_date: str) -> None:
    stamp = request.headers.get("x-amz-date", "")
    try:
        signed = _seconds(stamp)
    except ValueError:
        raise ServiceError("IncompleteSignature", "x-amz-date is missing or malformed") from None
    if not stamp.startswith(scope_date):
        raise ServiceError("SignatureDoesNotMatch", "Date in Credential scope does not match x-amz-date", status=403)
    if abs(datetime.now(UTC).timestamp() - signed) > _CLOCK_SKEW_SECONDS:
        raise ServiceError("RequestExpired", "Request has expired.", status=400)


def _signature(request: Request, match: "re.Match[str]", secret: str) -> str:
    names = match["headers"].split(";")
    # A signature that does not cover the host could be sent to another service.
    if "host" not in names or "x-amz-date" not in names or names != sorted(names):
        raise ServiceError("IncompleteSignature", "SignedHeaders must be sorted and hold host and x-amz-date")
    missing = [name for name in names if name not in request.headers]
    if missing:
        raise ServiceError("SignatureDoesNotMatch", f"signed headers are missing: {', '.join(missing)}", status=403)
    payload = request.headers.get("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join(
        [
            request.method,
            # S3 alone does not encode once more what is encoded in the path.
            request.path if match["service"] == "s3" else quote(request.path, safe="/~"),
            _canonical_query(request.raw_query),
            *(f"{name}:{' '.join(request.headers[name].split())}" for name in names),
            "",
            ";".join(names),
            payload,
        ]
    )
    scope = f"{match['date']}/{match['region']}/{match['service']}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{request.headers['x-amz-date']}\n{scope}\n{digest}"
    return hmac.digest(_signing_key(secret, scope), to_sign.encode(), "sha256").hex()


def _canonical_query(raw: str) -> str:
    """The parameters in their order, those without a value (`?tagging`) with an empty one."""
    return "&".join(sorted(part if "=" in part else f"{part}=" for part in raw.split("&"))) if raw else ""


@lru_cache(maxsize=256)
def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
