"""The EFI system partition: FAT, read and written by mtools, which takes `file@@bytes` for one within a disk.

mtools writes the times of files and folders from SOURCE_DATE_EPOCH (mtools(1)), so that the same input gives the same
bytes. A file that does not fit is gone afterwards, and mtools says so by its status.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from brqos.image.repack.filesystem.model import CorruptError, FullError
from brqos.image.repack.gpt import Partition
from brqos.process import Completed, run

_BOOT_SIGNATURE = b"\x55\xaa"


class Fat:
    """The FAT file system of a partition of a disk image; paths are relative, with slashes."""

    def __init__(self, image: Path, partition: Partition) -> None:
        self._image = image
        self._partition = partition
        with image.open("rb") as disk:
            disk.seek(partition.start)
            if disk.read(512)[510:] != _BOOT_SIGNATURE:
                raise CorruptError(f"the partition {partition.label} is not FAT")

    def names(self, folder: str) -> tuple[str, ...]:
        """The names in a folder, sorted; nothing where there is no such folder."""
        done = self._run("mdir", "-b", f"::/{folder}", check=False)
        if done.status != 0:
            if "not found" in done.stderr:
                return ()
            raise CorruptError(f"mdir says: {done.stderr.strip()}")
        paths = [line.rstrip("/") for line in done.text.splitlines() if line.startswith("::/")]
        return tuple(sorted(path.rpartition("/")[2] for path in paths))

    def read(self, path: str) -> bytes | None:
        """The content of a file, or None."""
        folder, _, name = path.rpartition("/")
        # FAT does not tell upper and lower case apart; what is asked for is what upstream writes.
        if name not in self.names(folder):
            return None
        done = self._run("mtype", f"::/{path}", check=False)
        if done.status != 0:
            raise CorruptError(f"mtype says: {done.stderr.strip()}")
        return done.stdout

    def write(self, files: Mapping[str, bytes | None], *, written: int) -> None:
        """Replace, add or (None) remove files; `written` is their time in seconds since 1970. All is read back."""
        with tempfile.TemporaryDirectory(prefix="efi-", dir=self._image.parent) as folder:
            source = Path(folder) / "file"
            # Removed first, so that their room is there for the others.
            for path in files:
                if self.read(path) is not None:
                    self._change("mdel", f"::/{path}", written=written)
            for path, content in files.items():
                if content is not None:
                    source.write_bytes(content)
                    os.utime(source, (written, written))
                    self._change("mcopy", "-m", str(source.absolute()), f"::/{path}", written=written)
        for path, content in files.items():
            if self.read(path) != content:
                raise CorruptError(f"{path} was written to the EFI system partition, and something else is there")

    def _change(self, program: str, *arguments: str, written: int) -> None:
        done = self._run(program, *arguments, check=False, written=written)
        if done.status == 0:
            return
        if "full" in done.stderr.lower():
            raise FullError("EFI system", f"{program} says: {done.stderr.strip()}")
        raise CorruptError(f"{program} says: {done.stderr.strip()}")

    def _run(self, program: str, *arguments: str, check: bool, written: int = 1) -> Completed:
        environment = {"LC_ALL": "C", "TZ": "UTC", "SOURCE_DATE_EPOCH": str(written), "MTOOLS_LOWER_CASE": None}
        place = f"{self._image.name}@@{self._partition.start}"
        first, *others = arguments
        options = [first] if first.startswith("-") else []
        rest = others if options else list(arguments)
        return run([program, *options, "-i", place, *rest], cwd=self._image.parent, env=environment, check=check)
