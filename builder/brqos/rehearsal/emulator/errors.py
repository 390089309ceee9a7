"""What every service says in its own words: throttled, expired, denied, broken; and the form of its errors."""

import json
import uuid

from brqos.rehearsal.emulator.cbor import cbor_response
from brqos.rehearsal.emulator.query import query_error
from brqos.rehearsal.emulator.s3.xml import s3_error
from brqos.rehearsal.emulator.wire import Response, ServiceError, json_response

KINDS = ("throttled", "expired", "denied", "internal", "unavailable", "unknown-key")
"""Kinds of errors that all services know."""

_EXPIRED = "The security token included in the request is expired"
_UNKNOWN_KEY = "The security token included in the request is invalid."
_BUSY = "The service is unavailable. Please try again shortly."
_CODES: dict[str, dict[str, tuple[str, int, str]]] = {
    "throttled": {
        "ebs": ("RequestThrottledException", 400, "The number of API requests has exceeded the maximum allowed."),
        "ec2": ("RequestLimitExceeded", 503, "Request limit exceeded."),
        "ssm": ("ThrottlingException", 400, "Rate exceeded"),
        "eks": ("TooManyRequestsException", 429, "Too Many Requests"),
        "s3": ("SlowDown", 503, "Please reduce your request rate."),
        "": ("Throttling", 400, "Rate exceeded"),
    },
    "expired": {
        "ebs": ("ExpiredTokenException", 403, _EXPIRED),
        "ec2": ("RequestExpired", 400, "Request has expired."),
        "ssm": ("ExpiredTokenException", 400, _EXPIRED),
        "eks": ("ExpiredTokenException", 403, _EXPIRED),
        "s3": ("ExpiredToken", 400, "The provided token has expired."),
        "": ("ExpiredToken", 403, _EXPIRED),
    },
    "denied": {
        "ebs": ("AccessDeniedException", 403, "You are not authorized to perform this operation."),
        "ec2": ("UnauthorizedOperation", 403, "You are not authorized to perform this operation."),
        "ssm": ("AccessDeniedException", 400, "User is not authorized to perform this operation"),
        "eks": ("AccessDeniedException", 403, "User is not authorized to perform this operation"),
        "s3": ("AccessDenied", 403, "Access Denied"),
        "": ("AccessDenied", 403, "User is not authorized to perform this operation"),
    },
    "internal": {
        "ebs": ("InternalServerException", 500, "An internal error occurred."),
        "ec2": ("InternalError", 500, "An internal error has occurred"),
        "ssm": ("InternalServerError", 500, "An internal error occurred"),
        "eks": ("ServerException", 500, "An internal error occurred"),
        "s3": ("InternalError", 500, "We encountered an internal error. Please try again."),
        "iam": ("ServiceFailure", 500, "The request processing has failed because of an unknown error"),
        "": ("InternalFailure", 500, "An internal error occurred"),
    },
    "unavailable": {
        "ebs": ("ServiceUnavailableException", 503, _BUSY),
        "ec2": ("Unavailable", 503, _BUSY),
        "eks": ("ServiceUnavailableException", 503, _BUSY),
        "logs": ("ServiceUnavailableException", 500, _BUSY),
        "": ("ServiceUnavailable", 503, _BUSY),
    },
    "unknown-key": {
        "ebs": ("UnrecognizedClientException", 403, _UNKNOWN_KEY),
        "ec2": ("AuthFailure", 401, "AWS was not able to validate the provided access credentials"),
        "ssm": ("UnrecognizedClientException", 400, _UNKNOWN_KEY),
        "eks": ("UnrecognizedClientException", 403, _UNKNOWN_KEY),
        "s3": ("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."),
        "": ("InvalidClientTokenId", 403, _UNKNOWN_KEY),
    },
}
_JSON = ("ssm", "kms", "logs", "codebuild")
_REASONS = {"throttled": "ACCOUNT_THROTTLED", "denied": "UNAUTHORIZED_ACCOUNT"}


def usual_error(service: str, kind: str, message: str = "") -> ServiceError:
    """An error of one of KINDS as this service puts it."""
    of_kind = _CODES[kind]
    # Those that speak JSON 1.1 say the same of what all services know.
    code, status, usual = of_kind.get(service) or of_kind.get("ssm" if service in _JSON else "") or of_kind[""]
    return ServiceError(code, message or usual, status=status, reason=_REASONS.get(kind, ""))


def error_response(service: str, error: ServiceError, *, cbor: bool = False) -> Response:
    """The error in the form of the service that was asked (and of its newer protocol), with the error's own headers."""
    if cbor:
        response = cbor_response({"__type": error.code, "message": error.message}, error.status)
    else:
        response = _in_form_of(service, error)
    return Response(response.status, response.body, {**response.headers, **error.headers})


def _in_form_of(service: str, error: ServiceError) -> Response:
    request_id = str(uuid.uuid4())
    if service == "ebs":
        value = {"Message": error.message, "Reason": error.reason or None}
        return json_response(value, error.status, {"x-amzn-ErrorType": error.code, "x-amzn-RequestId": request_id})
    if service == "eks":
        return json_response(
            {"message": error.message}, error.status, {"x-amzn-ErrorType": error.code, "x-amzn-RequestId": request_id}
        )
    if service == "s3":
        return s3_error(error)
    if service in _JSON:
        body = json.dumps({"__type": error.code, "message": error.message}).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": request_id}
        return Response(error.status, body, headers)
    return query_error(service, error)
