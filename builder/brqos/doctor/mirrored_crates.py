"""Whether a copy of crates.io answers as cargo asks it, and has a crate that the release pins.

By The Cargo Book, "Index Format" and "Registry Index": `config.json` says with `dl` where crates are, the index has one
file for each name, one line of JSON for each version, with the SHA-256 of the crate.
"""

import json
import re
import tomllib
from typing import Any
from urllib.parse import urlsplit

from brqos.config.mirrors import SPARSE
from brqos.doctor.model import Check, Status
from brqos.errors import BrqosError
from brqos.image.official.transport import NotThereError, Patience, TooLongError, TransferError, Web, read
from brqos.stages import Stage
from brqos.upstream.cargo_config import TOKEN
from brqos.upstream.tree import UpstreamTree

_NAME = "mirrored crates"
_FOR_BUILD = (Stage.BUILD,)
_LOCK = "sources/Cargo.lock"
_CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
# The longest files of crates.io's index have some megabytes.
_LIMIT = 32 << 20
_MARKERS = re.compile(r"\{(crate|version|prefix|lowerprefix|sha256-checksum)\}")
# cargo and registries take 401 for "log in first" (The Cargo Book, "Registry Authentication").
_LOGIN = "HTTP status 401"


class _LackingError(Exception):
    """The registry is not as cargo wants it; the message is what was found, `remedy` what to do."""

    def __init__(self, found: str, remedy: str, *, status: Status = Status.MISSING) -> None:
        super().__init__(found)
        self.remedy = remedy
        self.status = status


def check_crates(index: str, tree: UpstreamTree | None, patience: Patience) -> Check:
    """One check of the registry with this index (`sparse+https://host/path/`); without a tree of its answer alone."""
    base = index.removeprefix(SPARSE)
    try:
        template = _downloads(base, patience)
        crate = _pinned_crate(tree)
        if crate is None:
            return Check(_NAME, Status.FOUND, _FOR_BUILD, f"{base} (it answers)")
        _ask_for(base, template, crate, patience)
    except _LackingError as error:
        optional = error.status is Status.WARNING
        return Check(_NAME, error.status, _FOR_BUILD, str(error), remedy=error.remedy, optional=optional)
    return Check(_NAME, Status.FOUND, _FOR_BUILD, f"{base} (has {crate['name']} {crate['version']})")


def _downloads(base: str, patience: Patience) -> str:
    """Where crates are: `dl` of config.json."""
    no_registry = f"{base}config.json is not what a sparse registry has: {{}}. Give the URL that cargo is given."
    try:
        dl = str(json.loads(_read(f"{base}config.json", patience))["dl"])
        host = urlsplit(dl).hostname
    except NotThereError as error:
        raise _LackingError("no registry", no_registry.format(f"it is not there ({error})")) from None
    except (ValueError, KeyError, TypeError):
        raise _LackingError("no registry", no_registry.format("it has no “dl”")) from None
    if host is None:
        raise _LackingError("no registry", no_registry.format("its “dl” is no URL"))
    if host == "crates.io" or host.endswith(".crates.io"):
        raise _LackingError(
            f"sends on to {host}",
            f"Its config.json says that crates are at {dl}: have the mirror serve the crates, too, and name itself.",
        )
    return dl


def _pinned_crate(tree: UpstreamTree | None) -> dict[str, Any] | None:
    """A package of crates.io in the release's lock, as TOML has it; None where there is none to be seen."""
    if tree is None:
        return None
    try:
        packages = tomllib.loads(tree.files.text(_LOCK)).get("package", [])
        return next((package for package in packages if package.get("source") == _CRATES_IO), None)
    except (BrqosError, tomllib.TOMLDecodeError, AttributeError, TypeError):
        return None


def _ask_for(base: str, template: str, crate: dict[str, Any], patience: Patience) -> None:
    name, version, checksum = (str(crate.get(key, "")) for key in ("name", "version", "checksum"))
    told = f"{name} {version}"
    try:
        lines = _read(f"{base}{_prefix(name.lower())}/{name.lower()}", patience).decode().splitlines()
        entries = [json.loads(line) for line in lines if line.strip()]
        found = next((entry["cksum"] for entry in entries if entry["vers"] == version), None)
    except NotThereError:
        found = None
    except (ValueError, KeyError, TypeError):
        raise _LackingError("no registry", f"{base} has no index of {name} that cargo can read.") from None
    if found is None:
        remedy = f"{_LOCK} of the release names it: bring the mirror up to date, or let it fetch what it is asked for."
        raise _LackingError(f"has no {told}", remedy)
    if found != checksum:
        raise _LackingError(f"another {told}", f"Its SHA-256 is {found}, not {checksum} as {_LOCK} has it.")
    address = _address(template, name, version, checksum)
    try:
        _open(address, patience)
    except NotThereError as error:
        remedy = f"The index has it, but {address} is not there ({error}): copy the crates, too."
        raise _LackingError(f"has no {told}", remedy) from None


def _address(template: str, name: str, version: str, checksum: str) -> str:
    """Where a crate is; a `dl` without markers is the beginning of it."""
    markers = {
        "crate": name,
        "version": version,
        "prefix": _prefix(name),
        "lowerprefix": _prefix(name.lower()),
        "sha256-checksum": checksum,
    }
    if not _MARKERS.search(template):
        template = template.rstrip("/") + "/{crate}/{version}/download"
    return _MARKERS.sub(lambda match: markers[match[1]], template)


def _prefix(name: str) -> str:
    """The folder of a name in the index."""
    if len(name) <= 3:
        return f"3/{name[0]}" if len(name) == 3 else str(len(name))
    return f"{name[:2]}/{name[2:4]}"


def _read(address: str, patience: Patience) -> bytes:
    try:
        return read(Web(patience), address, _LIMIT, patience)
    except (TransferError, TooLongError) as error:
        raise _unreachable(address, error) from None


def _open(address: str, patience: Patience) -> None:
    try:
        with Web(patience).open(address):
            pass
    except TransferError as error:
        raise _unreachable(address, error) from None


def _unreachable(address: str, error: Exception) -> _LackingError:
    host = urlsplit(address).netloc
    if str(error) == _LOGIN:
        remedy = f"Set {TOKEN} for the build, as `cargo login` would keep it; what the mirror has was not asked for."
        return _LackingError(f"asks for a token ({host})", remedy, status=Status.WARNING)
    remedy = "Check the address, the network and the proxy; for a certificate of your own also CARGO_HTTP_CAINFO."
    return _LackingError(f"{error} ({host})", remedy)
