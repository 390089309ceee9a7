"""The server: one port on loopback, told apart by the service that a request is signed for."""

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from brqos.rehearsal.emulator import ebs, sts
from brqos.rehearsal.emulator.ec2 import Ec2, parameters_of
from brqos.rehearsal.emulator.faults import Fault, Faults
from brqos.rehearsal.emulator.signature import Key, authenticate, check_payload
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import Caller, Request, Response, ServiceError, error_response

ACCESS_KEY, SECRET_KEY = "REHEARSALREHEARSAL00", "rehearsal"
ACCOUNT = "000000000000"
_LARGEST_BODY = 1 << 20


class Emulator:
    """An AWS account on loopback; a context manager, or `start` and `stop`.

    With `rehearsal` its ids have a form that no real id has. `delay` is how many seconds a snapshot or an image takes
    from `pending` to its final state. `keys` are the access keys whose signatures it can check; with `any_key` it
    takes others too, and looks at the form of their signatures only. `clock` gives the time in seconds.
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
    ) -> None:
        self.store = Store(rehearsal=rehearsal, delay=delay, clock=clock)
        self.faults = Faults()
        self.keys = dict(keys) if keys is not None else {ACCESS_KEY: Key(SECRET_KEY, ACCOUNT)}
        self._any_key = Key("", ACCOUNT) if any_key else None
        self.calls: Counter[str] = Counter()
        self._ec2 = Ec2(self.store, self.faults)
        self._ebs = ebs.EbsDirect(self.store, self.faults)
        self._server = _Server(("127.0.0.1", port), partial(_Handler, self))
        self._thread: threading.Thread | None = None

    @property
    def endpoint(self) -> str:
        """The URL for all three services."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="emulator", daemon=True)
        self._thread.start()

    def serve(self) -> None:
        """Serve in this thread, until interrupted."""
        self._server.serve_forever()

    def stop(self) -> None:
        """Stop serving and forget everything."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.close_connections()
        self._server.server_close()
        self.store.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def answer(self, request: Request) -> Response | None:
        """The answer to a request; None where a fault wants the connection closed instead."""
        # Until the signature tells the service, the path has to: an error must come in a form that the client reads.
        service = "ebs" if request.path.startswith("/snapshots") else "ec2"
        try:
            caller = authenticate(request, self.keys, self._any_key)
            service = caller.service
            operation, carry_out = self._operation(request, caller)
            with self.store.lock:
                self.calls[operation] += 1
            fault = self.faults.next_for(operation)
            if fault is None:
                return carry_out()
            return _with_fault(fault, carry_out)
        except ServiceError as error:
            return error_response(service, error)

    def _operation(self, request: Request, caller: Caller) -> tuple[str, Callable[[], Response]]:
        if caller.service == "ebs":
            operation, words = ebs.route(request)
            return operation, lambda: self._ebs.answer(operation, words, request, caller)
        check_payload(request, unsigned_allowed=False)
        asked = parameters_of(request)
        action = str(asked["Action"])
        if caller.service == "sts":
            return action, lambda: sts.answer(action, caller)
        return action, lambda: self._ec2.answer(asked, caller)


def _with_fault(fault: Fault, carry_out: Callable[[], Response]) -> Response | None:
    if fault.hang:
        time.sleep(fault.hang)
    if fault.after_effect:
        carry_out()
    if fault.drop:
        return None
    if fault.code:
        raise ServiceError(fault.code, fault.message, status=fault.status, reason=fault.reason)
    return carry_out()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(address, handler)

    def track(self, connection: socket.socket) -> None:
        with self._guard:
            self._connections.add(connection)

    def release(self, connection: socket.socket) -> None:
        with self._guard:
            self._connections.discard(connection)

    def close_connections(self) -> None:
        # A client's pool keeps its connections open; their threads would go on waiting for a next request.
        with self._guard:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer in two small packets would wait for the client's delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def __init__(self, emulator: Emulator, *arguments: object) -> None:
        self._emulator = emulator
        super().__init__(*arguments)  # type: ignore[arg-type]

    def setup(self) -> None:
        super().setup()
        assert isinstance(self.server, _Server)
        self.server.track(self.connection)

    def finish(self) -> None:
        assert isinstance(self.server, _Server)
        self.server.release(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, *_: object) -> None:
        """Say nothing: the program around the emulator has the word."""

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(Response(411 if not length.isdecimal() else 413))
            return
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            self.close_connection = True
            return
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value.strip() for name, value in self.headers.items()}
        response = self._emulator.answer(Request(self.command, path, query, headers, body))
        if response is None:
            self.close_connection = True
            return
        self._send(response)

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - the names that http.server looks for
