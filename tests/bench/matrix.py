"""`brqos matrix` over a fleet whose builds all differ, half of them published and recorded."""

import json
import sys
from pathlib import Path

from bench.timing import Line, median_seconds
from bench.trees import Trees
from brqos import process
from brqos.architecture import Architecture
from brqos.fleet.expand import expand
from brqos.monitor import Silent
from brqos.pipeline.foresee import Foreseen, foresee
from fleet.builds import stored

ENTRIES = 200
FILES = 5
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "us-west-2", "ap-southeast-2")


def matrix(trees: Trees, folder: Path, times: int) -> Line:
    """The median time of a whole run: expanding, planning each overlay, comparing with the records."""
    home = folder / "fleet"
    files = _written(trees, home)
    recorded = _recorded(files, home / "records")

    def run() -> None:
        words = ["matrix", *(file.name for file in files), "--json", "--no-aws", "--records", "records"]
        done = process.run([sys.executable, "-m", "brqos", *words], cwd=home, env=_environment(folder))
        left = len(json.loads(done.text)["include"])
        assert left == ENTRIES - recorded, f"{left} builds are left, and {recorded} of {ENTRIES} are published"

    taken = median_seconds(run, times)
    detail = f"{ENTRIES} builds of {FILES} files, {ENTRIES // len(Architecture)} overlays, {recorded} records"
    return Line("matrix", taken, 2, "s", detail)


def _environment(folder: Path) -> dict[str, str]:
    return {"PYTHONDONTWRITEBYTECODE": "", "XDG_CACHE_HOME": str(folder / "cache")}


def _written(trees: Trees, home: Path) -> list[Path]:
    """The files; each has settings of its own, so that no overlay serves two of them."""
    home.mkdir()
    variants = trees.variants[: ENTRIES // FILES // len(Architecture)]
    assert len(variants) * FILES * len(Architecture) == ENTRIES, f"{trees.title} has too few variants"
    files = []
    for number in range(FILES):
        file = home / f"team-{number}.toml"
        file.write_text(
            f"[matrix]\nvariants = {list(variants)}\narchs = {[arch.value for arch in Architecture]}\n"
            f'[upstream]\nrepository = "{trees.bottlerocket}"\nref = "{trees.commit}"\ncore-kit = "{trees.core_kit}"\n'
            f"[kubelet]\nthrottling-factor = 0.{number + 1}\n[ami]\nregions = {list(REGIONS)}\n",
            encoding="utf-8",
        )
        files.append(file)
    return files


def _recorded(files: list[Path], records: Path) -> int:
    """Write the record of every other build, published in all regions; how many they are."""
    entries = expand(files)[::2]
    for entry, future in zip(entries, foresee([entry.spec for entry in entries], records, Silent()), strict=True):
        assert isinstance(future, Foreseen), future
        stored(records / entry.id, entry.spec, amis=dict.fromkeys(REGIONS, "ami-0"), future=future)
    return len(entries)
