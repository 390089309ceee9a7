"""Runs all checks on many pairs, several at a time."""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from fidelity.again import check_again
from fidelity.case import Case, CheckError, Pair, Source
from fidelity.handlebars import Renderer
from fidelity.kubelet import check_kubelet, check_native, known_fields
from fidelity.rpm import InstalledFile, built_files, check_package, check_specs, write_macros
from fidelity.settings import SETTINGS
from fidelity.surface import check_surface, generate
from fidelity.tree import check_cargo, check_commit, check_variant


@dataclass(frozen=True, slots=True)
class Bench:
    """What the checks need beside a case; everything that they write lies in `folder`."""

    folder: Path
    macros: Path
    renderer: Renderer
    fields: Mapping[str, frozenset[str]]

    @classmethod
    def make(cls, folder: Path, sdk: Source | None, modules: Path, fields: Path) -> "Bench":
        """Set it up; `modules` is where npm's handlebars lies, `fields` the file of KubeletConfiguration's fields."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(
            folder,
            write_macros(folder / "macros", sdk),
            Renderer(modules, list(SETTINGS.values())),
            known_fields(fields),
        )

    @property
    def environment(self) -> dict[str, str]:
        """For brqos: a cache of its own, so that nothing of the user's is read or written; Python's own as usual."""
        return {"XDG_CACHE_HOME": str(self.folder / "cache"), "PYTHONDONTWRITEBYTECODE": ""}


@dataclass(slots=True)
class Result:
    """How a pair fared: `failures` by check, `seconds` by check."""

    pair: Pair
    failures: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, name: str, check: Callable[[], None]) -> None:
        """Run a check and note what it says and how long it took."""
        started = time.monotonic()
        try:
            check()
        except CheckError as failed:
            self.failures[name] = str(failed)
        except Exception as error:  # noqa: BLE001 - one broken pair must not hide what the others say
            self.failures[name] = f"the check itself failed: {error!r}"
        self.seconds[name] = time.monotonic() - started


def checks_of(case: Case, bench: Bench, folder: Path, *, again: bool) -> Iterator[tuple[str, Callable[[], None]]]:
    """The checks of a case, in the order in which they make sense."""
    yield "surface", lambda: check_surface(case)
    if case.pair.delivery == "native":
        yield "kubelet", lambda: check_native(case, bench.renderer, bench.fields)
        return
    yield "commit", lambda: check_commit(case)
    yield "variant", lambda: check_variant(case)
    yield "cargo", lambda: check_cargo(case)
    yield "specs", lambda: check_specs(case, bench.macros)
    built: list[InstalledFile] = []
    yield "build", lambda: built.extend(built_files(case.local_package, bench.macros, folder / "rpm"))
    yield "package", lambda: check_package(case, built, bench.macros)
    yield "kubelet", lambda: check_kubelet(case, built, bench.macros, bench.renderer, bench.fields)
    if again:
        yield "again", lambda: check_again(case, folder, bench.environment)


def run_pair(pair: Pair, bench: Bench, folder: Path, *, again: bool = False) -> Result:
    """Generate one pair and run all checks on it; the folder is removed afterwards."""
    result = Result(pair)
    cases: list[Case] = []
    folder.mkdir(parents=True)
    try:
        result.run("generate", lambda: cases.append(generate(pair, folder / "tree", bench.environment)))
        for case in cases:
            for name, check in checks_of(case, bench, folder, again=again):
                result.run(name, check)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def run_all(pairs: Iterable[Pair], bench: Bench, jobs: int) -> Iterator[Result]:
    """The results as they come; the first pair of each release is generated twice and its patch applied."""
    todo = list(pairs)
    firsts = {pair.release: pair for pair in reversed(todo)}
    with ThreadPoolExecutor(jobs) as pool:
        # The first pair makes the mirrors; the others find them.
        if todo:
            yield run_pair(todo[0], bench, bench.folder / "pair-0", again=True)
        waiting = [
            pool.submit(run_pair, pair, bench, bench.folder / f"pair-{number}", again=firsts[pair.release] is pair)
            for number, pair in enumerate(todo)
            if number
        ]
        try:
            for done in as_completed(waiting):
                yield done.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
