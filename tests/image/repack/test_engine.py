"""Whole repackings of small images: what comes out, the same each time, and nothing at all where something is wrong."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import lz4.frame
import pytest

from brqos.ami.names import data_sibling, parse_image_name
from brqos.architecture import Architecture
from brqos.config.model import Delivery
from brqos.errors import BrqosError, ConfigurationError, ToolError
from brqos.image.hashing import hash_image
from brqos.image.model import ImageRole
from brqos.image.repack import check, difference, engine, plan
from brqos.image.repack.engine import repack
from brqos.image.repack.examine import examine
from brqos.image.repack.filesystem.model import FullError
from brqos.image.repack.plan import NothingToDoError
from brqos.image.repack.result import Happened, Repacked, told
from brqos.image.repack.signing.profile import SigningKeys
from brqos.image.repack.workplace import workplace
from brqos.memoryqos.settings import kubelet_settings
from brqos.monitor import Silent
from brqos.process import run
from brqos.variant import KubernetesVersion, VariantName

from .conftest import NAME, Make, a_wish, sha256
from .synthetic import Filesystem, ImageOptions, SyntheticImage, compress, copy
from .synthetic.broken import Damage, break_image

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("repack_tools")]

STEM = "bottlerocket-aws-k8s-1.29-memoryqos-x86_64-1.55.0-0a1b2c3d"


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


def unpacked(file: Path) -> bytes:
    # lz4.frame.decompress takes the first frame only.
    with lz4.frame.open(file) as content:
        return bytes(content.read())


@pytest.mark.parametrize("signed", [True, False], ids=["own-keys", "unsigned"])
@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
@pytest.mark.parametrize("filesystem", list(Filesystem), ids=lambda kind: kind.value)
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


STEPS = [
    (engine, "copy_image"),
    (engine, "take_data_image"),
    (engine, "examine"),
    (engine, "make_plan"),
    (difference, "take"),
    (engine, "build_tree"),
    (engine, "put_back"),
    (engine, "unsigned"),
    (engine, "write_boot_files"),
    (engine, "pack"),
    (check, "verify"),
    (difference, "compare"),
    (engine, "publish"),
]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("where", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_step_that_fails_leaves_nothing(
    plain: SyntheticImage, output: Path, monkeypatch: pytest.MonkeyPatch, where: object, step: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(where, step, fail)
    with pytest.raises(ToolError, match="is full") as caught:
        repack(a_wish(plain.os_image, data_image=plain.data_image), output, Silent())
    assert "No space left on device" in caught.value.why


@pytest.mark.usefixtures("untouched")
def test_a_full_disk_is_told_whatever_a_tool_says(
    plain: SyntheticImage, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise BrqosError("debugfs says something")

    monkeypatch.setattr(engine, "_LEAST_FREE", 2**60)
    monkeypatch.setattr(engine, "write_boot_files", fail)
    with pytest.raises(ToolError, match="is full"):
        repack(a_wish(plain.os_image), output, Silent())


@pytest.mark.usefixtures("untouched")
def test_an_input_that_changes_meanwhile(
    plain: SyntheticImage, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = copy(plain, tmp_path / "mine").os_image
    real = engine.copy_image

    def read(*arguments: object) -> object:
        copied = real(*arguments)  # type: ignore[arg-type]
        with image.open("ab") as file:
            file.write(b"more")
        return copied

    monkeypatch.setattr(engine, "copy_image", read)
    with pytest.raises(ConfigurationError, match="was changed while it was read"):
        repack(a_wish(image), output, Silent())


def test_a_file_that_is_there_stays(plain: SyntheticImage, output: Path) -> None:
    output.mkdir()
    target = output / f"{STEM}.img.lz4"
    target.write_bytes(b"mine")
    with pytest.raises(ConfigurationError, match="is there already, and it is another file"):
        repack(a_wish(plain.os_image), output, Silent())
    assert (list_of(output), target.read_bytes()) == ([target.name], b"mine")

    repack(a_wish(plain.os_image), output, Silent(), replace_results=True)
    made = target.stat()
    assert made.st_size > 4
    # Once more: it is the same.
    repack(a_wish(plain.os_image), output, Silent())
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (made.st_ino, made.st_mtime_ns)


def test_a_folder_that_cannot_be_written_to(plain: SyntheticImage, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="nothing can be written to"):
        repack(a_wish(plain.os_image), tmp_path / "file" / "out", Silent())


_KILLED = f"""
import sys, time
from pathlib import Path
from brqos.image.repack import engine
from brqos.image.repack.plan import Wish
from brqos.memoryqos.settings import kubelet_settings
from brqos.monitor import Silent
from brqos.variant import KubernetesVersion

step, image, data, output = sys.argv[1:]
real = getattr(engine, step)

def last(*arguments, **more):
    real(*arguments, **more)
    print("now", flush=True)
    time.sleep(60)

setattr(engine, step, last)
settings = kubelet_settings(KubernetesVersion(1, 29))
engine.repack(Wish(Path(image), settings, {NAME!r}, None, data_image=Path(data)), Path(output), Silent())
"""


@pytest.mark.parametrize("step", ["copy_image", "write_boot_files", "pack", "publish"])
def test_killed_half_way(plain: SyntheticImage, output: Path, step: str) -> None:
    before = sha256(plain.os_image)
    words = [sys.executable, "-c", _KILLED, step, plain.os_image, plain.data_image, output]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"now\n"
        # Another run takes nothing from one that is under way.
        with workplace(output) as mine:
            assert len(list(output.glob(".brqos-repack-*"))) == 2
        assert not mine.exists()
        child.send_signal(signal.SIGKILL)
    (left,) = output.glob(".brqos-repack-*")
    # After the data image has its name and before the OS image has: the one is whole, the other is not there.
    assert set(list_of(output)) - {left.name} == ({f"{STEM}-data.img.lz4"} if step == "publish" else set())

    repack(a_wish(plain.os_image, data_image=plain.data_image), output, Silent())
    assert list_of(output) == [f"{STEM}-data.img.lz4", f"{STEM}.img.lz4"]
    assert sha256(plain.os_image) == before


def test_folders_in_use_and_those_of_others_stay(output: Path) -> None:
    output.mkdir()
    (output / ".brqos-repack-link").symlink_to("/nowhere")
    left = output / ".brqos-repack-left"
    left.mkdir()
    (left / "os.img").write_bytes(b"half")
    # A program that the killed run had started there goes with it.
    with workplace(output) as mine, workplace(output) as other:
        assert not left.exists()
        assert mine.exists()
        assert other.exists()
    assert list_of(output) == [".brqos-repack-link"]


def test_what_a_killed_run_had_started_is_ended(output: Path) -> None:
    left = output / ".brqos-repack-left"
    left.mkdir(parents=True)
    code = f"from pathlib import Path; from brqos.process import run; run(['sleep', '60'], cwd=Path({str(left)!r}))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment) as parent:
        wait_for(lambda: sleeping_in(left))
        parent.kill()
    (sleeper,) = sleeping_in(left)
    with workplace(output):
        assert not left.exists()
        wait_for(lambda: not Path(f"/proc/{sleeper}/cmdline").exists() or not is_alive(sleeper))


def sleeping_in(folder: Path) -> list[int]:
    import psutil

    found = []
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] == "sleep" and process.info["cwd"] == str(folder):
            found.append(process.pid)
    return found


def is_alive(pid: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


def wait_for(done: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)
