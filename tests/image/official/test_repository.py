"""Where a repository may be."""

from pathlib import Path

import pytest

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.image.official.repository import Location, Source, is_allowed


def test_official() -> None:
    source = Source()
    place = source.metadata_for("aws-k8s-1.35", Architecture.AARCH64)
    assert str(place) == "https://updates.bottlerocket.aws/2020-07-07/aws-k8s-1.35/aarch64/"
    assert source.targets_location.of("abc.name") == "https://updates.bottlerocket.aws/targets/abc.name"
    assert source.is_official


def test_mirrors(tmp_path: Path) -> None:
    source = Source("https://mirror.example/tuf/{arch}/{variant}", str(tmp_path))
    assert str(source.metadata_for("v", Architecture.X86_64)) == "https://mirror.example/tuf/x86_64/v/"
    assert source.targets_location.of("name") == str(tmp_path / "name")
    assert not source.is_official
    exact = Source(f"file://{tmp_path}/one", "http://127.0.0.1:8080/targets")
    assert exact.metadata_for("v", Architecture.X86_64).of("x") == str(tmp_path / "one" / "x")
    assert exact.targets_location.text == "http://127.0.0.1:8080/targets/"


@pytest.mark.parametrize(
    "text",
    [
        "http://mirror.example/",
        "ftp://mirror.example/",
        "https:///x",
        "file://other/x",
        "http://127.0.0.1.example/",
        "s3://bucket/x",
    ],
)
def test_places_that_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no place"):
        Location.parse(text)
    with pytest.raises(ConfigurationError):
        Source(targets=text)
    with pytest.raises(ConfigurationError):
        Source(metadata=text)


@pytest.mark.parametrize("text", ["https://me:secret@mirror.example/", "https://mirror.example/?token=secret"])
def test_secrets_in_urls(text: str) -> None:
    with pytest.raises(ConfigurationError, match="has more than a path") as caught:
        Location.parse(text)
    assert "secret" not in str(caught.value)


def test_unknown_placeholder() -> None:
    with pytest.raises(ConfigurationError, match="means nothing here: region"):
        Source("https://mirror.example/{region}/{variant}")


def test_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Location.parse("mirror").of("x") == str(tmp_path / "mirror" / "x")


def test_redirections() -> None:
    assert is_allowed("https://elsewhere.example/x")
    assert is_allowed("http://localhost:1/x")
    assert not is_allowed("http://elsewhere.example/x")
    assert not is_allowed("file:///etc/passwd")
