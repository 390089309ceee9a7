"""S3 (REST, XML): buckets and objects as far as brqos uses them, and refusals for the rest."""

import uuid
from collections.abc import Callable

from brqos.rehearsal.emulator.errors import usual_error
from brqos.rehearsal.emulator.s3 import buckets, multipart, objects
from brqos.rehearsal.emulator.s3.bodies import body_of
from brqos.rehearsal.emulator.s3.call import Call
from brqos.rehearsal.emulator.s3.routes import Route
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import Caller, Request, Response

ACTIONS: dict[str, Callable[[Call], Response]] = {**buckets.ACTIONS, **objects.ACTIONS, **multipart.ACTIONS}
"""What carries out an operation."""


class S3:
    """The service `s3`; `may` says whether a caller has a permission such as `s3:GetObject`."""

    def __init__(self, store: Store, may: Callable[[Caller, str], bool]) -> None:
        self._store = store
        self._may = may

    def answer(self, route: Route, request: Request, caller: Caller) -> Response:
        """Carry out one operation; raises ServiceError."""
        if not self._may(caller, route.permission):
            raise usual_error("s3", "denied")
        # Before the lock: the digests of large bodies take their time.
        body, checksums = body_of(request)
        with self._store.lock:
            answer = ACTIONS[route.operation](Call(self._store, route, request.headers, body, checksums, caller))
        return Response(
            answer.status, answer.body, {"x-amz-request-id": uuid.uuid4().hex[:16].upper(), **answer.headers}
        )
