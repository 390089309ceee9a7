"""CodeBuild (JSON 1.1, and CBOR as newer SDKs speak it): projects and batches, whose builds a `Runner` gives life.

`surroundings` tells what every build has in its environment besides: where the emulator is, and a key for it.
"""

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from brqos.rehearsal.emulator import cbor
from brqos.rehearsal.emulator.codebuild import batches, projects
from brqos.rehearsal.emulator.codebuild.call import Call, invalid
from brqos.rehearsal.emulator.codebuild.progress import Progress
from brqos.rehearsal.emulator.codebuild.runs import Runner
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import Caller, Request, Response, ServiceError, json_object, json_response

_TARGET = "CodeBuild_20161006"
_CONTENT_TYPE = "application/x-amz-json-1.1"
_LOOK_SECONDS = 0.1
ACTIONS = {**projects.ACTIONS, **batches.ACTIONS}
"""What carries out an operation, and the members that it knows."""


def operation_of(path: str, target: str | None) -> str:
    """The operation that a request is for, by its path or its X-Amz-Target; empty if it is none of this service."""
    service, operation = cbor.operation_of(path)
    if service == _TARGET:
        return operation
    return target.removeprefix(f"{_TARGET}.") if target and target.startswith(f"{_TARGET}.") else ""


def codebuild_response(spoken: bool, _operation: str, told: dict[str, Any]) -> Response:
    """An answer of CodeBuild, in CBOR where that was spoken."""
    if spoken:
        return cbor.cbor_response(told)
    return json_response(told, headers={"Content-Type": _CONTENT_TYPE, "x-amzn-RequestId": str(uuid.uuid4())})


class CodeBuild:
    """The service `codebuild`; `may` says whether a caller has a permission such as `iam:PassRole`."""

    def __init__(
        self,
        store: Store,
        may: Callable[[Caller, str], bool],
        runner: Runner,
        surroundings: Callable[[], Mapping[str, str]],
    ) -> None:
        self._store = store
        self._may = may
        self._runner = runner
        self._progress = Progress(store, runner, self.advance, surroundings)
        self._stopping = threading.Event()
        self._watch: threading.Thread | None = None

    def advance(self) -> None:
        """Let everything come about that is due by now."""
        if not self._store.codebuild.unfinished:
            return
        with self._store.lock:
            if not self._stopping.is_set():
                self._progress.advance()

    def answer(self, operation: str, request: Request, caller: Caller) -> Response:
        """Carry out one operation; raises ServiceError."""
        if operation not in ACTIONS:
            raise ServiceError("UnknownOperationException", f"{operation} is not emulated, or not known")
        carry_out, members = ACTIONS[operation]
        spoken = cbor.is_cbor(request)
        asked = cbor.decode(bytes(request.body)) if spoken else json_object(request.body)
        if not isinstance(asked, dict):
            raise ServiceError("SerializationException", "The body is not an object")
        if unknown := sorted(set(asked) - members):
            raise invalid(f"{unknown[0]} is not emulated, or not known to {operation}")
        with self._store.lock:
            self._progress.advance()
            told = carry_out(Call(self._store, self._progress, asked, caller, self._may))
            self._look_after()
            return codebuild_response(spoken, operation, told)

    def stop(self) -> None:
        """End all builds; nothing begins any more."""
        self._stopping.set()
        if self._watch is not None:
            self._watch.join()
        self._runner.close()

    def _look_after(self) -> None:
        """Real builds go on while nobody asks: one that ends makes room, and deadlines pass."""
        if self._runner.real and self._watch is None and self._store.codebuild.unfinished:
            self._watch = threading.Thread(target=self._go_on, name="emulator-codebuild", daemon=True)
            self._watch.start()

    def _go_on(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            self.advance()
