"""What an image is: everything that the work needs, found in it, and checked before anything is touched.

What does not fit is refused, each with its own words: another layout, UKI, a data image, a disk that was in use, a root
that does not match its hash, another system, a variant without kubelet, an image that was changed before.
"""

from dataclasses import dataclass
from pathlib import Path

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.image.repack import grub_config, verity
from brqos.image.repack.boot_files import BootPartitions, efi_architecture, read_boot_files
from brqos.image.repack.defaults import Defaults, find_defaults
from brqos.image.repack.edit import Found
from brqos.image.repack.filesystem.detect import detect
from brqos.image.repack.filesystem.fat import Fat
from brqos.image.repack.filesystem.model import FileSystem, Kind
from brqos.image.repack.gpt import Partition, PartitionTable, read_table
from brqos.image.repack.grub_config import GrubConfig
from brqos.image.repack.kubelet import Kubelet, find_kubelet
from brqos.image.repack.os_release import OsRelease, parse
from brqos.image.repack.signing.model import BootFiles
from brqos.image.repack.working import read_partition
from brqos.variant import SUFFIX, VariantName

EFI, BOOT, ROOT, HASH = "EFI-SYSTEM", "BOTTLEROCKET-BOOT-A", "BOTTLEROCKET-ROOT-A", "BOTTLEROCKET-HASH-A"
_BOOT_B = "BOTTLEROCKET-BOOT-B"
_UKI_FOLDER = "EFI/Linux"
_PRIORITY_SHIFT, _PRIORITY_MASK = 48, 0xF
# It is held in memory, whole: a tree over 8 GiB.
_LARGEST_TREE = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Layout:
    """The partition table, and the four partitions that matter."""

    table: PartitionTable
    efi: Partition
    boot: Partition
    root: Partition
    hash: Partition


@dataclass(frozen=True, slots=True)
class Examined:
    """All that was found; `usr` is the folder that /usr points to, `tree_uuid` the UUID of the old hash tree."""

    image: Path
    layout: Layout
    files: FileSystem
    grub: GrubConfig
    tree_uuid: bytes
    boot_files: BootFiles
    architecture: Architecture
    usr: str
    release: OsRelease
    variant: VariantName
    kubelet: Kubelet
    defaults: Defaults

    @property
    def found(self) -> Found:
        """What the plan of the edit depends on."""
        return Found(self.architecture, self.usr, self.release, self.variant, self.kubelet, self.defaults)

    @property
    def boot_partitions(self) -> BootPartitions:
        """Where the boot files are read and written."""
        return BootPartitions(self.image, self.layout.boot, self.layout.efi)

    @property
    def is_signed(self) -> bool:
        """Whether the image is made for Secure Boot: then its grub.cfg has a signature."""
        return self.boot_files.grub_cfg_sig is not None


def examine(image: Path) -> Examined:
    """Look at the working copy, a raw image; raises ConfigurationError for what cannot or must not be repacked."""
    with image.open("rb") as disk:
        layout = find_layout(read_table(disk), image)
    architecture = efi_architecture(image, layout.efi)
    boot_files = read_boot_files(BootPartitions(image, layout.boot, layout.efi), architecture)
    grub = grub_config.parse(boot_files.grub_cfg.decode(errors="replace"))
    files = detect(image, layout.root)
    tree_uuid = check_integrity(image, layout, grub, files)
    usr = find_usr(files, architecture)
    release = _release(files, usr)
    variant = _variant(release)
    return Examined(
        image=image,
        layout=layout,
        files=files,
        grub=grub,
        tree_uuid=tree_uuid,
        boot_files=boot_files,
        architecture=architecture,
        usr=usr,
        release=release,
        variant=variant,
        kubelet=find_kubelet(files, usr, variant),
        defaults=find_defaults(files, usr),
    )


def find_layout(table: PartitionTable, image: Path) -> Layout:
    """The partitions of the bank that boots; raises ConfigurationError for every other layout."""
    if [partition.label for partition in table.partitions] == [""]:
        raise ConfigurationError(
            "this is a data image, not an OS image",
            why="It has one partition, without a label.",
            todo="Give the OS image with --image; this one is for --data-image.",
        )
    efi = table.labelled(EFI)
    if table.has(ROOT) and (not table.has(BOOT) or Fat(image, efi).names(_UKI_FOLDER)):
        raise ConfigurationError(
            "the image boots with a unified kernel image (UKI), not with GRUB",
            why="It has no boot partition, or a kernel on its EFI system partition: its root hash is in there.",
            todo="Such images cannot be repacked yet: build from source (--engine source).",
        )
    layout = Layout(table, efi, table.labelled(BOOT), table.labelled(ROOT), table.labelled(HASH))
    if table.has(_BOOT_B) and _priority(table.labelled(_BOOT_B)) >= max(_priority(layout.boot), 1):
        raise ConfigurationError(
            "the image boots from its second bank",
            why="It is the disk of a node that was updated in place, not an image as it was built.",
            todo="Give an OS image as Bottlerocket's own build or its update repository has it.",
        )
    return layout


def check_integrity(image: Path, layout: Layout, grub: GrubConfig, files: FileSystem) -> bytes:
    """Hold the root file system against its hash tree and root hash; return the tree's UUID."""
    parameters = grub.verity
    if parameters.data_bytes > layout.root.size or files.size > parameters.data_bytes:
        raise ConfigurationError(
            "the boot configuration of the image does not fit its root file system",
            why=f"The root hash is over {parameters.data_bytes} bytes; the file system has {files.size}, its partition"
            f" {layout.root.size}.",
            todo="Fetch the image again.",
        )
    if layout.hash.size > _LARGEST_TREE:
        raise ConfigurationError(
            f"the partition {layout.hash.label} is larger than any hash tree",
            why=f"It has {layout.hash.size} bytes; upstream's has 10 MiB.",
            todo="Give an OS image as Bottlerocket's own build or its update repository has it.",
        )
    tree = read_partition(image, layout.hash)
    with image.open("rb") as disk:
        verity.verify(disk, layout.root.start, tree, parameters)
    return verity.read_superblock(tree[: verity.BLOCK])[1]


def find_usr(files: FileSystem, architecture: Architecture) -> str:
    """Where the files of /usr are (core kit, packages/filesystem); raises ConfigurationError for none."""
    found = [item for item in Architecture if files.stat(f"/{item}-bottlerocket-linux-gnu") is not None]
    usr = f"/{architecture}-bottlerocket-linux-gnu/sys-root/usr"
    if not found:
        raise ConfigurationError(
            "the image is not Bottlerocket",
            why="Its root file system has no folder <architecture>-bottlerocket-linux-gnu.",
            todo="Give an OS image of Bottlerocket's.",
        )
    if found != [architecture]:
        raise ConfigurationError(
            "the image contradicts itself about its architecture",
            why=f"Its shim is for {architecture}, its files are for {' and '.join(found)}.",
            todo="Fetch the image again.",
        )
    entry = files.stat(usr)
    if entry is None or entry.kind is not Kind.FOLDER:
        raise ConfigurationError("the image is not as expected", why=f"{usr} is no folder.", todo="Fetch it again.")
    return usr


def _release(files: FileSystem, usr: str) -> OsRelease:
    content = files.read(f"{usr}/lib/os-release")
    if content is None:
        raise ConfigurationError(
            "the image is not Bottlerocket", why=f"It has no {usr}/lib/os-release.", todo="Give an OS image of it."
        )
    return parse(content)


def _variant(release: OsRelease) -> VariantName:
    if release.variant_id.endswith(f"-{SUFFIX}"):
        raise ConfigurationError(
            f"this image has MemoryQoS already: it is {release.variant_id}",
            why="Repacking it again would hide what was changed, and by whom.",
            todo="Register it as it is, or give the official image that it was made of.",
        )
    return VariantName.parse(release.variant_id)


def _priority(partition: Partition) -> int:
    """gptprio's: the bank with the higher one boots (kernel kit, packages/grub, 0009-gpt-new-gptprio)."""
    return partition.attributes >> _PRIORITY_SHIFT & _PRIORITY_MASK
