"""Whether each mirror of `[mirrors]` answers, and has what the release needs: asked over the network, nothing is kept.

Each question waits some seconds at most, and they are asked side by side.
"""

import tempfile
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from brqos import process
from brqos.architecture import Architecture
from brqos.config.mirrors import MirrorsSpec
from brqos.config.model import BuildSpec, Engine
from brqos.doctor.mirrored_crates import check_crates
from brqos.doctor.mirrored_images import check_images
from brqos.doctor.model import Check, Report, Status
from brqos.errors import BrqosError
from brqos.image.official.repository import Location, source_of
from brqos.image.official.root_of_trust import Trust, trusted_root
from brqos.image.official.transport import Folder, NotThereError, Patience, TransferError, Web
from brqos.monitor import Silent
from brqos.stages import Stage
from brqos.upstream.cargo_config import cargo_config_of
from brqos.upstream.git import git
from brqos.upstream.locked_images import is_older, twoliter_version
from brqos.upstream.mirror import Mirror, is_local, open_mirror
from brqos.upstream.override import FIRST_TWOLITER, override_of
from brqos.upstream.tree import UpstreamTree, read_tree

PATIENCE = Patience(connect_seconds=5, read_seconds=10, whole_seconds=15, tries=1)
_GIT_SECONDS = 20.0
_FETCH_SECONDS = 30.0
# The .xz File Format, version 1.2.1, 2.1.1.1.
_XZ = b"\xfd7zXZ\0"
_FOR_SOURCE = (Stage.GENERATE, Stage.BUILD)
_FOR_BUILD = (Stage.BUILD,)
_NETWORK = "Check the address, the network and the proxy; `brqos init --print` explains [mirrors]."
# git's credential.c and http.c, in the language C; what servers say by SSH.
_WANTS_LOGIN = ("terminal prompts disabled", "Authentication failed", "Permission denied")
_GIT_LOGIN = "give git a login for it, by a credential helper (gitcredentials), ~/.netrc, or an SSH key."
# twoliter 0.7.0 builds without a frontend from Docker Hub (its CHANGELOG), with Bottlerocket v1.31.0.
_FIRST_WITHOUT_FRONTEND = (0, 7, 0)

_Checks = list[Check]


def with_mirrors(report: Report, spec: BuildSpec, cache: Path, patience: Patience = PATIENCE) -> Report:
    """The report, and behind it what was found about the mirrors that the engine uses for the stages of the report."""
    checks = check_mirrors(spec, report.stages, cache, patience)
    return replace(report, checks=(*report.checks, *checks)) if checks else report


def check_mirrors(spec: BuildSpec, stages: Collection[Stage], cache: Path, patience: Patience = PATIENCE) -> _Checks:
    """All checks of the mirrors; none for an engine or stages that fetch nothing from them. Raises no BrqosError."""
    if spec.mirrors == MirrorsSpec():
        return []
    if spec.build.engine is Engine.REPACK:
        asked = spec.mirrors.tuf and spec.repack.image is None and Stage.BUILD in stages
        return _update_repository(spec, patience) if asked else []
    if not {Stage.GENERATE, Stage.BUILD} & set(stages):
        return []
    repositories = (spec.upstream.repository, spec.upstream.core_kit)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(partial(_repository, spec), repositories))
        if found[1] and not found[1].is_there:
            why = "it is read for releases before v1.44.0 and for Kubernetes 1.37 and later only"
            found[1] = replace(found[1], optional=True, remedy=f"{found[1].remedy} ({why})")
        checks = [check for check in found if check is not None]
        if Stage.BUILD in stages:
            # A place that does not answer is not waited for again.
            tree = _tree(spec, cache, reachable=not (found[0] and found[0].stops))
            asks: tuple[Callable[[], _Checks], ...] = (
                partial(_images, spec, tree, patience),
                partial(_sources, spec.mirrors.sources, patience),
                partial(_twoliter, spec.mirrors.twoliter, tree, patience),
                partial(_crates, spec.mirrors, tree, patience),
            )
            checks += [check for some in pool.map(lambda ask: ask(), asks) for check in some]
            checks += _from_docker_hub(tree)
    return checks


def _repository(spec: BuildSpec, repository: str) -> Check | None:
    """Whether the place answers; of Bottlerocket's own also, whether it has the tag or branch that is built."""
    place = spec.mirrors.place_of(repository)
    if place == repository:
        return None
    name = f"mirror of {repository.rstrip('/').rpartition('/')[2].removesuffix('.git')}"
    if is_local(place):
        try:
            open_mirror(repository, Path(), offline=True, monitor=Silent(), place=place)
        except BrqosError as error:
            return Check(name, Status.MISSING, _FOR_SOURCE, error.what, remedy=error.todo)
        return Check(name, Status.FOUND, _FOR_SOURCE, place)
    ref = spec.upstream.ref if repository == spec.upstream.repository else None
    return _asked(name, place, ref or "")


def _asked(name: str, place: str, ref: str) -> Check:
    names = [f"refs/tags/{ref}", f"refs/tags/v{ref}", f"refs/heads/{ref}"] if ref else ["HEAD"]
    try:
        done = git("ls-remote", place, *names, network=True, check=False, timeout=_GIT_SECONDS)
    except process.TimedOut:
        return Check(name, Status.MISSING, _FOR_SOURCE, f"no answer in {_GIT_SECONDS:g} s", remedy=_NETWORK)
    if done.status != 0:
        # `fatal: unable to access '<URL>': <why>`
        reason = process.ProcessError(done).reason
        why = reason.splitlines()[-1].rpartition("': ")[2].removeprefix("fatal: ")
        if any(words in reason for words in _WANTS_LOGIN):
            return Check(name, Status.MISSING, _FOR_SOURCE, "it asks for a login", remedy=f"{place}: {_GIT_LOGIN}")
        return Check(name, Status.MISSING, _FOR_SOURCE, why, remedy=f"{place} cannot be asked. {_NETWORK}")
    if not done.text.strip() and not _is_commit(ref):
        remedy = f"{place} answers, and has neither a tag nor a branch {ref}: bring the mirror up to date."
        if not ref:
            remedy = f"{place} answers, and names no commit: is it a repository, and is there something in it?"
        return Check(name, Status.MISSING, _FOR_SOURCE, f"has no {ref or 'HEAD'}", remedy=remedy)
    return Check(name, Status.FOUND, _FOR_SOURCE, place)


def _is_commit(ref: str) -> bool:
    return len(ref) >= 7 and all(digit in "0123456789abcdef" for digit in ref)


def _tree(spec: BuildSpec, cache: Path, *, reachable: bool) -> UpstreamTree | None:
    """The release's tree: from the cache where it is there, else its newest commit alone, fetched into thin air."""
    wanted = spec.upstream
    place = spec.mirrors.place_of(wanted.repository)
    ref = wanted.ref or ""
    try:
        mirror = open_mirror(wanted.repository, cache, offline=True, monitor=Silent(), place=place)
        return _read(mirror, ref)
    except BrqosError:
        if wanted.offline or is_local(place) or not reachable:
            return None
    with tempfile.TemporaryDirectory(prefix="brqos-doctor-") as folder:
        path = Path(folder)
        try:
            git("init", "--quiet", "--bare", path)
            for name in (f"refs/tags/{ref}", f"refs/tags/v{ref}", f"refs/heads/{ref}", ref):
                options = ("--quiet", "--depth=1", place, f"+{name}:refs/tags/v{ref.removeprefix('v')}")
                if git("fetch", *options, at=path, network=True, check=False, timeout=_FETCH_SECONDS).status == 0:
                    return _read(Mirror(wanted.repository, path, fixed=True), f"v{ref.removeprefix('v')}")
        except (BrqosError, process.ProcessError, process.TimedOut):
            return None
    return None


def _read(mirror: Mirror, ref: str) -> UpstreamTree:
    return read_tree(mirror.path, mirror.repository, ref, mirror.resolve(ref, Silent()))


def _images(spec: BuildSpec, tree: UpstreamTree | None, patience: Patience) -> _Checks:
    if not spec.mirrors.has_images:
        return []
    if tree is None:
        remedy = "Which kits and which SDK is said by the release's source, which could not be had: see above."
        return [Check("mirrored kits", Status.WARNING, _FOR_BUILD, "not checked", remedy=remedy)]
    try:
        override_of(tree, spec.mirrors)
    except BrqosError as error:
        return [Check("mirrored kits", Status.MISSING, _FOR_BUILD, error.what, remedy=error.todo)]
    return check_images(tree, spec.mirrors, patience)


def _sources(place: str | None, patience: Patience) -> _Checks:
    if place is None:
        return []
    # Which files it has to have is told by packages that are built from source. Of Bottlerocket's releases since
    # v1.21.0 none has such: all of them come in kits. So an answer is all that there is to want.
    host = urlsplit(place).netloc
    try:
        with Web(patience).open(f"{place}/"):
            pass
    except NotThereError:
        pass
    except TransferError as error:
        return [Check("source cache", Status.MISSING, _FOR_BUILD, f"{error} ({host})", remedy=_NETWORK)]
    return [Check("source cache", Status.FOUND, _FOR_BUILD, f"{place} (it answers)")]


def _twoliter(place: str | None, tree: UpstreamTree | None, patience: Patience) -> _Checks:
    if place is None:
        return []
    version = twoliter_version(tree.files) if tree else ""
    if not version:
        remedy = "Which version is said by the release's source, which could not be had: see above."
        return [Check("mirrored twoliter", Status.WARNING, _FOR_BUILD, "not checked", remedy=remedy)]
    # It runs on this machine, whatever it builds for.
    file = f"releases/download/{version}/twoliter-{Architecture.of_this_machine()}-unknown-linux-musl.tar.xz"
    why = _why_not(f"{place}/{file}", patience, begins=_XZ)
    if why:
        remedy = f"{place}/{file} has to be a copy of https://github.com/bottlerocket-os/twoliter/{file}. {_NETWORK}"
        return [Check("mirrored twoliter", Status.MISSING, _FOR_BUILD, why, version, remedy)]
    if is_older(version, FIRST_TWOLITER):
        # tools/install-twoliter.sh compares a SHA-256 from v1.23.0 on.
        remedy = "This release compares no checksum of it: whatever the mirror has is run."
        return [
            Check("mirrored twoliter", Status.WARNING, _FOR_BUILD, f"{version} is there", remedy=remedy, optional=True)
        ]
    return [Check("mirrored twoliter", Status.FOUND, _FOR_BUILD, version)]


def _why_not(address: str, patience: Patience, *, begins: bytes = b"") -> str:
    """Why a file cannot be read, or is another than one that `begins` so; empty where all is well."""
    local = address.startswith("file:")
    try:
        transport = Folder() if local else Web(patience)
        with transport.open(Location.parse(address).text if local else address) as body:
            # Some servers answer any question with a page, for people to log in for example.
            first = next(body.pieces, b"") if begins else b""
            return "" if first.startswith(begins) else "it is another file, or a page for people"
    except NotThereError as error:
        return f"it is not there ({error})"
    except TransferError as error:
        return str(error)


def _update_repository(spec: BuildSpec, patience: Patience) -> _Checks:
    source = source_of(spec.repack, spec.mirrors)
    place = source.metadata_for(spec.variant, spec.arch)
    trust = Trust(file=spec.repack.tuf_root, sha512=spec.repack.tuf_root_sha512)
    try:
        root = trusted_root(trust, place, ask_official=False, patience=patience, monitor=Silent())
    except BrqosError as error:
        told = f"{error.what}: {error.why.splitlines()[0]}" if error.why else error.what
        return [Check("update repository", Status.MISSING, _FOR_BUILD, told, remedy=error.todo)]
    why = _why_not(place.of("timestamp.json") if place.is_url else f"file://{place.of('timestamp.json')}", patience)
    if why:
        remedy = f"The copy at {place} has no timestamp.json: copy all of the folder. {_NETWORK}"
        return [Check("update repository", Status.MISSING, _FOR_BUILD, why, remedy=remedy)]
    return [Check("update repository", Status.FOUND, _FOR_BUILD, f"{place} (root of trust {root.sha512[:12]}…)")]


def _crates(mirrors: MirrorsSpec, tree: UpstreamTree | None, patience: Patience) -> _Checks:
    if mirrors.crates is None:
        remedy = (
            "The crates of sources/ come from crates.io: give mirrors.crates, or let it be reached through a proxy "
            "(HTTPS_PROXY)."
        )
        return [Check("crates.io", Status.WARNING, _FOR_BUILD, "not mirrored", remedy=remedy, optional=True)]
    if tree is not None:
        try:
            cargo_config_of(tree, mirrors)
        except BrqosError as error:
            return [Check("mirrored crates", Status.MISSING, _FOR_BUILD, error.what, remedy=error.todo)]
    return [check_crates(mirrors.crates, tree, patience)]


def _from_docker_hub(tree: UpstreamTree | None) -> Iterator[Check]:
    """What Docker's daemon fetches by itself, which nothing in the tree or the environment leads elsewhere."""
    if tree is not None and is_older(twoliter_version(tree.files), _FIRST_WITHOUT_FRONTEND):
        remedy = (
            "Docker fetches docker/dockerfile:1.4.3 from Docker Hub for releases before v1.31.0: give its daemon a "
            "mirror (registry-mirrors in /etc/docker/daemon.json), or build v1.31.0 or later."
        )
        yield Check("Docker Hub", Status.WARNING, _FOR_BUILD, "not mirrored by brqos", remedy=remedy, optional=True)
