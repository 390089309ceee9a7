"""The builds of a run: what each is called in a batch, what it runs on, and what has to come of it. Pure."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brqos.config.attest import Signer
from brqos.config.codebuild import CURATED, CodeBuildSpec
from brqos.config.model import BuildSpec, Engine
from brqos.errors import ConfigurationError, UsageError
from brqos.fleet.codebuild.sizes import Machine, machine_of
from brqos.fleet.expand import Entry
from brqos.pipeline.digest import digest
from brqos.pipeline.foresee import Foreseen, Outlook
from brqos.record import recordable
from brqos.upstream.mirror import is_local

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Member:
    """One build of a run.

    `identifier` is what CodeBuild calls it (letters, digits, underscores; a letter first); `config` is its file in the
    bundle. `expected` is the build's name, or its overlay's commit where the name cannot be foreseen, or empty;
    `inputs` is a digest of all that it is made from.
    """

    identifier: str
    entry: Entry
    machine: Machine
    config: str
    expected: str
    inputs: str

    @property
    def id(self) -> str:
        """The entry's id."""
        return self.entry.id

    @property
    def needs_keys(self) -> bool:
        """Whether it is signed with a profile of the user's."""
        return needs_keys(self.entry.spec)


def members_of(
    entries: Sequence[Entry],
    outlooks: Sequence[Outlook | None],
    wanted: CodeBuildSpec,
    contents: Mapping[Path, bytes],
    *,
    rehearsal: bool = False,
    signs: bool = True,
) -> list[Member]:
    """The builds in their order; `contents` are the configuration files. A rehearsal brings its own sources.

    `signs` tells whether the builds sign what is attested, where their configuration says so.
    Raises ConfigurationError and UsageError for what cannot be built there.
    """
    for entry in entries:
        _check_identity(entry)
        if not rehearsal:
            _check_files(entry, wanted)
            if signs:
                _check_signer(entry, wanted)
    names = _identifiers(entries)
    files = config_names(contents)
    members = []
    for entry, outlook in zip(entries, outlooks, strict=True):
        expected = _expected(outlook, rehearsal=rehearsal)
        inputs = digest(
            {
                "id": entry.id,
                "spec": recordable(entry.spec).model_dump(mode="json"),
                "expected": expected,
                # Values of make-env and the like are in the file, and not in what may be recorded.
                "config": digest(_of_each_build(contents[entry.file])),
            }
        )
        machine = machine_of(entry.spec, wanted)
        members.append(Member(names[entry.id], entry, machine, files[entry.file], expected, inputs))
    return members


def needs_keys(spec: BuildSpec) -> bool:
    """Whether a build is signed with a profile of the user's."""
    unsigned = spec.build.engine is Engine.REPACK and spec.repack.unsigned
    return spec.build.sbkeys_profile is not None and not unsigned


def config_names(files: Mapping[Path, bytes]) -> dict[Path, str]:
    """Where each configuration file lies in the bundle: two may have one name, so each has a number."""
    return {
        file: f"config/{number}/{re.sub(r'[^A-Za-z0-9._-]', '-', file.name) or 'brqos.toml'}"
        for number, file in enumerate(files, 1)
    }


def _of_each_build(config: bytes) -> dict[str, Any]:
    """What a configuration file says of each of its builds: not which ones there are, nor where they are made.

    So a build that goes on is known again, whatever was added to the file meanwhile.
    """
    found = tomllib.loads(config.decode())
    return {key: value for key, value in found.items() if key not in {"variant", "arch", "matrix", "codebuild"}}


def _expected(outlook: Outlook | None, *, rehearsal: bool) -> str:
    if not isinstance(outlook, Foreseen):
        return ""
    # A rehearsal's build has another name, of the same overlay.
    return outlook.commit if rehearsal or not outlook.build else outlook.build


def _identifiers(entries: Sequence[Entry]) -> dict[str, str]:
    found: dict[str, str] = {}
    taken: set[str] = set()
    for entry in entries:
        name = re.sub(r"[^A-Za-z0-9]+", "_", entry.id).strip("_")[:_LONGEST] or "build"
        name = name if name[0].isalpha() else f"b_{name}"
        number = 1
        while (unique := name if number == 1 else f"{name}_{number}").lower() in taken:
            number += 1
        taken.add(unique.lower())
        found[entry.id] = unique
    return found


def _check_identity(entry: Entry) -> None:
    ami = entry.spec.ami
    if ami.profile or ami.region_profiles:
        raise ConfigurationError(
            f"{entry.file} names a profile of the AWS configuration below [ami]",
            why="A builder has no such file; it publishes as the project's role, which gets the rights for it.",
            todo="Name the role there instead (role or region-roles), or none. Your own profile for CodeBuild is"
            " [codebuild] profile, or --profile.",
        )


def _local_files(spec: BuildSpec) -> Iterator[tuple[str, Path | None]]:
    yield "repack.image", spec.repack.image
    yield "repack.data-image", spec.repack.data_image
    yield "repack.tuf-root", spec.repack.tuf_root


def _places(spec: BuildSpec) -> Iterator[tuple[str, str | None]]:
    """What is fetched from where, by its key."""
    yield "upstream.repository", spec.upstream.repository
    yield "upstream.core-kit", spec.upstream.core_kit
    yield "repack.metadata-url", spec.repack.metadata_url
    yield "repack.targets-url", spec.repack.targets_url
    yield "mirrors.tuf", spec.mirrors.tuf
    for original, place in spec.mirrors.git.items():
        yield f"mirrors.git.{original}", place


def _check_signer(entry: Entry, wanted: CodeBuildSpec) -> None:
    attest = entry.spec.attest
    if not attest.enabled or attest.sign is not Signer.COSIGN:
        return
    if attest.key is None or "://" not in attest.key or wanted.image.startswith(CURATED):
        raise ConfigurationError(
            f"{entry.title}: what is attested is to be signed by cosign with {attest.key or 'an identity of yours'}",
            why="Builders have no files of this machine and nobody who logs in, and CodeBuild's own images no cosign.",
            todo='Sign with sign = "kms" below [attest], which needs neither; or with a key in a service (awskms:///…)'
            " in an image of your own ([codebuild] image); or build with --image-only, and sign where you publish.",
        )


def _check_files(entry: Entry, wanted: CodeBuildSpec) -> None:
    spec = entry.spec
    for key, path in _local_files(spec):
        if path is not None:
            raise ConfigurationError(
                f"{entry.title}: {key} is a file of this machine, {path}",
                why="Builders have the configuration and brqos, and no other files.",
                todo="Name a release instead (repack.release), or build this one here.",
            )
    for key, place in _places(spec):
        if place is not None and is_local(place):
            raise ConfigurationError(
                f"{entry.title}: {key} is a folder of this machine, {place}",
                why="Builders fetch all that they need themselves.",
                todo="Name a URL that they reach, or build this one here.",
            )
    if needs_keys(spec) and wanted.sbkeys is None:
        raise UsageError(
            f"{entry.title} is signed with keys that lie on this machine, {spec.build.sbkeys_profile}",
            why="Keys are never sent along. Builders fetch them from where you keep them.",
            todo="Put the profile where only the builds' role may read it, and name it below [codebuild]:\n"
            f"  tar -cz -C {spec.build.sbkeys_profile} . | aws s3 cp - s3://BUCKET/profile.tar.gz --sse aws:kms\n"
            '  sbkeys = "s3://BUCKET/profile.tar.gz"\n'
            "or, up to 64 KB, as a secret: tar -cz … | base64 -w0, and its ARN.",
        )
