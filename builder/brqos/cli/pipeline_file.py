"""What `brqos pipeline` does beside parsing: plan, write or print."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brqos.cli.pipeline_written import write_file
from brqos.errors import UsageError

if TYPE_CHECKING:
    from brqos.config.codebuild import CodeBuildSpec
    from brqos.console import Console
    from brqos.fleet.pipelines.fleet import Fleet
    from brqos.fleet.pipelines.wishes import Service, Wishes

_OF_BRQOS = Path("scripts/brqos")
# They decide where something is written or shown, and not what.
_NOT_REPEATED = {"output_dir", "output", "force", "json_output", "quiet", "iam", "explain", "repository", "account"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A command's options, by name, and whose pipeline it writes."""

    service: "Service"
    params: Mapping[str, Any]

    @property
    def output(self) -> Path:
        """Where the pipeline is written."""
        from brqos.fleet.pipelines import codebuild, github, gitlab
        from brqos.fleet.pipelines.wishes import Service

        files = {
            Service.GITHUB: github.DEFAULT_FILE,
            Service.GITLAB: gitlab.DEFAULT_FILE,
            Service.CODEBUILD: codebuild.DEFAULT_FILE,
        }
        return self.params["output"] or Path(files[self.service])

    @property
    def files(self) -> tuple[Path, ...]:
        """The configuration files."""
        from brqos.config.resolve import FILE_NAME

        return tuple(self.params["config"] or (Path(FILE_NAME),))

    def wishes(self, settings: "CodeBuildSpec | None") -> "Wishes":
        """The wishes, checked; `settings` are the files' section `[codebuild]`. Raises ConfigurationError."""
        from brqos.fleet.pipelines.wishes import Wishes

        given = self.params
        has_brqos = settings.image if settings and settings.brqos_in_image else None
        own = settings.image if settings and "image" in settings.model_fields_set else None
        in_image = given.get("image") or has_brqos
        wishes = Wishes(
            files=self.files,
            brqos=given["brqos"] or _brqos_here(),
            schedule=given["schedule"],
            role=given.get("role_arn"),
            canary_role=given["canary_role_arn"],
            account=given["account"],
            region=given.get("region"),
            runners=tuple(given.get("runner") or ()),
            cluster=given["cluster"],
            promotion=given["promote"],
            repository=given["repository"],
            branch=given["branch"],
            rehearse=given["rehearse"],
            service=self.service,
            image=in_image or own,
            installs=in_image is None or given["brqos"] is not None,
            connection=given.get("connection"),
            command=self._command(),
        )
        wishes.check()
        return wishes

    def _command(self) -> str:
        words = ["brqos", "pipeline", self.service.value]
        defaults = {"promote": "by-hand", "schedule": "17 5 * * 1", "branch": "main", "host": "gitlab.com"}
        # A connection is to a repository; elsewhere the repository is for the trust policy alone.
        dropped = _NOT_REPEATED - ({"repository"} if self.params.get("connection") else set())
        for name, value in self.params.items():
            if name in dropped or not value or str(value) == defaults.get(name):
                continue
            option = f"--{name.replace('_', '-')}"
            values = value if isinstance(value, (list, tuple)) else [value]
            words += [option] if value is True else [word for one in values for word in (option, str(one))]
        if self.params["output"]:
            words += ["--output", str(self.params["output"])]
        return shlex.join(words)


@dataclass(frozen=True, slots=True)
class _Made:
    """A pipeline, its jobs and its explanation."""

    text: str
    jobs: Sequence[str]
    told: Sequence[str]


def run(console: "Console", asked: Asked) -> None:
    """Write the pipeline, or print what was asked for; raises ConfigurationError and UsageError."""
    from brqos.fleet.codebuild.place import spec_of
    from brqos.fleet.expand import expand
    from brqos.fleet.pipelines.fleet import fleet_of
    from brqos.fleet.pipelines.wishes import Service

    _check_modes(asked.params)
    settings = spec_of(asked.files) if asked.service is Service.CODEBUILD else None
    wishes = asked.wishes(settings)
    # Whatever is published is told by the files; nothing is fetched for a plan.
    fleet = fleet_of(expand(wishes.files, offline=True), wishes)
    if asked.params["iam"]:
        _iam(console, asked, fleet, wishes, settings)
        return
    made = _made(asked, fleet, wishes, settings)
    if asked.params["explain"] and not console.json_output:
        console.text("\n\n".join(made.told))
        return
    status = (
        None if asked.params["explain"] else write_file(console, asked.output, made.text, force=asked.params["force"])
    )
    if console.json_output:
        printed = str(asked.output) if status else None
        shown = {"file": printed, "status": status, "jobs": made.jobs, "explanation": made.told, "text": made.text}
        console.data(shown)
        return
    for paragraph in made.told:
        console.note(paragraph)


def _made(asked: Asked, fleet: "Fleet", wishes: "Wishes", settings: "CodeBuildSpec | None") -> _Made:
    from brqos.fleet.pipelines import codebuild, explain_codebuild, github, gitlab
    from brqos.fleet.pipelines.explain import explanation

    file = str(asked.output)
    if settings is not None:
        text = codebuild.template(fleet, wishes, settings, file)
        told = explain_codebuild.explanation(fleet, wishes, settings, text)
        return _Made(text, codebuild.jobs(fleet, wishes), told)
    if host := asked.params.get("host"):
        text = gitlab.pipeline(fleet, wishes, file, host)
        return _Made(text, gitlab.jobs(fleet, wishes), explanation(fleet, wishes, gitlab=True))
    text = github.workflow(fleet, wishes, file)
    return _Made(text, github.jobs(fleet, wishes), explanation(fleet, wishes, gitlab=False))


def _iam(console: "Console", asked: Asked, fleet: "Fleet", wishes: "Wishes", settings: "CodeBuildSpec | None") -> None:
    import json

    from brqos.ami.policy.policy import notes_for

    if not fleet.publishes:
        raise UsageError("the configuration names no regions: nothing is published, and no role is needed")
    found = _documents(asked, fleet, wishes, settings)
    for note in notes_for(fleet.policy(wishes)):
        console.note(note)
    for name, size, most in _too_long(found, inline=settings is not None):
        console.warn(f"{name} has {size} characters, and such a policy at most {most}: make two of it")
    if fleet.cluster:
        console.note("Making nodes in the cluster is not in the policy: eksctl's documentation lists what that needs.")
    folder = asked.params["output_dir"]
    if folder is None:
        console.data(found)
        return
    for name, document in found.items():
        write_file(console, folder / name, json.dumps(document, indent=2) + "\n", force=asked.params["force"])
        console.note(f"Wrote {folder / name}.")


def _documents(
    asked: Asked, fleet: "Fleet", wishes: "Wishes", settings: "CodeBuildSpec | None"
) -> dict[str, dict[str, Any]]:
    from brqos.fleet.pipelines import codebuild
    from brqos.fleet.pipelines.access import documents_of
    from brqos.fleet.pipelines.iam import documents

    if settings is not None:
        return documents_of(codebuild.roles(fleet, wishes, settings), wishes)
    return documents(fleet, wishes, gitlab=asked.params.get("host"))


def _too_long(found: Mapping[str, dict[str, Any]], *, inline: bool) -> list[tuple[str, int, int]]:
    from brqos.ami.policy.policy import LONGEST, LONGEST_INLINE, size_of

    most = LONGEST_INLINE if inline else LONGEST
    sizes = {name: size_of(document) for name, document in found.items() if name.endswith("permissions.json")}
    return [(name, size, most) for name, size in sizes.items() if size > most]


def _check_modes(params: Mapping[str, Any]) -> None:
    if params["iam"] and (params["explain"] or params["output"] or params["rehearse"]):
        raise UsageError(
            "--iam goes together with none of --explain, --output and --rehearse",
            todo="It prints two documents and writes no pipeline; --output-dir writes them.",
        )
    if params["output_dir"] and not params["iam"]:
        raise UsageError("--output-dir is about --iam", todo="Name the pipeline's file with --output.")


def _brqos_here() -> str:
    from brqos import __version__
    from brqos.fleet.pipelines.wishes import THIS_REPOSITORY

    return THIS_REPOSITORY if _OF_BRQOS.is_file() else f"brqos[repack,official]=={__version__}"
