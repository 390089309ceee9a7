"""What an operation of S3 is given, and who may do what with a bucket."""

from collections.abc import Mapping
from dataclasses import dataclass

from brqos.rehearsal.emulator.s3.routes import Route
from brqos.rehearsal.emulator.s3.state import S3Bucket
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import Caller, ServiceError


@dataclass(frozen=True, slots=True)
class Call:
    """One call; the store is locked, and the checksums of the body are right."""

    store: Store
    route: Route
    headers: Mapping[str, str]
    body: bytes
    checksums: Mapping[str, str]
    caller: Caller

    @property
    def bucket(self) -> S3Bucket:
        """The bucket, which is the caller's and of this region; raises ServiceError as S3 does for another one."""
        name = self.route.bucket
        found = self.store.s3.known.get(name)
        if found is None:
            raise ServiceError("NoSuchBucket", "The specified bucket does not exist", status=404)
        expected = self.headers.get("x-amz-expected-bucket-owner", found.owner)
        if found.owner != self.caller.account or expected != found.owner:
            raise ServiceError("AccessDenied", "Access Denied", status=403)
        if found.region != self.caller.region:
            message = (
                "The bucket you are attempting to access must be addressed using the specified endpoint. "
                "Please send all future requests to this endpoint."
            )
            headers = {"x-amz-bucket-region": found.region}
            raise ServiceError("PermanentRedirect", message, status=301, headers=headers)
        return found

    def number(self, name: str, default: int, most: int) -> int:
        """A number in the query; raises ServiceError."""
        text = self.route.query.get(name, str(default))
        if not text.isdecimal() or int(text) > most:
            raise ServiceError("InvalidArgument", f"Provided {name} not an integer or within integer range")
        return int(text)


def no_such_key() -> ServiceError:
    """What S3 says of an object that is not there."""
    return ServiceError("NoSuchKey", "The specified key does not exist.", status=404)
