"""Reading the files of an update repository, over HTTPS or from a folder.

Nothing is trusted here: what is read is judged by TUF. What is guarded against here is a server that sends too much,
too slowly, or nothing (TUF specification 1.0.31, 1.5.2: endless data and slow retrieval attacks).
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from brqos import __version__
from brqos.image.official.repository import Location, is_allowed, is_loopback

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_PIECE = 1 << 20
_REDIRECTIONS = 5
# S3 and CloudFront answer 403 for a file that is not there, unless one may list the bucket: seen for
# updates.bottlerocket.aws; python-tuf's Updater takes both for the end of the chain of roots, too.
_NOT_THERE = {403, 404, 410}
_WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, and how often is tried.

    `read_seconds` may pass between two pieces; a metadata file has to be there after `whole_seconds`; of an image at
    least `window_bytes` have to come in `window_seconds`. `tries` are tries without any progress, `pause_seconds` the
    first pause between two of them, each next one twice as long.
    """

    connect_seconds: float = 10
    read_seconds: float = 30
    whole_seconds: float = 120
    window_seconds: float = 60
    window_bytes: int = 1 << 16
    tries: int = 4
    pause_seconds: float = 1

    def pause(self, failures: int) -> None:
        """Wait before the next try."""
        time.sleep(self.pause_seconds * 2 ** (failures - 1))


class NotThereError(Exception):
    """The file is not in the repository, or may not be read there."""


class TooLongError(Exception):
    """More bytes came than the file may have."""


class TransferError(Exception):
    """The file could not be read; `again` tells whether another try may help."""

    def __init__(self, why: str, *, again: bool = True) -> None:
        super().__init__(why)
        self.again = again


@dataclass(frozen=True, slots=True)
class Body:
    """A file being read from byte `start` on, which is 0 where the server cannot begin in the middle."""

    start: int
    pieces: Iterator[bytes]


class Transport(Protocol):
    """Where files are read from."""

    def open(self, address: str, offset: int = 0) -> AbstractContextManager[Body]:
        """Begin to read a file; raises NotThereError and TransferError, also while it is read."""


def transport_to(location: Location, patience: Patience) -> Transport:
    """The transport for a place."""
    return Web(patience) if location.is_url else Folder()


def read(transport: Transport, address: str, limit: int, patience: Patience) -> bytes:
    """A whole small file; raises NotThereError, TooLongError, TransferError."""
    failures = 0
    while True:
        try:
            return _read_once(transport, address, limit, patience)
        except TransferError as error:
            failures += 1
            if not error.again or failures >= patience.tries:
                raise
            patience.pause(failures)


def _read_once(transport: Transport, address: str, limit: int, patience: Patience) -> bytes:
    deadline = time.monotonic() + patience.whole_seconds
    data = bytearray()
    with transport.open(address) as body:
        for piece in body.pieces:
            data += piece
            if len(data) > limit:
                raise TooLongError(f"more than {limit:,} bytes came")
            if time.monotonic() > deadline:
                raise TransferError(f"it was not there after {patience.whole_seconds:g} s", again=False)
    return bytes(data)


class Folder:
    """Files on this machine."""

    @contextmanager
    def open(self, address: str, offset: int = 0) -> Iterator[Body]:
        """Read a file from a byte on."""
        with _opened(Path(address)) as file:
            file.seek(offset)
            yield Body(offset, _pieces(file))


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotThereError(error.strerror) from None
    except OSError as error:
        raise TransferError(error.strerror or str(error), again=False) from None


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while True:
        try:
            piece = file.read(_PIECE)
        except OSError as error:
            raise TransferError(error.strerror or str(error), again=False) from None
        if not piece:
            return
        yield piece


class Web:
    """Files on a server, with the proxies that the environment names."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._managers: dict[str | None, PoolManager] = {}

    @contextmanager
    def open(self, address: str, offset: int = 0) -> Iterator[Body]:
        """Read a file from a byte on; the answer to a redirection is looked for where `is_allowed` says so."""
        response = self._ask(address, offset)
        try:
            yield Body(offset if response.status == 206 else 0, self._pieces(response))
        finally:
            # What was not read stays unread: the connection cannot be used again.
            response.close()

    def _ask(self, address: str, offset: int) -> "BaseHTTPResponse":
        for _ in range(_REDIRECTIONS + 1):
            response = self._request(address, offset)
            if response.status not in {301, 302, 303, 307, 308}:
                return _checked(response, offset)
            response.close()
            address = urljoin(address, response.headers.get("location", ""))
            if not is_allowed(address):
                raise TransferError(f"the server sends on to {urlsplit(address).scheme}:, not https:", again=False)
        raise TransferError("the server sends on from one place to another without end", again=False)

    def _request(self, address: str, offset: int) -> "BaseHTTPResponse":
        headers = {"user-agent": f"brqos/{__version__}", "accept-encoding": "identity"}
        if offset:
            headers["range"] = f"bytes={offset}-"
        with in_words(self._patience):
            return self._manager(address).request(
                "GET", address, headers=headers, preload_content=False, redirect=False, retries=False
            )

    def _pieces(self, response: "BaseHTTPResponse") -> Iterator[bytes]:
        slowness = _Slowness(self._patience)
        while True:
            with in_words(self._patience):
                piece = response.read1(_PIECE, decode_content=False)
            if not piece:
                return
            slowness.came(len(piece))
            yield piece

    def _manager(self, address: str) -> "PoolManager":
        proxy = _proxy_for(address)
        if proxy not in self._managers:
            self._managers[proxy] = pool_for(address, self._patience)
        return self._managers[proxy]


def pool_for(address: str, patience: Patience) -> "PoolManager":
    """What connects to a server: with the proxy and the certificates that the environment names."""
    import urllib3

    proxy = _proxy_for(address)
    timeout = urllib3.Timeout(connect=patience.connect_seconds, read=patience.read_seconds)
    # None is the system's store, or what SSL_CERT_FILE names.
    certificates = os.environ.get("REQUESTS_CA_BUNDLE") or None
    if proxy is None:
        return urllib3.PoolManager(timeout=timeout, ca_certs=certificates)
    return urllib3.ProxyManager(proxy, timeout=timeout, ca_certs=certificates, proxy_headers=_proxy_headers(proxy))


class _Slowness:
    """Gives up on a server that sends a byte now and then, forever."""

    def __init__(self, patience: Patience, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._since = clock()
        self._bytes = 0

    def came(self, amount: int) -> None:
        """So many bytes came; raises TransferError if they were too few for a whole window."""
        self._bytes += amount
        elapsed = self._clock() - self._since
        if elapsed < self._patience.window_seconds:
            return
        if self._bytes < self._patience.window_bytes:
            raise TransferError(f"only {self._bytes:,} bytes came in {elapsed:.0f} s")
        self._since, self._bytes = self._clock(), 0


def _checked(response: "BaseHTTPResponse", offset: int) -> "BaseHTTPResponse":
    """The response, if it holds the file; raises NotThereError and TransferError."""
    status = response.status
    if status == 200:
        return response
    if status == 206 and offset and response.headers.get("content-range", "").startswith(f"bytes {offset}-"):
        return response
    response.close()
    if status in _NOT_THERE:
        raise NotThereError(f"HTTP status {status}")
    if status == 416 and offset:
        raise TransferError("the server has not as many bytes as were fetched before", again=False)
    raise TransferError(f"HTTP status {status}", again=status in _WORTH_ANOTHER_TRY)


@contextmanager
def in_words(patience: Patience) -> Iterator[None]:
    """urllib3's errors as TransferError, in words; its own texts may hold the password of a proxy."""
    from urllib3 import exceptions

    words: tuple[tuple[type[Exception], str], ...] = (
        (exceptions.NameResolutionError, "the name of the server cannot be resolved"),
        # Before ConnectTimeoutError, of which it is one for old times' sake.
        (exceptions.NewConnectionError, "the server refuses the connection"),
        (exceptions.ConnectTimeoutError, f"no connection came about in {patience.connect_seconds:g} s"),
        (exceptions.ReadTimeoutError, f"nothing came for {patience.read_seconds:g} s"),
        (exceptions.ProxyError, "the proxy does not connect"),
        (exceptions.SSLError, "the encrypted connection failed (an unknown certificate?)"),
        (exceptions.ProtocolError, "the connection broke off"),
    )
    try:
        yield
    except (exceptions.HTTPError, OSError, ValueError) as error:
        told = next((text for kind, text in words if isinstance(error, kind)), type(error).__name__)
        raise TransferError(told, again=not isinstance(error, exceptions.SSLError)) from None


def _proxy_for(address: str) -> str | None:
    if is_loopback(address):
        # A proxy of another machine would not know what loopback is.
        return None
    parts = urlsplit(address)
    if proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    return proxy


def _proxy_headers(proxy: str) -> dict[str, str] | None:
    from urllib3.util import make_headers

    parts = urlsplit(proxy)
    if not parts.username:
        return None
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return dict(make_headers(proxy_basic_auth=login))
