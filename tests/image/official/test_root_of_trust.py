"""The first root.json: taken by its SHA-512 only."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from brqos.errors import ConfigurationError, UpstreamError
from brqos.image.official import root_of_trust
from brqos.image.official.fetch import OfficialImages, Wish, fetch_official
from brqos.image.official.repository import Location
from brqos.image.official.root_of_trust import KNOWN_ROOTS, KnownRoot, Trust, trusted_root
from image.official.conftest import IMPATIENT
from image.official.repository_maker import Made
from image.official.server import serving
from image.recorder import Recorder

Fetch = Callable[..., OfficialImages]


def _digest(path: Path) -> str:
    return hashlib.sha512(path.read_bytes()).hexdigest()


def test_known_roots() -> None:
    assert [root.version for root in KNOWN_ROOTS] == sorted((root.version for root in KNOWN_ROOTS), reverse=True)
    assert len({root.sha512 for root in KNOWN_ROOTS}) == len(KNOWN_ROOTS)
    for root in KNOWN_ROOTS:
        assert Trust(sha512=root.sha512).accepted == (root.sha512,)


def test_known_root_from_the_repository(fetch: Fetch, repository: Made) -> None:
    """An old brqos: it knows root 2; the repository is at 4."""
    for _ in range(3):
        repository.root()
    known = (KnownRoot(9, "0" * 128), KnownRoot(2, _digest(repository.metadata / "2.root.json")))
    images = fetch(trust=Trust(known=known))
    assert images.repository.root_origin == str(repository.metadata / "2.root.json")
    assert images.repository.root_version == 4


def test_forged_root(fetch: Fetch, repository: Made, cache: Path) -> None:
    recorder = Recorder()
    with pytest.raises(UpstreamError, match=r"no root\.json that is trusted was found") as caught:
        fetch(recorder, trust=Trust(known=(KnownRoot(1, "0" * 128),)))
    assert _digest(repository.metadata / "1.root.json") in caught.value.why
    assert "--tuf-root-sha512" in caught.value.todo
    assert any("is not a root.json that is trusted" in text for text in recorder.warnings)
    assert not cache.exists()


def test_nothing_there(wish: Wish, cache: Path) -> None:
    with pytest.raises(UpstreamError, match=r"no root\.json that is trusted"):
        fetch_official(replace(wish, variant="aws-k8s-1.99", trust=Trust()), cache, Recorder())


def test_hash_without_file(fetch: Fetch, repository: Made) -> None:
    images = fetch(trust=Trust(sha512=_digest(repository.metadata / "1.root.json").upper()))
    assert images.repository.root_version == 1


def test_file_with_another_hash(fetch: Fetch, wish: Wish) -> None:
    with pytest.raises(ConfigurationError, match=r"is not the root\.json that was meant") as caught:
        fetch(trust=Trust(wish.trust.file, "0" * 128))
    assert str(wish.trust.sha512) in caught.value.why


def test_file_without_hash(fetch: Fetch, wish: Wish) -> None:
    with pytest.raises(ConfigurationError, match="not one of Bottlerocket's") as caught:
        fetch(trust=Trust(wish.trust.file))
    assert str(wish.trust.sha512) in caught.value.why
    assert "--tuf-root-sha512" in caught.value.todo


def test_file_that_is_known(fetch: Fetch, wish: Wish) -> None:
    assert wish.trust.sha512 is not None
    assert fetch(trust=Trust(wish.trust.file, known=(KnownRoot(1, wish.trust.sha512),))).version == "1.61.2"


def test_unreadable_file(fetch: Fetch, tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            fetch(trust=Trust(path))


@pytest.mark.parametrize("text", ["", "abc", "g" * 128, "0" * 127, "0" * 129])
def test_not_a_hash(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not a SHA-512"):
        Trust(sha512=text)


def test_root_that_does_not_sign_itself(fetch: Fetch, repository: Made) -> None:
    repository.root_version = 0
    repository.root(signers=[])
    with pytest.raises(UpstreamError, match=r"the first root\.json of the repository is not signed"):
        fetch(trust=Trust(sha512=_digest(repository.metadata / "1.root.json")))


@pytest.mark.loopback
@pytest.mark.parametrize("own", [False, True])
def test_official_place(repository: Made, monkeypatch: pytest.MonkeyPatch, own: bool, tmp_path: Path) -> None:
    """Where the repository has none of the known ones, and first for a hash of the user's own."""
    (repository.folder / "root.json").write_bytes((repository.metadata / "1.root.json").read_bytes())
    digest = _digest(repository.folder / "root.json")
    trust = Trust(sha512=digest) if own else Trust(known=(KnownRoot(8, digest),))
    with serving(repository.folder) as server:
        monkeypatch.setattr(root_of_trust, "OFFICIAL_ROOT", f"{server.url}root.json")
        options = {"patience": IMPATIENT, "monitor": Recorder()}
        root = trusted_root(trust, Location(f"{server.url}metadata/"), ask_official=True, **options)  # type: ignore[arg-type]
        assert root.origin == f"{server.url}root.json"
        asked = [path for path, _ in server.asked]
        assert asked == (["/root.json"] if own else ["/metadata/8.root.json", "/root.json"])
        with pytest.raises(UpstreamError):
            trusted_root(trust, Location(f"{server.url}metadata/"), ask_official=False, **options)  # type: ignore[arg-type]


@pytest.mark.loopback
def test_unreachable(repository: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository's own server ends it at once; Bottlerocket's place for root.json is only one of two."""
    with serving(repository.folder) as server:
        nobody, digest = server.url, _digest(repository.metadata / "1.root.json")
    options = {"patience": IMPATIENT, "monitor": Recorder()}
    with pytest.raises(UpstreamError, match=r"8\.root\.json cannot be read from"):
        trusted_root(Trust(), Location(nobody), ask_official=True, **options)  # type: ignore[arg-type]
    monkeypatch.setattr(root_of_trust, "OFFICIAL_ROOT", f"{nobody}root.json")
    with serving(repository.metadata) as server:
        root = trusted_root(Trust(sha512=digest), Location(server.url), ask_official=True, **options)  # type: ignore[arg-type]
    assert root.origin == f"{server.url}1.root.json"
