"""Pulling a manifest from a registry, as krane does it: who may read, who has to log in, what is no registry."""

import base64
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from brqos.doctor.registry import NoManifestError, RefusedError, Registry
from brqos.image.official.transport import Patience, TransferError
from doctor.oci import Oci, serving

pytestmark = pytest.mark.loopback
IMPATIENT = Patience(connect_seconds=2, read_seconds=2, whole_seconds=2, tries=1)
KIT = "mirror/core-kit"


@pytest.fixture
def oci() -> Iterator[Oci]:
    with serving(Oci()) as served:
        yield served


def log_in(home: Path, oci: Oci, login: str) -> None:
    (home / ".docker").mkdir()
    auth = base64.b64encode(login.encode()).decode()
    (home / ".docker" / "config.json").write_text(json.dumps({"auths": {oci.host: {"auth": auth}}}))


@pytest.mark.parametrize("guard", ["", "bearer"])
def test_a_manifest_is_known_by_its_bytes(oci: Oci, guard: str) -> None:
    oci.guard = guard
    digest = oci.push(KIT, "v1.0.0")
    manifest = Registry(oci.host, IMPATIENT).manifest(KIT, "v1.0.0")
    assert manifest.digest == digest
    assert len(manifest.listed) == 2
    assert all(Registry(oci.host, IMPATIENT).manifest(KIT, one).digest == one for one in manifest.listed)


def test_a_token_is_asked_for_once(oci: Oci) -> None:
    oci.guard = "bearer"
    oci.push(KIT, "v1.0.0")
    registry = Registry(oci.host, IMPATIENT)
    for _ in range(3):
        registry.manifest(KIT, "v1.0.0")
    assert len([path for path in oci.asked if path.startswith("/token")]) == 1


@pytest.mark.parametrize("guard", ["basic", "bearer"])
def test_a_login_of_dockers_is_used(oci: Oci, guard: str, home: Path) -> None:
    oci.guard, oci.login = guard, "me:hunter2"
    digest = oci.push(KIT, "v1.0.0")
    with pytest.raises(RefusedError) as caught:
        Registry(oci.host, IMPATIENT).manifest(KIT, "v1.0.0")
    assert caught.value.login
    log_in(home, oci, "me:hunter2")
    assert Registry(oci.host, IMPATIENT).manifest(KIT, "v1.0.0").digest == digest


def test_a_wrong_login_is_refused(oci: Oci, home: Path) -> None:
    oci.guard, oci.login = "basic", "me:hunter2"
    log_in(home, oci, "me:other")
    with pytest.raises(RefusedError, match="401") as caught:
        Registry(oci.host, IMPATIENT).manifest(KIT, "v1.0.0")
    assert caught.value.login


@pytest.mark.parametrize("content", ["", "{", '{"auths": []}', '{"auths": {"HOST": {"auth": "*"}}}'])
def test_a_config_of_dockers_that_says_nothing_is_no_login(oci: Oci, home: Path, content: str) -> None:
    oci.push(KIT, "v1.0.0")
    (home / ".docker").mkdir()
    (home / ".docker" / "config.json").write_text(content.replace("HOST", oci.host))
    Registry(oci.host, IMPATIENT).manifest(KIT, "v1.0.0")
    assert oci.logins == {""}


def test_a_login_goes_to_nobody_else(oci: Oci, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over plain http a token is asked for on this machine and on private addresses only."""
    from doctor import oci as module

    oci.guard = "bearer"
    log_in(home, oci, "me:hunter2")
    monkeypatch.setattr(module.Handler, "_challenge", lambda _: 'Bearer realm="http://evil.example.com/token"')
    with pytest.raises(RefusedError, match=r"evil\.example\.com"):
        Registry(oci.host, IMPATIENT).manifest(KIT, "v1.0.0")


def test_what_is_not_there_and_what_is_no_registry(oci: Oci) -> None:
    with pytest.raises(NoManifestError):
        Registry(oci.host, IMPATIENT).manifest(KIT, "v1.0.0")
    oci.guard = "no"
    with pytest.raises(RefusedError, match="HTTP status 418 to /v2/"):
        Registry(oci.host, IMPATIENT).manifest(KIT, "v1.0.0")


@pytest.mark.parametrize("data", [b"no JSON", b"[]", b'{"manifests": [{}]}', b'{"manifests": 5}'])
def test_what_is_no_manifest_is_told(oci: Oci, data: bytes) -> None:
    oci.manifests[KIT, "v1.0.0"] = data
    with pytest.raises(RefusedError, match="is none"):
        Registry(oci.host, IMPATIENT).manifest(KIT, "v1.0.0")


def test_too_much_is_not_read(oci: Oci) -> None:
    oci.manifests[KIT, "v1.0.0"] = b" " * ((4 << 20) + 1)
    with pytest.raises(RefusedError, match="more than a manifest"):
        Registry(oci.host, IMPATIENT).manifest(KIT, "v1.0.0")


def test_a_byte_now_and_then_is_not_waited_for(oci: Oci, monkeypatch: pytest.MonkeyPatch) -> None:
    from doctor import oci as module

    def drip(handler: module.Handler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "100")
        handler.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(100):
                handler.wfile.write(b"x")
                time.sleep(0.1)

    monkeypatch.setattr(module.Handler, "do_GET", drip)
    started = time.monotonic()
    with pytest.raises(TransferError, match=r"not there after 0\.5 s"):
        Registry(oci.host, replace(IMPATIENT, whole_seconds=0.5)).manifest(KIT, "v1.0.0")
    assert time.monotonic() - started < 5


def test_redirections_without_end_are_told(oci: Oci, monkeypatch: pytest.MonkeyPatch) -> None:
    from doctor import oci as module

    def again(handler: module.Handler) -> None:
        handler.send_response(302)
        handler.send_header("location", handler.path)
        handler.send_header("content-length", "0")
        handler.end_headers()

    monkeypatch.setattr(module.Handler, "do_GET", again)
    with pytest.raises(TransferError, match="without end"):
        Registry(oci.host, IMPATIENT).manifest(KIT, "v1.0.0")


def test_nobody_answers(oci: Oci) -> None:
    with pytest.raises(TransferError, match="refuses the connection"):
        Registry("127.0.0.1:1", IMPATIENT).manifest(KIT, "v1.0.0")
