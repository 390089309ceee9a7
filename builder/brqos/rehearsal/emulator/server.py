"""The emulator: one port on loopback, its services told apart by what a request is signed for."""

import contextlib
import os
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from brqos.rehearsal.emulator import seeds
from brqos.rehearsal.emulator.access import Access
from brqos.rehearsal.emulator.admin import PREFIX, Admin
from brqos.rehearsal.emulator.cbor import is_cbor
from brqos.rehearsal.emulator.codebuild.runs import Runner
from brqos.rehearsal.emulator.delivery import Cut, Delivery, Ticket
from brqos.rehearsal.emulator.errors import error_response, usual_error
from brqos.rehearsal.emulator.faults import BY_HEADER, PID_HEADER, Fault, Faults
from brqos.rehearsal.emulator.head import Head
from brqos.rehearsal.emulator.http11 import Server
from brqos.rehearsal.emulator.services import Services, guessed_service, told_by_head
from brqos.rehearsal.emulator.signature import Key, authenticate, claimed
from brqos.rehearsal.emulator.store import ACCOUNT, Store
from brqos.rehearsal.emulator.throttle import Rate, Throttle
from brqos.rehearsal.emulator.wire import Caller, Request, Response, ServiceError

__all__ = ["ACCESS_KEY", "ACCOUNT", "SECRET_KEY", "Emulator"]

ACCESS_KEY, SECRET_KEY = "REHEARSALREHEARSAL00", "rehearsal"


class Emulator:
    """AWS on loopback; a context manager, or `start` and `stop`.

    With `rehearsal` its ids have a form that no real id has. `delay` is how many seconds a snapshot or an image takes
    from `pending` to its final state. `keys` are the access keys whose signatures it can check; with `any_key` it
    takes others too, and looks at the form of their signatures only. `clock` gives the time in seconds.

    `puts_per_second` limits the block puts of an account in a region, `rates` any operation. Of the block puts every
    `verify_every`-th has its checksum verified. `folder` is where the blocks' bytes lie; with `discard` only their
    digests are kept.

    Builds of CodeBuild go by the scripts in `builds`, or are run by `runner`; where they really run, the secret of the
    emulator's own key is one that only `credentials` tells.
    """

    def __init__(
        self,
        *,
        rehearsal: bool = False,
        port: int = 0,
        delay: float = 0.2,
        keys: Mapping[str, Key] | None = None,
        any_key: bool = False,
        clock: Callable[[], float] = time.time,
        puts_per_second: float | None = None,
        rates: Mapping[str, Rate] | None = None,
        verify_every: int = 1,
        folder: Path | None = None,
        discard: bool = False,
        runner: Runner | None = None,
    ) -> None:
        self.store = Store(rehearsal=rehearsal, delay=delay, clock=clock, folder=folder, discard=discard)
        self.faults = Faults()
        self.access = Access()
        self.throttle = Throttle()
        for operation, rate in (rates or {}).items():
            self.throttle.limit(operation, rate)
        if puts_per_second is not None:
            self.throttle.limit("PutSnapshotBlock", Rate(puts_per_second))
        # Whoever may start builds that really run may do anything here: no other user of this machine shall.
        secret = secrets.token_urlsafe(30) if runner is not None and runner.real else SECRET_KEY
        self.keys = dict(keys) if keys is not None else {ACCESS_KEY: Key(secret, ACCOUNT)}
        self.calls: Counter[str] = Counter()
        self.bugs: list[BaseException] = []
        self._counting = threading.Lock()
        self._stranger = Key("", ACCOUNT) if any_key else None
        self._stopping = threading.Event()
        self.builds = self.store.codebuild.scripted
        self._services = Services(
            self.store,
            self.faults,
            self.access,
            self.keys,
            verify_every=verify_every,
            runner=runner or self.builds,
            surroundings=self._surroundings,
        )
        self._admin = Admin(self.store, self.faults, self.access, self.throttle, self.calls)
        self._server = Server(port, self)
        self._thread: threading.Thread | None = None

    @property
    def endpoint(self) -> str:
        """The URL for all services."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def credentials(self) -> tuple[str, str]:
        """The first of its access keys, with its secret."""
        access_key, key = next(iter(self.keys.items()))
        return access_key, key.secret

    def deny(self, action: str, *, region: str | None = None, account: str | None = None) -> None:
        """Refuse an action such as `ec2:RegisterImage` (wildcards allowed) as a missing permission does."""
        self.access.deny(action, region=region, account=account)

    def allow(self, action: str | None = None) -> None:
        """Take back what was denied under this name, or everything."""
        self.access.allow(action)

    def add_cluster(self, region: str, name: str, members: Mapping[str, Any] | None = None) -> None:
        """Put a cluster of EKS there, with subnets, or change one; `members` are those of DescribeCluster's answer."""
        seeds.add_cluster(self.store, region, name, members)

    def add_nodegroup(self, region: str, cluster: str, name: str, members: Mapping[str, Any] | None = None) -> None:
        """Put a nodegroup into a cluster, or change one; `members` are those of DescribeNodegroup's answer.

        Raises ServiceError if there is no such cluster.
        """
        seeds.add_nodegroup(self.store, region, cluster, name, members)

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self._server.serve_forever, name="emulator", daemon=True)
        self._thread.start()

    def serve(self) -> None:
        """Serve in this thread, until interrupted or stopped."""
        self._server.serve_forever()

    def end(self) -> None:
        """Let `serve` return; may be called from any thread and from a signal's handler."""
        self._stopping.set()
        self._server.end()

    def stop(self) -> None:
        """Stop serving and forget everything."""
        self.end()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._services.stop()
        self._server.end_connections()
        self._server.close()
        self.store.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def announce(self, head: Head) -> Ticket:
        """What is to be known before a request's body is read: whether it meets a fault there."""
        operation = told_by_head(head)
        if not operation:
            return Ticket()
        region = claimed(head.headers.get("authorization", ""))[1] if self.faults.waiting else ""
        return Ticket(operation, self.faults.next_for(operation, region))

    def answer(self, request: Request, ticket: Ticket) -> Delivery:
        """The answer to a request, and the way it is to be sent."""
        if request.path.startswith(PREFIX):
            return Delivery(self._admin.answer(request))
        service = guessed_service(request.path, request.headers.get("x-amz-target"))
        try:
            caller = authenticate(request, self.keys, self._stranger, self.store.clock())
            service = caller.service
            operation, carry_out = self._operation(request, caller)
            fault = ticket.fault if ticket.operation else self.faults.next_for(operation, caller.region)
            return self._with_fault(fault, service, carry_out, request)
        except ServiceError as error:
            return Delivery(error_response(service, error, cbor=is_cbor(request)))
        except Exception as error:  # noqa: BLE001 - whatever a client sends, it gets an answer; the tests see the bug
            self.bugs.append(error)
            return Delivery(
                error_response(
                    service,
                    usual_error(service, "internal", f"a bug of the emulator: {error!r}"),
                    cbor=is_cbor(request),
                )
            )

    def _surroundings(self) -> dict[str, str]:
        """What a build needs to work with this emulator, and with nothing else."""
        access_key, secret = self.credentials
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _operation(self, request: Request, caller: Caller) -> tuple[str, Callable[[], Response]]:
        """The operation, counted and admitted; raises ServiceError."""
        operation, carry_out = self._services.operation(request, caller)
        with self._counting:
            self.calls[operation] += 1
        if self.store.settings(caller.region, caller.account).opt_in_status == "not-opted-in":
            raise usual_error(caller.service, "unknown-key")
        if not self.throttle.admits(caller.account, caller.region, operation):
            raise usual_error(caller.service, "throttled")
        if not self.access.may(caller, f"{caller.service}:{operation}"):
            raise usual_error(caller.service, "denied")
        return operation, carry_out

    def _with_fault(
        self, fault: Fault | None, service: str, carry_out: Callable[[], Response], request: Request
    ) -> Delivery:
        if fault is None:
            return Delivery(carry_out())
        if fault.hang and self._stopping.wait(fault.hang):
            return Delivery(None, Cut.CLOSED)
        response = carry_out() if fault.after_effect or fault.reset == "answer" else None
        if fault.kill:
            _kill(fault, request)
            return Delivery(None, Cut.CLOSED)
        if fault.drop:
            return Delivery(None, Cut.CLOSED)
        if fault.reset:
            return Delivery(response, Cut.IN_ANSWER if fault.reset == "answer" else Cut.RESET)
        _raise_error(fault, service)
        return Delivery(response or carry_out(), seconds=fault.slow)


def _raise_error(fault: Fault, service: str) -> None:
    if fault.location:
        status = fault.status if 300 <= fault.status < 400 else 307
        raise ServiceError("Redirect", "ask there", status=status, headers={"Location": fault.location})
    if fault.kind:
        raise usual_error(service, fault.kind)
    if fault.code:
        raise ServiceError(fault.code, fault.message, status=fault.status, reason=fault.reason)


def _kill(fault: Fault, request: Request) -> None:
    """Kill the process that the fault or the request names, and no other."""
    text = request.headers.get(PID_HEADER, "") if fault.kill == BY_HEADER else str(fault.kill)
    if text.isdecimal() and int(text) > 1 and int(text) != os.getpid():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(text), signal.SIGKILL)
