"""Official images, from a folder and from a server: found, verified, cached."""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest

from brqos.errors import ConfigurationError, ToolError, UpstreamError
from brqos.image.official import download
from brqos.image.official.fetch import OfficialImages, Wish, fetch_official
from brqos.image.official.transport import Body
from image.official.conftest import wish_for
from image.official.repository_maker import ARCH, VARIANT, Made, flip, left_over
from image.official.server import Server, breaks_off, drips, endless, serving, status, without_ranges
from image.recorder import Recorder

Fetch = Callable[..., OfficialImages]
OS = f"bottlerocket-{VARIANT}-{ARCH}-1.61.2-deadbeef.img.lz4"
DATA = f"bottlerocket-{VARIANT}-{ARCH}-1.61.2-deadbeef-data.img.lz4"


def test_newest(fetch: Fetch, repository: Made, wish: Wish, cache: Path) -> None:
    recorder = Recorder()
    images = fetch(recorder)
    assert (images.version, images.build) == ("1.61.2", "deadbeef")
    assert (images.os.target, images.data.target) == (OS, DATA)
    assert images.os.file.read_bytes() == repository.file_of(OS).read_bytes()
    assert images.os.file_sha256 == hashlib.sha256(images.os.file.read_bytes()).hexdigest()
    assert images.os.file == cache / "official" / "images" / images.os.file_sha256 / OS
    assert images.os.file_bytes == images.os.file.stat().st_size
    assert images.os.address == str(repository.files / f"{images.os.file_sha256}.{OS}")
    assert not images.os.from_cache
    assert images.repository.root_sha512 == wish.trust.sha512
    assert (images.repository.root_version, images.repository.targets_version) == (1, 1)
    assert (f"Fetching {OS}", images.os.file_bytes, "B") in recorder.tasks
    assert recorder.advanced == images.os.file_bytes + images.data.file_bytes
    assert recorder.warnings == []
    assert left_over(cache) == sorted([OS, DATA])


def test_record_can_be_written_and_read(fetch: Fetch) -> None:
    images = fetch()
    assert OfficialImages.model_validate_json(images.model_dump_json()) == images


def test_a_release_that_is_named(fetch: Fetch) -> None:
    assert fetch(release="v1.60.0").os.target.endswith("-1.60.0-0123abcd.img.lz4")
    assert fetch(release="1.60.0").os.from_cache


def test_unknown_release_and_variant(fetch: Fetch) -> None:
    with pytest.raises(UpstreamError, match=r"does not list release 1\.59\.0") as caught:
        fetch(release="1.59.0")
    assert "1.61.2, 1.60.0" in caught.value.why
    with pytest.raises(ConfigurationError, match="not a release"):
        fetch(release="newest")
    with pytest.raises(UpstreamError, match=r"there is no update repository at .*aws-k8s-1\.99/x86_64"):
        fetch(variant="aws-k8s-1.99")


def test_second_call_takes_the_cache(fetch: Fetch, repository: Made) -> None:
    first = fetch()
    repository.file_of(OS).unlink()
    again = fetch()
    assert again.os.from_cache
    assert again.os.file == first.os.file


def test_changed_cache_is_noticed(fetch: Fetch) -> None:
    first = fetch()
    content = first.os.file.read_bytes()
    flip(first.os.file, 20)
    recorder = Recorder()
    again = fetch(recorder)
    assert not again.os.from_cache
    assert again.os.file.read_bytes() == content
    assert any("was changed since it was fetched" in text for text in recorder.warnings)


def test_without_consistent_snapshots(tmp_path: Path, cache: Path) -> None:
    repository = Made(tmp_path / "plain", consistent=False)
    repository.add_release("1.61.2")
    repository.publish()
    images = fetch_official(wish_for(repository, str(repository.folder), tmp_path), cache, Recorder())
    assert images.os.address == str(repository.files / images.os.target)


def test_file_url(repository: Made, cache: Path, tmp_path: Path) -> None:
    images = fetch_official(wish_for(repository, repository.folder.as_uri(), tmp_path), cache, Recorder())
    assert images.version == "1.61.2"


def test_changed_target(fetch: Fetch, repository: Made, cache: Path) -> None:
    flip(repository.file_of(OS), 5)
    with pytest.raises(UpstreamError, match="is not the file that the signed metadata") as caught:
        fetch()
    assert "hash" in caught.value.why
    assert left_over(cache) == []


def test_target_of_another_name_does_not_do(fetch: Fetch, repository: Made, cache: Path) -> None:
    """An older image, well signed once, under the name of the newer."""
    old = next(name for name in repository.targets if "-1.60.0-0123abcd.img" in name)
    repository.file_of(OS).write_bytes(repository.file_of(old).read_bytes())
    with pytest.raises(UpstreamError, match="is not the file that the signed metadata"):
        fetch()
    assert left_over(cache) == []


def test_target_too_short_and_too_long(fetch: Fetch, repository: Made, cache: Path) -> None:
    file = repository.file_of(OS)
    content = file.read_bytes()
    file.write_bytes(content + b"more")
    with pytest.raises(UpstreamError, match="does not end where it has to"):
        fetch()
    assert left_over(cache) == []
    file.write_bytes(content[:-1])
    with pytest.raises(UpstreamError, match="cannot be read from"):
        fetch()


def test_missing_target(fetch: Fetch, repository: Made, cache: Path) -> None:
    repository.file_of(OS).unlink()
    with pytest.raises(UpstreamError, match="is not there, though its metadata lists it"):
        fetch()


def test_changed_manifest(fetch: Fetch, repository: Made) -> None:
    flip(repository.file_of("manifest.json"), 5)
    with pytest.raises(UpstreamError, match=r"manifest\.json is not the file"):
        fetch()


def test_no_room(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(ToolError, match="there is no room for bottlerocket-"):
        fetch()


def test_without_python_tuf(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tuf.ngclient", None)
    with pytest.raises(ToolError, match="python-tuf is not installed"):
        fetch()


def test_two_at_once(wish: Wish, cache: Path) -> None:
    found: list[OfficialImages] = []
    threads = [threading.Thread(target=lambda: found.append(fetch_official(wish, cache, Recorder()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert sorted(images.os.from_cache for images in found) == [False, True, True]
    assert left_over(cache) == sorted([OS, DATA])


def test_interrupted_download_goes_on_from_a_folder(
    fetch: Fetch, cache: Path, monkeypatch: pytest.MonkeyPatch, repository: Made
) -> None:
    def interrupted(body: Body) -> object:
        yield next(iter(body.pieces))[:100]
        raise KeyboardInterrupt

    real = download.transport_to

    class Breaking:
        def __init__(self, *arguments: object) -> None:
            self.inner = real(*arguments)  # type: ignore[arg-type]

        def open(self, address: str, offset: int = 0) -> object:
            import contextlib

            @contextlib.contextmanager
            def opened() -> object:
                with self.inner.open(address, offset) as body:
                    yield Body(body.start, interrupted(body))  # type: ignore[arg-type]

            return opened()

    monkeypatch.setattr(download, "transport_to", Breaking)
    with pytest.raises(KeyboardInterrupt):
        fetch()
    assert left_over(cache) == [f"{OS}.partial"]
    monkeypatch.setattr(download, "transport_to", real)
    recorder = Recorder()
    images = fetch(recorder)
    assert images.os.file.read_bytes() == repository.file_of(OS).read_bytes()
    assert left_over(cache) == sorted([OS, DATA])


@pytest.mark.parametrize("size", [0, 1, 100, 10_000])
def test_partial_of_wrong_bytes_is_thrown_away(fetch: Fetch, cache: Path, repository: Made, size: int) -> None:
    folder = cache / "official" / "images" / repository.targets[OS]["hashes"]["sha256"]
    folder.mkdir(parents=True)
    (folder / f"{OS}.partial").write_bytes(b"\xff" * size)
    if 0 < size < repository.targets[OS]["length"]:
        with pytest.raises(UpstreamError, match="is not the file that the signed metadata"):
            fetch()
    assert fetch().os.file.read_bytes() == repository.file_of(OS).read_bytes()


@pytest.mark.loopback
class TestServer:
    """The same over HTTP."""

    @pytest.fixture
    def server(self, repository: Made) -> object:
        with serving(repository.folder) as server:
            yield server

    @pytest.fixture
    def ask(self, server: Server, repository: Made, tmp_path: Path, cache: Path) -> Fetch:
        def call(recorder: Recorder | None = None, **options: object) -> OfficialImages:
            wish = wish_for(repository, server.url, tmp_path, **options)
            return fetch_official(wish, cache, recorder or Recorder())

        return call

    def test_good(self, ask: Fetch, server: Server, repository: Made) -> None:
        images = ask()
        assert images.os.file.read_bytes() == repository.file_of(OS).read_bytes()
        assert images.os.address == f"{server.url}targets/{images.os.file_sha256}.{OS}"
        assert [path.rpartition("/")[2] for path, _ in server.asked[:4]] == [
            "2.root.json",
            "timestamp.json",
            "1.snapshot.json",
            "1.targets.json",
        ]

    def test_what_was_accepted_is_not_asked_again(self, ask: Fetch, server: Server) -> None:
        ask()
        server.asked.clear()
        ask()
        assert [path.rpartition("/")[2].partition(".")[2] for path, _ in server.asked] == [
            "root.json",
            "json",
            "manifest.json",
        ]

    def test_resumed_in_the_same_call(self, ask: Fetch, server: Server, repository: Made) -> None:
        server.tricks[OS] = breaks_off(after=300, times=2)
        recorder = Recorder()
        images = ask(recorder)
        assert images.os.file.read_bytes() == repository.file_of(OS).read_bytes()
        assert [range_of for path, range_of in server.asked if path.endswith(OS)] == [None, "bytes=300-", "bytes=600-"]
        assert recorder.advanced == images.os.file_bytes + images.data.file_bytes

    def test_resumed_in_the_next_call(self, ask: Fetch, server: Server, repository: Made, cache: Path) -> None:
        server.tricks[OS] = breaks_off(after=0, times=100)
        with pytest.raises(UpstreamError, match="cannot be read from"):
            ask()
        server.tricks[OS] = breaks_off(after=400, times=1)
        server.tricks[DATA] = status(500)
        with pytest.raises(UpstreamError, match=r"HTTP status 500|cannot be read"):
            ask()
        server.tricks.clear()
        server.asked.clear()
        images = ask()
        assert images.os.from_cache
        assert images.os.file.read_bytes() == repository.file_of(OS).read_bytes()
        assert left_over(cache) == sorted([OS, DATA])

    def test_partial_is_kept_and_told(self, ask: Fetch, server: Server, cache: Path) -> None:
        broken = breaks_off(after=200, times=1)

        def once(handler: object, data: bytes) -> None:
            broken(handler, data)  # type: ignore[arg-type]
            server.tricks[OS] = status(503)

        server.tricks[OS] = once
        with pytest.raises(UpstreamError, match="cannot be read from") as caught:
            ask()
        assert "200 bytes are kept" in caught.value.why
        assert left_over(cache) == [f"{OS}.partial"]
        server.tricks.clear()
        server.asked.clear()
        ask()
        assert [range_of for path, range_of in server.asked if path.endswith(OS)] == ["bytes=200-"]

    def test_server_without_ranges(self, ask: Fetch, server: Server, repository: Made, cache: Path) -> None:
        server.tricks[OS] = without_ranges
        folder = cache / "official" / "images" / repository.targets[OS]["hashes"]["sha256"]
        folder.mkdir(parents=True)
        (folder / f"{OS}.partial").write_bytes(b"\xff" * 100)
        recorder = Recorder()
        images = ask(recorder)
        assert images.os.file.read_bytes() == repository.file_of(OS).read_bytes()
        assert recorder.advanced == images.os.file_bytes + images.data.file_bytes

    def test_passing_trouble(self, ask: Fetch, server: Server) -> None:
        server.tricks["timestamp.json"] = status(503, times=2)
        server.tricks[OS] = status(502, times=1)
        assert ask().version == "1.61.2"

    def test_lasting_trouble(self, ask: Fetch, server: Server) -> None:
        server.tricks["timestamp.json"] = status(503)
        with pytest.raises(UpstreamError, match=r"timestamp\.json cannot be read from") as caught:
            ask()
        assert caught.value.exit_code == 5
        assert "HTTP status 503" in caught.value.why
        assert server.count("timestamp.json") == 3

    def test_endless_metadata(self, ask: Fetch, server: Server, cache: Path) -> None:
        for name in ("2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json", "manifest.json"):
            server.tricks = {name: endless}
            with pytest.raises(UpstreamError, match="does not end where it has to"):
                ask()
        assert left_over(cache) == []

    def test_endless_target(self, ask: Fetch, server: Server, cache: Path) -> None:
        server.tricks[OS] = endless
        with pytest.raises(UpstreamError, match="does not end where it has to"):
            ask()
        assert left_over(cache) == []

    def test_silence(self, ask: Fetch, server: Server) -> None:
        server.tricks["timestamp.json"] = drips(5)
        with pytest.raises(UpstreamError, match=r"timestamp\.json cannot be read") as caught:
            ask(patience=_impatient(tries=1, read_seconds=0.1))
        assert "nothing came for 0.1 s" in caught.value.why

    def test_slow_metadata(self, ask: Fetch, server: Server) -> None:
        server.tricks["timestamp.json"] = drips(0.02)
        with pytest.raises(UpstreamError, match=r"timestamp\.json cannot be read"):
            ask(patience=_impatient(whole_seconds=0.2))

    def test_slow_target(self, ask: Fetch, server: Server) -> None:
        server.tricks[OS] = drips(0.02)
        with pytest.raises(UpstreamError, match=OS) as caught:
            ask(patience=_impatient(tries=1, window_seconds=0.2))
        assert "bytes came in" in caught.value.why

    def test_redirection(self, ask: Fetch, server: Server, repository: Made) -> None:
        (repository.folder / "elsewhere").write_bytes(repository.file_of(OS).read_bytes())
        server.tricks[OS] = status(302, location="/elsewhere")
        assert ask().os.file.read_bytes() == repository.file_of(OS).read_bytes()

    def test_redirection_to_plain_http(self, ask: Fetch, server: Server) -> None:
        server.tricks[OS] = status(302, location="http://example.com/image")
        with pytest.raises(UpstreamError, match="cannot be read") as caught:
            ask()
        assert "not https:" in caught.value.why

    def test_redirections_without_end(self, ask: Fetch, server: Server) -> None:
        server.tricks["timestamp.json"] = status(302, location="timestamp.json")
        with pytest.raises(UpstreamError, match="cannot be read"):
            ask()
        assert server.count("timestamp.json") == 6

    def test_nobody_there(self, repository: Made, tmp_path: Path, cache: Path) -> None:
        with serving(repository.folder) as server:
            wish = wish_for(repository, server.url, tmp_path)
        with pytest.raises(UpstreamError, match="cannot be read from") as caught:
            fetch_official(wish, cache, Recorder())
        assert "refuses the connection" in caught.value.why

    def test_proxy_is_not_used_for_this_machine(self, ask: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://secret:word@127.0.0.1:1")
        monkeypatch.setenv("ALL_PROXY", "http://secret:word@127.0.0.1:1")
        assert ask().version == "1.61.2"


def test_what_is_fetched_is_an_image(tmp_path: Path, cache: Path) -> None:
    repository = Made(tmp_path / "images")
    repository.add_release("1.61.2", data=lz4.frame.compress(b"\0" * 100_000))
    repository.publish()
    images = fetch_official(wish_for(repository, str(repository.folder), tmp_path), cache, Recorder())
    assert lz4.frame.decompress(images.os.file.read_bytes()) == b"\0" * 100_000


def _impatient(**changes: float) -> object:
    from dataclasses import replace

    from image.official.conftest import IMPATIENT

    return replace(IMPATIENT, **changes)  # type: ignore[arg-type]
