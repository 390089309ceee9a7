"""Which release is taken, and what its images are called."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError, UpstreamError
from brqos.image.official.fetch import OfficialImages, fetch_official
from brqos.image.official.manifest import Version, choose, releases
from image.official.conftest import wish_for
from image.official.repository_maker import VARIANT, Made
from image.recorder import Recorder

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def _update(version: str, **changes: Any) -> dict[str, Any]:
    stem = f"bottlerocket-{VARIANT}-x86_64-{version}-0123abcd"
    return {
        "variant": VARIANT,
        "arch": "x86_64",
        "version": version,
        "max_version": "9.9.9",
        "waves": {},
        "images": {"boot": f"{stem}-boot.ext4.lz4", "root": "", "hash": ""},
    } | changes


def _releases(*updates: dict[str, Any]) -> Any:
    return releases(json.dumps({"updates": updates, "migrations": {}}).encode(), VARIANT, Architecture.X86_64)


def _targets(*versions: str) -> set[str]:
    return {
        f"bottlerocket-{VARIANT}-x86_64-{version}{end}" for version in versions for end in (".img.lz4", "-data.img.lz4")
    }


def test_order_of_versions() -> None:
    texts = ["0.9.0", "1.9.0", "1.10.0-rc1", "1.10.0", "1.10.1", "2.0.0"]
    assert [str(one) for one in sorted(Version.parse(text) for text in reversed(texts))] == texts
    assert Version.parse(" v1.2.3 ") == Version.parse("1.2.3")
    for wrong in ("", "1.2", "1.2.3.4", "one", "1.2.3+4", "1.2.3-", "../1.2.3"):
        with pytest.raises(ValueError, match="not a release"):
            Version.parse(wrong)


def test_newest_that_is_out() -> None:
    found = _releases(
        _update("1.60.0"),
        _update("1.62.0", max_version="1.61.0"),
        _update("1.61.0", waves={"0": "2026-05-01T00:00:00.123456789Z", "2047": "2026-07-01T00:00:00Z"}),
        _update("1.63.0", waves={"0": "2026-07-01T00:00:00Z"}),
        _update("1.99.0", arch="aarch64"),
        _update("1.98.0", variant="aws-k8s-1.34"),
    )
    assert [str(release.version) for release in found] == ["1.63.0", "1.62.0", "1.61.0", "1.60.0"]
    targets = _targets("v1.60.0", "v1.61.0", "v1.62.0", "v1.63.0")
    assert str(choose(found, None, targets, NOW).version) == "1.61.0"
    assert str(choose(found, None, targets, NOW + timedelta(days=60)).version) == "1.63.0"
    assert str(choose(found, "1.62.0", targets, NOW).version) == "1.62.0"


def test_nothing_out_yet() -> None:
    found = _releases(_update("1.63.0", waves={"0": "2026-07-01T00:00:00Z"}))
    with pytest.raises(UpstreamError, match="none that is out") as caught:
        choose(found, None, (), NOW)
    assert "1.63.0" in caught.value.why


def test_names_of_the_images() -> None:
    (release,) = _releases(_update("1.60.0"))
    full, friendly = f"bottlerocket-{VARIANT}-x86_64-1.60.0-0123abcd", f"bottlerocket-{VARIANT}-x86_64-v1.60.0"
    assert release.build == "0123abcd"
    assert release.images(_targets("1.60.0-0123abcd", "v1.60.0")) == (f"{full}.img.lz4", f"{full}-data.img.lz4")
    assert release.images(_targets("v1.60.0")) == (f"{friendly}.img.lz4", f"{friendly}-data.img.lz4")
    assert release.images({f"{full}.img.lz4", f"{friendly}-data.img.lz4"}) is None


@pytest.mark.parametrize(
    ("boot", "stem", "build"),
    [
        (f"ours-{VARIANT}-x86_64-1.60.0-0123abcd-dirty-boot.ext4.lz4", "ours", "0123abcd-dirty"),
        (f"our-os-{VARIANT}-x86_64-1.60.0-0123abcd-boot.ext4.lz4", "our-os", "0123abcd"),
        ("some-uki.efi.lz4", "bottlerocket", None),
        (f"../../etc/{VARIANT}-x86_64-1.60.0-0123abcd-boot.ext4.lz4", "bottlerocket", None),
        (f"bottlerocket-{VARIANT}-x86_64-1.61.0-0123abcd-boot.ext4.lz4", "bottlerocket", None),
    ],
)
def test_names_of_others(boot: str, stem: str, build: str | None) -> None:
    (release,) = _releases(_update("1.60.0", images={"boot": boot}))
    assert release.build == build
    assert release.stems[-1] == f"{stem}-{VARIANT}-x86_64-v1.60.0"


def test_variant_without_releases() -> None:
    with pytest.raises(UpstreamError, match=f"lists no release of {VARIANT} for x86_64") as caught:
        _releases(_update("1.60.0", variant="aws-k8s-1.34"))
    assert "aws-k8s-1.34 x86_64" in caught.value.why
    with pytest.raises(UpstreamError, match="lists no release"):
        _releases()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"updates": [1]}',
        json.dumps({"updates": [_update("x")]}).encode(),
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_not_a_manifest(data: bytes) -> None:
    with pytest.raises(UpstreamError, match=r"manifest\.json is not in a form"):
        releases(data, VARIANT, Architecture.X86_64)


def test_named_in_a_wrong_way() -> None:
    with pytest.raises(ConfigurationError, match="“latest” is not a release"):
        choose(_releases(_update("1.60.0")), "latest", (), NOW)


@pytest.mark.parametrize("release", [None, "1.61.2"])
def test_release_without_disk_images(tmp_path: Path, cache: Path, release: str | None) -> None:
    repository = Made(tmp_path / "repository")
    repository.add_release("1.60.0")
    repository.add_release("1.61.2", images=False)
    repository.publish()
    wish = wish_for(repository, str(repository.folder), tmp_path, release=release)
    with pytest.raises(UpstreamError, match=r"no disk images of release 1\.61\.2") as caught:
        fetch_official(wish, cache, Recorder())
    assert "It has those of 1.60.0." in caught.value.why
    assert "--image" in caught.value.todo


def test_held_back_release_that_is_named(fetch: Callable[..., OfficialImages], repository: Made) -> None:
    repository.add_release("1.62.0", max_version="1.61.2")
    repository.publish()
    assert fetch().version == "1.61.2"
    recorder = Recorder()
    assert fetch(recorder, release="1.62.0").version == "1.62.0"
    assert recorder.warnings == ["Upstream holds release 1.62.0 back: its updates go no further than 1.61.2."]


def test_without_manifest(fetch: Callable[..., OfficialImages], repository: Made) -> None:
    repository.updates.clear()
    del repository.targets["manifest.json"]
    repository.publish()
    with pytest.raises(UpstreamError, match=r"manifest\.json of the repository is not there"):
        fetch()
