"""Where Debian's packages keep what a bootable image needs, and how to get the kernel without installing it."""

import re
from dataclasses import dataclass
from pathlib import Path

from .model import MissingError
from .tools import need, run

SHIM = Path("/usr/lib/shim")
OVMF = Path("/usr/share/OVMF")


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel of Debian's, in the folders of its package below `root`."""

    root: Path
    release: str

    @property
    def image(self) -> Path:
        """The signed kernel."""
        return self.root / "boot" / f"vmlinuz-{self.release}"

    @property
    def modules(self) -> Path:
        """The folder of its modules."""
        return self.root / "lib" / "modules" / self.release


def shim_file(name: str) -> bytes:
    """The unsigned `shimx64.efi` or `mmx64.efi`; raises MissingError without the package shim-unsigned."""
    path = SHIM / name
    if not path.is_file():
        raise MissingError(f"not installed: Debian's package shim-unsigned ({path})")
    return path.read_bytes()


def find_kernel(root: Path = Path("/")) -> Kernel:
    """The newest kernel below a folder; raises MissingError if there is none with its modules."""
    found = [Kernel(root, path.name.removeprefix("vmlinuz-")) for path in (root / "boot").glob("vmlinuz-*")]
    if not (whole := [kernel for kernel in found if kernel.modules.is_dir()]):
        raise MissingError(f"not installed: a kernel of Debian's (package linux-image-amd64) below {root}")
    return max(whole, key=lambda kernel: [int(number) for number in re.findall(r"\d+", kernel.release)])


def fetch_kernel(folder: Path) -> Kernel:
    """Download the package of Debian's kernel (70 MB) and unpack it into a new folder; needs no root."""
    need("apt-get", "apt-cache", "dpkg-deb")
    folder.mkdir(parents=True)
    depends = re.search(r"Depends: (linux-image-\d\S*)", run(["apt-cache", "depends", "linux-image-amd64"]))
    if depends is None:
        raise MissingError("not to be had from apt: linux-image-amd64")
    # apt-get downloads into the folder in which it runs.
    run(["env", "-C", folder, "apt-get", "download", "-qq", depends[1]])
    (package,) = folder.glob("linux-image-*.deb")
    run(["dpkg-deb", "-x", package, folder / "kernel"])
    package.unlink()
    return find_kernel(folder / "kernel")
