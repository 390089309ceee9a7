"""What is published where: images whose every block is known, and the command that publishes them."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import lz4.frame

from publishing.processes import AwsProcess, BrqosRun, Ended, Zygote

BLOCK = 524288
ACCOUNT = "000000000000"
VARIANT, ARCH, VERSION = "aws-k8s-1.29-memoryqos", "x86_64", "1.50.0-0123abcd"
STEM = f"bottlerocket-{VARIANT}-{ARCH}-{VERSION}"
NAME = f"bottlerocket-{VARIANT}-{ARCH}-v{VERSION}"
PREFIX = "/images/bottlerocket"
SHARED_WITH = "111122223333"
DAYS = 90
_ZEROS = bytes(64)
REGIONS = ("eu-west-1", "us-east-1", "ap-south-1")


@dataclass(frozen=True)
class Picture:
    """An image file whose content is known: `blocks` has what each of its blocks repeats 8192 times."""

    file: Path
    blocks: tuple[bytes, ...]

    @cached_property
    def digests(self) -> dict[str, str]:
        """Block index to SHA-256, as the emulator tells them."""
        return {str(index): hashlib.sha256(_filled(word)).hexdigest() for index, word in enumerate(self.blocks)}

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the whole image, unpacked."""
        content = hashlib.sha256()
        for word in self.blocks:
            content.update(_filled(word))
        return content.hexdigest()


def _filled(word: bytes) -> bytes:
    return word * (BLOCK // len(word))


def picture(file: Path, count: int, seed: int) -> Picture:
    """Write an image of so many blocks, every fifth of zeros, the others all different; packed if it ends with .lz4."""
    words = [_ZEROS if index % 5 == 3 else b"%08x:%07x" % (seed, index) + b"\xa5" * 48 for index in range(count)]
    if seed == 0:
        # has_partition_table wants to see the beginning of a GPT at byte 512.
        words[0] = b"EFI PART" + words[0][8:]
    made = Picture(file, tuple(words))
    content = b"".join(_filled(word) for word in words)
    file.write_bytes(lz4.frame.compress(content) if file.suffix == ".lz4" else content)
    return made


def pictures(folder: Path, os_blocks: int, data_blocks: int, *, packed: bool = True) -> dict[str, Picture]:
    """The OS image and the data image of one build, by their roles; `packed` is about the OS image."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "os": picture(folder / f"{STEM}.img{'.lz4' if packed else ''}", os_blocks, 0),
        "data": picture(folder / f"{STEM}-data.img{'' if packed else '.lz4'}", data_blocks, 1),
    }


@dataclass(frozen=True)
class Scene:
    """What shall be published: images, to where, and how.

    `omitting`: blocks of zeros are not sent; `lagging`: AWS does not know at once what it has made.
    """

    images: Mapping[str, Picture]
    regions: tuple[str, ...] = REGIONS[:2]
    direct: bool = False
    encrypted: bool = True
    lagging: bool = False
    omitting: bool = False

    @property
    def title(self) -> str:
        """The scene in a few words."""
        words = ["uploaded to each region" if self.direct else "copied", "encrypted" if self.encrypted else "plain"]
        words += ["with an AWS that lags behind"] if self.lagging else []
        words += ["without zeros"] if self.omitting else []
        packed = "packed" if self.images["os"].file.suffix == ".lz4" else "raw"
        count = len(self.regions)
        regions = f"{count} region{'s' if count > 1 else ''}"
        return f"{regions}, {', '.join(words if count > 1 else words[1:])}, {self.blocks} blocks, {packed}"

    def digests(self, role: str) -> dict[str, str]:
        """What the snapshot of an image has to hold: block index to SHA-256."""
        image = self.images[role]
        omitted = {str(index) for index, word in enumerate(image.blocks) if word == _ZEROS and self.omitting}
        return {index: digest for index, digest in image.digests.items() if index not in omitted}

    @property
    def blocks(self) -> int:
        """How many blocks have to be sent to a region."""
        return sum(len(self.digests(role)) for role in self.images)

    def key(self, region: str) -> str | None:
        """The ARN of the KMS key for a region."""
        return f"arn:aws:kms:{region}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555" if self.encrypted else None

    @property
    def argv(self) -> list[str]:
        """The command, as a person would give it."""
        words = ["register", "--image", str(self.images["os"].file), "--data-image", str(self.images["data"].file)]
        for region in self.regions:
            words += ["--region", region]
            words += ["--kms-key", f"{region}={self.key(region)}"] if self.encrypted else []
        words += ["--ssm-prefix", PREFIX, "--promote", "--share-account", SHARED_WITH, "--deprecate-after", f"{DAYS}d"]
        words += [
            *(["--direct-upload"] if self.direct else []),
            *(["--omit-zero-blocks", "both"] if self.omitting else []),
        ]
        return [*words, "--protect", "--json"]


class Ground:
    """A scene, an AWS of its own and a machine of its own (a home, and where journals lie); a context manager."""

    def __init__(self, zygote: Zygote, scene: Scene, *options: object) -> None:
        self._zygote = zygote
        self._place = tempfile.TemporaryDirectory(prefix="brqos-publishing-", dir=room())
        self.folder = Path(self._place.name)
        self.scene = scene
        self.aws = AwsProcess(zygote, "--delay", "0.02", "--store", self.folder, *options)
        self.environment = {
            **self.aws.environment,
            "AWS_ENDPOINT_URL": self.aws.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": str(self.folder / "home"),
            "BRQOS_STATE_DIR": str(self.folder / "state"),
            "BRQOS_CACHE_DIR": str(self.folder / "cache"),
            "PATH": os.environ["PATH"],
        }
        self.calm()

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self.aws.heal()
        if self.scene.lagging:
            self.aws.script({"unknown_after_start": 0.4, "unknown_after_making": 0.4})

    @property
    def journals(self) -> list[Path]:
        """The journals of unfinished uploads."""
        return sorted((self.folder / "state" / "uploads").glob("*"))

    def prepared(self, *more: str) -> BrqosRun:
        """A run of the scene's command that has not begun."""
        return BrqosRun(self._zygote, [*self.scene.argv, *more], self.environment, self.folder)

    def publish(self, *more: str, seconds: float = 120.0) -> Ended:
        """The scene's command, to its end."""
        return self.prepared(*more).go().wait(seconds)

    def brqos(self, *argv: str) -> Ended:
        """Another command, to its end."""
        return BrqosRun(self._zygote, list(argv), self.environment, self.folder).go().wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.aws.__exit__(None, None, None)
        self._place.cleanup()


def room() -> Path:
    """Where many bytes are written for a short time: in memory, if there is such a place."""
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
