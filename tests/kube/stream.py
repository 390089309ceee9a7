"""The exec subresource, as kubectl speaks it: WebSocket from 1.31 on, SPDY before.

WebSocket (v5.channel.k8s.io): the first byte of a frame's payload is its channel, 1 standard output, 2 standard error,
3 the Status at the end (client-go, tools/remotecommand/websocket.go). SPDY/3.1 (v4.channel.k8s.io): a stream each; the
client opens them in the order error, output, error output (client-go, tools/remotecommand/v2.go, v4.go).
"""

import base64
import hashlib
import json
import struct
import zlib
from http.server import BaseHTTPRequestHandler
from typing import Protocol

OUTPUT, ERRORS, STATUS = 1, 2, 3
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_SYN_STREAM, _SYN_REPLY, _PING = 1, 2, 6
_CONTROL, _FIN = 0x80000000, 1


class Wire(Protocol):
    """What carries the channels."""

    def send(self, channel: int, data: bytes) -> None: ...

    def end(self) -> None: ...


def serve_exec(handler: BaseHTTPRequestHandler, files: dict[str, str] | None, command: list[str]) -> None:
    """Answer `cat FILE ...`; without files the container has no such program, as a distroless image."""
    wire: Wire
    if handler.headers.get("Sec-WebSocket-Key"):
        wire = _WebSocket(handler)
    elif handler.headers.get("Upgrade", "").lower() == "spdy/3.1":
        wire = _Spdy(handler)
    else:
        handler.send_response(400)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    if files is None:
        message = f'exec: "{command[0]}": executable file not found in $PATH: unknown'
        wire.send(STATUS, _failure("InternalError", message))
    else:
        _cat(wire, files, command[1:])
    wire.end()
    handler.close_connection = True


def _cat(wire: Wire, files: dict[str, str], names: list[str]) -> None:
    absent = False
    for name in names:
        short = name.rpartition("/")[2]
        if short in files:
            wire.send(OUTPUT, files[short].encode())
        else:
            absent = True
            wire.send(ERRORS, f"cat: can't open '{name}': No such file or directory\n".encode())
    wire.send(STATUS, _exit(1) if absent else b'{"metadata":{},"status":"Success"}')


def _exit(status: int) -> bytes:
    details = {"causes": [{"reason": "ExitCode", "message": str(status)}]}
    failed = {"status": "Failure", "reason": "NonZeroExitCode", "message": "terminated", "details": details}
    return json.dumps(failed).encode()


def _failure(reason: str, message: str) -> bytes:
    return json.dumps({"status": "Failure", "reason": reason, "message": message, "code": 500}).encode()


class _WebSocket:
    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        key = handler.headers["Sec-WebSocket-Key"]
        accept = base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode()).digest()).decode()
        _switch(
            handler,
            {
                "Upgrade": "websocket",
                "Sec-WebSocket-Accept": accept,
                "Sec-WebSocket-Protocol": "v5.channel.k8s.io",
            },
        )
        self._file = handler.wfile

    def send(self, channel: int, data: bytes) -> None:
        payload = bytes([channel]) + data
        length = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + struct.pack("!H", len(payload))
        self._file.write(b"\x82" + length + payload)

    def end(self) -> None:
        self._file.write(b"\x88\x02" + struct.pack("!H", 1000))
        self._file.flush()


class _Spdy:
    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        _switch(handler, {"Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": "v4.channel.k8s.io"})
        self._in, self._out = handler.rfile, handler.wfile
        self._compressor = zlib.compressobj()
        streams: list[int] = []
        while len(streams) < 3:
            kind, payload = self._frame()
            if kind == _SYN_STREAM:
                streams.append(struct.unpack("!I", payload[:4])[0])
                self._reply(streams[-1])
        self._streams = dict(zip((STATUS, OUTPUT, ERRORS), streams, strict=True))

    def _frame(self) -> tuple[int, bytes]:
        """A control frame's type, or 0 for data, and its payload; pings are answered here."""
        head = self._in.read(8)
        if len(head) < 8:
            raise ConnectionResetError
        first, second = struct.unpack("!II", head)
        payload = self._in.read(second & 0xFFFFFF)
        kind = first & 0xFFFF if first & _CONTROL else 0
        if kind == _PING:
            self._out.write(head + payload)
            self._out.flush()
        return kind, payload

    def _reply(self, stream: int) -> None:
        # No headers; zlib without SPDY's dictionary is read just as well.
        block = self._compressor.compress(struct.pack("!I", 0)) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        head = struct.pack("!II", _CONTROL | 3 << 16 | _SYN_REPLY, 4 + len(block))
        self._out.write(head + struct.pack("!I", stream) + block)
        self._out.flush()

    def send(self, channel: int, data: bytes) -> None:
        self._out.write(struct.pack("!II", self._streams[channel], len(data)) + data)

    def end(self) -> None:
        for channel in (OUTPUT, ERRORS, STATUS):
            self._out.write(struct.pack("!II", self._streams[channel], _FIN << 24))
        self._out.flush()
        try:
            while True:
                self._frame()
        except OSError:
            # The client hangs up when it has all.
            return


def _switch(handler: BaseHTTPRequestHandler, headers: dict[str, str]) -> None:
    handler.send_response(101)
    handler.send_header("Connection", "Upgrade")
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.flush()
