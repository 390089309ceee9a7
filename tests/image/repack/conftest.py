"""Images made once and not to be written to, keys of one's own, and the tools that a repacking needs."""

import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from brqos.errors import ToolError
from brqos.image.repack.plan import Wish
from brqos.image.repack.signing.profile import SigningKeys, load_keys
from brqos.image.repack.tools import PACKAGES, SIGNING_PACKAGES
from brqos.memoryqos.settings import kubelet_settings
from brqos.variant import KubernetesVersion
from conftest import missing

from .synthetic import ImageOptions, MissingError, SyntheticImage, make_image, make_profile

Make = Callable[[ImageOptions], SyntheticImage]
NAME = "Example Corp's Bottlerocket derivative"
STEM = "bottlerocket-aws-k8s-1.29-memoryqos-x86_64-1.55.0-0a1b2c3d"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """An image of these options, made once."""

    @cache
    def image(options: ImageOptions) -> SyntheticImage:
        try:
            return make_image(options, tmp_path_factory.mktemp("image"))
        except MissingError as error:
            missing(str(error))

    return image


@pytest.fixture(scope="session")
def stock_profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys that the images are signed with before they are repacked, as if they were upstream's."""
    try:
        return make_profile(tmp_path_factory.mktemp("stock") / "profile")
    except MissingError as error:
        missing(str(error))


@pytest.fixture(scope="session")
def own_profile(tmp_path_factory: pytest.TempPathFactory, repack_tools: None) -> Path:
    from brqos.image.repack.signing.keys import new_profile

    folder = tmp_path_factory.mktemp("own") / "profile"
    try:
        new_profile(folder)
    except ToolError as error:
        missing(error.what)
    return folder


@pytest.fixture(scope="session")
def own_keys(own_profile: Path) -> SigningKeys:
    return load_keys(own_profile)


@pytest.fixture(scope="session")
def repack_tools(tool: Callable[[str], Path]) -> None:
    for program in (*PACKAGES, *SIGNING_PACKAGES):
        tool(program)


def a_wish(image: Path, keys: SigningKeys | None = None, **more: object) -> Wish:
    settings = kubelet_settings(KubernetesVersion(1, 29))
    return Wish(image, settings, NAME, keys, **more)  # type: ignore[arg-type]


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture(scope="session")
def plain(made: Make) -> SyntheticImage:
    """A small image without signatures."""
    return made(ImageOptions())


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def untouched(plain: SyntheticImage, output: Path) -> Iterator[None]:
    """The input stays as it is, and nothing is left in the output folder."""
    before = sha256(plain.os_image)
    yield
    assert sha256(plain.os_image) == before
    assert list_of(output) == []


def list_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []
