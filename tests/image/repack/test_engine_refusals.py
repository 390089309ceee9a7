"""What a repacking refuses, with which words; the input stays as it is, and nothing is left in the output folder."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from brqos.architecture import Architecture
from brqos.config.model import Delivery
from brqos.errors import ConfigurationError, ToolError
from brqos.image.repack import plan
from brqos.image.repack.engine import repack
from brqos.image.repack.filesystem.model import FullError
from brqos.image.repack.plan import NothingToDoError
from brqos.image.repack.signing.profile import SigningKeys
from brqos.memoryqos.settings import kubelet_settings
from brqos.monitor import Silent
from brqos.variant import KubernetesVersion, VariantName

from .conftest import Make, a_wish, list_of, sha256
from .synthetic import Filesystem, ImageOptions, SyntheticImage, compress, copy
from .synthetic.broken import Damage, break_image

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("repack_tools")]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (Damage.TRUNCATED, "partition table"),
        (Damage.GARBAGE, "not a disk image"),
        (Damage.NO_TABLE, "not a disk image"),
        (Damage.ENCRYPTED_ROOT, "encrypted"),
        (Damage.DATA_BLOCK, "not what its root hash stands for"),
        (Damage.TREE_LEAF, "hash tree"),
        (Damage.UKI, "UKI"),
        (Damage.OTHER_ROOT_HASH, "root hash"),
    ],
)
def test_bad_images(plain: SyntheticImage, output: Path, tmp_path: Path, damage: Damage, words: str) -> None:
    broken = break_image(plain, damage, tmp_path / "broken")
    before = sha256(broken.os_image)
    with pytest.raises(ConfigurationError, match=words):
        repack(a_wish(broken.os_image), output, Silent())
    assert sha256(broken.os_image) == before


@pytest.mark.usefixtures("untouched")
def test_files_that_are_no_images(plain: SyntheticImage, output: Path, tmp_path: Path) -> None:
    packed = compress(copy(plain, tmp_path / "cut").os_image)
    with packed.open("r+b") as file:
        file.truncate(packed.stat().st_size // 2)
    for image, words in {
        packed: "cannot be unpacked",
        plain.data_image: "this is a data image",
        tmp_path: "is a folder",
        tmp_path / "nothing.img": "there is no image",
    }.items():
        with pytest.raises(ConfigurationError, match=words):
            repack(a_wish(image), output, Silent())


@pytest.mark.usefixtures("untouched")
def test_bad_data_images(plain: SyntheticImage, output: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty-data.img"
    empty.write_bytes(b"")
    for data, words in {
        plain.os_image: "is an OS image, not a data image",
        tmp_path / "nothing": "there is no data image",
        empty: "not a disk image",
    }.items():
        with pytest.raises(ConfigurationError, match=words):
            repack(a_wish(plain.os_image, data_image=data), output, Silent())


@pytest.mark.parametrize("filesystem", list(Filesystem), ids=lambda kind: kind.value)
def test_a_full_file_system(made: Make, output: Path, filesystem: Filesystem) -> None:
    with pytest.raises(FullError, match="do not fit"):
        repack(
            a_wish(made(ImageOptions(filesystem=filesystem, full=True, erofs_compression="lz4")).os_image),
            output,
            Silent(),
        )
    assert list_of(output) == []


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"variant": VariantName.parse("aws-k8s-1.29-nvidia")}, "variant is aws-k8s-1.29-nvidia, and the image is"),
        ({"architecture": Architecture.AARCH64}, "architecture is aarch64, and the image is for x86_64"),
        ({"settings": kubelet_settings(KubernetesVersion(1, 30))}, "settings are for Kubernetes 1.30"),
        ({"delivery": Delivery.NATIVE}, "delivery “native” does not work"),
        ({"pretty_name": 'a "quoted" name'}, "cannot be the name of an image"),
    ],
)
def test_wishes_that_do_not_fit(plain: SyntheticImage, output: Path, more: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        repack(replace(a_wish(plain.os_image), **more), output, Silent())  # type: ignore[arg-type]


@pytest.mark.usefixtures("untouched")
def test_an_image_that_needs_nothing(plain: SyntheticImage, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "choose_delivery", lambda *_, **__: Delivery.NATIVE)
    with pytest.raises(NothingToDoError, match="needs no repacking"):
        repack(a_wish(plain.os_image), output, Silent())


@pytest.mark.usefixtures("untouched")
def test_keys_for_an_image_that_verifies_nothing(plain: SyntheticImage, own_keys: SigningKeys, output: Path) -> None:
    with pytest.raises(ConfigurationError, match="no place for a key"):
        repack(a_wish(plain.os_image, own_keys), output, Silent())


@pytest.mark.parametrize("name", ["config-sign.key", "code-sign.key", "shim-sign.crt", "vendor.crt"])
def test_wrong_keys(
    made: Make, stock_profile: Path, own_keys: SigningKeys, output: Path, tmp_path: Path, name: str
) -> None:
    """Files of another profile, put in after the profile was checked; or none that are keys."""
    profile = tmp_path / "profile"
    shutil.copytree(own_keys.folder, profile)
    shutil.copy(stock_profile / ("db.crt" if name == "config-sign.key" else name), profile / name)
    image = made(ImageOptions(profile=stock_profile)).os_image
    with pytest.raises((ConfigurationError, ToolError)):
        repack(a_wish(image, replace(own_keys, folder=profile)), output, Silent())
    assert list_of(output) == []
