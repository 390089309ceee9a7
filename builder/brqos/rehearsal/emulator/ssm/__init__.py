"""SSM's Parameter Store (JSON 1.1): writing, reading, listing, tagging and labelling parameters."""

import uuid
from collections.abc import Callable
from typing import Any

from brqos.rehearsal.emulator.ssm import describing, reading, tagging, writing
from brqos.rehearsal.emulator.ssm.call import SsmCall
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import Caller, Request, Response, ServiceError, json_object, json_response

_TARGET = "AmazonSSM."
_CONTENT_TYPE = "application/x-amz-json-1.1"
ACTIONS = {**writing.ACTIONS, **reading.ACTIONS, **describing.ACTIONS, **tagging.ACTIONS}


def operation_of(target: str | None) -> str:
    """The operation that a request's X-Amz-Target names; empty if it is none of this service."""
    return target.removeprefix(_TARGET) if target and target.startswith(_TARGET) else ""


def ssm_response(_operation: str, told: dict[str, Any]) -> Response:
    """An answer of SSM."""
    return json_response(told, headers={"Content-Type": _CONTENT_TYPE, "x-amzn-RequestId": str(uuid.uuid4())})


class Ssm:
    """The service `ssm`; `may` says whether a caller has a permission such as `ec2:DescribeImages`."""

    def __init__(self, store: Store, may: Callable[[Caller, str], bool]) -> None:
        self._store = store
        self._may = may

    def answer(self, operation: str, request: Request, caller: Caller) -> Response:
        """Carry out one operation; raises ServiceError."""
        known = ACTIONS.get(operation)
        if known is None or request.method != "POST" or request.path != "/":
            raise ServiceError("UnknownOperationException", "The requested operation is not known")
        if request.headers.get("content-type", "").split(";")[0] != _CONTENT_TYPE:
            raise ServiceError("UnknownOperationException", f"The content type must be {_CONTENT_TYPE}", status=404)
        carry_out, members = known
        asked = json_object(request.body)
        if unknown := sorted(set(asked) - members):
            raise ServiceError("ValidationException", f"Unknown members: {', '.join(unknown)}")
        with self._store.lock:
            told = carry_out(SsmCall(self._store, asked, caller, self._may))
        return ssm_response(operation, told)
