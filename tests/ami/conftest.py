"""An AWS on loopback, images of a few MiB, and a monitor that remembers."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import lz4.frame
import pytest

from brqos.ami.request import AmiRequest
from brqos.ami.setting import RegionSetting, settings_for
from brqos.architecture import Architecture
from brqos.aws.regions import AwsRegions
from brqos.aws.retry import Retry
from brqos.aws.session import AwsSession
from brqos.config.ami import AmiSpec
from brqos.image.hashing import hash_image
from brqos.image.model import Image, ImageRole
from brqos.monitor import Silent, Task
from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY, Emulator

REGION = "eu-west-1"
MAKE_IMAGE = Callable[..., Image]


class Recorder:
    """A monitor that keeps what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.done: dict[str, float] = {}
        self.total: dict[str, float | None] = {}

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def task(self, title: str, total: float | None = None, unit: str = "") -> AbstractContextManager[Task]:
        self.total[title] = total
        recorder = self

        class Counting:
            def advance(self, amount: float) -> None:
                recorder.done[title] = recorder.done.get(title, 0) + amount

            def describe(self, text: str) -> None:
                recorder.notes.append(text)

        return nullcontext(Counting())


@pytest.fixture
def monitor() -> Recorder:
    return Recorder()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(delay=0.05) as running:
        yield running


@pytest.fixture
def session(emulator: Emulator) -> AwsSession:
    return AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY))


@pytest.fixture
def retry() -> Retry:
    return Retry(first_delay=0.01, longest_delay=0.05)


Settings = Callable[..., dict[str, RegionSetting]]


@pytest.fixture
def settings(session: AwsSession, monitor: Recorder, retry: Retry, tmp_path: Path) -> Settings:
    """The settings of regions; the journals lie in a folder of the test's own."""

    def make(*regions: str) -> dict[str, RegionSetting]:
        return settings_for(regions, AwsRegions(session), monitor, journals=tmp_path / "journals", retry=retry)

    return make


@pytest.fixture
def make_image(tmp_path: Path) -> MAKE_IMAGE:
    def make(role: ImageRole = ImageRole.OS, content: bytes | None = None, packed: bool = True) -> Image:
        data = os.urandom(2 << 20) + bytes(3 << 20) + b"end" if content is None else content
        file = tmp_path / f"{role.value}.img{'.lz4' if packed else ''}"
        file.write_bytes(lz4.frame.compress(data) if packed else data)
        return hash_image(role, file, Silent())

    return make


@pytest.fixture
def request_for(make_image: MAKE_IMAGE) -> Callable[..., AmiRequest]:
    def request(*images: Image, regions: tuple[str, ...] = (REGION,), **fields: object) -> AmiRequest:
        given = images or (make_image(ImageRole.OS), make_image(ImageRole.DATA, bytes(1 << 20), packed=False))
        values = {
            "images": given,
            "variant": "aws-k8s-1.29-memoryqos",
            "arch": Architecture.X86_64,
            "image_version": "1.50.0-0123abcd",
            "spec": AmiSpec(regions=regions),
            **fields,
        }
        return AmiRequest.model_validate(values)

    return request
