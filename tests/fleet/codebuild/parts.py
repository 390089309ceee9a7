"""Small things that tests of a fleet on CodeBuild are made of."""

from pathlib import Path
from typing import Any

from brqos.config.codebuild import CodeBuildSpec
from brqos.config.model import BuildSpec, Engine
from brqos.fleet.codebuild.buildspec import Way
from brqos.fleet.codebuild.bundle import Bundle
from brqos.fleet.codebuild.members import Member, members_of
from brqos.fleet.codebuild.place import Place
from brqos.fleet.codebuild.run import Run, run_of
from brqos.pipeline.foresee import Foreseen, Outlook
from fleet import builds

FILE = Path("brqos.toml")
RUN = "0123abcd-1"


def place(**words: Any) -> Place:
    return Place("111122223333", "eu-central-1", "aws", CodeBuildSpec(**words))


def way(**words: Any) -> Way:
    return Way(**{"bucket": "brqos-111122223333-eu-central-1", "run": RUN, "hashed": True, **words})


def members(*specs: BuildSpec, **words: Any) -> list[Member]:
    wanted = specs or (builds.spec(),)
    entries = [builds.entry(spec) for spec in wanted]
    outlooks = [_outlook(spec) for spec in wanted]
    return members_of(entries, outlooks, CodeBuildSpec(**words), {FILE: b'variant = "aws-k8s-1.29"'})


def _outlook(spec: BuildSpec) -> Outlook | None:
    if spec.build.engine is Engine.REPACK:
        return None
    # Keys that are not on this machine: the build's name cannot be foreseen.
    return Foreseen("1.50.0", builds.COMMIT) if spec.build.sbkeys_profile else builds.foreseen(spec)


def run(count: int = 1, **words: Any) -> Run:
    """A run of so many builds, called 0, 1 and so on by CodeBuild with an x before."""
    (one,) = members()
    several = [
        Member(
            f"x{number}",
            builds.Entry(f"b{number}", FILE, one.entry.spec),
            one.machine,
            one.config,
            "",
            f"{number:016x}",
        )
        for number in range(count)
    ]
    made = run_of(RUN, several, Bundle(b"", hashed=True), way(), place(**words))
    batches = tuple(batch.model_copy(update={"id": f"brqos:batch-{batch.number}"}) for batch in made.batches)
    return made.model_copy(update={"batches": batches})
