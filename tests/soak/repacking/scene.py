"""The images: originals of the real layout, and what `brqos build --engine repack` makes of them."""

import json
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from brqos import process
from image.repack.synthetic import REAL, Filesystem, ImageOptions, SyntheticImage, compress, make_profile
from image.repack.synthetic.bootable import EMPTY_VARIABLES, make_bootable
from image.repack.synthetic.debian import Kernel
from image.repack.synthetic.partitions import ROOT

VARIANT, ARCHITECTURE = "aws-k8s-1.29", "x86_64"
DROP_IN = "/usr/share/factory/etc/kubernetes/kubelet/config.d/900-memory-qos.conf"
TMPFILES = "/usr/lib/tmpfiles.d/kubelet-memory-qos.conf"
OS_RELEASE = "/usr/lib/os-release"
WANTED = (DROP_IN, TMPFILES, OS_RELEASE)
"""What a system shows when it has booted."""


@dataclass(frozen=True, slots=True)
class Repacked:
    """What brqos made: the image, unpacked; the digests that its record has of files in the root; the UEFI data."""

    image: SyntheticImage
    digests: dict[str, str]
    uefi_data: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Keys:
    """Two signing profiles: the original's, and the user's."""

    original: Path
    own: Path


@dataclass(frozen=True, slots=True)
class Scene:
    """An original, signed with other keys, and both of its repackings."""

    original: SyntheticImage
    signed: Repacked
    unsigned: Repacked


def make_keys(folder: Path) -> Keys:
    """The original's keys by openssl, the user's own by `brqos keys new`."""
    keys = Keys(make_profile(folder / "original-keys"), folder / "own-keys")
    _brqos(folder, "keys", "new", "--output", keys.own)
    return keys


def make_scene(kind: Filesystem, kernel: Kernel, keys: Keys, folder: Path) -> Scene:
    """Make an original of the real sizes, 2 GiB, and repack it twice."""
    options = ImageOptions(
        layout=REAL, filesystem=kind, profile=keys.original, variant=VARIANT, filler_files=16, filler_bytes=512 * 1024
    )
    original = make_bootable(options, kernel, WANTED, folder)
    packed = compress(original.os_image)
    compress(original.data_image)
    signed = _repack(original, packed, folder / "signed", "--sbkeys-profile", keys.own)
    unsigned = _repack(original, packed, folder / "unsigned", "--unsigned")
    own = replace(signed.image, options=replace(options, profile=keys.own))
    return Scene(original, replace(signed, image=own), unsigned)


def variables(uefi_data: str, folder: Path) -> bytes:
    """OVMF's variable store with the variables that EC2 would give to an instance of the AMI."""
    data, listed, store = folder / "uefi-data", folder / "uefi-data.json", folder / "variables.fd"
    data.write_text(uefi_data)
    program = (sys.executable, "-m", "virt.firmware.vars")
    process.run([*program, "--input", data, "--output-json", listed])
    process.run([*program, "--input", EMPTY_VARIABLES, "--set-json", listed, "--output", store])
    return store.read_bytes()


def _repack(original: SyntheticImage, packed: Path, folder: Path, *signing: str | Path) -> Repacked:
    folder.mkdir()
    began = time.monotonic()
    done = _brqos(
        folder,
        *("build", "--engine", "repack", "--variant", VARIANT, "--arch", ARCHITECTURE),
        *("--image", packed, *signing, "--quiet", "--json"),
    )
    seconds = time.monotonic() - began
    result = json.loads(done.text)
    record = json.loads(Path(result["record"]).read_text())
    (archive,) = (Path(image["file"]) for image in result["images"] if image["role"] == "os")
    image = folder / "os.img"
    # The stock program, as anybody would take it.
    process.run(["lz4", "-d", "-q", "--sparse", archive, image])
    archive.unlink()
    return Repacked(replace(original, os_image=image), _digests(record), record["result"]["uefi-data"], seconds)


def _digests(record: dict[str, Any]) -> dict[str, str]:
    """SHA-256 of files in the root, by their paths in the running system, where /usr is a link."""
    below = f"{ROOT}/{ARCHITECTURE}-bottlerocket-linux-gnu/sys-root"
    return {
        file["path"].removeprefix(below): file["sha256"] for file in record["files"] if file["path"].startswith(below)
    }


def _brqos(folder: Path, *words: str | Path) -> process.Completed:
    # Nothing of this user's configuration, and nothing of ours for the user.
    homes = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA", "STATE")}
    return process.run([sys.executable, "-m", "brqos", *words], cwd=folder, env=homes)
