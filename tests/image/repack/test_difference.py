"""The difference has what was planned, and refuses everything else, however small it is."""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from uuid import UUID

import pytest

from brqos.image.repack import difference
from brqos.image.repack.boot_files import write_boot_files
from brqos.image.repack.difference import Before, Done
from brqos.image.repack.examine import Examined, examine
from brqos.image.repack.filesystem.ext4 import Ext4
from brqos.image.repack.filesystem.fat import Fat
from brqos.image.repack.filesystem.model import FileChange, Kind
from brqos.image.repack.gpt import Partition
from brqos.image.repack.plan import make_plan
from brqos.image.repack.result import Difference, Happened, RefusedResultError
from brqos.image.repack.signing.chain import unsigned
from brqos.image.repack.verity import BLOCK, HashTree, VerityParameters, build_tree
from brqos.image.repack.working import put_back
from brqos.process import run

from .conftest import Make, a_wish
from .synthetic import Filesystem, ImageOptions

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("repack_tools")]


@dataclass
class Work:
    """An image in which the planned files were written; hash tree and boot files come with `finish`."""

    examined: Examined
    before: Before
    changes: tuple[FileChange, ...]

    @property
    def image(self) -> Path:
        return self.examined.image

    def tree(self) -> tuple[HashTree, VerityParameters]:
        old, root = self.examined.grub.verity, self.examined.layout.root
        parameters = replace(old, data_blocks=max(old.data_blocks, self.examined.files.size // BLOCK))
        with self.image.open("rb") as disk:
            tree = build_tree(disk, root.start, parameters, device_uuid=self.examined.tree_uuid)
        return tree, replace(parameters, root_hash=tree.root_hash)

    def finish(self) -> Difference:
        """All steps that follow, and the comparison."""
        examined = self.examined
        tree, verity = self.tree()
        put_back(self.image, examined.layout.hash, tree.content)
        text = examined.grub.with_verity(verity).text
        files = unsigned(replace(examined.boot_files, grub_cfg=text.encode()))
        write_boot_files(examined.boot_partitions, examined.boot_files, files)
        return self.compare(tree, verity, files)

    def compare(self, tree: HashTree, verity: VerityParameters, files: object) -> Difference:
        return difference.compare(self.before, self.examined, Done(self.changes, tree, verity, files))  # type: ignore[arg-type]

    def refused(self, words: str) -> None:
        with pytest.raises(RefusedResultError) as caught:
            self.finish()
        assert words in f"{caught.value.what}. {caught.value.why}"
        assert "report" in caught.value.todo

    def debugfs(self, *commands: str, partition: str = "root") -> None:
        place = getattr(self.examined.layout, partition).start
        text = "".join(f"{command}\n" for command in commands).encode()
        done = run(["debugfs", "-w", "-f", "-", f"os.img?offset={place}"], stdin=text, cwd=self.image.parent)
        assert len(done.stderr.splitlines()) == 1, done.stderr

    def flip(self, at: int) -> None:
        with self.image.open("r+b") as disk:
            disk.seek(at)
            byte = disk.read(1)[0]
            disk.seek(at)
            disk.write(bytes([byte ^ 1]))


Begin = Callable[[Filesystem, Path], Work]


@pytest.fixture(scope="module")
def begin(made: Make, tmp_path_factory: pytest.TempPathFactory) -> Begin:
    @cache
    def written(kind: Filesystem) -> tuple[Path, Before, tuple[FileChange, ...], Examined]:
        folder = tmp_path_factory.mktemp("work")
        image = folder / "os.img"
        shutil.copy(made(ImageOptions(filesystem=kind)).os_image, image)
        examined = examine(image)
        changes = make_plan(examined, a_wish(image, updates_off=True)).changes
        before = difference.take(examined, changes)
        examined.files.write(changes)
        return image, before, changes, examined

    def copied(kind: Filesystem, folder: Path) -> Work:
        image, before, changes, examined = written(kind)
        mine = folder / "os.img"
        shutil.copy(image, mine)
        files = type(examined.files)(mine, examined.layout.root)  # type: ignore[call-arg]
        return Work(replace(examined, image=mine, files=files), before, changes)

    return copied


@pytest.fixture(params=list(Filesystem), ids=lambda kind: kind.value)
def work(request: pytest.FixtureRequest, begin: Begin, tmp_path: Path) -> Work:
    return begin(request.param, tmp_path)


@pytest.fixture
def ext4(begin: Begin, tmp_path: Path) -> Work:
    return begin(Filesystem.EXT4, tmp_path)


@pytest.fixture
def erofs(begin: Begin, tmp_path: Path) -> Work:
    return begin(Filesystem.EROFS, tmp_path)


def test_what_was_planned_is_told(work: Work) -> None:
    found = work.finish()
    usr = work.examined.usr
    root = {item.path: item for item in found.files if item.partition == "BOTTLEROCKET-ROOT-A"}
    assert set(root) == {change.path for change in work.changes}
    release = root[f"{usr}/lib/os-release"]
    assert (release.what, release.before is not None) == (Happened.CHANGED, True)
    assert release.before != release.after
    assert found.folders == tuple(
        f"{usr}/share/factory/etc/{folder}"
        for folder in ("kubernetes", "kubernetes/kubelet", "kubernetes/kubelet/config.d")
    )
    boot = {(item.partition, item.path, item.what) for item in found.files if "ROOT" not in item.partition}
    assert boot == {("BOTTLEROCKET-BOOT-A", "/grub/grub.cfg", Happened.CHANGED)}
    changed = {item.label: item.changed_blocks for item in found.partitions if item.changed_blocks}
    assert set(changed) == {f"BOTTLEROCKET-{name}-A" for name in ("BOOT", "ROOT", "HASH")}
    assert 5 < changed["BOTTLEROCKET-ROOT-A"] < 60
    assert [item.number for item in found.partitions] == list(range(1, 14))


def test_bits_outside_the_four_partitions(work: Work) -> None:
    table = work.examined.layout.table
    places = [
        table.labelled(label).start + 5000 for label in ("BIOS-BOOT", "BOTTLEROCKET-ROOT-B", "BOTTLEROCKET-PRIVATE")
    ]
    # The disk's signature, which no checksum is over, and the copy of the table.
    for at in (*places, 440, table.size - 5000):
        work.flip(at)
        work.refused("changed")
        work.flip(at)
    work.finish()


def test_bits_that_no_tree_covers(work: Work) -> None:
    root, hashes = work.examined.layout.root, work.examined.layout.hash
    work.flip(root.end - 1)
    work.refused("behind the end of the file system")
    work.flip(root.end - 1)
    tree, verity = work.tree()
    put_back(work.image, hashes, tree.content)
    work.flip(hashes.end - 1)
    with pytest.raises(RefusedResultError, match="does not have the new hash tree"):
        work.compare(tree, verity, work.examined.boot_files)


def another_file(work: Work) -> str:
    return f"{work.examined.usr}/share/updog/root.json"


def test_any_bit_of_erofs(erofs: Work) -> None:
    """Those of the image as it was, be they data, names or inodes of others; the planned ones' numbers excepted."""
    noise, root = random.Random(8), erofs.examined.layout.root
    size = erofs.before.root.verity.data_bytes
    state = erofs.before.root.state
    free = {at for head in state.heads for at in range(head, head + 64)} | set(range(1024, 1152))  # type: ignore[union-attr]
    tree, _ = erofs.tree()
    assert difference.root_difference.compare(erofs.before.root, erofs.examined, erofs.changes, *erofs.tree())
    for at in (at for at in (noise.randrange(size) for _ in range(60)) if at not in free):
        erofs.flip(root.start + at)
        with pytest.raises(RefusedResultError, match="than was planned"):
            difference.root_difference.compare(erofs.before.root, erofs.examined, erofs.changes, *erofs.tree())
        erofs.flip(root.start + at)
    assert erofs.tree()[0] == tree


def test_every_bit_of_ext4_that_a_file_is_made_of(ext4: Work) -> None:
    """Of all files but the planned ones, by where debugfs says that they lie."""
    root, planned = ext4.examined.layout.root, {change.path for change in ext4.changes}
    files = [entry for entry in ext4.examined.files.walk() if entry.kind is Kind.FILE and entry.path not in planned]
    noise = random.Random(9)
    for entry in noise.sample([entry for entry in files if entry.size], 8):
        command = f'blocks "{entry.path}"'
        said = run(["debugfs", "-R", command, f"os.img?offset={root.start}"], cwd=ext4.image.parent).text
        at = root.start + int(noise.choice(said.split())) * BLOCK + noise.randrange(min(entry.size, BLOCK))
        ext4.flip(at)
        with pytest.raises(RefusedResultError, match="than was planned"):
            difference.root_difference.compare(ext4.before.root, ext4.examined, ext4.changes, *ext4.tree())
        ext4.flip(at)
    assert difference.root_difference.compare(ext4.before.root, ext4.examined, ext4.changes, *ext4.tree())


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        (["sif {other} mode 0100755"], "share/updog/root.json)"),
        (["sif {other} uid 7"], "belong to no planned file"),
        (["ea_set {other} security.selinux x"], "belong to no planned file"),
        (["ea_rm {other} security.selinux"], "belong to no planned file"),
        (["rm {other}"], "belong"),
        (["kill_file {other}"], "belong"),
        (["unlink {other}"], "belong"),
        (["ln {other} {folder}/another-name"], "/share/updog)"),
        (["mkdir {folder}/new"], "belong to no planned file"),
        (["write os.img.note /new"], "belong to no planned file"),
        (["sif {planned} mode 0100755"], "another mode"),
        (["sif {planned} gid 3"], "another mode"),
        (["ea_set {planned} security.selinux x"], "another mode"),
        (["sif {parent} mode 040777"], "Mode, owner or label of the folder"),
        (["unlink {parent}/release.conf"], "release.conf"),
        (["unlink {parent}/kubelet-memory-qos.conf"], ""),
        (["unlink {parent}/release.conf", "ln {other} {parent}/release.conf"], "release.conf"),
        (["ln {other} {parent}/more.conf"], "more.conf"),
    ],
)
def test_changes_of_ext4_that_were_not_planned(ext4: Work, commands: list[str], words: str) -> None:
    (ext4.image.parent / "os.img.note").write_bytes(b"new")
    usr = ext4.examined.usr
    names = {
        "other": another_file(ext4),
        "folder": f"{usr}/share/updog",
        "planned": f"{usr}/lib/tmpfiles.d/kubelet-memory-qos.conf",
        "parent": f"{usr}/lib/tmpfiles.d",
    }
    ext4.debugfs(*(command.format(**names) for command in commands))
    ext4.refused(words)


@pytest.mark.parametrize("field", [0, 2, 4, 24, 28, 8, 16])
def test_changes_of_the_inodes_of_erofs(erofs: Work, field: int) -> None:
    """Form, attributes, mode, owner, group (of an extended inode), size and place: each of a planned folder's."""
    from brqos.image.repack.filesystem.erofs_format import ErofsReader

    root = erofs.examined.layout.root
    with erofs.image.open("rb") as disk:
        inode = ErofsReader(disk, root.start, root.size).find(f"{erofs.examined.usr}/lib/tmpfiles.d")
    assert inode is not None
    erofs.flip(root.start + inode.at + field)
    with pytest.raises(Exception, match=r"planned|broken|Mode|unknown"):
        erofs.finish()


def test_content_that_is_another_one(work: Work) -> None:
    changes = list(work.changes)
    work.changes = (*changes[:-1], replace(changes[-1], content=changes[-1].content + b"#"))
    work.refused("another mode")
    work.changes = (*changes[:-1], replace(changes[-1], content=changes[-1].content[::-1]))
    work.refused("another content")


def test_another_salt_is_a_mistake_of_ours(work: Work) -> None:
    tree, verity = work.tree()
    with pytest.raises(ValueError, match="salt"):
        difference.root_difference.compare(
            work.before.root, work.examined, work.changes, tree, replace(verity, salt=b"another")
        )


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        (["rm /config"], "BOOT-A than was planned"),
        (["write os.img.note /new"], "BOOT-A than was planned"),
        (["sif /config mode 0100644"], "BOOT-A than was planned"),
        (["sif /grub mode 040755"], "/grub has another mode"),
        (["mkdir /new"], " has another mode"),
    ],
)
def test_other_files_of_the_boot_partition(ext4: Work, commands: list[str], words: str) -> None:
    (ext4.image.parent / "os.img.note").write_bytes(b"new")
    ext4.debugfs(*commands, partition="boot")
    ext4.refused(words)


def test_other_files_of_the_efi_system_partition(ext4: Work) -> None:
    fat = Fat(ext4.image, ext4.examined.layout.efi)
    fat.write({"EFI/BOOT/more.efi": b"x"}, written=1)
    ext4.refused("Changed are /EFI/BOOT/more.efi, planned were .")


def test_a_mode_of_a_planned_boot_file(ext4: Work) -> None:
    """It is replaced with the mode that it has: another one is somebody else's work."""
    ext4.debugfs("sif /grub/grub.cfg mode 0100644", partition="boot")
    ext4.refused("/grub/grub.cfg has another mode")


@pytest.mark.parametrize("megabytes", [1, 6, 14])
def test_ext4_that_had_to_grow(tmp_path: Path, megabytes: int) -> None:
    """By some blocks or by several groups of blocks, which are small here; with other files that have to stay."""
    image, begin, room = tmp_path / "os.img", 2**20, 32 * 2**20
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number}").write_bytes(random.Random(number).randbytes(100_000))
    root = Partition(1, "ROOT", begin, room, UUID(int=1), UUID(int=2), 0)
    hashes = Partition(2, "HASH", begin + room, 2**20, UUID(int=1), UUID(int=3), 0)
    with image.open("wb") as disk:
        disk.truncate(hashes.end)
    device, words = f"os.img?offset={begin}", ["-q", "-F", "-b", "4096", "-O", "^has_journal", "-g", "1024"]
    run(["mke2fs", *words, "-E", f"offset={begin}", "-d", folder, "os.img", "6M"], cwd=tmp_path)
    files = Ext4(image, root)
    salt = b"salt"

    def examined_now() -> tuple[Examined, HashTree, VerityParameters]:
        parameters = VerityParameters(files.size // BLOCK, salt, b"")
        with image.open("rb") as disk:
            tree = build_tree(disk, begin, parameters, device_uuid=bytes(16))
        put_back(image, hashes, tree.content)
        layout, grub = SimpleNamespace(root=root, hash=hashes), SimpleNamespace(verity=parameters)
        found = SimpleNamespace(image=image, layout=layout, files=files, grub=grub)
        return cast(Examined, found), tree, parameters

    examined, _, before = examined_now()
    changes = (FileChange("/opt/large", random.Random(1).randbytes(megabytes * 2**20), "a test"),)
    kept = difference.root_difference.take(examined, changes)
    files.write(changes)
    assert (files.size // BLOCK > before.data_blocks) == (megabytes > 1)
    _, tree, after = examined_now()
    found, changed = difference.root_difference.compare(kept, examined, changes, tree, after)
    assert [item.path for item in found] == ["/opt/large"]
    assert changed > megabytes * 256
    # And a bit of one of the other files is still found.
    said = run(["debugfs", "-R", "blocks /7", device], cwd=tmp_path).text
    with image.open("r+b") as disk:
        disk.seek(begin + int(said.split()[0]) * BLOCK)
        disk.write(b"x")
    _, tree, after = examined_now()
    with pytest.raises(RefusedResultError, match=r"\(/+7\)"):
        difference.root_difference.compare(kept, examined, changes, tree, after)
