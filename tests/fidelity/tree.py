"""What git and cargo say about the work tree."""

import hashlib
import json
import re
import tomllib
from pathlib import Path

from brqos import process
from fidelity.case import Case, CheckError

_STATUS = {"A": {"create", "link"}, "M": {"modify"}, "D": {"delete"}}
_ALLOWED = re.compile(
    r"Cargo\.toml|Cargo\.lock|packages/settings-defaults/settings-defaults\.spec"
    r"|packages/(?P<package>[^/]+)/[^/]+|variants/(?P<variant>[^/]+)/[^/]+"
    r"|sources/settings-defaults/[^/]+/defaults\.d/[^/]+\.toml"
)


def check_commit(case: Case) -> None:
    """One commit on top of upstream's, checked out clean, with exactly the files that the JSON object lists."""
    commit, upstream = case.surface["commit"], case.pair.upstream.commit
    if (head := case.git("rev-parse", "HEAD").strip()) != commit:
        raise CheckError(f"HEAD is {head}, not {commit}")
    if (parents := case.git("rev-list", "--parents", "-1", commit).split()[1:]) != [upstream]:
        raise CheckError(f"the commit's parents are {parents}, not upstream's {upstream}")
    # Untracked files count, ignored ones too: upstream's build would find them.
    if status := case.git("status", "--porcelain", "--ignored").strip():
        raise CheckError(f"the work tree is not clean: {status.splitlines()[:5]}")
    _check_differences(case, commit, upstream)


def _check_differences(case: Case, commit: str, upstream: str) -> None:
    listed = {file["path"]: file for file in case.surface["files"]}
    raw = case.git("diff-tree", "-r", "--raw", "--no-renames", "--no-abbrev", "-z", upstream, commit).split("\0")
    changed = {path: meta for meta, path in zip(raw[::2], raw[1::2], strict=False)}
    if changed.keys() != listed.keys():
        raise CheckError(f"changed but not listed, or the other way round: {sorted(changed.keys() ^ listed.keys())}")
    for path, meta in changed.items():
        _, mode, _, blob, status = meta.split()
        _check_file(case, path, mode, blob, status, listed[path])


def _check_file(case: Case, path: str, mode: str, blob: str, status: str, listed: dict[str, str]) -> None:
    operation = listed["operation"]
    if operation not in _STATUS.get(status, set()):
        raise CheckError(f"git says {status} about {path}, the JSON object says {operation}")
    if (mode == "120000") != (operation == "link") or mode not in ("100644", "120000"):
        raise CheckError(f"{path} has the mode {mode} and the operation {operation}")
    content = process.run(["git", "-C", str(case.work_tree), "cat-file", "blob", blob]).stdout
    if hashlib.sha256(content).hexdigest() != listed["sha256"]:
        raise CheckError(f"{path} has another SHA-256 than listed")
    match = _ALLOWED.fullmatch(path)
    if match is None or match["variant"] not in (None, case.new):
        raise CheckError(f"{path} is nothing that an overlay may change")


def check_variant(case: Case) -> None:
    """The new variant's folder is the base's with the name, one package and one dependency changed, links kept."""
    upstream = case.pair.upstream.files(f"variants/{case.pair.variant.base}")
    made = case.git("ls-tree", "-r", "-z", "HEAD", f"variants/{case.new}/").split("\0")
    new = {
        path.rpartition("/")[2]: meta.split()[0] + " " + meta.split()[2]
        for meta, _, path in (m.partition("\t") for m in made)
        if path
    }
    base = {path.rpartition("/")[2]: meta for path, meta in upstream.items()}
    for name, meta in base.items():
        if name != "Cargo.toml" and not name.startswith("README") and new.get(name) != meta:
            raise CheckError(f"variants/{case.new}/{name} is not the base's ({new.get(name)} instead of {meta})")
    package = case.local_package.name
    manifest = (case.work_tree / f"variants/{case.new}/Cargo.toml").read_text(encoding="utf-8")
    expected = _with(case.pair.upstream.text(f"variants/{case.pair.variant.base}/Cargo.toml"), case, package)
    if _toml(manifest) != expected:
        raise CheckError(f"variants/{case.new}/Cargo.toml is not the base's with our package")


def _with(manifest: str, case: Case, package: str) -> dict:
    document = _toml(manifest)
    document["package"]["name"] = case.new.replace(".", "_")
    document["package"]["metadata"]["build-variant"]["included-packages"].append(package)
    document["build-dependencies"][package] = {"path": f"../../packages/{package}"}
    return document


def _toml(text: str) -> dict:
    return tomllib.loads(text)


def check_cargo(case: Case, cargo: str | Path = "cargo") -> None:
    """`cargo metadata --locked --offline` accepts the root workspace, and the new crates are in it rightly."""
    done = process.run(
        [cargo, "metadata", "--locked", "--offline", "--format-version", "1"], cwd=case.work_tree, check=False
    )
    if done.status != 0:
        raise CheckError(f"cargo refuses the workspace: {done.stderr.strip()}")
    metadata = json.loads(done.text)
    packages = {found["name"]: found for found in metadata["packages"]}
    crate, local = case.new.replace(".", "_"), case.local_package.name
    if not {crate, local} <= packages.keys():
        raise CheckError(f"the workspace lacks {crate} or {local}")
    wanted = {dependency["name"] for dependency in packages[case.pair.variant.base.replace(".", "_")]["dependencies"]}
    has = {dependency["name"] for dependency in packages[crate]["dependencies"]}
    if has != wanted | {local}:
        raise CheckError(f"{crate} depends on {sorted(has)}, its base on {sorted(wanted)}")
    if case.git("status", "--porcelain").strip():
        raise CheckError("cargo changed the tree")
