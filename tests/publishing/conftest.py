"""One zygote for all tests of a worker, images that are made once, and the figures at the end of the report."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from publishing.processes import Zygote
from publishing.scene import Picture, pictures, room

FIGURES = "publishing"


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    with Zygote() as running:
        yield running


@pytest.fixture(scope="session")
def little(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Picture]:
    """Images of a few blocks, for what is about calls and not about blocks."""
    return pictures(tmp_path_factory.mktemp("little"), 5, 2)


@pytest.fixture(scope="module")
def large() -> Iterator[dict[str, Picture]]:
    """Images of three hundred blocks and a few."""
    with tempfile.TemporaryDirectory(prefix="brqos-images-", dir=room()) as folder:
        yield pictures(Path(folder), 300, 20)


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Print what was tried, and have it in the summary of the tests."""

    def say(words: str) -> None:
        sys.stdout.write(f"{words}\n")
        record_property(FIGURES, words)

    return say
