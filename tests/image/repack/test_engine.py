"""Whole repackings of small images: what comes out, the same each time, and nothing at all where something is wrong."""

import json
import os
from pathlib import Path

import lz4.frame
import pytest

from brqos.ami.names import data_sibling, parse_image_name
from brqos.config.model import Delivery
from brqos.errors import ConfigurationError
from brqos.image.hashing import hash_image
from brqos.image.model import ImageRole
from brqos.image.repack.engine import repack
from brqos.image.repack.examine import examine
from brqos.image.repack.result import Happened, Repacked, told
from brqos.image.repack.signing.profile import SigningKeys
from brqos.monitor import Silent
from brqos.process import run

from .conftest import Make, a_wish, list_of, sha256
from .synthetic import Filesystem, ImageOptions, SyntheticImage, compress, copy

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("repack_tools")]


def unpacked(file: Path) -> bytes:
    # lz4.frame.decompress takes the first frame only.
    with lz4.frame.open(file) as content:
        return bytes(content.read())


# The other four are in tests/cli/test_repack.py (test_the_whole_way).
@pytest.mark.parametrize(
    ("filesystem", "architecture", "signed"),
    [
        pytest.param(Filesystem.EXT4, "aarch64", True, id="ext4-aarch64-own-keys"),
        pytest.param(Filesystem.EROFS, "x86_64", True, id="erofs-x86_64-own-keys"),
        pytest.param(Filesystem.EXT4, "x86_64", False, id="ext4-x86_64-unsigned"),
        pytest.param(Filesystem.EROFS, "aarch64", False, id="erofs-aarch64-unsigned"),
    ],
)
def test_the_result(
    made: Make,
    stock_profile: Path,
    own_keys: SigningKeys,
    output: Path,
    filesystem: Filesystem,
    architecture: str,
    signed: bool,
) -> None:
    image = made(ImageOptions(filesystem=filesystem, architecture=architecture, profile=stock_profile))
    before = sha256(image.os_image)
    keys = own_keys if signed else None
    repacked = repack(a_wish(image.os_image, keys, data_image=image.data_image, updates_off=True), output, Silent())
    assert sha256(image.os_image) == before

    os_image, data_image = repacked.images
    assert list_of(output) == sorted([os_image.file.name, data_image.file.name])
    name = parse_image_name(os_image.file)
    assert name is not None
    assert (name.variant, name.arch.value, name.version) == ("aws-k8s-1.29-memoryqos", architecture, "1.55.0-0a1b2c3d")
    assert data_sibling(os_image.file) == data_image.file
    assert repacked.image_version == name.version
    for made_image in repacked.images:
        assert hash_image(made_image.role, made_image.file, Silent()) == made_image
    assert run(["lz4", "-dc", data_image.file]).stdout == image.data_image.read_bytes()

    raw = output / "raw.img"
    raw.write_bytes(unpacked(os_image.file))
    assert raw.stat().st_size == image.os_image.stat().st_size
    with pytest.raises(ConfigurationError, match="has MemoryQoS already"):
        examine(raw)
    check_told(repacked, image, signed=signed)


def check_told(repacked: Repacked, image: SyntheticImage, *, signed: bool) -> None:
    assert repacked.secure_boot == signed
    assert (repacked.uefi_data is not None) == signed
    assert bool(repacked.remarks) != signed
    assert [item.sha256 for item in repacked.inputs] == [sha256(image.os_image), sha256(image.data_image)]
    facts = repacked.facts
    assert (facts.release, facts.kubelet, facts.delivery) == ("1.55.0", "1.29.15", Delivery.DROP_IN)
    assert facts.was_signed
    assert facts.verity_before.root_hash == image.verity.root_hash
    assert facts.verity_after.root_hash != image.verity.root_hash
    assert facts.verity_after.salt == facts.verity_before.salt
    root = {item.path.rpartition("/")[2]: item for item in repacked.difference.files if "ROOT" in item.partition}
    assert {name: item.what for name, item in root.items()} == {
        "900-memory-qos.conf": Happened.ADDED,
        "kubelet-memory-qos.conf": Happened.ADDED,
        "os-release": Happened.CHANGED,
        "aws-k8s-1.29.toml": Happened.CHANGED,
    }
    for item in root.values():
        assert item.after is not None
        assert (item.after.mode, item.after.owner) == ("0644", "0:0")
        assert item.after.label == "system_u:object_r:os_t:s0"
    changed = {item.label for item in repacked.difference.partitions if item.changed_blocks}
    bank = {f"BOTTLEROCKET-{name}-A" for name in ("BOOT", "ROOT", "HASH")}
    assert changed == {*bank, "EFI-SYSTEM"}
    tools = {item.tool for item in repacked.verified}
    assert {"sgdisk -v", "veritysetup verify", "e2fsck -fn"} <= tools
    assert ({"sbverify", "gpg"} <= tools) == signed
    assert {"unpack", "examine", "check", "compare", "pack", "total"} <= repacked.steps.keys()
    assert Repacked.model_validate(json.loads(repacked.model_dump_json())) == repacked
    sections = dict(told(repacked))
    assert any("900-memory-qos.conf" in line and "added" in line for line in sections["Files"])
    assert sections["Partitions"][-1].startswith("unchanged: the partition table, BIOS-BOOT")


@pytest.mark.parametrize("filesystem", list(Filesystem), ids=lambda kind: kind.value)
def test_the_same_input_gives_the_same_bytes(made: Make, tmp_path: Path, filesystem: Filesystem) -> None:
    image = made(ImageOptions(filesystem=filesystem))
    one = repack(a_wish(image.os_image), tmp_path / "one", Silent())
    # However it is packed, and wherever it lies.
    elsewhere = tmp_path / "else?offset=1 where"
    packed = compress(copy(image, elsewhere).os_image)
    two = repack(a_wish(packed), elsewhere / "two", Silent())
    assert one.images[0].file.read_bytes() == two.images[0].file.read_bytes()
    assert one.images[0].file.stat().st_mode & 0o777 == 0o666 & ~umask()


def umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value | 0o022


def test_signatures_apart_signed_images_are_the_same_too(
    made: Make, stock_profile: Path, own_keys: SigningKeys, tmp_path: Path
) -> None:
    image = made(ImageOptions(profile=stock_profile))
    images = [
        unpacked(repack(a_wish(image.os_image, own_keys), tmp_path / name, Silent()).images[0].file)
        for name in ("one", "two")
    ]
    for part in image.partitions:
        if part.label not in {"BOTTLEROCKET-BOOT-A", "EFI-SYSTEM"}:
            same = {data[part.start : part.start + part.size] for data in images}
            assert len(same) == 1, part.label


def test_data_images_keep_their_bytes(plain: SyntheticImage, output: Path, tmp_path: Path) -> None:
    packed = compress(copy(plain, tmp_path / "packed").data_image, level=9)
    repacked = repack(a_wish(plain.os_image, data_image=packed), output, Silent())
    assert repacked.images[1].file.read_bytes() == packed.read_bytes()
    assert repacked.images[1].role is ImageRole.DATA


def test_an_older_kubelet_gets_the_template(made: Make, output: Path) -> None:
    image = made(ImageOptions(drop_in_directory=False))
    repacked = repack(a_wish(image.os_image), output, Silent())
    assert repacked.facts.delivery is Delivery.TEMPLATE
    names = [item.path.rpartition("/")[2] for item in repacked.difference.files if "ROOT" in item.partition]
    assert names == ["os-release", "kubelet-config"]
