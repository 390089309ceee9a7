"""The outermost `cargo make` of a rehearsal: takes its flags, prints its kind of lines, leaves small images.

Run in a work tree: `python -m brqos.rehearsal.make -e BUILDSYS_VARIANT=... -e BUILDSYS_ARCH=... [task]`. It reads the
tree as upstream's build does, and refuses what that would refuse; it needs neither network nor Docker. Every line and
every image says that it is a rehearsal. Two more settings are understood: BRQOS_REHEARSAL_FAIL=<name> ends with the
words of that failure (brqos.rehearsal.failures), BRQOS_REHEARSAL_PACE=<seconds> is the pause after each line.
"""

import base64
import io
import os
import sys
import tarfile
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lz4.frame

from brqos import process
from brqos.architecture import Architecture
from brqos.errors import BrqosError
from brqos.image.find import image_folder, image_name
from brqos.image.manifest import VariantManifest, local_crates, read_release
from brqos.image.model import INVENTORY, ImageRole
from brqos.image.notice import NOTICE
from brqos.image.order import LOCAL_PROFILE
from brqos.image.progress import REHEARSAL_MARK
from brqos.image.sbkeys import EFI_VARS
from brqos.rehearsal.crates import updating
from brqos.rehearsal.disk import DATA_PLAN, OS_PLAN, ROOT, disk_image
from brqos.rehearsal.failures import WORDS, words
from brqos.rehearsal.inventory import inventory
from brqos.rehearsal.override import check_urls, resolving
from brqos.rehearsal.tree import RefusedError, examined, sources
from brqos.variant import crate_name

_FAIL = "BRQOS_REHEARSAL_FAIL"
_PACE = "BRQOS_REHEARSAL_PACE"
_DEFAULT_PACE = 0.05
_TASKS = ("default", "build", "build-variant")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line asks for, by upstream's own names."""

    variant: str
    arch: Architecture
    pretty_name: str
    profile: Path
    fail: str
    pace: float


class Run:
    """One rehearsed build in one tree."""

    def __init__(self, tree: Path, settings: Settings) -> None:
        self.tree = tree
        self.settings = settings

    def say(self, line: str) -> None:
        """Print a line as the build would, marked, and let it be seen."""
        sys.stdout.write(f"{REHEARSAL_MARK}{line}\n")
        sys.stdout.flush()
        time.sleep(self.settings.pace)

    def build(self) -> None:
        """Everything; raises RefusedError where upstream's build would fail."""
        self._prepare()
        if self.settings.fail:
            raise RefusedError(*words(self.settings.fail, self.tree))
        self.say("[cargo-make][1] INFO - Running Task: build-variant")
        manifest = examined(self.tree, self.settings.variant)
        variant = crate_name(self.settings.variant)
        for crate in sorted(local_crates(self.tree, self.settings.variant) - {variant}):
            self.say(f"   Compiling {crate} v0.1.0 ({self.tree}/packages/{crate})")
        self.say(f"   Compiling {variant} v0.1.0 ({self.tree}/variants/{self.settings.variant})")
        self._leave_images(manifest)
        self.say("    Finished `dev` profile [optimized] target(s) in 0.42s")

    def _prepare(self) -> None:
        for task in ("install-twoliter", "fetch-external-kits"):
            self.say(f"[cargo-make] INFO - Running Task: {task}")
        self.say("[INFO twoliter::project::lock] Resolving project references to check against lock file")
        for line in resolving(self.tree):
            self.say(line)
        self.say("[INFO twoliter::project::lock] Extracting kit dependencies.")
        for task in ("setup", "fetch-sdk", "fetch-sources"):
            self.say(f"[cargo-make][1] INFO - Running Task: {task}")
        for line in updating(self.tree):
            self.say(line)
        for task in ("fetch-vendored", "check-licenses", "build-sbkeys"):
            self.say(f"[cargo-make][1] INFO - Running Task: {task}")
        self._find_profile()
        for task in ("publish-setup", "validate-kits"):
            self.say(f"[cargo-make][1] INFO - Running Task: {task}")

    def _find_profile(self) -> None:
        folder = self.settings.profile
        if (folder / EFI_VARS).is_file():
            return
        if folder != self.tree / "sbkeys" / LOCAL_PROFILE:
            raise RefusedError(f"Incomplete Secure Boot signing profile found in {folder}.", "Missing 1 files.")
        self.say(f"No Secure Boot signing profile found in {folder}.")
        self.say("Generating local keys.")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / EFI_VARS).write_bytes(efi_vars())

    def _leave_images(self, manifest: VariantManifest) -> None:
        described = process.run(["git", "describe", "--always", "--dirty", "--exclude", "*"], cwd=self.tree)
        version = f"{read_release(self.tree)}-{described.text.strip()}"
        versions = image_folder(self.tree, self.settings.arch, self.settings.variant)
        (versions / version).mkdir(parents=True, exist_ok=True)
        for role, image in self._images(manifest, version).items():
            file = versions / version / image_name(self.settings.arch, self.settings.variant, version, role)
            unfinished = file.with_suffix(".part")
            unfinished.write_bytes(lz4.frame.compress(image))
            unfinished.replace(file)
        (versions / version / INVENTORY).write_bytes(inventory(self.tree, manifest, self.settings.arch))
        latest = versions / "latest"
        latest.unlink(missing_ok=True)
        latest.symlink_to(version)

    def _images(self, manifest: VariantManifest, version: str) -> dict[ImageRole, bytes]:
        name = f"{self.settings.variant}-{self.settings.arch.value}-{version}"
        notice = NOTICE.encode()
        contents = {partition.label: notice for partition in OS_PLAN}
        contents[ROOT] = root_archive({"REHEARSAL": notice, **self._root_files(manifest, version)})
        images = {ImageRole.OS: disk_image(OS_PLAN, contents, notice, name)}
        if manifest.split:
            images[ImageRole.DATA] = disk_image(DATA_PLAN, {}, notice, f"{name}-data")
        return images

    def _root_files(self, manifest: VariantManifest, version: str) -> dict[str, bytes]:
        release, _, build = version.partition("-")
        os_release = (
            f'NAME=Bottlerocket\nID=bottlerocket\nPRETTY_NAME="{self.settings.pretty_name} (REHEARSAL)"\n'
            f"VARIANT_ID={self.settings.variant}\nVERSION_ID={release}\nBUILD_ID={build}\n"
        )
        return {
            "usr/lib/os-release": os_release.encode(),
            f"usr/share/bottlerocket/{INVENTORY}": inventory(self.tree, manifest, self.settings.arch),
            **sources(self.tree, manifest),
        }


def root_archive(files: dict[str, bytes]) -> bytes:
    """The content of the root partition: a tar with the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def efi_vars() -> bytes:
    """A variable store of EC2's outer form, whose content says that it is a rehearsal's."""
    content = zlib.compress(NOTICE.encode())
    body = (1).to_bytes(8, "little") + content
    return base64.b64encode(b"AMZNUEFI" + zlib.crc32(body).to_bytes(4, "little") + body) + b"\n"


def main(arguments: Sequence[str]) -> int:
    """Run the rehearsal with `cargo make`'s flags; the exit status."""
    try:
        Run(Path.cwd(), _settings(_parsed(arguments))).build()
    except RefusedError as refused:
        return _failed(*refused.lines)
    except (BrqosError, process.ProcessError, OSError) as error:
        return _failed(f"error: {error}")
    return 0


def _failed(*told: str) -> int:
    ending = "[cargo-make] ERROR - Error while executing command, exit code: 1"
    for line in "\n".join((*told, ending)).splitlines():
        sys.stdout.write(f"{REHEARSAL_MARK}{line}\n")
    return 1


def _parsed(arguments: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in {"-e", "--env"} and rest:
            key, _, value = rest.pop(0).partition("=")
            values[key] = value
        elif word not in _TASKS or rest:
            raise RefusedError(f"error: unexpected argument '{word}' found")
    return values


def _settings(values: dict[str, str]) -> Settings:
    check_urls(values)
    keys = Path(values.get("BUILDSYS_SBKEYS_DIR") or Path.cwd() / "sbkeys")
    fail = values.get(_FAIL, "")
    if fail and fail not in WORDS:
        raise RefusedError(f"error: {_FAIL}={fail} is none of {', '.join(WORDS)}")
    try:
        pace = float(values.get(_PACE, _DEFAULT_PACE))
    except ValueError:
        raise RefusedError(f"error: {_PACE}={values[_PACE]} is not a number of seconds") from None
    return Settings(
        variant=values.get("BUILDSYS_VARIANT", ""),
        arch=Architecture.parse(values.get("BUILDSYS_ARCH") or os.uname().machine),
        pretty_name=values.get("BUILDSYS_PRETTY_NAME", "Bottlerocket OS"),
        profile=keys / values.get("BUILDSYS_SBKEYS_PROFILE", LOCAL_PROFILE),
        fail=fail,
        pace=pace,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
