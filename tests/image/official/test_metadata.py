"""The attacks that TUF is made against, each with a repository that tries it; and key rotation."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from securesystemslib.signer import CryptoSigner, SSlibKey

from brqos.errors import UpstreamError
from brqos.image.official.as_signed import TrustedMetadata, load_as_signed
from brqos.image.official.fetch import OfficialImages, Wish, fetch_official
from image.official.conftest import wish_for
from image.official.repository_maker import Made, in_days, key, left_over, made, signed
from image.recorder import Recorder

Fetch = Callable[..., OfficialImages]


def _refused(fetch: Fetch, cache: Path, what: str) -> UpstreamError:
    before = left_over(cache)
    with pytest.raises(UpstreamError, match=what) as caught:
        fetch()
    assert caught.value.exit_code == 5
    assert caught.value.why
    assert caught.value.todo
    assert left_over(cache) == before
    return caught.value


@pytest.mark.parametrize("fraction", ["", ".5", ".123", ".123456", ".123456789"])
def test_fractions_of_a_second(tmp_path: Path, cache: Path, fraction: str) -> None:
    """tough writes them, python-tuf refuses them (its issue 1857, found with Bottlerocket's repository)."""
    repository = made(tmp_path / "repository", fraction=fraction)
    assert fetch_official(wish_for(repository, str(repository.folder), tmp_path), cache, Recorder()).version == "1.61.2"


@pytest.mark.parametrize("expires", ["2999-01-01T00:00:00+00:00", "2999-01-01", "soon", 4_000_000_000, None])
def test_other_forms_of_time_are_refused(fetch: Fetch, repository: Made, cache: Path, expires: object) -> None:
    repository.publish(timestamp={"expires": expires})
    _refused(fetch, cache, r"timestamp\.json of the repository cannot be used")


def test_fraction_is_covered_by_the_signature(fetch: Fetch, repository: Made, cache: Path) -> None:
    file = repository.metadata / "timestamp.json"
    file.write_text(file.read_text().replace(".123456789Z", ".999999999Z"))
    _refused(fetch, cache, r"timestamp\.json of the repository is not signed as it has to be")
    file.write_text(file.read_text().replace(".999999999Z", "Z"))
    _refused(fetch, cache, r"timestamp\.json of the repository is not signed as it has to be")


def test_rsa_as_tough_signs(tmp_path: Path, cache: Path) -> None:
    """RSA-PSS with SHA-256, the public key as PEM without a last newline: as in tough's own files."""
    signers = []
    for _ in range(2):
        private = generate_private_key(65537, 2048)
        public = CryptoSigner(private).public_key
        pem = {"public": public.keyval["public"].rstrip("\n")}
        signers.append(CryptoSigner(private, SSlibKey(public.keyid, "rsa", "rsassa-pss-sha256", pem)))
    roles = {"root": signers, **dict.fromkeys(("timestamp", "snapshot", "targets"), signers[:1])}
    repository = made(tmp_path / "repository", keys=roles)
    assert fetch_official(wish_for(repository, str(repository.folder), tmp_path), cache, Recorder()).version == "1.61.2"


def test_versions_that_are_moments(tmp_path: Path, cache: Path) -> None:
    """pubsys takes the seconds since 1970 as version."""
    repository = made(tmp_path / "repository", version=1_790_000_000)
    images = fetch_official(wish_for(repository, str(repository.folder), tmp_path), cache, Recorder())
    assert images.repository.timestamp_version == 1_790_000_001


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_wrong_key(fetch: Fetch, repository: Made, cache: Path, role: str) -> None:
    repository.keys[role] = [key(66)]
    repository.publish()
    error = _refused(fetch, cache, rf"{role}\.json of the repository is not signed as it has to be")
    assert "0/1 keys" in error.why


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_changed_metadata(fetch: Fetch, repository: Made, cache: Path, role: str) -> None:
    file = repository.metadata / ("timestamp.json" if role == "timestamp" else f"1.{role}.json")
    document = json.loads(file.read_bytes())
    document["signed"]["version"] = 99
    file.write_text(json.dumps(document))
    # That of the others is found by their hash, or by their length.
    _refused(fetch, cache, rf"{role}\.json of the repository (is not signed|has not the length|does not end)|1\.{role}")


def test_threshold(tmp_path: Path, cache: Path) -> None:
    repository = Made(tmp_path / "repository", threshold={"root": 2, "targets": 2})
    repository.keys["targets"] = [key(7), key(8)]
    repository.add_release("1.61.2")
    repository.publish()

    def fetch() -> OfficialImages:
        return fetch_official(wish_for(repository, str(repository.folder), tmp_path), cache, Recorder())

    assert fetch().version == "1.61.2"
    repository.keys["targets"] = [key(7)]
    repository.publish()
    assert "1/2 keys" in _refused(fetch, cache, r"targets\.json of the repository is not signed").why
    repository.keys["targets"] = [key(7), key(7)]
    repository.publish()
    _refused(fetch, cache, r"targets\.json of the repository cannot be used")


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_expired(fetch: Fetch, repository: Made, cache: Path, role: str) -> None:
    """A freeze attack, or a mirror that nobody keeps up."""
    repository.publish(**{role: {"expires": in_days(-0.01)}})
    error = _refused(fetch, cache, rf"{role}\.json of the repository has expired")
    assert "clock" in error.todo


def test_expired_root(fetch: Fetch, repository: Made, cache: Path) -> None:
    repository.root(expires=in_days(-1))
    _refused(fetch, cache, r"timestamp\.json of the repository has expired")


def test_rollback_of_the_timestamp(fetch: Fetch, repository: Made, cache: Path) -> None:
    old = (repository.metadata / "timestamp.json").read_bytes()
    repository.publish()
    fetch()
    (repository.metadata / "timestamp.json").write_bytes(old)
    _refused(fetch, cache, r"timestamp\.json of the repository is not the version")


def test_rollback_after_the_known_timestamp_expired(fetch: Fetch, repository: Made, cache: Path) -> None:
    """What was accepted holds against older versions even when it has expired."""
    old = (repository.metadata / "timestamp.json").read_bytes()
    repository.publish()
    fetch()
    (memory,) = (cache / "official" / "metadata").glob("*/timestamp.json")
    expired = json.loads(memory.read_bytes())["signed"] | {"expires": in_days(-1)}
    memory.write_bytes(signed(expired, repository.keys["timestamp"]))
    (repository.metadata / "timestamp.json").write_bytes(old)
    _refused(fetch, cache, r"timestamp\.json of the repository is not the version")


def test_rollback_of_the_snapshot(fetch: Fetch, repository: Made, cache: Path) -> None:
    """The timestamp key alone is in the attacker's hands."""
    first = repository.version
    old = json.loads((repository.metadata / "timestamp.json").read_bytes())["signed"]
    repository.publish()
    fetch()
    forged = old | {"version": 99}
    (repository.metadata / "timestamp.json").write_bytes(signed(forged, repository.keys["timestamp"]))
    error = _refused(fetch, cache, r"timestamp\.json of the repository is not the version")
    assert f"got version {first}" in error.why


def test_rollback_of_the_targets(fetch: Fetch, repository: Made, cache: Path) -> None:
    """The keys of timestamp and snapshot are in the attacker's hands."""
    repository.publish()
    fetch()
    old = json.loads((repository.metadata / "1.snapshot.json").read_bytes())["signed"]["meta"]
    repository.publish(snapshot={"meta": old})
    _refused(fetch, cache, r"snapshot\.json of the repository is not the version")


def test_mix_and_match(fetch: Fetch, repository: Made, cache: Path) -> None:
    """Parts of two versions that do not belong together, each well signed."""
    repository.publish()
    for role in ("snapshot", "targets"):
        newer = repository.metadata / f"2.{role}.json"
        whole = newer.read_bytes()
        newer.write_bytes((repository.metadata / f"1.{role}.json").read_bytes())
        _refused(fetch, cache, rf"{role}\.json of the repository (has not the length or hash|is not the version)")
        newer.write_bytes(whole)
    assert fetch().version == "1.61.2"


def test_mix_and_match_without_hashes(fetch: Fetch, repository: Made, cache: Path) -> None:
    repository.publish(timestamp={"meta": {"snapshot.json": {"version": 2}}})
    (repository.metadata / "2.snapshot.json").write_bytes((repository.metadata / "1.snapshot.json").read_bytes())
    _refused(fetch, cache, r"snapshot\.json of the repository is not the version")


@pytest.mark.parametrize("name", ["1.snapshot.json", "1.targets.json"])
def test_parts_missing(fetch: Fetch, repository: Made, cache: Path, name: str) -> None:
    (repository.metadata / name).unlink()
    _refused(fetch, cache, rf"{name} of the repository is not there, though")


def test_snapshot_without_targets(fetch: Fetch, repository: Made, cache: Path) -> None:
    repository.publish(snapshot={"meta": {}})
    _refused(fetch, cache, r"targets\.json of the repository is not there, though")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"signed": 1, "signatures": []}', "\xff", '{"signed": {"expires": 1.5}}', "9" * 9000],
)
def test_not_metadata(fetch: Fetch, repository: Made, cache: Path, text: str) -> None:
    (repository.metadata / "timestamp.json").write_bytes(text.encode("latin-1"))
    _refused(fetch, cache, r"timestamp\.json of the repository cannot be used")


def test_metadata_of_another_role(fetch: Fetch, repository: Made, cache: Path) -> None:
    repository.publish(timestamp={"_type": "snapshot"})
    _refused(fetch, cache, r"timestamp\.json of the repository cannot be used")


@pytest.mark.parametrize("hashes", [{"sha512": "00"}, {"sha256": "../" * 20 + "away"}, {"sha256": "AB" * 32}])
def test_target_without_sha256(fetch: Fetch, repository: Made, cache: Path, hashes: dict[str, str]) -> None:
    """It becomes the name of a folder, so that what is none must not lead elsewhere."""
    for name in list(repository.targets):
        if name.endswith("img.lz4"):
            repository.targets[name]["hashes"] = hashes
    repository.publish()
    _refused(fetch, cache, "tells no SHA-256")


def test_key_rotation(fetch: Fetch, repository: Made) -> None:
    """Roots 1, 2, 3: first one key of two is new, then the others, the keys of the other roles with them."""
    assert fetch().repository.root_version == 1
    old = repository.keys["root"]
    repository.keys["root"] = [old[0], key(11)]
    repository.root(signers=[*old, key(11)])
    previous = repository.keys["root"]
    repository.keys = {"root": [key(11), key(12)], **{role: [key(13)] for role in ("timestamp", "snapshot", "targets")}}
    repository.root(signers=[*previous, key(12)])
    repository.publish()
    assert fetch().repository.root_version == 3
    assert fetch().repository.root_version == 3


def test_expired_roots_on_the_way_do_not_matter(fetch: Fetch, repository: Made) -> None:
    repository.root(expires=in_days(-300))
    repository.root()
    assert fetch().repository.root_version == 3


def test_rotation_that_the_old_keys_did_not_sign(fetch: Fetch, repository: Made, cache: Path) -> None:
    old = repository.keys["root"]
    repository.keys["root"] = [key(66), key(67)]
    repository.root()
    _refused(fetch, cache, r"2\.root\.json of the repository is not signed as it has to be")
    repository.root_version = 1
    repository.root(signers=[old[0], key(66), key(67)])
    _refused(fetch, cache, r"2\.root\.json of the repository is not signed as it has to be")
    repository.root_version = 1
    repository.root(signers=[*old, key(66)])
    _refused(fetch, cache, r"2\.root\.json of the repository is not signed as it has to be")


def test_root_of_a_wrong_version(fetch: Fetch, repository: Made, cache: Path) -> None:
    repository.root(version=3)
    _refused(fetch, cache, r"2\.root\.json of the repository is not the version")
    (repository.metadata / "2.root.json").write_bytes((repository.metadata / "1.root.json").read_bytes())
    _refused(fetch, cache, r"2\.root\.json of the repository is not the version")


def test_keys_that_were_replaced_are_no_good_after_they_were_seen(fetch: Fetch, repository: Made, cache: Path) -> None:
    """The newer root is remembered: a mirror that hides it does not bring the old keys back."""
    repository.keys["timestamp"] = [key(31)]
    repository.root()
    repository.publish()
    fetch()
    (repository.metadata / "2.root.json").unlink()
    repository.keys["timestamp"] = [key(3)]
    repository.publish()
    _refused(fetch, cache, r"timestamp\.json of the repository is not signed")


def test_recovery_from_a_fast_forward(fetch: Fetch, repository: Made) -> None:
    """After new timestamp and snapshot keys, the high versions of the attacker's count no more (TUF, 5.3.11)."""
    repository.version = 1000
    repository.publish()
    fetch()
    repository.keys["timestamp"] = [key(41)]
    repository.keys["snapshot"] = [key(42)]
    repository.root()
    repository.version = 1
    repository.publish()
    assert fetch().repository.timestamp_version == 2


def test_memory_that_was_damaged_is_read_anew(fetch: Fetch, repository: Made, cache: Path) -> None:
    repository.root()
    fetch()
    files = list((cache / "official" / "metadata").glob("*/*.json"))
    assert sorted(file.name for file in files) == ["2.root.json", "snapshot.json", "targets.json", "timestamp.json"]
    for file in files:
        file.write_bytes(b"{")
    assert fetch().repository.root_version == 2


def test_roots_without_end(fetch: Fetch, repository: Made, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brqos.image.official.metadata._ROOT_UPDATES", 3)
    for _ in range(4):
        repository.root()
    _refused(fetch, cache, "more than 3 versions of root.json")


def test_another_root_of_trust_has_another_memory(wish: Wish, cache: Path, repository: Made, tmp_path: Path) -> None:
    """A team's re-signed mirror begins with lower versions."""
    repository.version = 50
    repository.publish()
    fetch_official(wish, cache, Recorder())
    team = made(
        repository.folder / "again",
        keys={role: [key(90)] for role in ("root", "timestamp", "snapshot", "targets")},
        threshold={},
    )
    own = wish_for(team, str(team.folder), tmp_path)
    for file in team.metadata.iterdir():
        (repository.metadata / file.name).write_bytes(file.read_bytes())
    images = fetch_official(replace(own, source=wish.source), cache, Recorder())
    assert images.repository.timestamp_version == 1


def test_the_seam_in_python_tuf_is_there(repository: Made) -> None:
    """What as_signed.py relies upon in python-tuf's internals."""
    trusted = TrustedMetadata((repository.metadata / "1.root.json").read_bytes())
    assert trusted._load_data is load_as_signed  # type: ignore[comparison-overlap]
    assert trusted.root.version == 1
