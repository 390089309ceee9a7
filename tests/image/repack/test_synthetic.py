"""The synthetic images are what they say: judged by the distribution's tools, not by brqos's code."""

import hashlib
import hmac
import json
import re
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from brqos.image.sbkeys import read_profile
from conftest import missing

from .synthetic import (
    REAL,
    SMALL,
    Binaries,
    Filesystem,
    ImageOptions,
    MissingError,
    SyntheticImage,
    copy,
    make_image,
    make_profile,
    maker,
    pe,
    profile,
    tools,
)
from .synthetic.broken import Damage, break_image
from .synthetic.firmware import secure_boot_store
from .synthetic.grub import SBAT, make_grub
from .synthetic.partitions import BOOT, EFI_SYSTEM, HASH, PRIVATE, ROOT, plan
from .synthetic.root_files import OS_LABEL, root_files

pytestmark = pytest.mark.processes

KINDS = [pytest.param(kind, id=kind.value) for kind in Filesystem]
USR = "x86_64-bottlerocket-linux-gnu/sys-root/usr"


@pytest.fixture(scope="session")
def _tools() -> None:
    try:
        tools.need(*maker.PROGRAMS, *profile.PROGRAMS, "sbverify", "fsck.erofs", "e2fsck")
    except MissingError as error:
        missing(str(error))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory, _tools: None) -> Path:
    return make_profile(tmp_path_factory.mktemp("keys") / "profile")


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> dict[Filesystem, SyntheticImage]:
    """A signed image of each filesystem, not to be written to."""
    folder = tmp_path_factory.mktemp("images")
    return {
        kind: make_image(ImageOptions(filesystem=kind, profile=keys, erofs_compression="lz4"), folder / kind.value)
        for kind in Filesystem
    }


def _file(image: SyntheticImage, label: str, folder: Path) -> Path:
    path = folder / label
    path.write_bytes(image.read(label))
    return path


def _boot_file(image: SyntheticImage, name: str, folder: Path) -> bytes:
    path = folder / "boot-file"
    tools.run(["debugfs", "-R", f"dump /{name} {path}", _file(image, BOOT, folder)])
    return path.read_bytes()


def _efi_file(image: SyntheticImage, name: str, folder: Path) -> bytes:
    path = folder / "efi-file"
    path.unlink(missing_ok=True)
    tools.run(["mcopy", "-i", _file(image, EFI_SYSTEM, folder), f"::/EFI/BOOT/{name}", path])
    return path.read_bytes()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_the_real_layout() -> None:
    """Upstream's table for a 2 GiB image."""
    table = [(part.label, part.start >> 20, part.size >> 20) for part in plan(REAL)]
    assert table == [
        ("BIOS-BOOT", 1, 4),
        ("EFI-SYSTEM", 5, 5),
        ("BOTTLEROCKET-BOOT-A", 10, 40),
        ("BOTTLEROCKET-ROOT-A", 50, 920),
        ("BOTTLEROCKET-HASH-A", 970, 10),
        ("BOTTLEROCKET-RESERVED-A", 980, 25),
        ("EFI-BACKUP", 1005, 5),
        ("BOTTLEROCKET-BOOT-B", 1010, 40),
        ("BOTTLEROCKET-ROOT-B", 1050, 920),
        ("BOTTLEROCKET-HASH-B", 1970, 10),
        ("BOTTLEROCKET-RESERVED-B", 1980, 25),
        ("BOTTLEROCKET-PRIVATE", 2005, 41),
        ("", 2046, 1),
    ]
    assert REAL.total == 2048
    assert [part.label for part in plan(SMALL)] == [label for label, _, _ in table]


def test_one_bank_is_twice_as_large() -> None:
    single = {part.label: part.size >> 20 for part in plan(replace(REAL, two_banks=False))}
    assert single["BOTTLEROCKET-ROOT-A"] == 1840
    assert "BOTTLEROCKET-ROOT-B" not in single


def test_sgdisk_reads_the_tables(images: dict[Filesystem, SyntheticImage]) -> None:
    image = images[Filesystem.EXT4]
    for path in (image.os_image, image.data_image):
        assert "No problems found" in tools.run(["sgdisk", "-v", path])
    boot = tools.run(["sgdisk", "-i", "3", image.os_image])
    assert "Attribute flags: 0101000000000000" in boot
    assert "6B636168-7420-6568-2070-6C616E657421" in boot
    assert "5B94E8DF-28B8-485C-9D19-362263B5944C" in tools.run(["sgdisk", "-i", "1", image.data_image])


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_options_give_the_same_bytes(kind: Filesystem, tmp_path: Path, _tools: None) -> None:
    options = ImageOptions(filesystem=kind, erofs_compression="lz4")
    first, second = make_image(options, tmp_path / "1"), make_image(options, tmp_path / "2")
    assert first.verity == second.verity
    assert _digest(first.os_image) == _digest(second.os_image)
    assert _digest(first.data_image) == _digest(second.data_image)


@pytest.mark.parametrize("kind", KINDS)
def test_the_tree_belongs_to_the_root(
    kind: Filesystem, images: dict[Filesystem, SyntheticImage], tmp_path: Path
) -> None:
    image = images[kind]
    data, tree = _file(image, ROOT, tmp_path), _file(image, HASH, tmp_path)
    tools.run(["veritysetup", "verify", data, tree, image.verity.root_hash])
    config = _boot_file(image, "grub/grub.cfg", tmp_path).decode()
    blocks, salt = image.verity.data_blocks, image.verity.salt
    assert (
        f'set dm_verity_root="root,,,ro,0 {blocks * 8} verity 1 PARTUUID=$boot_uuid/PARTNROFF=1 '
        f"PARTUUID=$boot_uuid/PARTNROFF=2 4096 4096 {blocks} 1 sha256 {image.verity.root_hash} {salt} 2 "
        'restart_on_corruption ignore_zero_blocks"\n'
    ) in config
    checker = ["e2fsck", "-fn"] if kind is Filesystem.EXT4 else ["fsck.erofs"]
    tools.run([*checker, data])


def test_owners_modes_and_labels(images: dict[Filesystem, SyntheticImage], tmp_path: Path) -> None:
    root = _file(images[Filesystem.EXT4], ROOT, tmp_path)

    def label(path: str) -> str:
        said = tools.run(["debugfs", "-R", f'ea_get "{path}" security.selinux', root])
        return said.partition("=")[2].strip()

    assert label(f"/{USR}/lib/os-release") == f'"{OS_LABEL}"'
    assert label(f"/{USR}/lib/systemd/systemd") == '"system_u:object_r:init_exec_t:s0"'
    assert label("/etc") == '"system_u:object_r:etc_t:s0"'
    assert label("/etc/selinux") == ""
    shown = tools.run(["debugfs", "-R", f"stat {USR}/bin/kubelet", root])
    assert re.search(r"Mode:\s+0755", shown)
    assert re.search(r"User:\s+0\s+Group:\s+0\s", shown)


def test_contexts_of_an_erofs(images: dict[Filesystem, SyntheticImage]) -> None:
    root = images[Filesystem.EROFS].read(ROOT)
    for type_ in ("os_t", "init_exec_t", "etc_t"):
        assert f"system_u:object_r:{type_}:s0".encode() in root


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_are_there(kind: Filesystem, images: dict[Filesystem, SyntheticImage], tmp_path: Path) -> None:
    root, out = _file(images[kind], ROOT, tmp_path), tmp_path / "out"
    if kind is Filesystem.EXT4:
        out.mkdir()
        tools.run(["debugfs", "-R", f"rdump / {out}", root])
    else:
        tools.run(["fsck.erofs", f"--extract={out}", root])
    for entry in root_files(images[kind].options):
        path = out / entry.path
        if path.is_symlink():
            assert path.readlink() == Path(entry.content.decode())
        elif path.is_file():
            assert path.read_bytes() == entry.content
        else:
            assert path.is_dir()


def test_what_tells_the_release() -> None:
    options = ImageOptions(kubelet="1.31.4", drop_in_directory=False, architecture="aarch64", variant="aws-k8s-1.31")
    files = {entry.path.partition("/usr/")[2]: entry.content.decode("latin-1") for entry in root_files(options)}
    inventory = json.loads(files["share/bottlerocket/application-inventory.json"])["Content"]
    assert [entry["Version"] for entry in inventory if entry["Name"] == "kubelet-1.31"] == ["1.31.4"]
    assert "v1.31.4-eks-" in files["bin/kubelet"]
    assert "VARIANT_ID=aws-k8s-1.31\n" in files["lib/os-release"]
    assert "config-dir" not in files["share/templates/kubelet-exec-start-conf"]
    assert "config.d" not in files["lib/tmpfiles.d/kubernetes.conf"]


def test_a_profile_as_brqos_wants_it(keys: Path) -> None:
    assert not read_profile(keys).in_kms
    assert (keys / "shim-sign.key").stat().st_mode & 0o077 == 0
    variables = json.loads((keys / "efi-vars.json").read_text())["variables"]
    assert {"PK", "KEK", "db"} <= {variable["name"] for variable in variables}


def test_signatures(images: dict[Filesystem, SyntheticImage], keys: Path, tmp_path: Path) -> None:
    image = images[Filesystem.EXT4]
    kernel = _boot_file(image, "vmlinuz", tmp_path)
    signed = {
        "db": [_efi_file(image, "bootx64.efi", tmp_path)],
        "vendor": [_efi_file(image, "grubx64.efi", tmp_path), _efi_file(image, "mmx64.efi", tmp_path), kernel],
    }
    path = tmp_path / "program"
    for authority, programs in signed.items():
        for program in programs:
            path.write_bytes(program)
            assert "Signature verification OK" in tools.run(["sbverify", "--cert", keys / f"{authority}.crt", path])
    digest = hmac.new(b"FIPS-FTW-RHT2009", kernel, hashlib.sha512).hexdigest()
    assert _boot_file(image, ".vmlinuz.hmac", tmp_path) == f"{digest}  vmlinuz\n".encode()

    vendor = profile.certificate_der(keys, "vendor")
    assert pe.sections(signed["db"][0])[".vendor_cert"] == pe.cert_table(vendor)
    with profile.ConfigSigner(keys) as signer:
        assert pe.sections(signed["vendor"][0])[".pubkey"] == signer.public_key()
        config, signature = tmp_path / "grub.cfg", tmp_path / "grub.cfg.sig"
        config.write_bytes(_boot_file(image, "grub/grub.cfg", tmp_path))
        signature.write_bytes(_boot_file(image, "grub/grub.cfg.sig", tmp_path))
        tools.run(["gpg", "--homedir", signer.home, "--batch", "--verify", signature, config])


def test_an_image_without_secure_boot(tmp_path: Path, _tools: None) -> None:
    image = make_image(ImageOptions(architecture="aarch64"), tmp_path / "image")
    grub = pe.sections(_efi_file(image, "grubaa64.efi", tmp_path))
    assert ".pubkey" not in grub
    shim = pe.sections(_efi_file(image, "bootaa64.efi", tmp_path))
    assert shim[".vendor_cert"] == pe.cert_table(b"")
    assert "check_signatures" not in _boot_file(image, "grub/grub.cfg", tmp_path).decode()
    assert "grub.cfg.sig" not in tools.run(["debugfs", "-R", "ls /grub", tmp_path / BOOT])


def test_the_private_partition(images: dict[Filesystem, SyntheticImage], tmp_path: Path) -> None:
    private = _file(images[Filesystem.EXT4], PRIVATE, tmp_path)
    tools.run(["debugfs", "-R", f"dump /bootconfig.data {tmp_path / 'data'}", private])
    data = (tmp_path / "data").read_bytes()
    assert data.startswith(b"kernel {}\ninit {}\n\0")
    assert data.endswith(b"#BOOTCONFIG\n")


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_root(kind: Filesystem, tmp_path: Path, _tools: None) -> None:
    layout = replace(SMALL, root=4)
    options = ImageOptions(layout=layout, filesystem=kind, full=True, erofs_compression="lz4")
    image = make_image(options, tmp_path / "image")
    assert image.verity.data_blocks * 4096 == image.partition(ROOT).size
    if kind is Filesystem.EXT4:
        assert re.search(r"Free blocks:\s+0\n", tools.run(["dumpe2fs", "-h", _file(image, ROOT, tmp_path)]))


# sgdisk finds "no problems" in a table that it has just made up, or mended in memory.
_SGDISK_SAYS = {
    Damage.NO_TABLE: "Creating new GPT entries",
    Damage.GARBAGE: "Creating new GPT entries",
    Damage.PRIMARY_TABLE: "Main header: ERROR",
    Damage.OUTSIDE: "too big for the disk",
    Damage.TRUNCATED: "too big for the disk",
}


@pytest.mark.parametrize("damage", list(Damage), ids=lambda damage: damage.name.lower())
def test_each_damage_is_seen(damage: Damage, images: dict[Filesystem, SyntheticImage], tmp_path: Path) -> None:
    good = images[Filesystem.EXT4]
    before = _digest(good.os_image)
    bad = break_image(good, damage, tmp_path / "bad")
    assert _digest(good.os_image) == before
    assert _digest(bad.os_image) != before
    if damage in _SGDISK_SAYS:
        said = subprocess.run(["sgdisk", "-v", bad.os_image], capture_output=True, text=True, check=False)
        assert _SGDISK_SAYS[damage] in said.stdout + said.stderr
    if damage in {Damage.DATA_BLOCK, Damage.TREE_LEAF, Damage.TREE_ROOT, Damage.SUPERBLOCK_MAGIC}:
        data, tree = _file(bad, ROOT, tmp_path), _file(bad, HASH, tmp_path)
        with pytest.raises(RuntimeError, match=r"[Vv]erification|superblock|verity"):
            tools.run(["veritysetup", "verify", data, tree, bad.verity.root_hash])
    if damage is Damage.UKI:
        efi = tools.run(["mdir", "-b", "-/", "-i", _file(bad, EFI_SYSTEM, tmp_path), "::/EFI"])
        assert "Linux/bottlerocket.efi" in efi
        assert BOOT not in tools.run(["sgdisk", "-p", bad.os_image])
    if damage is Damage.NO_VERITY:
        assert b"set dm_verity_root" not in _boot_file(bad, "grub/grub.cfg", tmp_path)


def test_copies_are_sparse_and_apart(images: dict[Filesystem, SyntheticImage], tmp_path: Path) -> None:
    image = images[Filesystem.EROFS]
    other = copy(image, tmp_path / "copy")
    assert _digest(other.os_image) == _digest(image.os_image)
    assert other.os_image.stat().st_blocks * 512 < image.os_image.stat().st_size // 2
    other.write(ROOT, b"x")
    assert image.read(ROOT)[:1] == b"\0"


def test_from_the_command_line(tmp_path: Path, _tools: None) -> None:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-m", "tests.image.repack.synthetic", tmp_path, "--lz4", "--damage", "data_block"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    files = [Path(line) for line in done.stdout.splitlines()]
    assert [file.name.partition("0a1b2c3d")[2] for file in files] == [
        ".img",
        "-data.img",
        ".img.lz4",
        "-data.img.lz4",
        ".img",
    ]
    assert all(file.is_file() for file in files)


def test_long_names_of_sections() -> None:
    image = pe.build("aarch64", [pe.Section(".text", b"\xc3"), pe.Section(".vendor_cert", b"certificate")])
    assert pe.sections(image) == {".text": b"\xc3", ".vendor_cert": b"certificate"}
    # In the header there is only the place of the name.
    assert b"/4\0\0\0\0\0\0" in image


def test_inserting_a_section() -> None:
    image = pe.build("x86_64", [pe.Section(".text", b"code"), pe.Section(".sbat", b"old"), pe.Section(".reloc", b"r")])
    longer = pe.insert(image, pe.Section(".pubkey", b"k" * 5000), before=".sbat")
    assert list(pe.sections(longer)) == [".text", ".pubkey", ".sbat", ".reloc"]
    assert pe.sections(longer)[".pubkey"] == b"k" * 5000
    assert pe.sections(longer)[".reloc"] == b"r"


@pytest.mark.parametrize("key", [None, b"key" * 200])
def test_a_grub_of_debians_modules(key: bytes | None) -> None:
    try:
        sections = pe.sections(make_grub(key))
    except MissingError as error:
        missing(str(error))
    assert sections.get(".pubkey") == key
    assert sections[".sbat"].rstrip(b"\0").decode() == SBAT
    assert b"pubkeysection" in sections["mods"]


def test_real_binaries_need_debians_packages(tmp_path: Path, keys: Path) -> None:
    options = ImageOptions(binaries=Binaries.REAL, architecture="aarch64", profile=keys)
    with pytest.raises(MissingError, match="another architecture"):
        make_image(options, tmp_path)


def test_variables_of_the_firmware() -> None:
    store = bytes.fromhex("782cf3aa7b949a43a1802e144ec37792") + struct.pack("<IBBHI", 4096, 0x5A, 0xFE, 0, 0)
    empty = bytes(64) + store + b"\xff" * 4068 + b"behind it"
    filled = secure_boot_store(empty, platform=b"platform", exchange=b"exchange", database=b"database")
    assert len(filled) == len(empty)
    assert filled.endswith(b"\xffbehind it")
    for name in ("PK", "KEK", "db", "SecureBootEnable"):
        assert f"{name}\0".encode("utf-16-le") in filled
