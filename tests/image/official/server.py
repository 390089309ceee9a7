"""A server on this machine for a repository, which can be told to misbehave."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Server:
    """What is served; `tricks` maps the end of a path to what is done instead of serving the file."""

    folder: Path
    url: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    tricks: dict[str, Callable[["Handler", bytes], None]] = field(default_factory=dict)

    def count(self, end: str) -> int:
        return sum(path.endswith(end) for path, _ in self.asked)


class Handler(BaseHTTPRequestHandler):
    """Serves files, ranges too."""

    protocol_version = "HTTP/1.1"
    served: Server

    def do_GET(self) -> None:
        self.served.asked.append((self.path, self.headers.get("range")))
        file = self.served.folder / self.path.lstrip("/")
        data = file.read_bytes() if file.is_file() else b""
        for end, trick in self.served.tricks.items():
            if self.path.endswith(end):
                trick(self, data)
                return
        if not file.is_file():
            self.answer(403)
        else:
            self.whole_or_range(data)

    def answer(self, status: int, data: bytes = b"", length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def whole_or_range(self, data: bytes) -> None:
        start = self.range_start()
        if start >= len(data) > 0:
            self.answer(416)
        elif start:
            self.answer(206, data[start:], content_range=f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.answer(200, data)

    def range_start(self) -> int:
        return int((self.headers.get("range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve a folder on a port of its own."""
    served = Server(folder)
    handler = type("Bound", (Handler,), {"served": served})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def breaks_off(after: int, times: int = 1) -> Callable[[Handler, bytes], None]:
    """Close the connection after some bytes, a few times."""
    left = [times]

    def trick(handler: Handler, data: bytes) -> None:
        if not left[0]:
            handler.whole_or_range(data)
            return
        left[0] -= 1
        start = handler.range_start()
        rest = data[start:]
        range_of = {"content_range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        handler.answer(206 if start else 200, rest[:after], length=len(rest), **range_of)
        handler.close_connection = True

    return trick


def endless(handler: Handler, _: bytes) -> None:
    """Send without end, until the other side has enough."""
    handler.send_response(200)
    handler.end_headers()
    handler.close_connection = True
    try:
        for _ in range(3000):
            handler.wfile.write(b"x" * 10_000)
    except OSError:
        return


def drips(seconds: float) -> Callable[[Handler, bytes], None]:
    """Send a byte now and then."""

    def trick(handler: Handler, data: bytes) -> None:
        handler.send_response(200)
        handler.send_header("content-length", str(len(data)))
        handler.end_headers()
        try:
            for byte in data[:200]:
                handler.wfile.write(bytes([byte]))
                handler.wfile.flush()
                time.sleep(seconds)
        except OSError:
            return

    return trick


def status(number: int, times: int = 1000, **headers: str) -> Callable[[Handler, bytes], None]:
    """Answer with a status, a few times."""
    left = [times]

    def trick(handler: Handler, data: bytes) -> None:
        if left[0]:
            left[0] -= 1
            handler.answer(number, **headers)
        else:
            handler.whole_or_range(data)

    return trick


def without_ranges(handler: Handler, data: bytes) -> None:
    """A server that always begins at the beginning."""
    handler.answer(200, data)
