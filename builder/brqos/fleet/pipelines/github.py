"""A workflow for GitHub Actions. Pure."""

import json

from brqos.fleet.pipelines.fleet import Fleet
from brqos.fleet.pipelines.iam import audience
from brqos.fleet.pipelines.values import values_of
from brqos.fleet.pipelines.wishes import THIS_REPOSITORY, Wishes
from brqos.rendering import render

DEFAULT_FILE = ".github/workflows/brqos.yml"
_HOSTED = "ubuntu-24.04"

# Each commit was found for its tag in several public repositories that do not depend on each other.
ACTIONS = {
    "checkout": "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0",
    "upload": "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2",
    "download": "actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093 # v4.3.0",
    "cache": "actions/cache@5a3ec84eff668545956fd18022155c47e93e2684 # v4.2.3",
    "credentials": "aws-actions/configure-aws-credentials@b47578312673ae6fa5b5096b330d9fbac3d116df # v4.2.1",
}


def workflow(fleet: Fleet, wishes: Wishes, file: str = DEFAULT_FILE) -> str:
    """The workflow's text; `file` is where it will lie."""
    return render(
        "pipelines/github.yml",
        **values_of(fleet, wishes),
        title="Rehearse the images" if wishes.rehearse else "Bottlerocket images with MemoryQoS",
        actions=ACTIONS,
        audience=audience(wishes.partition),
        paths=[json.dumps(path) for path in _paths(wishes, file)],
        runs_on=_runs_on(fleet, wishes),
        # Asking upstream or AWS would be no rehearsal.
        matrix_flags=" --offline --no-aws" if wishes.rehearse else "" if fleet.publishes else " --no-aws",
    )


def jobs(fleet: Fleet, wishes: Wishes) -> list[str]:
    """The names of its jobs, in their order."""
    values = values_of(fleet, wishes)
    asked = {
        "register": values["publishes"],
        "verify": values["cluster"],
        "promote": values["promotes"],
        "watch": not wishes.rehearse,
    }
    return ["matrix", "build", *(job for job, wanted in asked.items() if wanted)]


def _paths(wishes: Wishes, file: str) -> list[str]:
    """The files whose change starts a run; none: any file."""
    if wishes.rehearse and wishes.brqos == THIS_REPOSITORY:
        # What is rehearsed is brqos itself.
        return []
    return [*map(str, wishes.files), *([] if file == "-" else [file])]


def _runs_on(fleet: Fleet, wishes: Wishes) -> str:
    if not wishes.runners:
        return _HOSTED
    own = json.dumps(list(wishes.runners) if len(wishes.runners) > 1 else wishes.runners[0])
    if len(fleet.engines) == 1 or wishes.rehearse:
        return own
    small, large = json.dumps([_HOSTED]), json.dumps(list(wishes.runners))
    return f"${{{{ fromJSON(matrix.runner.size == 'large' && '{large}' || '{small}') }}}}"
