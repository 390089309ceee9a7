"""The head of an HTTP/1.1 request, read strictly: what is ambiguous there is refused, never guessed.

Rules: RFC 9112 (message syntax) and RFC 9110 (field names). Bodies come with a Content-Length; chunked ones are not
taken, as EBS direct does not take them either. Large ones are taken of requests that say that they are for S3.
"""

import re
from dataclasses import dataclass

from brqos.rehearsal.emulator.signature import claims_s3

LARGEST_BODY = 1 << 20
LARGEST_OBJECT = 64 << 20
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class Head:
    """Request line and header fields; the names of `headers` are in lower case, `length` is that of the body."""

    method: str
    path: str
    raw_query: str
    headers: dict[str, str]
    length: int
    keep_alive: bool
    expects_continue: bool


class MalformedRequestError(Exception):
    """Not a request that this server understands; `status` is what it answers."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def parse_head(data: bytes) -> Head:
    """Read everything up to the empty line (which `data` does not hold); raises MalformedRequestError."""
    line, *fields = data.decode("latin-1").split("\r\n")
    words = line.split(" ")
    if len(words) != 3 or not _TOKEN.fullmatch(words[0]) or not words[1].startswith("/"):
        raise MalformedRequestError(400, "the request line is malformed")
    if words[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise MalformedRequestError(505, "the HTTP version is not supported")
    headers: dict[str, str] = {}
    for entry in fields:
        name, colon, value = entry.partition(":")
        if not colon or not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise MalformedRequestError(400, "a header field is malformed")
        name = name.lower()
        if name in headers:
            if name in ("content-length", "host", "authorization", "transfer-encoding"):
                raise MalformedRequestError(400, f"{name} is given twice")
            headers[name] = f"{headers[name]},{value.strip()}"
        else:
            headers[name] = value.strip()
    path, _, query = words[1].partition("?")
    connection = headers.get("connection", "").lower()
    return Head(
        method=words[0],
        path=path,
        raw_query=query,
        headers=headers,
        length=_length(words[0], headers, words[2]),
        keep_alive=connection == "keep-alive" if words[2] == "HTTP/1.0" else "close" not in connection,
        expects_continue=headers.get("expect", "").lower() == "100-continue",
    )


def _length(method: str, headers: dict[str, str], version: str) -> int:
    if "transfer-encoding" in headers:
        raise MalformedRequestError(501, "transfer codings are not supported")
    if version == "HTTP/1.1" and "host" not in headers:
        raise MalformedRequestError(400, "Host is missing")
    length = headers.get("content-length", "0" if method in ("GET", "DELETE", "HEAD") else "")
    if not (length.isascii() and length.isdecimal()):
        raise MalformedRequestError(411 if not length else 400, "Content-Length is missing or malformed")
    if int(length) > (LARGEST_OBJECT if claims_s3(headers) else LARGEST_BODY):
        raise MalformedRequestError(413, "the body is too large")
    return int(length)
