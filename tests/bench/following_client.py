"""The two processes of bench.following: `following_client.py BUILDS SECONDS` follows, and starts the other one."""

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

from brqos.aws.session import AwsSession
from brqos.config.codebuild import CodeBuildSpec
from brqos.console import Console
from brqos.fleet.codebuild.buildspec import MARK, Way
from brqos.fleet.codebuild.bundle import bundle_of
from brqos.fleet.codebuild.following import Follower
from brqos.fleet.codebuild.members import Member
from brqos.fleet.codebuild.ordering import place_of
from brqos.fleet.codebuild.polling import Poller
from brqos.fleet.codebuild.run import run_of
from brqos.fleet.codebuild.setup import Clients, apply_setup, look, plan_setup
from brqos.fleet.codebuild.sizes import machine_of
from brqos.fleet.codebuild.starting import start_batches
from brqos.fleet.codebuild.store import StoredRun
from brqos.monitor import Silent
from brqos.rehearsal.emulator import Emulator
from brqos.rehearsal.emulator.codebuild.scripted import Script
from fleet import builds

REGION = "eu-central-1"
_LONG = 1800


def serve() -> None:
    """The emulator, until standard input closes."""
    lines: list[tuple[float, str]] = []
    for second in range(0, _LONG, 5):
        lines.append(
            (float(second), f"{MARK} Building aws-k8s: building package number-{second} ({second} of {_LONG})")
        )
        lines.append((second + 2.5, f"noise of something else {second}"))
    with Emulator(any_key=True) as emulator:
        emulator.builds.script("*", Script(seconds=_LONG, lines=tuple(lines)))
        sys.stdout.write(f"{emulator.endpoint}\n")
        sys.stdout.flush()
        sys.stdin.read()


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Where the other process answers."""
    with subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        try:
            assert other.stdout is not None
            yield other.stdout.readline().strip()
        finally:
            assert other.stdin is not None
            other.stdin.close()
            other.wait()


class EnoughError(Exception):
    """The time is over."""


def follow(endpoint: str, count: int, seconds: float) -> dict[str, float]:
    """Set up, start, and follow for so long."""
    os.environ |= {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "A" * 20, "AWS_SECRET_ACCESS_KEY": "example"}
    session = AwsSession()
    place = place_of(CodeBuildSpec(), session, REGION)
    clients = Clients(session.codebuild(REGION), session.s3(REGION), session.iam(REGION))
    spec = builds.spec()
    apply_setup(plan_setup(place, [spec], look(place, clients)), clients, Silent())
    members = [
        Member(f"build_{n}", builds.Entry(f"build-{n}", builds.Path("brqos.toml"), spec), machine_of(spec, place.spec),
               "config/1/brqos.toml", "", f"{n:016x}")
        for n in range(count)
    ]  # fmt: skip
    bundle = bundle_of(members, {builds.Path("brqos.toml"): b""}, {}, with_brqos=False)
    clients.s3.put(place.bucket, bundle.key, bundle.data)
    way = Way(place.bucket, "0123abcd-1", hashed=True)
    stored = StoredRun(run_of("0123abcd-1", members, bundle, way, place), clients.s3, Silent())
    start_batches(stored, clients.codebuild)
    polls, events, begun, ended = 0, 0, [], time.monotonic() + seconds

    class Counted(Poller):
        def _said(self, *words):
            nonlocal events
            found = super()._said(*words)
            events += len(found)
            return found

    def sleep(pause: float) -> None:
        nonlocal polls, ended
        polls += 1
        if not begun and polls == 3:
            # By now all builds are at work and all clients are made.
            begun.append(used())
            ended = time.monotonic() + seconds
        if begun and time.monotonic() + pause >= ended:
            time.sleep(max(0.0, ended - time.monotonic()))
            raise EnoughError
        time.sleep(pause)

    logs = session.logs(REGION)
    follower = Follower(stored, clients.codebuild, logs, clients.s3, Console(), sleep=sleep)
    follower.poller = Counted(stored.run.id, stored.run.log_group, clients.codebuild, logs, Silent(), time.time)
    with contextlib.suppress(EnoughError):
        follower.follow()
    with urllib.request.urlopen(f"{endpoint}/_emulator/calls") as answer:
        calls = sum(json.load(answer)["calls"].values())
    return {"seconds": used() - begun[0], "polls": polls - 3, "events": events, "calls": calls}


def used() -> float:
    """Processor seconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    if len(sys.argv) == 1:
        serve()
    else:
        with served() as where:
            told = follow(where, int(sys.argv[1]), float(sys.argv[2]))
        sys.stdout.write(json.dumps(told))
