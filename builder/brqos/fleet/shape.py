"""A fleet as data: the shape that a matrix of GitHub Actions takes, `{"include": [{...}, ...]}`. Pure.

Each entry has all that a job needs, so that a workflow says `brqos ${{ matrix.args }}` and nothing else. No value is
null: an expression of GitHub's would print it as nothing, and compare it with anything.
"""

import json
import shlex
from collections.abc import Sequence

from brqos.doctor.resources import needs_of
from brqos.errors import ConfigurationError
from brqos.fleet.known import Standing

MOST_JOBS = 256
"""GitHub runs at most so many jobs of one matrix (its documentation, "Usage limits")."""


def matrix_of(standings: Sequence[Standing]) -> dict[str, object]:
    """The whole matrix; an empty one is a valid one, of which GitHub makes no job and complains."""
    return {"include": [_entry(one) for one in standings]}


def github_output(standings: Sequence[Standing]) -> str:
    """The line for $GITHUB_OUTPUT; raises ConfigurationError for more builds than GitHub takes."""
    if len(standings) > MOST_JOBS:
        raise ConfigurationError(
            f"the matrix has {len(standings)} builds, and GitHub runs at most {MOST_JOBS} jobs of one",
            todo="Make several matrices: one for some of the files, or with --variant or --arch.",
        )
    return f"matrix={json.dumps(matrix_of(standings))}"


def _entry(one: Standing) -> dict[str, object]:
    entry, spec = one.entry, one.entry.spec
    needs = needs_of(spec.build.engine)
    return {
        "id": entry.id,
        "variant": spec.variant,
        "image_variant": spec.variant_name.memory_qos,
        "arch": spec.arch.value,
        "config": str(entry.file),
        "engine": spec.build.engine.value,
        "release": one.release,
        "regions": list(spec.ami.regions),
        "missing_regions": list(one.missing),
        "state": one.state.value,
        "build": one.build,
        "runner": {
            "size": "large" if needs.docker else "small",
            "disk_gb": needs.disk_gb,
            "memory_mib": needs.memory_mib,
            "cores": needs.cores,
            "docker": needs.docker,
        },
        "argv": list(entry.argv),
        "args": shlex.join(entry.argv),
    }
