"""The builds of a run: what each is called in a batch, what it runs on, and what has to come of it. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from brqos.config.codebuild import CodeBuildSpec
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
) -> list[Member]:
    """The builds in their order; `contents` are the configuration files. A rehearsal brings its own sources.

    Raises ConfigurationError and UsageError for what cannot be built there.
    """
    for entry in entries:
        _check_identity(entry)
        if not rehearsal:
            _check_files(entry, wanted)
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
                "config": digest(contents[entry.file].decode(errors="replace")),
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


def _check_files(entry: Entry, wanted: CodeBuildSpec) -> None:
    spec = entry.spec
    local = {"repack.image": spec.repack.image, "repack.data-image": spec.repack.data_image,
             "repack.tuf-root": spec.repack.tuf_root}  # fmt: skip
    for key, path in local.items():
        if path is not None:
            raise ConfigurationError(
                f"{entry.title}: {key} is a file of this machine, {path}",
                why="Builders have the configuration and brqos, and no other files.",
                todo="Name a release instead (repack.release), or build this one here.",
            )
    if is_local(spec.upstream.repository):
        raise ConfigurationError(
            f"{entry.title}: its source is a folder of this machine, {spec.upstream.repository}",
            why="Builders fetch the source themselves.",
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
