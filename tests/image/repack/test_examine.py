"""What is found in whole images, of both file systems and both architectures, and what is refused with which words."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from brqos.architecture import Architecture
from brqos.config.model import Delivery
from brqos.errors import ConfigurationError
from brqos.image.repack.boot_files import read_boot_files, write_boot_files
from brqos.image.repack.edit import choose_delivery, plan_edit
from brqos.image.repack.examine import Examined, check_integrity, examine
from brqos.image.repack.filesystem.model import FileChange, FullError
from brqos.image.repack.plan import Wish, make_plan
from brqos.memoryqos.settings import kubelet_settings
from conftest import missing

from .synthetic.broken import Damage, break_image
from .synthetic.maker import copy, make_image
from .synthetic.model import Filesystem, ImageOptions, MissingError, SyntheticImage

pytestmark = pytest.mark.processes
Make = Callable[[ImageOptions], SyntheticImage]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    made: dict[ImageOptions, SyntheticImage] = {}

    def image(options: ImageOptions) -> SyntheticImage:
        if options not in made:
            try:
                made[options] = make_image(options, tmp_path_factory.mktemp("image"))
            except MissingError as error:
                missing(str(error))
        return made[options]

    return image


@pytest.fixture
def image(make: Make, tmp_path: Path) -> Iterator[SyntheticImage]:
    yield copy(make(ImageOptions()), tmp_path)


@pytest.fixture(autouse=True)
def _tools(tool: Callable[[str], Path]) -> None:
    for program in ("debugfs", "e2fsck", "resize2fs", "fsck.erofs", "mdir", "mtype", "mcopy", "mdel"):
        tool(program)


@pytest.mark.parametrize("filesystem", list(Filesystem))
@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_everything_is_found(make: Make, filesystem: Filesystem, architecture: str) -> None:
    options = ImageOptions(filesystem=filesystem, architecture=architecture)
    made = make(options)
    found = examine(made.os_image)
    assert found.architecture is Architecture(architecture)
    assert found.files.name.lower() == filesystem.value
    assert found.usr == f"/{options.sys_root}"
    assert (found.release.version_id, found.release.build_id) == (options.version, options.build_id)
    assert found.variant.base == "aws-k8s-1.29"
    assert (found.kubelet.version, found.kubelet.drop_in_directory) == ("1.29.15", "/etc/kubernetes/kubelet/config.d")
    assert found.kubelet.version_from.endswith("application-inventory.json")
    assert found.grub.verity.root_hash.hex() == made.verity.root_hash
    assert found.files.size == found.grub.verity.data_bytes == made.verity.data_blocks * 4096
    assert 'version-lock = "latest"' in found.defaults.text
    assert not found.is_signed
    assert choose_delivery(found.kubelet, None) is Delivery.DROP_IN


@pytest.mark.parametrize("filesystem", list(Filesystem))
def test_the_plan_is_carried_out_and_then_it_is_refused(make: Make, filesystem: Filesystem, tmp_path: Path) -> None:
    found = examine(copy(make(ImageOptions(filesystem=filesystem)), tmp_path).os_image)
    settings = kubelet_settings(found.variant.kubernetes)
    changes = plan_edit(found.found, settings, Delivery.DROP_IN, pretty_name="Example's image", updates_off=True)
    found.files.write(changes)
    for change in changes:
        assert found.files.read(change.path) == change.content
    with pytest.raises(ConfigurationError, match="root"):
        examine(found.image)


@pytest.mark.parametrize("what", ["grub", "release", "kubelet", "defaults"])
def test_files_that_are_no_text_are_not_written_anew(make: Make, what: str) -> None:
    found = examine(make(ImageOptions()).os_image)
    field = "template" if what == "kubelet" else "text"
    part = getattr(found, what)
    broken = replace(
        found, **{what: replace(part, **{field: getattr(part, field) + b"# \xff".decode(errors="replace")})}
    )
    wish = Wish(found.image, kubelet_settings(found.variant.kubernetes), "Example's image", None)
    assert make_plan(found, wish).changes
    with pytest.raises(ConfigurationError, match="not as expected") as caught:
        make_plan(broken, wish)
    assert "UTF-8" in caught.value.why


def test_an_older_image_gets_the_template(make: Make) -> None:
    found = examine(make(ImageOptions(drop_in_directory=False)).os_image)
    assert found.kubelet.drop_in_directory is None
    assert choose_delivery(found.kubelet, None) is Delivery.TEMPLATE


EXPECTED = {
    Damage.TRUNCATED: "partition table",
    Damage.NO_TABLE: "not a disk image",
    Damage.PRIMARY_TABLE: "partition table",
    Damage.OUTSIDE: "partition table",
    Damage.GARBAGE: "not a disk image",
    Damage.ENCRYPTED_ROOT: "encrypted",
    Damage.DATA_BLOCK: "root file system of the image is not what its root hash",
    Damage.TREE_LEAF: "hash tree of the image is damaged",
    Damage.TREE_ROOT: "hash tree of the image is damaged",
    Damage.SUPERBLOCK_MAGIC: "no dm-verity tree",
    Damage.SUPERBLOCK_SALT: "not the one that its boot configuration names",
    Damage.SUPERBLOCK_BLOCKS: "verity tree|not the one that its boot configuration names",
    Damage.LABEL_MISSING: "no partition labelled BOTTLEROCKET-HASH-A",
    Damage.LABEL_TWICE: "2 partitions labelled BOTTLEROCKET-ROOT-A",
    Damage.UKI: r"unified kernel image \(UKI\)",
    Damage.NO_GRUB_CONFIG: r"no grub/grub\.cfg",
    Damage.NO_VERITY: r"grub\.cfg\) is not as expected",
    Damage.VERITY_TWICE: r"grub\.cfg\) is not as expected",
    Damage.OTHER_HASH: r"grub\.cfg\) is not as expected",
    Damage.OTHER_ROOT_HASH: "root hash",
}


@pytest.mark.parametrize("damage", list(EXPECTED))
def test_what_is_wrong_is_told_and_nothing_is_changed(make: Make, damage: Damage, tmp_path: Path) -> None:
    broken = break_image(make(ImageOptions()), damage, tmp_path)
    before = broken.os_image.read_bytes()
    with pytest.raises(ConfigurationError, match=EXPECTED[damage]) as caught:
        examine(broken.os_image)
    assert caught.value.why
    assert caught.value.todo
    assert broken.os_image.read_bytes() == before


def test_a_partition_for_hashes_that_memory_has_no_room_for_is_told(make: Make) -> None:
    found = examine(make(ImageOptions()).os_image)
    layout = replace(found.layout, hash=replace(found.layout.hash, size=2**40))
    with pytest.raises(ConfigurationError, match="larger than any hash tree"):
        check_integrity(found.image, layout, found.grub, found.files)


def test_a_data_image_is_told(image: SyntheticImage) -> None:
    with pytest.raises(ConfigurationError, match="this is a data image"):
        examine(image.data_image)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (ImageOptions(variant="aws-k8s-1.29-memoryqos"), "has MemoryQoS already"),
        (ImageOptions(variant="aws-ecs-2"), "not the name of a Bottlerocket variant for EKS"),
        (ImageOptions(variant="aws-k8s-1.30"), r"calls itself aws-k8s-1\.30, and its kubelet is 1\.29\.15"),
    ],
)
def test_other_variants_are_told(make: Make, options: ImageOptions, what: str) -> None:
    with pytest.raises(ConfigurationError, match=what):
        examine(make(options).os_image)


def test_a_disk_that_was_updated_in_place_is_told(image: SyntheticImage) -> None:
    import struct
    import zlib

    content = bytearray(image.os_image.read_bytes())
    (count,), entries = struct.unpack_from("<I", content, 512 + 80), 1024
    number = next(part.number for part in image.partitions if part.label == "BOTTLEROCKET-BOOT-B")
    struct.pack_into("<Q", content, entries + (number - 1) * 128 + 48, 2 << 48)
    struct.pack_into("<I", content, 512 + 88, zlib.crc32(content[entries : entries + count * 128]))
    struct.pack_into("<I", content, 512 + 16, 0)
    struct.pack_into("<I", content, 512 + 16, zlib.crc32(content[512 : 512 + 92]))
    image.os_image.write_bytes(content)
    with pytest.raises(ConfigurationError, match="second bank"):
        examine(image.os_image)


def _boot(found: Examined, **fields: bytes | None) -> tuple[str, ...]:
    after = replace(found.boot_files, **fields)  # type: ignore[arg-type]
    changed = write_boot_files(found.boot_partitions, found.boot_files, after)
    assert read_boot_files(found.boot_partitions, found.architecture) == after
    return changed


def test_boot_files_are_replaced_added_and_removed(image: SyntheticImage) -> None:
    found = examine(image.os_image)
    before = {label: image.read(label) for label in ("BOTTLEROCKET-ROOT-A", "BOTTLEROCKET-HASH-A", "BIOS-BOOT")}
    assert found.boot_files.vmlinuz_hmac is not None
    assert _boot(found) == ()
    longer = found.boot_files.vmlinuz + bytes(range(256)) * 200
    changed = _boot(found, vmlinuz=longer, vmlinuz_hmac=b"1", grub_cfg_sig=b"sig", db_crt=b"crt", shim=b"MZ" * 90_000)
    assert changed == (
        "BOTTLEROCKET-BOOT-A/.vmlinuz.hmac",
        "BOTTLEROCKET-BOOT-A/grub/grub.cfg.sig",
        "BOTTLEROCKET-BOOT-A/vmlinuz",
        "EFI-SYSTEM/EFI/BOOT/bootx64.efi",
        "EFI-SYSTEM/EFI/BOOT/db.crt",
    )
    again = examine(image.os_image)
    assert again.is_signed
    assert _boot(again, grub_cfg_sig=None, db_crt=None) == (
        "BOTTLEROCKET-BOOT-A/grub/grub.cfg.sig",
        "EFI-SYSTEM/EFI/BOOT/db.crt",
    )
    assert {label: image.read(label) for label in before} == before


def test_boot_files_keep_mode_and_label_and_bytes_are_the_same_each_time(make: Make, tmp_path: Path) -> None:
    from brqos.image.repack.filesystem.ext4 import Ext4

    results = []
    for name in ("one", "two"):
        found = examine(copy(make(ImageOptions()), tmp_path / name).os_image)
        files = Ext4(found.image, found.layout.boot)
        before = files.stat("/vmlinuz")
        assert before is not None
        assert (before.mode, before.label) == (0o600, "system_u:object_r:os_t:s0")
        _boot(found, vmlinuz=found.boot_files.vmlinuz * 3, grub=found.boot_files.grub * 2, db_cer=b"cer")
        after = files.stat("/vmlinuz")
        assert after == replace(before, size=3 * before.size)
        results.append(found.image.read_bytes())
    assert results[0] == results[1]


@pytest.mark.parametrize("field", ["vmlinuz", "shim"])
def test_boot_files_that_do_not_fit_are_told(image: SyntheticImage, field: str) -> None:
    found = examine(image.os_image)
    with pytest.raises(FullError, match="do not fit"):
        _boot(found, **{field: bytes(8 * 2**20)})


def test_a_kubelet_that_is_only_told_by_its_program(image: SyntheticImage) -> None:
    """The list of packages came later, and could be anything."""
    from brqos.image.repack.kubelet import find_kubelet

    found = examine(image.os_image)
    inventory = f"{found.usr}/share/bottlerocket/application-inventory.json"
    for content in (b"", b"[]", b'{"Content": [1]}', b'{"Content": []}'):
        found.files.write([FileChange(inventory, content, "a test")])
        kubelet = find_kubelet(found.files, found.usr, found.variant)
        assert (kubelet.version, kubelet.version_from) == ("1.29.15", f"{found.usr}/bin/kubelet")
    found.files.write([FileChange(f"{found.usr}/bin/kubelet", b"\x7fELF", "a test")])
    with pytest.raises(ConfigurationError, match="cannot be told"):
        find_kubelet(found.files, found.usr, found.variant)
