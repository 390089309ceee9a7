"""A pipeline for GitLab CI. Pure."""

import json

from brqos.fleet.pipelines.fleet import Fleet
from brqos.fleet.pipelines.values import values_of
from brqos.fleet.pipelines.wishes import Wishes
from brqos.rendering import render

DEFAULT_FILE = "brqos.gitlab-ci.yml"
DEFAULT_HOST = "gitlab.com"


def pipeline(fleet: Fleet, wishes: Wishes, file: str = DEFAULT_FILE, host: str = DEFAULT_HOST) -> str:
    """The pipeline's text; `file` is where it will lie, `host` the GitLab that gives the tokens."""
    return render(
        "pipelines/gitlab.yml",
        **values_of(fleet, wishes),
        file=DEFAULT_FILE if file == "-" else file,
        host=host,
        image=wishes.image if not wishes.installs else None,
        paths=[json.dumps(str(path)) for path in (*wishes.files, DEFAULT_FILE if file == "-" else file)],
        runners=json.dumps(list(wishes.runners)) if wishes.runners else None,
        matrix_flags=" --offline --no-aws" if wishes.rehearse else "" if fleet.publishes else " --no-aws",
        images=[
            {
                "id": entry.id,
                "config": str(entry.file),
                "variant": entry.spec.variant,
                "arch": entry.spec.arch.value,
                "engine": entry.spec.build.engine.value,
            }
            for entry in fleet.entries
        ],
    )


def jobs(fleet: Fleet, wishes: Wishes) -> list[str]:
    """The names of its jobs, in their order."""
    values = values_of(fleet, wishes)
    kinds = {
        "build": True,
        "register": values["publishes"],
        "verify": values["cluster"],
        "promote": values["promotes"],
    }
    of_images = [f"{kind} {entry.id}" for entry in fleet.entries for kind, wanted in kinds.items() if wanted]
    return ["matrix", *of_images, *(() if wishes.rehearse else ("watch",))]
