"""Small images and keys for tests of `brqos build --engine repack`: made once per process, handed out as copies."""

from pathlib import Path

import pytest

from brqos.errors import ToolError
from conftest import missing
from image.repack.synthetic import ImageOptions, MissingError, SyntheticImage, copy, make_image, make_profile, tools
from image.repack.synthetic.maker import PROGRAMS

OWN, UPSTREAMS = "own", "upstreams"
VERSION = "1.55.0-0a1b2c3d"
NAME = f"bottlerocket-aws-k8s-1.29-x86_64-{VERSION}"


def changed_name(build: str) -> str:
    """What the image of a build is called, without its ending: with the build's digest for upstream's commit."""
    return f"bottlerocket-aws-k8s-1.29-memoryqos-x86_64-1.55.0-{build[-8:]}"


class Images:
    """What was made is not to be written to, by anybody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[ImageOptions, SyntheticImage] = {}
        self._profiles: dict[str, Path] = {}

    def profile(self, name: str = OWN) -> Path:
        """A signing profile: one of ours, or the one that the images come with."""
        if name not in self._profiles:
            folder = self._folder / "profiles" / name
            folder.parent.mkdir(exist_ok=True)
            try:
                self._profiles[name] = _own(folder) if name == OWN else make_profile(folder)
            except (MissingError, ToolError) as error:
                missing(str(error))
        return self._profiles[name]

    def copied(self, folder: Path, *, signed: bool = True, **options: object) -> SyntheticImage:
        """An image of a test's own, as upstream signs it."""
        profile = self.profile(UPSTREAMS) if signed else None
        wanted = ImageOptions(profile=profile, erofs_compression="lz4", **options)  # type: ignore[arg-type]
        if wanted not in self._made:
            try:
                tools.need(
                    *PROGRAMS, "e2fsck", "dumpe2fs", "fsck.erofs", "dump.erofs", "sbsign", "sbverify", "gpg", "lz4"
                )
                self._made[wanted] = make_image(wanted, self._folder / str(len(self._made)))
            except MissingError as error:
                missing(str(error))
        return copy(self._made[wanted], folder)


_images: list[Images] = []


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """One for all modules, whichever asks first."""
    if not _images:
        _images.append(Images(tmp_path_factory.mktemp("images")))
    return _images[0]


def _own(folder: Path) -> Path:
    from brqos.image.repack.signing.keys import new_profile

    new_profile(folder)
    return folder


def everything_below(folder: Path) -> dict[Path, float]:
    """All that is there, with when it was changed."""
    return {place: place.stat().st_mtime for place in folder.rglob("*")}


def files_below(home: Path) -> set[Path]:
    """All files; locks, which stay, are not counted."""
    return {file for file in home.rglob("*") if file.is_file() and file.parent.name != "locks"}
