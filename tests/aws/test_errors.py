"""Every failure of botocore's becomes one AwsError with what to do."""

from typing import Any

import pytest
from botocore import exceptions as botocore
from hypothesis import given
from hypothesis import strategies as st

from brqos.aws.errors import AwsCallError, ErrorKind, kind_of, translate, translated
from brqos.errors import AwsError, ExitCode


def answered(code: str, status: int, message: str = "told") -> botocore.ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.ClientError(response, "Operation")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDeniedException", 403, ErrorKind.ACCESS_DENIED),
        ("UnauthorizedOperation", 403, ErrorKind.ACCESS_DENIED),
        ("AuthFailure", 401, ErrorKind.CREDENTIALS),
        ("UnrecognizedClientException", 400, ErrorKind.CREDENTIALS),
        ("ExpiredToken", 403, ErrorKind.EXPIRED),
        ("ExpiredTokenException", 400, ErrorKind.EXPIRED),
        ("OptInRequired", 401, ErrorKind.REGION),
        ("RequestThrottledException", 400, ErrorKind.THROTTLED),
        ("ConcurrentLimitExceededException", 400, ErrorKind.THROTTLED),
        ("RequestLimitExceeded", 503, ErrorKind.THROTTLED),
        ("ServiceQuotaExceededException", 402, ErrorKind.QUOTA),
        ("ResourceNotFoundException", 404, ErrorKind.NOT_FOUND),
        ("InvalidSnapshot.NotFound", 400, ErrorKind.NOT_FOUND),
        ("InvalidLaunchTemplateName.NotFoundException", 400, ErrorKind.NOT_FOUND),
        ("InvalidLaunchTemplateId.VersionNotFound", 400, ErrorKind.NOT_FOUND),
        ("InvalidLaunchTemplateName.AlreadyExistsException", 400, ErrorKind.DUPLICATE_NAME),
        ("InvalidUserData.Malformed", 400, ErrorKind.VALIDATION),
        ("InvalidInstanceType", 400, ErrorKind.VALIDATION),
        ("InvalidParameterException", 400, ErrorKind.VALIDATION),
        ("TooManyRequestsException", 429, ErrorKind.THROTTLED),
        ("ServerException", 500, ErrorKind.SERVER),
        ("InvalidAMIName.Duplicate", 400, ErrorKind.DUPLICATE_NAME),
        ("ValidationException", 400, ErrorKind.VALIDATION),
        ("InternalServerException", 500, ErrorKind.SERVER),
        ("", 503, ErrorKind.SERVER),
        ("", 429, ErrorKind.THROTTLED),
        ("Unheard", 403, ErrorKind.ACCESS_DENIED),
        ("Unheard.NotFound", 400, ErrorKind.NOT_FOUND),
        ("Unheard", 400, ErrorKind.OTHER),
    ],
)
def test_kinds_of_answers(code: str, status: int, kind: ErrorKind) -> None:
    error = translate(answered(code, status), "StartSnapshot", "eu-west-1", None)
    assert (error.kind, error.code, error.exit_code) == (kind, code, ExitCode.AWS)
    assert "StartSnapshot in eu-west-1" in error.what
    assert error.why == "told"


@given(st.text(max_size=30), st.integers(400, 599))
def test_every_answer_has_a_kind(code: str, status: int) -> None:
    assert kind_of(code, status) in ErrorKind


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (botocore.NoCredentialsError(), ErrorKind.CREDENTIALS, "aws sso login"),
        (
            botocore.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
            ErrorKind.CREDENTIALS,
            "AWS_SECRET_ACCESS_KEY",
        ),
        (botocore.ProfileNotFound(profile="work"), ErrorKind.PROFILE, "“work” does not exist"),
        (botocore.NoRegionError(), ErrorKind.REGION, "--region"),
        (botocore.InvalidRegionError(region_name="x y"), ErrorKind.REGION, "not an AWS region"),
        (botocore.TokenRetrievalError(provider="sso", error_msg="old"), ErrorKind.EXPIRED, "has expired"),
        (botocore.UnauthorizedSSOTokenError(), ErrorKind.EXPIRED, "has expired"),
        (botocore.SSOTokenLoadError(error_msg="none"), ErrorKind.EXPIRED, "has expired"),
        (botocore.EndpointConnectionError(endpoint_url="https://x"), ErrorKind.CONNECTION, "AWS_ENDPOINT_URL"),
        (botocore.ReadTimeoutError(endpoint_url="https://x"), ErrorKind.CONNECTION, "cannot be reached"),
        (botocore.ProxyConnectionError(proxy_url="http://p"), ErrorKind.CONNECTION, "proxy"),
        (botocore.SSLError(endpoint_url="https://x", error="bad"), ErrorKind.CONNECTION, "cannot be reached"),
        (botocore.ConfigParseError(path="/x"), ErrorKind.PROFILE, "AWS_CONFIG_FILE"),
        (botocore.ParamValidationError(report="wrong"), ErrorKind.VALIDATION, "wrong"),
        (botocore.UnknownServiceError(service_name="x", known_service_names="y"), ErrorKind.OTHER, "failed"),
    ],
)
def test_what_came_without_an_answer(error: Exception, kind: ErrorKind, words: str) -> None:
    told = translate(error, "StartSnapshot", "eu-west-1", "work")
    assert told.kind is kind
    assert words in str(told)


def test_only_errors_of_botocore_are_translated() -> None:
    with pytest.raises(ZeroDivisionError), translated("x"):
        raise ZeroDivisionError
    with pytest.raises(AwsError) as caught, translated("x"):
        raise answered("AccessDenied", 403)
    assert isinstance(caught.value, AwsCallError)
    assert "permission" in caught.value.todo
