"""PutSnapshotBlock by a lean client: urllib3 and a signature of our own, everything else as botocore has it.

An image is thousands of puts, and boto3 takes 2 to 3 ms of processor time for each. Endpoint, credentials (with their
refreshing), proxies, certificates and time-outs are those that a boto3 client of the same session uses.
"""

import base64
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from brqos.aws.credentials import Credentials
from brqos.aws.ebs import BLOCK
from brqos.aws.errors import AwsCallError, ErrorKind, refused, unreachable
from brqos.aws.signing import signed_headers

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_OPERATION = "PutSnapshotBlock"
_REDIRECTS = (301, 302, 307, 308)


@dataclass(frozen=True, slots=True)
class Transport:
    """How a service is reached, as botocore found it in the configuration.

    `verify` is a file of certificates, True for those that come along, or False; `proxies` are by scheme.
    """

    endpoint: str
    verify: str | bool = True
    client_certificate: tuple[str, str | None] | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)
    proxy_settings: Mapping[str, object] = field(default_factory=dict)
    connect_seconds: float = 10.0
    read_seconds: float = 30.0


class BlockPuts:
    """Puts blocks in one region; safe to use from `connections` threads at once.

    `credentials` is asked before every put, so that temporary ones are always fresh.
    """

    def __init__(
        self,
        transport: Transport,
        region: str,
        credentials: Callable[[], Credentials],
        *,
        connections: int,
    ) -> None:
        parts = urlsplit(transport.endpoint)
        self._base_path = parts.path.rstrip("/")
        self._host = parts.netloc.rpartition("@")[2]
        self._url = f"{parts.scheme}://{self._host}"
        self._manager = _manager(transport, connections)
        self._region = region
        self._credentials = credentials

    def put(self, snapshot: str, index: int, data: bytes, digest: bytes) -> None:
        """Write one block of exactly BLOCK bytes; `digest` is its raw SHA-256, which the service checks.

        One try; raises AwsCallError.
        """
        path = f"{self._base_path}/snapshots/{snapshot}/blocks/{index}"
        answer = self._send(path, self._headers(path, digest), data)
        if answer.status in _REDIRECTS:
            raise _redirected(self._region, answer)
        if answer.status >= 300:
            raise _refused(self._region, answer)

    def close(self) -> None:
        """Close all connections."""
        self._manager.clear()

    def _headers(self, path: str, digest: bytes) -> dict[str, str]:
        headers = {
            "host": self._host,
            "x-amz-checksum": base64.b64encode(digest).decode(),
            "x-amz-checksum-algorithm": "SHA256",
            "x-amz-data-length": str(BLOCK),
        }
        signed = signed_headers(
            "PUT",
            path,
            headers,
            credentials=self._credentials(),
            region=self._region,
            service="ebs",
            time=datetime.now(UTC),
        )
        return {**signed, "content-type": "application/octet-stream", "user-agent": "brqos"}

    def _send(self, path: str, headers: Mapping[str, str], data: bytes) -> "BaseHTTPResponse":
        from urllib3.exceptions import HTTPError

        try:
            return self._manager.request(
                "PUT", f"{self._url}{path}", body=data, headers=headers, redirect=False, retries=False
            )
        except (HTTPError, OSError) as error:
            # urllib3's text for a proxy may hold its password.
            raise unreachable(_OPERATION, self._region, type(error).__name__) from error


def transport_of(endpoint: str, *, verify: str | bool | None, config: object) -> Transport:
    """The transport of a boto3 client with this endpoint and `client.meta.config`.

    `verify` is the session's `ca_bundle`; without one REQUESTS_CA_BUNDLE counts, as in botocore (EndpointCreator).
    """
    from botocore.utils import get_environ_proxies

    given = getattr(config, "proxies", None)
    proxies = given if given is not None else get_environ_proxies(endpoint)
    certificate = getattr(config, "client_cert", None)
    return Transport(
        endpoint=endpoint,
        verify=verify if verify is not None else os.environ.get("REQUESTS_CA_BUNDLE", True),
        client_certificate=(certificate, None) if isinstance(certificate, str) else certificate,
        proxies=dict(proxies),
        proxy_settings=dict(getattr(config, "proxies_config", None) or {}),
        connect_seconds=float(getattr(config, "connect_timeout", 10)),
        read_seconds=float(getattr(config, "read_timeout", 30)),
    )


def _manager(transport: Transport, connections: int) -> "PoolManager":
    import urllib3
    from botocore.httpsession import ProxyConfiguration, create_urllib3_context, get_cert_path

    settings: dict[str, object] = {
        "maxsize": connections,
        "timeout": urllib3.Timeout(connect=transport.connect_seconds, read=transport.read_seconds),
    }
    if transport.endpoint.startswith("https:"):
        settings |= {
            "ssl_context": create_urllib3_context(),
            "cert_reqs": "CERT_REQUIRED" if transport.verify else "CERT_NONE",
            "ca_certs": get_cert_path(cast("bool", transport.verify)) if transport.verify else None,
        }
        if transport.client_certificate:
            settings["cert_file"], settings["key_file"] = transport.client_certificate
    configuration = ProxyConfiguration(proxies=dict(transport.proxies), proxies_settings=dict(transport.proxy_settings))
    proxy = configuration.proxy_url_for(transport.endpoint)
    if not proxy:
        return urllib3.PoolManager(**settings)  # type: ignore[arg-type]
    return urllib3.ProxyManager(proxy, proxy_headers=configuration.proxy_headers_for(proxy), **settings)  # type: ignore[arg-type]


def _refused(region: str, answer: "BaseHTTPResponse") -> AwsCallError:
    # EBS direct: the code in a header (an URL may follow it), message and reason in a JSON body.
    code = answer.headers.get("x-amzn-errortype", "").partition(":")[0].rpartition("#")[2]
    try:
        told = json.loads(answer.data)
    except ValueError:
        told = {}
    words = told if isinstance(told, dict) else {}
    message = str(words.get("Message") or words.get("message") or "")
    return refused(_OPERATION, region, code=code or str(words.get("code", "")), status=answer.status, message=message)


def _redirected(region: str, answer: "BaseHTTPResponse") -> AwsCallError:
    where = urlsplit(answer.headers.get("location", "")).netloc or "another place"
    return AwsCallError(
        f"AWS sends {_OPERATION} in {region} to {where}",
        kind=ErrorKind.REGION,
        code=str(answer.status),
        why="The endpoint that is configured is not that of the snapshot's region; a signature holds for one region.",
        todo="Check the region, AWS_ENDPOINT_URL_EBS and AWS_ENDPOINT_URL.",
    )
