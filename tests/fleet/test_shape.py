"""The matrix as data: what GitHub takes, and no more of it than GitHub takes."""

import json
import shlex

import pytest

from brqos.errors import ConfigurationError
from brqos.fleet.known import Standing, State
from brqos.fleet.shape import MOST_JOBS, github_output, matrix_of
from fleet.builds import entry, in_regions, repacked, spec


def test_an_entry_has_all_that_a_job_needs() -> None:
    wanted = spec(ami=in_regions("eu-west-1", "us-east-1"))
    one = Standing(entry(wanted, "my images/a.toml"), State.PARTLY, ("us-east-1",), "b", "1.50.0")
    (told,) = json.loads(json.dumps(matrix_of([one])))["include"]
    assert told["regions"] == ["eu-west-1", "us-east-1"]
    assert told["missing_regions"] == ["us-east-1"]
    assert (told["state"], told["build"], told["release"]) == ("partly published", "b", "1.50.0")
    assert told["runner"] == {"size": "large", "disk_gb": 80, "memory_mib": 8192, "cores": 4, "docker": True}
    assert shlex.split(told["args"]) == told["argv"]
    assert "'my images/a.toml'" in told["args"]
    assert None not in told.values()


def test_the_repack_engine_needs_little() -> None:
    (told,) = matrix_of([Standing(entry(spec(**repacked())), State.OPEN)])["include"]  # type: ignore[misc]
    assert told["engine"] == "repack"
    assert told["runner"]["docker"] is False
    assert told["runner"]["disk_gb"] < 10


def test_a_public_ami_is_confirmed_once_more() -> None:
    assert "--confirm-public" in entry(spec(ami=in_regions("eu-west-1", public=True))).argv


def test_githubs_line() -> None:
    assert github_output([]) == 'matrix={"include": []}'
    one = Standing(entry(spec(ami=in_regions("eu-west-1")), "ü\u2028.toml"), State.OPEN)
    line = github_output([one])
    assert line.isascii()
    assert len(line.splitlines()) == 1
    github_output([one] * MOST_JOBS)
    with pytest.raises(ConfigurationError, match="257 builds"):
        github_output([one] * (MOST_JOBS + 1))
