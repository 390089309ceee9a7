"""Following two hundred builds on CodeBuild: what a minute of it costs the one who follows.

The emulator runs in a process of its own, and so does the client, whose own processor time counts. All builds are at
work for the whole of the minute, each printing a line of brqos's every five seconds, as brqos does in a log, and one of
something else; the client asks at its real pace, and draws its display as on a terminal.
"""

import json
import sys
from pathlib import Path

from bench.timing import Line
from brqos import process

BUILDS = 200
SECONDS = 60.0


def follow(folder: Path) -> Line:
    """One line; the figure is processor seconds in a minute."""
    program = Path(__file__).with_name("following_client.py")
    env = {
        "PYTHONPATH": f"{Path(__file__).parents[1]}",
        "BRQOS_CACHE_DIR": str(folder / "cache"),
        "FORCE_COLOR": "1",
        "TERM": "xterm-256color",
        "COLUMNS": "160",
        "LINES": "50",
        "AWS_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    (folder / "following").mkdir(exist_ok=True)
    done = process.run([sys.executable, str(program), str(BUILDS), str(SECONDS)], cwd=folder / "following", env=env)
    told = json.loads(done.text)
    detail = f"{BUILDS} builds, {told['polls']} polls, {told['calls']} calls, {told['events']} lines of log"
    return Line("follow, processor a minute", told["seconds"] * 60 / SECONDS, 1, "s", detail)
