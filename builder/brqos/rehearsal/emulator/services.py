"""Which service and operation a request is for, and who carries it out."""

from collections.abc import Callable

from brqos.rehearsal.emulator import ebs, eks
from brqos.rehearsal.emulator.access import Access
from brqos.rehearsal.emulator.autoscaling import AutoScaling
from brqos.rehearsal.emulator.ec2 import Ec2
from brqos.rehearsal.emulator.faults import Faults
from brqos.rehearsal.emulator.query import parameters_of
from brqos.rehearsal.emulator.signature import Key, check_payload
from brqos.rehearsal.emulator.ssm import Ssm, operation_of
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.sts import Sts
from brqos.rehearsal.emulator.wire import Caller, Request, Response, ServiceError


class Services:
    """All services of the emulator."""

    def __init__(
        self, store: Store, faults: Faults, access: Access, keys: dict[str, Key], *, verify_every: int
    ) -> None:
        self._ec2 = Ec2(store, faults)
        self._ebs = ebs.EbsDirect(store, faults, verify_every=verify_every)
        self._ssm = Ssm(store, access.may)
        self._sts = Sts(store, keys)
        self._autoscaling = AutoScaling(store)
        self._eks = eks.Eks(store)

    def operation(self, request: Request, caller: Caller) -> tuple[str, Callable[[], Response]]:
        """The name of the operation and what carries it out; raises ServiceError."""
        if caller.service == "ebs":
            operation, words = ebs.route(request.method, request.path)
            return operation, lambda: self._ebs.answer(operation, words, request, caller)
        check_payload(request, unsigned_allowed=False)
        if caller.service == "eks":
            operation, words = eks.route(request.method, request.path)
            return operation, lambda: self._eks.answer(operation, words, request, caller)
        if caller.service == "ssm":
            name = operation_of(request.headers.get("x-amz-target"))
            if not name:
                raise ServiceError("UnknownOperationException", "X-Amz-Target names no operation")
            return name, lambda: self._ssm.answer(name, request, caller)
        asked = parameters_of(request)
        action = str(asked["Action"])
        if caller.service == "sts":
            return action, lambda: self._sts.answer(asked, caller)
        if caller.service == "autoscaling":
            return action, lambda: self._autoscaling.answer(asked, caller)
        return action, lambda: self._ec2.answer(asked, caller)


def told_by_head(method: str, path: str, target: str | None) -> str:
    """The operation as far as a request's head tells it; empty where only the body does."""
    if path.startswith("/snapshots"):
        try:
            return ebs.route(method, path)[0]
        except ServiceError:
            return ""
    return operation_of(target)


def guessed_service(path: str, target: str | None) -> str:
    """The service, where the signature does not tell it: an error must come in a form that the client reads."""
    if path.startswith("/snapshots"):
        return "ebs"
    if path.startswith("/clusters"):
        return "eks"
    return "ssm" if operation_of(target) else "ec2"
