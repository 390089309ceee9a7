"""A registry on this machine that speaks as much of the OCI distribution API as pulling a manifest needs."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass
class Oci:
    """`manifests` by (repository, tag or digest). `guard` is empty, `bearer`, `basic` or `no` (not a registry at all).

    `login` is user:password, wanted by `basic`, and by the token service where it is not empty.
    """

    manifests: dict[tuple[str, str], bytes] = field(default_factory=dict)
    guard: str = ""
    login: str = ""
    host: str = ""
    asked: list[str] = field(default_factory=list)
    logins: set[str] = field(default_factory=set)

    def push(self, repository: str, tag: str, *, architectures: int = 2) -> str:
        """Put an index with a manifest for each architecture there; its digest."""
        listed = [self._put(repository, {"layers": [], "number": number}) for number in range(architectures)]
        index = {
            "mediaType": INDEX,
            "manifests": [{"digest": digest} for digest in listed],
            "of": f"{repository}:{tag}",
        }
        digest = self._put(repository, index)
        self.manifests[repository, tag] = self.manifests[repository, digest]
        return digest

    def _put(self, repository: str, manifest: dict[str, Any]) -> str:
        data = json.dumps(manifest).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.manifests[repository, digest] = data
        return digest


class Handler(BaseHTTPRequestHandler):
    oci: Oci

    def do_GET(self) -> None:
        self.oci.asked.append(self.path)
        given = self.headers.get("authorization", "")
        self.oci.logins.add(given)
        if self.path.startswith("/token"):
            self._token(given)
        elif self.oci.guard == "no":
            self._answer(418)
        elif not self._may(given):
            self._answer(401, challenge=self._challenge())
        elif self.path == "/v2/":
            self._answer(200, b"{}")
        else:
            repository, _, reference = self.path.removeprefix("/v2/").partition("/manifests/")
            data = self.oci.manifests.get((repository, reference))
            self._answer(404 if data is None else 200, data or b"{}")

    def _may(self, given: str) -> bool:
        if self.oci.guard == "bearer":
            kind, _, repository = given.partition(":")
            return kind == "Bearer for" and f"/{repository}/" in self.path
        return self.oci.guard != "basic" or given == self._basic()

    def _challenge(self) -> str:
        if self.oci.guard == "basic":
            return 'Basic realm="here"'
        return f'Bearer realm="http://{self.oci.host}/token",service="here"'

    def _token(self, given: str) -> None:
        if self.oci.login and given != self._basic():
            self._answer(403)
            return
        asked = parse_qs(urlsplit(self.path).query)
        kind, repository, action = asked["scope"][0].split(":")
        assert (kind, action, asked["service"]) == ("repository", "pull", ["here"])
        self._answer(200, json.dumps({"token": f"for:{repository}"}).encode())

    def _basic(self) -> str:
        return f"Basic {base64.b64encode(self.oci.login.encode()).decode()}"

    def _answer(self, status: int, data: bytes = b"", challenge: str = "") -> None:
        self.send_response(status)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(oci: Oci) -> Iterator[Oci]:
    """Serve it on a port of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"oci": oci}))
    oci.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield oci
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
