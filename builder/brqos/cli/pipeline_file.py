"""What `brqos pipeline` does beside parsing: plan, write or print."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brqos.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from brqos.console import Console
    from brqos.fleet.pipelines.fleet import Fleet
    from brqos.fleet.pipelines.wishes import Wishes

_STANDARD_OUTPUT = Path("-")
_OF_BRQOS = Path("scripts/brqos")
# They decide where something is written or shown, and not what.
_NOT_REPEATED = {"output_dir", "output", "force", "json_output", "quiet", "iam", "explain", "repository", "account"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A command's options, by name."""

    params: Mapping[str, Any]

    @property
    def host(self) -> str | None:
        """The host of a GitLab; None: it is GitHub."""
        return self.params.get("host")

    @property
    def output(self) -> Path:
        """Where the pipeline is written."""
        from brqos.fleet.pipelines.github import DEFAULT_FILE
        from brqos.fleet.pipelines.gitlab import DEFAULT_FILE as GITLAB_FILE

        return self.params["output"] or Path(GITLAB_FILE if self.host else DEFAULT_FILE)

    def wishes(self) -> "Wishes":
        """The wishes, checked; raises ConfigurationError."""
        from brqos.config.resolve import FILE_NAME
        from brqos.fleet.pipelines.wishes import Wishes

        given = self.params
        wishes = Wishes(
            files=tuple(given["config"] or (Path(FILE_NAME),)),
            brqos=given["brqos"] or _brqos_here(),
            schedule=given["schedule"],
            role=given["role_arn"],
            canary_role=given["canary_role_arn"],
            account=given["account"],
            region=given["region"],
            runners=tuple(given["runner"] or ()),
            cluster=given["cluster"],
            promotion=given["promote"],
            repository=given["repository"],
            branch=given["branch"],
            rehearse=given["rehearse"],
            command=self._command(),
        )
        wishes.check()
        return wishes

    def _command(self) -> str:
        words = ["brqos", "pipeline", "gitlab" if self.host else "github"]
        defaults = {"promote": "by-hand", "schedule": "17 5 * * 1", "branch": "main", "host": "gitlab.com"}
        for name, value in self.params.items():
            if name in _NOT_REPEATED or not value or str(value) == defaults.get(name):
                continue
            option = f"--{name.replace('_', '-')}"
            values = value if isinstance(value, (list, tuple)) else [value]
            words += [option] if value is True else [word for one in values for word in (option, str(one))]
        if self.params["output"]:
            words += ["--output", str(self.params["output"])]
        return shlex.join(words)


def run(console: "Console", asked: Asked) -> None:
    """Write the pipeline, or print what was asked for; raises ConfigurationError and UsageError."""
    from brqos.fleet.expand import expand
    from brqos.fleet.pipelines.explain import explanation
    from brqos.fleet.pipelines.fleet import fleet_of

    _check_modes(asked.params)
    wishes = asked.wishes()
    # Whatever is published is told by the files; nothing is fetched for a plan.
    fleet = fleet_of(expand(wishes.files, offline=True), wishes)
    if asked.params["iam"]:
        _iam(console, asked, fleet, wishes)
        return
    told = explanation(fleet, wishes, gitlab=asked.host is not None)
    if asked.params["explain"] and not console.json_output:
        console.text("\n\n".join(told))
        return
    text, jobs = _made(asked, fleet, wishes)
    status = None if asked.params["explain"] else _write(console, asked.output, text, force=asked.params["force"])
    if console.json_output:
        printed = str(asked.output) if status else None
        console.data({"file": printed, "status": status, "jobs": jobs, "explanation": told, "text": text})
        return
    for paragraph in told:
        console.note(paragraph)


def _made(asked: Asked, fleet: "Fleet", wishes: "Wishes") -> tuple[str, list[str]]:
    from brqos.fleet.pipelines import github, gitlab

    file = str(asked.output)
    if asked.host:
        return gitlab.pipeline(fleet, wishes, file, asked.host), gitlab.jobs(fleet, wishes)
    return github.workflow(fleet, wishes, file), github.jobs(fleet, wishes)


def _write(console: "Console", path: Path, text: str, *, force: bool) -> str | None:
    """Write a file as a whole and say what became of it; None: it was printed."""
    from brqos.files import write_atomically

    if path == _STANDARD_OUTPUT:
        if not console.json_output:
            console.text(text)
        return None
    before = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    if before == text:
        console.line(f"{path} (unchanged)")
        return "unchanged"
    if before is not None and not force:
        raise ConfigurationError(
            f"{path} exists and has other content",
            why="It may have been changed by hand, or the configuration has changed since it was written.",
            todo="Look at the new text with --output -; replace the file with --force.",
        )
    write_atomically(path, text)
    status = "created" if before is None else "replaced"
    console.line(f"{path} ({status})")
    return status


def _iam(console: "Console", asked: Asked, fleet: "Fleet", wishes: "Wishes") -> None:
    import json

    from brqos.ami.policy.policy import LONGEST, notes_for, size_of
    from brqos.fleet.pipelines.iam import documents

    if not fleet.publishes:
        raise UsageError("the configuration names no regions: nothing is published, and no role is needed")
    found = documents(fleet, wishes, gitlab=asked.host)
    for note in notes_for(fleet.policy(wishes)):
        console.note(note)
    if (size := size_of(found["brqos-permissions.json"])) > LONGEST:
        console.warn(f"the policy has {size} characters, and a managed policy at most {LONGEST}: make two of it")
    if fleet.cluster:
        console.note("Making nodes in the cluster is not in the policy: eksctl's documentation lists what that needs.")
    folder = asked.params["output_dir"]
    if folder is None:
        console.data(found)
        return
    for name, document in found.items():
        _write(console, folder / name, json.dumps(document, indent=2) + "\n", force=asked.params["force"])
        console.note(f"Wrote {folder / name}.")


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
