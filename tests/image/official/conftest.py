"""What the tests of official images share."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brqos.architecture import Architecture
from brqos.image.official.fetch import OfficialImages, Wish, fetch_official
from brqos.image.official.repository import Source
from brqos.image.official.root_of_trust import Trust
from brqos.image.official.transport import Patience
from image.official.repository_maker import VARIANT, Made, made
from image.recorder import Recorder

IMPATIENT = Patience(
    connect_seconds=2,
    read_seconds=0.4,
    whole_seconds=1,
    window_seconds=0.3,
    window_bytes=1000,
    tries=3,
    pause_seconds=0,
)


@pytest.fixture
def repository(tmp_path: Path) -> Made:
    """A repository with two releases in a folder."""
    return made(tmp_path / "repository")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def wish(repository: Made, tmp_path: Path) -> Wish:
    """The newest release, from the folder."""
    return wish_for(repository, str(repository.folder), tmp_path)


def wish_for(repository: Made, base: str, folder: Path, **options: Any) -> Wish:
    """A wish that trusts the repository's first root.json."""
    root = folder / "root.json"
    root.write_bytes((repository.metadata / "1.root.json").read_bytes())
    base = base.rstrip("/")
    return replace(
        Wish(
            VARIANT,
            Architecture.X86_64,
            source=Source(f"{base}/metadata/{{variant}}/{{arch}}", f"{base}/targets"),
            trust=Trust(root, hashlib.sha512(root.read_bytes()).hexdigest()),
            patience=IMPATIENT,
        ),
        **options,
    )


@pytest.fixture
def fetch(wish: Wish, cache: Path) -> Callable[..., OfficialImages]:
    """Fetch into the cache; options change the wish."""

    def call(recorder: Recorder | None = None, **options: Any) -> OfficialImages:
        return fetch_official(replace(wish, **options), cache, recorder or Recorder())

    return call
