"""What else happens to long uploads: a login that expires, an image that is another one, a network that is gone."""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from brqos.aws.session import AwsSession
from brqos.errors import ExitCode
from publishing.expectation import amiss
from publishing.interruptions import unfinished
from publishing.kills import PUT, journaled
from publishing.processes import Ended, Zygote, until
from publishing.relay import Relay
from publishing.scene import ACCOUNT, Ground, Scene, picture

_ROLE = f"arn:aws:iam::{ACCOUNT}:role/publisher"


def login_expires(zygote: Zygote, scene: Scene, blocks: int) -> list[str]:
    """A session's credentials expire in the middle of an upload; the next run has new ones."""
    with Ground(zygote, scene) as ground:
        ground.environment |= _session(ground)
        run = ground.prepared().go()
        until(lambda: ground.aws.calls().get(PUT, 0) >= blocks, f"{blocks} blocks were never put")
        ground.aws.forward(7200)
        ended = run.wait()
        problems = _says(ended, ExitCode.AWS, "Expired", "Log in again", "run the same command again")
        ground.environment |= _session(ground)
        return problems + _goes_on(ground)


def _session(ground: Ground) -> dict[str, str]:
    """The credentials of a role's session of one hour."""
    keys = ground.aws.environment
    session = AwsSession(
        endpoint=ground.aws.endpoint, credentials=(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
    )
    sts = session._client("sts", ground.scene.regions[0])
    told = sts.assume_role(RoleArn=_ROLE, RoleSessionName="test", DurationSeconds=3600)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": told["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": told["SecretAccessKey"],
        "AWS_SESSION_TOKEN": told["SessionToken"],
    }


def _goes_on(ground: Ground) -> list[str]:
    """The same command again: all is well, and nothing is sent that the journal knows to be there."""
    kept, calls = journaled(ground), ground.aws.calls()[PUT]
    before = ground.aws.state()
    there = sum(item["block_count"] for item in before["snapshots"].values() if item["sealed"])
    there += sum(len(kept.get(snapshot, ())) for snapshot in unfinished(before))
    missing = ground.scene.blocks - there
    again = ground.publish()
    if again.status != ExitCode.DONE:
        return [f"the second run failed: {again.summary}"]
    puts = ground.aws.calls()[PUT] - calls
    problems = amiss(ground.aws.state(), ground.scene)
    return problems + ([f"the second run has put {puts} blocks, {missing} were missing"] if puts != missing else [])


def _says(ended: Ended, status: int, *words: str) -> list[str]:
    missing = [word for word in words if word not in ended.err]
    problems = [f"ended with {ended.status}, not {status}: {ended.summary}"] if ended.status != status else []
    return problems + ([f"does not say {missing}: {ended.summary}"] if missing else [])


def image_changes(zygote: Zygote, scene: Scene, blocks: int, *, restart: bool) -> list[str]:
    """The OS image is another one when its upload is to go on: refused; taken back, or meant (`restart`)."""
    with Ground(zygote, scene) as ground:
        run = ground.prepared()
        fault = {"kill": run.pid, "after_effect": True}
        ground.aws.script({"faults": [{"operation": PUT, "skip": blocks, "fault": fault}]})
        if not run.go().wait().killed:
            return ["the first run was not killed"]
        begun = unfinished(ground.aws.state())
        file = scene.images["os"].file
        original = file.read_bytes()
        try:
            other = picture(file, len(scene.images["os"].blocks), 7)
            refused = ground.publish()
            problems = _says(refused, ExitCode.CONFIGURATION, "has changed since its upload to", "--restart")
            if unfinished(ground.aws.state()) != begun:
                problems.append("the refused run has changed something")
            if not restart:
                file.write_bytes(original)
                return problems + _goes_on(ground)
            again = ground.publish("--restart")
            problems += _says(again, ExitCode.DONE)
            return problems + amiss(ground.aws.state(), _with_os(scene, other))
        finally:
            file.write_bytes(original)


def _with_os(scene: Scene, image: Any) -> Scene:
    images: Mapping[str, Any] = {**scene.images, "os": image}
    return replace(scene, images=images)


def network_is_lost(zygote: Zygote, scene: Scene, blocks: int, seconds: float, *, survives: bool) -> list[str]:
    """The network is gone for a while in the middle of an upload; whether the run has to survive that."""
    with Ground(zygote, scene) as ground, Relay(ground.aws.endpoint) as relay:
        ground.environment["AWS_ENDPOINT_URL"] = relay.endpoint
        run = ground.prepared().go()
        until(lambda: ground.aws.calls().get(PUT, 0) >= blocks, f"{blocks} blocks were never put")
        relay.cut()
        if survives:
            time.sleep(seconds)
            relay.mend()
            return _says(run.wait(), ExitCode.DONE) + amiss(ground.aws.state(), scene)
        ended = run.wait(seconds)
        relay.mend()
        return _says(ended, ExitCode.AWS, "AWS cannot be reached", "is unfinished") + _goes_on(ground)


def answers_hang(zygote: Zygote, scene: Scene, operation: str, seconds: float) -> list[str]:
    """One call is answered only after the client has given up on it, though it was carried out."""
    with Ground(zygote, scene) as ground:
        fault = {"hang": seconds, "after_effect": True}
        ground.aws.script({"faults": [{"operation": operation, "fault": fault}]})
        ended = ground.publish(seconds=600)
        return _says(ended, ExitCode.DONE) + amiss(ground.aws.state(), scene)


def rivals_publish(zygote: Zygote, scene: Scene) -> list[str]:
    """Two machines publish the same at the same time, and the first of them once more."""
    with Ground(zygote, scene) as ground, tempfile.TemporaryDirectory(dir=ground.folder) as other:
        elsewhere = {name: str(Path(other, name)) for name in ("HOME", "BRQOS_STATE_DIR", "BRQOS_CACHE_DIR")}
        own = dict(ground.environment)
        runs = [ground.prepared()]
        ground.environment |= elsewhere
        runs.append(ground.prepared())
        ground.environment = own
        ends = [run.wait() for run in [run.go() for run in runs]]
        problems = [] if any(end.status == ExitCode.DONE for end in ends) else ["neither of the two has succeeded"]
        for end in ends:
            if end.status not in (ExitCode.DONE, ExitCode.AWS):
                problems.append(f"ended with neither 0 nor 7: {end.summary}")
        return [*problems, *_says(ground.publish(), ExitCode.DONE), *amiss(ground.aws.state(), scene)]
