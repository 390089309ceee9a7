"""The same input gives the same commit, and the patch gives the same tree."""

from collections.abc import Mapping
from pathlib import Path

from brqos import process
from fidelity.case import Case, CheckError
from fidelity.surface import generate


def check_again(case: Case, folder: Path, environment: Mapping[str, str]) -> None:
    """Generate once more at another time zone and place; apply the patch with `git am` in a clone of upstream."""
    patch = folder / "change.patch"
    elsewhere = {**environment, "TZ": "Pacific/Auckland", "LC_ALL": "C", "GIT_COMMITTER_NAME": "Somebody Else"}
    other = generate(case.pair, folder / "again", elsewhere, "--patch", str(patch))
    if other.surface["commit"] != case.surface["commit"]:
        raise CheckError(f"the second run made {other.surface['commit']}, the first {case.surface['commit']}")
    clone = folder / "applied"
    _git("clone", "--quiet", "--no-checkout", "--shared", str(case.work_tree), str(clone))
    _git("-C", str(clone), "checkout", "--quiet", case.pair.upstream.commit)
    _git("-C", str(clone), "-c", "user.name=Me", "-c", "user.email=me@example.com", "am", "--quiet", str(patch))
    trees = {_git("-C", str(clone), "rev-parse", f"{commit}^{{tree}}") for commit in ("HEAD", case.surface["commit"])}
    if len(trees) != 1:
        raise CheckError("the patch makes another tree than the commit has")


def _git(*arguments: str) -> str:
    try:
        return process.run(["git", *arguments]).text.strip()
    except process.ProcessError as error:
        raise CheckError(f"git {arguments[0]} fails: {error.reason}") from None
