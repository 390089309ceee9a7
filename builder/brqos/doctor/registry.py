"""Asking an OCI registry for an image's manifest, as twoliter's krane does, and without Docker.

By the OCI distribution specification 1.1 ("Pulling manifests"), and Docker's token authentication
(distribution/docs/content/spec/auth/token.md), in which a registry answers 401 and says who hands out tokens. https is
tried first; http only where go-containerregistry does so (pkg/name/registry.go, Scheme): this machine, private
addresses, names below .local.
"""

import base64
import hashlib
import ipaddress
import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from brqos import __version__
from brqos.image.official.transport import Patience, TransferError, in_words, pool_for

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
# The specification wants clients to take at least that much.
_LIMIT = 4 << 20
_PIECE = 1 << 16
_OK, _UNAUTHORIZED, _NOT_FOUND = 200, 401, 404


class RefusedError(Exception):
    """The registry answers, and gives no manifest; `login` says whether that is for want of a login."""

    def __init__(self, why: str, *, login: bool = False) -> None:
        super().__init__(why)
        self.login = login


class NoManifestError(Exception):
    """The registry has no such manifest."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it came: its digest (`sha256:...`), and those of the manifests that it lists, if it is an index."""

    digest: str
    listed: tuple[str, ...]


class Registry:
    """One registry by its host (`registry.example.com:5000`)."""

    def __init__(self, host: str, patience: Patience) -> None:
        self._host = host
        self._patience = patience
        self._scheme = ""
        self._authorization: dict[str, str] = {}

    def manifest(self, repository: str, reference: str) -> Manifest:
        """The manifest of a tag or digest; raises NoManifestError, RefusedError, TransferError."""
        data = self._get(repository, reference)
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        try:
            listed = json.loads(data).get("manifests", [])
            return Manifest(digest, tuple(str(entry["digest"]) for entry in listed))
        except (ValueError, AttributeError, TypeError, KeyError):
            raise RefusedError("what it sends as a manifest is none") from None

    def _get(self, repository: str, reference: str) -> bytes:
        path = f"/v2/{repository}/manifests/{reference}"
        if repository not in self._authorization:
            # By the plain question it is found out how it is spoken to, and whether it is a registry at all.
            self._authorization[repository] = self._challenged(repository, self._first())
        status, data, _ = self._ask(self._address(path), self._authorization[repository])
        if status == _OK:
            return data
        if status == _NOT_FOUND:
            raise NoManifestError
        if status in {_UNAUTHORIZED, 403}:
            raise RefusedError(f"HTTP status {status}", login=True)
        raise RefusedError(f"HTTP status {status}")

    def _first(self) -> str:
        """The challenge (WWW-Authenticate) of the registry, empty where anybody may read."""
        schemes = ["https", "http"] if _may_be_plain(self._host) else ["https"]
        for scheme in schemes:
            self._scheme = scheme
            try:
                status, _, headers = self._ask(self._address("/v2/"), "")
            except TransferError:
                if scheme == schemes[-1]:
                    raise
                continue
            if status == _UNAUTHORIZED:
                return headers.get("www-authenticate", "")
            if status == _OK:
                return ""
            raise RefusedError(f"it answers HTTP status {status} to /v2/, which is not how a registry does")
        return ""

    def _challenged(self, repository: str, challenge: str) -> str:
        """The value of Authorization that answers a challenge."""
        login = _docker_login(self._host)
        kind, _, rest = challenge.partition(" ")
        if kind.lower() == "bearer":
            return self._token(repository, dict(re.findall(r'(\w+)="([^"]*)"', rest)), login)
        if kind.lower() == "basic" and login is None:
            raise RefusedError("it asks for a login", login=True)
        return f"Basic {login}" if challenge and login else ""

    def _token(self, repository: str, asked: dict[str, str], login: str | None) -> str:
        realm = asked.get("realm", "")
        parts = urlsplit(realm)
        # A login goes over no plain connection but to where it went anyway.
        plain = parts.scheme == "http" and _may_be_plain(parts.netloc)
        if parts.scheme != "https" and not plain:
            raise RefusedError(f"it sends on to “{realm}” for a token, which is no https: URL")
        query = {"scope": f"repository:{repository}:pull"}
        if "service" in asked:
            query["service"] = asked["service"]
        status, data, _ = self._ask(f"{realm}?{urlencode(query)}", f"Basic {login}" if login else "")
        if status != _OK:
            raise RefusedError(f"no token is handed out: HTTP status {status}", login=status in {_UNAUTHORIZED, 403})
        try:
            told: dict[str, Any] = json.loads(data)
            return f"Bearer {told.get('token') or told['access_token']}"
        except (ValueError, AttributeError, KeyError):
            raise RefusedError("what it sends as a token is none") from None

    def _request(self, address: str, headers: dict[str, str]) -> "BaseHTTPResponse":
        from urllib3 import Retry
        from urllib3.exceptions import MaxRetryError, ResponseError

        # The login is left out where a redirection leads to another host (Retry.remove_headers_on_redirect).
        redirections = Retry(total=3, connect=0, read=0, other=0, status=0, redirect=3)
        try:
            return pool_for(address, self._patience).request(
                "GET", address, headers=headers, preload_content=False, retries=redirections
            )
        except MaxRetryError as error:
            if isinstance(error.reason, ResponseError):
                raise TransferError("the server sends on from one place to another without end") from None
            raise (error.reason or error) from None

    def _address(self, path: str) -> str:
        return f"{self._scheme}://{self._host}{path}"

    def _ask(self, address: str, authorization: str) -> "tuple[int, bytes, dict[str, str]]":
        headers = {"user-agent": f"brqos/{__version__}", "accept": ", ".join(_MANIFESTS)}
        if authorization:
            headers["authorization"] = authorization
        with in_words(self._patience):
            response = self._request(address, headers)
            try:
                data = self._whole(response)
            finally:
                response.close()
        return response.status, data, {key.lower(): value for key, value in response.headers.items()}

    def _whole(self, response: "BaseHTTPResponse") -> bytes:
        """All that is sent; raises RefusedError where it is too much, TransferError where it takes too long."""
        deadline = time.monotonic() + self._patience.whole_seconds
        data = bytearray()
        while piece := response.read1(_PIECE):
            data += piece
            if len(data) > _LIMIT:
                raise RefusedError("it sends more than a manifest may have")
            if time.monotonic() > deadline:
                raise TransferError(f"it was not there after {self._patience.whole_seconds:g} s", again=False)
        return bytes(data)


def _may_be_plain(host: str) -> bool:
    name = host.rpartition(":")[0] if ":" in host else host
    if name == "localhost" or name.endswith((".local", ".localhost")):
        return True
    try:
        return ipaddress.ip_address(name).is_private
    except ValueError:
        return False


def _docker_login(host: str) -> str | None:
    """The login that `docker login` wrote down, in base64 (docker's config.json); None where there is none to read."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        entry = json.loads((folder / "config.json").read_text(encoding="utf-8"))["auths"][host]
        login = entry.get("auth")
        base64.b64decode(login, validate=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return str(login) or None
