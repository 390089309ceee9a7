"""What AWS's errors mean: each becomes one AwsError with its kind, its reason and what to do."""

import contextlib
from collections.abc import Iterator
from enum import StrEnum

from brqos.errors import AwsError


class ErrorKind(StrEnum):
    """What sort of failure a call met; retries and special cases go by it, never by an error's text."""

    ACCESS_DENIED = "access-denied"
    CREDENTIALS = "credentials"
    EXPIRED = "expired"
    PROFILE = "profile"
    REGION = "region"
    CONNECTION = "connection"
    THROTTLED = "throttled"
    SERVER = "server"
    QUOTA = "quota"
    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    DUPLICATE_NAME = "duplicate-name"
    IN_USE = "in-use"
    VALIDATION = "validation"
    ROLE_NOT_READY = "role-not-ready"
    OTHER = "other"


class AwsCallError(AwsError):
    """A call to AWS that failed; `code` is the service's own word for it, empty where no answer came."""

    def __init__(self, what: str, *, kind: ErrorKind, code: str = "", why: str = "", todo: str = "") -> None:
        super().__init__(what, why=why, todo=todo)
        self.kind = kind
        self.code = code


_KINDS = {
    ErrorKind.ACCESS_DENIED: (
        "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Blocked", "KMSAccessDeniedException",
    ),
    ErrorKind.CREDENTIALS: (
        "AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch",
        "InvalidSignatureException", "IncompleteSignature", "MissingAuthenticationToken",
        "InvalidAccessKeyId",
    ),
    ErrorKind.EXPIRED: ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"),
    ErrorKind.REGION: ("OptInRequired", "RegionDisabledException", "InvalidRegion"),
    ErrorKind.THROTTLED: (
        "RequestThrottledException", "RequestThrottled", "RequestLimitExceeded", "Throttling", "ThrottlingException",
        "ConcurrentLimitExceededException", "TooManyRequestsException", "SlowDown", "PriorRequestNotComplete",
        "TooManyUpdates",
    ),
    ErrorKind.SERVER: (
        "InternalServerException", "InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable",
        "ServiceUnavailableException", "RequestTimeout", "RequestTimeoutException", "ServerException", "ServiceFailure",
    ),
    ErrorKind.QUOTA: (
        "ServiceQuotaExceededException", "SnapshotLimitExceeded", "PendingSnapshotLimitExceeded", "TagLimitExceeded",
        "ResourceLimitExceeded", "ParameterLimitExceeded", "ParameterMaxVersionLimitExceeded",
        "AccountLimitExceededException", "LimitExceeded", "LimitExceededException", "TooManyBuckets",
    ),
    ErrorKind.NOT_FOUND: (
        "ResourceNotFoundException", "InvalidSnapshot.NotFound", "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable",
        "ParameterNotFound", "InvalidLaunchTemplateName.NotFoundException", "InvalidLaunchTemplateId.VersionNotFound",
        "NotFoundException", "NoSuchBucket", "NoSuchKey", "NoSuchUpload", "NoSuchEntity", "NoSuchTagSet",
    ),
    ErrorKind.CONFLICT: (
        "ConflictException", "IdempotentParameterMismatch", "OperationAborted", "ConcurrentModification",
    ),
    ErrorKind.DUPLICATE_NAME: (
        "InvalidAMIName.Duplicate", "ParameterAlreadyExists", "InvalidLaunchTemplateName.AlreadyExistsException",
        "ResourceAlreadyExistsException", "BucketAlreadyExists", "BucketAlreadyOwnedByYou", "EntityAlreadyExists",
    ),
    ErrorKind.IN_USE: ("InvalidSnapshot.InUse",),
    ErrorKind.VALIDATION: (
        "ValidationException", "ValidationError", "InvalidParameterValue", "InvalidParameterCombination",
        "MissingParameter", "UnknownParameter", "InvalidBlockDeviceMapping", "InvalidAMIName.Malformed",
        "InvalidAMIID.Malformed", "InvalidParameter", "IncorrectState", "SerializationException", "InvalidTag",
        "InvalidAMIAttributeItemValue", "InvalidUserID.Malformed", "HierarchyLevelLimitExceededException",
        "ParameterPatternMismatchException", "UnsupportedParameterType", "InvalidParameterException",
        "InvalidInstanceType", "InvalidUserData.Malformed", "InvalidLaunchTemplateId.Malformed",
        "InvalidLaunchTemplateName.MalformedException", "InvalidLaunchTemplateName.Malformed", "InvalidArnException",
        "InvalidKeyUsageException", "DisabledException", "KMSInvalidStateException", "InvalidInputException",
        "MalformedPolicyDocument", "InvalidInput", "InvalidBucketName", "MalformedXML", "MalformedPolicy",
        "InvalidArgument",
    ),
}  # fmt: skip
_KIND_OF_CODE = {code: kind for kind, codes in _KINDS.items() for code in codes}

_LOG_IN = "Log in again (`aws sso login`, or new keys)"
_TODO = {
    ErrorKind.ACCESS_DENIED: (
        "Ask whoever manages the account for this permission; reading the AWS identity with"
        " `aws sts get-caller-identity` shows who is asking."
    ),
    ErrorKind.CREDENTIALS: (
        "Check the access keys. A region that the account has not opted into answers in the same way: see"
        " `aws account list-regions`."
    ),
    ErrorKind.EXPIRED: f"{_LOG_IN}, check this machine's clock, and run the same command again.",
    ErrorKind.REGION: "Enable the region for the account (`aws account enable-region`), or leave it out.",
    ErrorKind.THROTTLED: "Run the same command again later; other work in the account shares this limit.",
    ErrorKind.SERVER: "Run the same command again; https://health.aws.amazon.com tells of trouble in a region.",
    ErrorKind.QUOTA: "Delete what is not needed any more, or ask for a higher limit in Service Quotas.",
}


def kind_of(code: str, status: int = 0) -> ErrorKind:
    """The kind of an error by the service's code, else by the HTTP status."""
    if kind := _KIND_OF_CODE.get(code):
        return kind
    if code.endswith(".NotFound") or status == 404:
        return ErrorKind.NOT_FOUND
    by_status = {
        401: ErrorKind.CREDENTIALS,
        402: ErrorKind.QUOTA,
        403: ErrorKind.ACCESS_DENIED,
        409: ErrorKind.CONFLICT,
    }
    if status in by_status:
        return by_status[status]
    if status == 429:
        return ErrorKind.THROTTLED
    return ErrorKind.SERVER if status >= 500 else ErrorKind.OTHER


@contextlib.contextmanager
def translated(operation: str, region: str | None = None, profile: str | None = None) -> Iterator[None]:
    """Turn whatever botocore raises in the body into an AwsCallError."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        yield
    except (BotoCoreError, ClientError, HTTPClientError) as error:
        raise translate(error, operation, region, profile) from error
    except ValueError as error:
        # botocore says so of an endpoint in the configuration that is no URL.
        raise AwsCallError(
            f"{operation} is impossible with this AWS configuration",
            kind=ErrorKind.OTHER,
            why=str(error),
            todo="Check AWS_ENDPOINT_URL and its per-service forms, and endpoint_url in the AWS configuration file.",
        ) from error


def translate(error: Exception, operation: str, region: str | None, profile: str | None) -> AwsCallError:
    """The AwsCallError for an exception of botocore's."""
    from botocore.exceptions import ClientError

    if isinstance(error, ClientError):
        return _of_answer(error, operation, region)
    return _of_client(error, operation, region, profile)


def refused(operation: str, region: str | None, *, code: str, status: int, message: str) -> AwsCallError:
    """The AwsCallError for an answer that refuses; `status` is that of HTTP."""
    kind = kind_of(code, status)
    place = f" in {region}" if region else ""
    return AwsCallError(
        f"AWS refused {operation}{place}: {code or f'status {status}'}",
        kind=kind,
        code=code,
        why=message,
        todo=_TODO.get(kind, ""),
    )


def unreachable(operation: str, region: str | None, why: str) -> AwsCallError:
    """The AwsCallError for a call that no answer came to."""
    return AwsCallError(
        f"AWS cannot be reached for {operation}" + (f" in {region}" if region else ""),
        kind=ErrorKind.CONNECTION,
        why=why,
        todo="Check the region's spelling, the network, the proxy, and the AWS_ENDPOINT_URL variables.",
    )


def _of_answer(error: Exception, operation: str, region: str | None) -> AwsCallError:
    response = getattr(error, "response", {})
    told = response.get("Error", {})
    return refused(
        operation,
        region,
        code=str(told.get("Code", "")),
        status=int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)),
        # EBS direct answers with the code alone where it has no message.
        message=str(told.get("Message") or told.get("message") or ""),
    )


def _of_client(error: Exception, operation: str, region: str | None, profile: str | None) -> AwsCallError:
    from botocore import exceptions as known

    why = str(error)
    match error:
        case known.ProfileNotFound():
            name = profile or "AWS_PROFILE"
            return AwsCallError(
                f"the AWS profile “{name}” does not exist",
                kind=ErrorKind.PROFILE,
                why=why,
                todo="`aws configure list-profiles` shows those that do; give one with --profile or AWS_PROFILE.",
            )
        case known.NoRegionError():
            return AwsCallError(
                "no AWS region is given", kind=ErrorKind.REGION, todo="Give one with --region, for example eu-west-1."
            )
        case known.InvalidRegionError():
            return AwsCallError(
                f"“{region}” is not an AWS region", kind=ErrorKind.REGION, todo="Give one such as eu-west-1."
            )
        case (
            known.TokenRetrievalError()
            | known.UnauthorizedSSOTokenError()
            | known.SSOTokenLoadError()
            | known.RefreshWithMFAUnsupportedError()
        ):
            return AwsCallError(
                "the AWS login has expired", kind=ErrorKind.EXPIRED, why=why, todo=f"{_LOG_IN} and run the same again."
            )
        case known.NoCredentialsError() | known.PartialCredentialsError() | known.CredentialRetrievalError():
            return AwsCallError(
                "there are no AWS credentials that can be used",
                kind=ErrorKind.CREDENTIALS,
                why=why,
                todo="Log in (`aws sso login`, `aws configure`), give a profile with --profile,"
                " or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            )
        case known.ParamValidationError():
            return AwsCallError(f"{operation} was asked for with a wrong parameter", kind=ErrorKind.VALIDATION, why=why)
        case known.ConfigParseError() | known.ConfigNotFound() | known.InvalidConfigError():
            return AwsCallError(
                "the AWS configuration cannot be read",
                kind=ErrorKind.PROFILE,
                why=why,
                todo="Correct ~/.aws/config and ~/.aws/credentials, or the files that AWS_CONFIG_FILE names.",
            )
        case known.HTTPClientError() | known.ConnectionError():
            return unreachable(operation, region, why)
    return AwsCallError(f"{operation} failed", kind=ErrorKind.OTHER, why=f"{type(error).__name__}: {why}")
