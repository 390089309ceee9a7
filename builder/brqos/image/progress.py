"""What is being built, and how far it is: upstream's output, condensed.

The lines are those of cargo-make ("[cargo-make][1] INFO - Running Task: fetch-sdk"), of twoliter ("[... INFO
twoliter::project::lock] Extracting kit dependencies."), and of cargo, whose "Compiling kubelet v0.1.0
(/tree/packages/..)" means that buildsys *begins* a package, kit or variant. Cargo keeps buildsys' own output to
itself unless it fails. What was built earlier is not told by cargo at all, so of `m` packages fewer may be begun.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

REHEARSAL_MARK = "[rehearsal] "

_TASK = re.compile(r"^\[cargo-make\](?:\[\d+\])? INFO - Running Task: (\S+)")
_COMPILING = re.compile(r"^\s*Compiling (\S+) v\S+ \((.+)\)$")
_TASKS = {
    "install-twoliter": "installing twoliter",
    "fetch-external-kits": "fetching the kits",
    "fetch-sdk": "fetching the SDK",
    "fetch-sources": "fetching Rust sources",
    "fetch-vendored": "fetching Go modules",
    "check-licenses": "checking licences",
    "build-sbkeys": "looking for the signing profile",
    "publish-setup": "preparing the repository keys",
    "validate-kits": "checking the kits",
    "build-variant": "building packages",
}
_PHRASES = (
    (re.compile(r"Resolving project references"), "resolving kits and SDK"),
    (re.compile(r"Extracting kit dependencies"), "fetching and unpacking the kits"),
    (re.compile(r"^Generating local keys\.$"), "making a signing profile"),
    (re.compile(r"Blocking waiting for file lock on (.+)$"), "waiting: another cargo holds the lock on its {0}"),
    (re.compile(r"^\s*Updating (?:crates\.io index|git repository `(.+)`)$"), "fetching Rust sources"),
    (re.compile(r": (?:Pulling fs layer|Download complete|Pull complete)$"), "pulling the SDK's image"),
    (re.compile(r"^\s*Finished .*target\(s\) in "), "packages and image are built"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A line worth showing: what is done now, and how many packages are done more than before."""

    text: str
    advance: int = 0


class BuildProgress:
    """Follows one build, line by line.

    `crates` are those of the tree that this build needs (`brqos.image.manifest.local_crates`), empty if unknown;
    `variant` is the crate of the variant itself, whose turn is the image.
    """

    def __init__(self, crates: Collection[str], variant: str) -> None:
        self._crates = frozenset(crates)
        self._variant = variant
        self._begun: set[str] = set()
        self._done = 0
        self.kits_are_there = False

    @property
    def total(self) -> int | None:
        """How many packages there are at most, where that is known."""
        return len(self._crates) or None

    def step(self, line: str) -> Step | None:
        """What the line tells, or None if nothing new."""
        line = line.removeprefix(REHEARSAL_MARK)
        if match := _COMPILING.match(line):
            return self._compiling(match[1])
        if match := _TASK.match(line):
            self.kits_are_there = self.kits_are_there or match[1] in {"fetch-sdk", "build-variant"}
            return Step(_TASKS[match[1]]) if match[1] in _TASKS else None
        for pattern, text in _PHRASES:
            if match := pattern.search(line):
                return Step(text.format(*match.groups()))
        return None

    def finish(self) -> int:
        """How many packages are left to be counted once the build has ended well (those built earlier as well)."""
        left = (self.total or len(self._begun)) - self._done
        self._done += left
        return left

    def _compiling(self, crate: str) -> Step | None:
        if crate in self._begun or (self._crates and crate not in self._crates):
            return None
        self._begun.add(crate)
        number = len(self._begun)
        # That a package begins says that those before it, but for the ones that run beside it, are done.
        advance = number - 1 - self._done
        self._done += advance
        if crate == self._variant:
            return Step("building the image", advance)
        of = f"{number} of {self.total}" if self.total else f"the {_ordinal(number)}"
        return Step(f"building package {crate} ({of})", advance)


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
