"""What rpm says: the spec file of the settings defaults, and the local package built for real."""

import hashlib
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from brqos import process
from fidelity.case import Case, CheckError, Source
from fidelity.matrix import SPEC

# Fedora's own macros that the SDK's build on, and that other distributions lack.
_FEDORA = """\
%_tmpfilesdir /usr/lib/tmpfiles.d
%_unitdir /usr/lib/systemd/system
%_userunitdir /usr/lib/systemd/user
%_sysusersdir /usr/lib/sysusers.d
%_binary_filedigest_algorithm 8
"""
_OWN_MACROS = Path(__file__).with_name("macros")


@dataclass(frozen=True, slots=True)
class InstalledFile:
    """An entry of an RPM: a path, the whole mode with the file type, and the SHA-256 of a regular file's bytes."""

    path: str
    mode: int
    sha256: str

    @property
    def is_directory(self) -> bool:
        """Whether the entry only makes a folder the package's own."""
        return self.mode & 0o170000 == 0o040000


def write_macros(target: Path, sdk: Source | None) -> Path:
    """A file with the macros of bottlerocket-sdk for x86_64 (joined as its Dockerfile joins them).

    Without a repository of the SDK the few that our specs need stand in, from a file beside this module.
    """
    if sdk is None:
        text = _OWN_MACROS.read_text(encoding="utf-8")
    else:
        text = "\n".join(sdk.text(f"macros/{name}") for name in ("x86_64", "shared", "rust", "cargo"))
        # The SDK's own check of what was installed runs too; in the SDK it lies beside rpm's programs.
        program = target.with_name("check-fips")
        program.write_text(sdk.text("macros/check-fips"), encoding="utf-8")
        program.chmod(0o755)
        text = re.sub(r"\S+/bottlerocket/check-fips", str(program), text)
    target.write_text(_FEDORA + text, encoding="utf-8")
    return target


def check_specs(case: Case, macros: Path) -> None:
    """In settings-defaults.spec the new name is served beside its base, and nothing else is otherwise than before."""
    upstream = case.pair.upstream
    before = _parsed_text(macros, upstream.text(SPEC))
    after = _parsed(macros, case.work_tree / SPEC)
    if before.keys() != after.keys():
        raise CheckError(f"the subpackages changed: {sorted(before.keys() ^ after.keys())}")
    base, new = case.pair.variant.base, case.new
    serving = [name for name, found in before.items() if f"bottlerocket-settings-defaults({base})" in found["P"]]
    if len(serving) != 1:
        raise CheckError(f"{base} is served by {serving}")
    for name in before:
        gained = (
            Counter(after[name]["P"]) - Counter(before[name]["P"]),
            Counter(before[name]["P"]) - Counter(after[name]["P"]),
        )
        wanted = {f"bottlerocket-settings-defaults({new})": 1} if name == serving[0] else {}
        if gained != (wanted, {}):
            raise CheckError(f"{name} provides {sorted(gained[0])} more and {sorted(gained[1])} less")
        old, now = alternatives(before[name]["R"]), alternatives(after[name]["R"])
        if now != old | ({f"bottlerocket-variant({new})"} if name == serving[0] else set()):
            raise CheckError(f"{name} requires {sorted(now)}, before {sorted(old)}")
        if len(after[name]["R"]) != len(before[name]["R"]):
            raise CheckError(f"{name} has another number of requirements: all of them would have to be met")


def check_package(case: Case, files: Sequence[InstalledFile], macros: Path) -> None:
    """The local package that was built has the payload's bytes, readable for all, and nothing else."""
    sources = payload(case.local_package)
    regular = [file for file in files if not file.is_directory]
    if Counter(file.sha256 for file in regular) != Counter(hashlib.sha256(p.read_bytes()).hexdigest() for p in sources):
        raise CheckError(
            f"the package has {[file.path for file in regular]}, the payload is {[p.name for p in sources]}"
        )
    for file in regular:
        if file.mode != 0o100644:
            raise CheckError(f"{file.path} has the mode {file.mode:o}")
    for file in files:
        if not file.path.startswith(_root(macros)):
            raise CheckError(f"{file.path} is not in the image")
    if any(file.path.endswith("/templates/kubelet-config") for file in files):
        raise CheckError("the kubelet's own package has a file templates/kubelet-config already")


def payload(package: Path) -> list[Path]:
    """The files of the folder that are meant for the image."""
    return sorted(path for path in package.iterdir() if path.name not in ("Cargo.toml", f"{package.name}.spec"))


def built_files(package: Path, macros: Path, folder: Path) -> list[InstalledFile]:
    """Build the package of a folder under `packages/`; all entries of the one RPM that comes of it, paths as in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    spec = package / f"{package.name}.spec"
    requires = process.run(["rpmspec", "--load", macros, "-q", "--srpm", "--qf", "%{NAME}\n", spec], check=False)
    if requires.status != 0:
        raise CheckError(f"rpmspec refuses {spec.name}: {requires.stderr.strip()}")
    if requires.text.strip() != f"bottlerocket-{package.name}":
        raise CheckError(f"the package is called {requires.text.strip()}, not bottlerocket-{package.name}")
    done = process.run(
        ["rpmbuild", "--load", macros, "-bb", "--nodeps", "--quiet",
         "--define", f"_topdir {folder}", "--define", f"_sourcedir {package}", spec],
        check=False,
    )  # fmt: skip
    if done.status != 0:
        raise CheckError(f"rpmbuild fails: {done.stderr.strip()[-2000:]}")
    made = list(folder.glob("RPMS/*/*.rpm"))
    if len(made) != 1:
        raise CheckError(f"rpmbuild made {[path.name for path in made]}")
    listed = process.run(["rpm", "-qp", "--qf", "[%{FILENAMES}\t%{FILEMODES}\t%{FILEDIGESTS}\n]", made[0]]).text
    entries = [line.split("\t") for line in listed.splitlines()]
    return [InstalledFile(path, int(mode), digest) for path, mode, digest in entries]


def in_image(path: str, macros: Path) -> str:
    """The path as it will be on the node."""
    return path.removeprefix(_root(macros))


@cache
def _root(macros: Path) -> str:
    return process.run(["rpm", "--load", macros, "--eval", "%{_cross_rootdir}"]).text.strip()


def _parsed(macros: Path, spec: Path) -> dict[str, dict[str, list[str]]]:
    """The packages of a spec file by name, each with what it provides (`P`) and requires (`R`)."""
    done = process.run(
        ["rpmspec", "--load", macros, "-q", "--qf", "N %{NAME}\n[P %{PROVIDENEVRS}\n][R %{REQUIRENEVRS}\n]", spec],
        check=False,
    )
    if done.status != 0:
        raise CheckError(f"rpmspec refuses {spec.name}: {done.stderr.strip()}")
    found: dict[str, dict[str, list[str]]] = {}
    current: dict[str, list[str]] = {}
    for kind, _, rest in (line.partition(" ") for line in done.text.splitlines()):
        if kind == "N":
            current = found.setdefault(rest, {"P": [], "R": []})
        else:
            current[kind].append(rest)
    return found


@cache
def _parsed_text(macros: Path, text: str) -> dict[str, dict[str, list[str]]]:
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "upstream.spec"
        spec.write_text(text, encoding="utf-8")
        return _parsed(macros, spec)


def alternatives(requires: list[str]) -> set[str]:
    """The words of all requirements, rich ones taken apart; a rich one must be made of “or” alone."""
    words: set[str] = set()
    for requirement in requires:
        if not requirement.startswith("("):
            words.add(requirement)
            continue
        found = re.findall(r"[^\s()]+\([^()]*\)|[^\s()]+", requirement)
        if set(found[1::2]) - {"or"}:
            raise CheckError(f"a requirement that is no choice: {requirement}")
        words |= set(found[::2])
    return words
