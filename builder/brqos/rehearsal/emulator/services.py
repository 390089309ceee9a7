"""Which service and operation a request is for, and who carries it out."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from brqos.rehearsal.emulator import ebs, eks, kms_signing
from brqos.rehearsal.emulator.access import Access
from brqos.rehearsal.emulator.autoscaling import AutoScaling
from brqos.rehearsal.emulator.codebuild import service as codebuild
from brqos.rehearsal.emulator.codebuild.runs import Runner
from brqos.rehearsal.emulator.ec2 import Ec2
from brqos.rehearsal.emulator.faults import Faults
from brqos.rehearsal.emulator.head import Head
from brqos.rehearsal.emulator.iam import Iam
from brqos.rehearsal.emulator.logs import service as logs
from brqos.rehearsal.emulator.query import parameters_of
from brqos.rehearsal.emulator.s3.routes import route as s3_route
from brqos.rehearsal.emulator.s3.service import S3
from brqos.rehearsal.emulator.signature import Key, check_payload, claims_s3
from brqos.rehearsal.emulator.ssm import Ssm, operation_of
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.sts import Sts
from brqos.rehearsal.emulator.wire import Caller, Request, Response, ServiceError

_TARGETED = ("codebuild", "logs", "kms", "ssm")


class _Queried(Protocol):
    def answer(self, asked: Mapping[str, Any], caller: Caller) -> Response: ...


class Services:
    """All services of the emulator."""

    def __init__(
        self,
        store: Store,
        faults: Faults,
        access: Access,
        keys: dict[str, Key],
        *,
        verify_every: int,
        runner: Runner,
        surroundings: Callable[[], Mapping[str, str]],
    ) -> None:
        self._ec2 = Ec2(store, faults)
        self._ebs = ebs.EbsDirect(store, faults, verify_every=verify_every)
        self._ssm = Ssm(store, access.may)
        self._sts = Sts(store, keys)
        self._autoscaling = AutoScaling(store)
        self._eks = eks.Eks(store)
        self._kms = kms_signing.KmsSigning(store)
        self._iam = Iam(store)
        self._s3 = S3(store, access.may)
        self._logs = logs.Logs(store)
        self._codebuild = codebuild.CodeBuild(store, access.may, runner, surroundings)

    def operation(self, request: Request, caller: Caller) -> tuple[str, Callable[[], Response]]:
        """The name of the operation and what carries it out; raises ServiceError."""
        if caller.service == "ebs":
            operation, words = ebs.route(request.method, request.path)
            return operation, lambda: self._ebs.answer(operation, words, request, caller)
        if caller.service in ("s3", "logs"):
            # A build that has ended by now may have put something there, and has said its last words.
            self._codebuild.advance()
        if caller.service == "s3":
            wanted = s3_route(request.method, request.path, request.raw_query, request.headers.get("host", ""))
            return wanted.operation, lambda: self._s3.answer(wanted, request, caller)
        check_payload(request, unsigned_allowed=False)
        if caller.service == "eks":
            operation, words = eks.route(request.method, request.path)
            return operation, lambda: self._eks.answer(operation, words, request, caller)
        if caller.service in _TARGETED:
            return self._targeted(request, caller)
        return self._queried(parameters_of(request), caller)

    def _targeted(self, request: Request, caller: Caller) -> tuple[str, Callable[[], Response]]:
        """Services whose operation a header names, or CBOR's path."""
        target = request.headers.get("x-amz-target")
        match caller.service:
            case "codebuild":
                name = codebuild.operation_of(request.path, target)
                return name, lambda: self._codebuild.answer(name, request, caller)
            case "logs":
                name = logs.operation_of(target)
                return name, lambda: self._logs.answer(name, request, caller)
            case "kms":
                name = kms_signing.operation_of(target)
                return name, lambda: self._kms.answer(name, request, caller)
        name = operation_of(target)
        if not name:
            raise ServiceError("UnknownOperationException", "X-Amz-Target names no operation")
        return name, lambda: self._ssm.answer(name, request, caller)

    def _queried(self, asked: Mapping[str, Any], caller: Caller) -> tuple[str, Callable[[], Response]]:
        """Services of the query protocol."""
        action = str(asked["Action"])
        services: dict[str, _Queried] = {"sts": self._sts, "iam": self._iam, "autoscaling": self._autoscaling}
        service = services.get(caller.service, self._ec2)
        return action, lambda: service.answer(asked, caller)

    def stop(self) -> None:
        """End what goes on by itself: builds that run for real."""
        self._codebuild.stop()


def told_by_head(head: Head) -> str:
    """The operation as far as a request's head tells it; empty where only the body does."""
    method, path, target = head.method, head.path, head.headers.get("x-amz-target")
    if claims_s3(head.headers):
        try:
            return s3_route(method, path, head.raw_query, head.headers.get("host", "")).operation
        except ServiceError:
            return ""
    if path.startswith("/snapshots"):
        try:
            return ebs.route(method, path)[0]
        except ServiceError:
            return ""
    told = operation_of(target) or kms_signing.operation_of(target) or logs.operation_of(target)
    return told or codebuild.operation_of(path, target)


def guessed_service(path: str, target: str | None) -> str:
    """The service, where the signature does not tell it: an error must come in a form that the client reads."""
    if path.startswith("/snapshots"):
        return "ebs"
    if path.startswith("/clusters"):
        return "eks"
    if codebuild.operation_of(path, target):
        return "codebuild"
    if logs.operation_of(target):
        return "logs"
    return "ssm" if operation_of(target) else "ec2"
