"""An emulated CodeBuild whose time is the test's: nothing waits, and builds end as the test says."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from brqos.aws import session
from brqos.aws.codebuild import ROLE_PATIENCE
from brqos.aws.session import AwsSession
from brqos.config.model import BuildSpec
from brqos.config.resolve import resolve
from brqos.fleet import survey
from brqos.fleet.codebuild import bundle, ordering, setup, wheel, world
from brqos.fleet.codebuild.buildspec import MARK
from brqos.fleet.codebuild.polling import Pace
from brqos.pipeline.foresee import Foreseen, foresee, patches
from brqos.record import FILE
from brqos.rehearsal.emulator import Emulator
from brqos.rehearsal.emulator.codebuild.runs import Order
from brqos.rehearsal.emulator.codebuild.scripted import Script
from brqos.rehearsal.emulator.codebuild.state import Batch, Build
from fleet import builds

REGION = "eu-central-1"


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for specs that it was asked about before: upstream stays as it is as long as tests run."""
    known: dict[str, Any] = {}

    def remembered(specs: Sequence[BuildSpec], *words: Any) -> Any:
        name = "\n".join(spec.model_dump_json() for spec in specs)
        if name not in known:
            known[name] = function(specs, *words)
        return known[name]

    return remembered


_wheel = cache(wheel.wheel)
_foreseen, _patches = once(foresee), once(patches)


@dataclass
class Cloud:
    """The emulator, and what happens when somebody waits: time passes, and `when` may interfere."""

    emulator: Emulator
    folder: Path
    waited: list[float] = field(default_factory=list)
    when: dict[int, Any] = field(default_factory=dict)
    """By the number of the wait (from 1) something to call."""

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        assert len(self.waited) < 2000, "it would wait for ever"
        self.emulator.store.forward += seconds
        if (action := self.when.pop(len(self.waited), None)) is not None:
            action()

    def clock(self) -> float:
        return self.emulator.store.clock()

    def script(self, pattern: str = "*", *, times: int | None = None, **words: Any) -> None:
        """Builds that go by this; one that succeeds leaves its record, unless it says otherwise."""
        words.setdefault("lines", (f"noise of pip\n{MARK} getting ready", f"{MARK} Building: package kubelet (1 of 2)"))
        words.setdefault("effect", self.leave)
        self.emulator.builds.script(pattern, Script(**words), times=times)

    def leave(self, order: Order) -> None:
        """What a real build puts into the bucket when it ends well."""
        for name, data in self.results(order).items():
            self.put(order, name, data)

    def leave_record(self, order: Order) -> None:
        """The record alone, which is less to carry where there are many."""
        self.put(order, FILE, self.results(order)[FILE])

    def put(self, order: Order, name: str, data: bytes) -> None:
        bucket, _, prefix = order.variables["BRQOS_RESULTS"].removeprefix("s3://").partition("/")
        place = f"{prefix}/{order.variables['BRQOS_ENTRY']}/{order.variables['BRQOS_ATTEMPT']}"
        order.put(bucket, f"{place}/{name}", data)

    def results(self, order: Order) -> dict[str, bytes]:
        file = self.folder / "of-builders.toml"
        file.write_bytes(self.config(order))
        words = {"variant": order.variables["BRQOS_VARIANT"], "arch": order.variables["BRQOS_ARCH"]}
        spec = resolve(words, file).spec
        expected = order.variables["BRQOS_EXPECT"]
        future = Foreseen("1.50.0", builds.COMMIT, expected, self.inputs.get(expected, "of-this-build"))
        stored = builds.stored(self.folder / "left" / expected, spec, future=future)
        record = json.loads(stored.file.read_text())
        return {
            "build.log": b"all of it\n",
            "outcome.json": b'{"state": "built"}',
            FILE: json.dumps(record).encode(),
        } | {str(file.relative_to(stored.folder)): file.read_bytes() for file in stored.folder.glob("images/*")}

    inputs: dict[str, str] = field(default_factory=dict)
    """The digests of builds' inputs, by their names, where a test needs them right."""

    def config(self, order: Order) -> bytes:
        import io
        import zipfile

        return zipfile.ZipFile(io.BytesIO(order.archive)).read(order.variables["BRQOS_CONFIG"])

    @property
    def batches(self) -> list[Batch]:
        return [*self.emulator.store.codebuild.batches.values()]

    @property
    def built(self) -> list[Build]:
        return [build for batch in self.batches for build in batch.builds.values()]

    def started(self) -> Sequence[str]:
        """The identifiers of all builds that were begun, as often as they were."""
        return [order.identifier for order in self.emulator.builds.orders]


@dataclass
class Patience:
    """That for roles that were just made, in the cloud's own time."""

    cloud: Cloud

    def call(self, action: Callable[[], Any]) -> Any:
        def wait(seconds: float) -> None:
            self.cloud.emulator.store.forward += seconds

        return ROLE_PATIENCE.call(action, wait=wait, clock=self.cloud.clock)


@contextmanager
def cloud(
    folder: Path, monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str] | None = None
) -> Iterator[Cloud]:
    with Emulator(any_key=True, delay=0.0) as emulator:
        made = Cloud(emulator, folder)
        variables = {
            "AWS_ENDPOINT_URL": emulator.endpoint,
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE000000000",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            **(environment or {}),
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

        def of_test(profile: str | None) -> world.World:
            return world.World(AwsSession(profile), Pace(shortest=60.0), made.clock, made.sleep)

        monkeypatch.setattr(world, "real_world", of_test)
        # What is sent is the same in all tests; that it is right is those of the bundle to prove.
        monkeypatch.setattr(bundle, "wheel", _wheel)
        monkeypatch.setattr(survey, "foresee", _foreseen)
        monkeypatch.setattr(ordering, "patches", _patches)
        monkeypatch.setattr(setup, "ROLE_PATIENCE", Patience(made))
        # botocore's own tries wait for real, and are tested elsewhere.
        monkeypatch.setattr(session, "_USUAL", replace(session._USUAL, attempts=1))
        yield made
        assert not emulator.bugs
