"""A miniature history of upstream: tagged releases in one repository, days apart, and the core kits that they pin."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from brqos.rehearsal.miniature import Entry, Layout, bottlerocket, core_kit, write_repository
from brqos.upstream.git import git, text

# 1.29 goes after v1.50.0, 1.35 comes with v1.66.0; the days are those between the commits.
RELEASES = (
    (Layout.EARLY, "1.21.0", "2024-08-20"),
    (Layout.MIDDLE, "1.36.0", "2025-04-15"),
    (Layout.DROP_IN, "1.50.0", "2025-11-05"),
    (Layout.NATIVE, "1.66.0", "2026-09-10"),
)
CHANGELOG = """\
# v1.66.0 (2026-09-12)

## Security Fixes
* Patch `runc` once more ([#5001])

# v1.50.0 (2025-11-06)

## Release Highlights
* Add a setting ([#4661], [bottlerocket-core-kit#646])

## OS Changes
* Update `kernel` to address CVE\N{NON-BREAKING HYPHEN}2025-1 [CHANGELOG](https://example.invalid/a) ([#4664])
* Update `containerd` ([#4667])
  * Its new setting is off ([#4667])

[#4661]: https://example.invalid/4661

# v1.36.0 (2025-04-16)

## OS Changes
* Apply GHSA-xxxx to `docker`

# v1.21.0 (2024-08-21)

* Begin.
"""


@dataclass(frozen=True, slots=True)
class History:
    """The two repositories; the commits of Bottlerocket's releases by their tags."""

    bottlerocket: Path
    core_kit: Path
    commits: Mapping[str, str]


def write_history(folder: Path) -> History:
    """Both repositories, below a folder. Tags are annotated and plain ones in turn; some are no releases."""
    made, kits = folder / "bottlerocket", folder / "core-kit"
    commits = {}
    for repository in (made, kits):
        git("init", "--quiet", "--bare", "--initial-branch=develop", repository)
    for number, (layout, release, day) in enumerate(RELEASES):
        tree = {**bottlerocket(layout, release=release), "CHANGELOG.md": Entry(CHANGELOG)}
        commits[f"v{release}"] = add_release(made, tree, f"v{release}", day, annotated=number % 2 == 0)
        add_release(kits, core_kit(layout), f"v{layout.core_kit}", day)
    head = commits["v1.66.0"]
    git("update-ref", "refs/heads/develop", head, at=made)
    for name in ("v1.67.0-rc1", "nightly", "v2"):
        git("update-ref", f"refs/tags/{name}", head, at=made)
    git("update-ref", "refs/tags/v9.9.9", text("rev-parse", f"{head}:Release.toml", at=made), at=made)
    return History(made, kits, commits)


def add_release(repository: Path, tree: Mapping[str, Entry], tag: str, day: str, *, annotated: bool = False) -> str:
    """One more commit with these files, at noon of a day, with a tag; returns it."""
    scratch = repository.with_name(f"{repository.name}-{tag}")
    write_repository(tree, scratch)
    git("fetch", "--quiet", scratch, "develop", at=repository)
    moment = f"{day}T12:00:00+0000"
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "a"), ("EMAIL", "a@b.invalid"), ("DATE", moment))
    }
    found = text("rev-parse", "FETCH_HEAD^{tree}", at=repository)
    commit = git("commit-tree", found, "-m", tag, at=repository, env=who).text.strip()
    if annotated:
        # Tagged much later: the day that counts is the commit's.
        later = {**who, "GIT_COMMITTER_DATE": "2030-01-01T00:00:00+0000"}
        git("tag", "--annotate", "-m", tag, tag, commit, at=repository, env=later)
    else:
        git("tag", tag, commit, at=repository)
    return commit
