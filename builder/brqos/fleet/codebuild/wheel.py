"""brqos itself as a wheel, made from what is installed here: the builders run exactly this brqos.

The same files give the same bytes. In a checkout `variants/` and `templates/` lie beside the package, in a wheel inside
of it; here they always come inside. Format: the packaging guide's "Binary distribution format" and "Core metadata".
"""

import base64
import hashlib
import io
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import brqos
from brqos.errors import ToolError
from brqos.resources import data_directory, requirements_lock

_PACKAGE = Path(brqos.__file__).resolve().parent
_CHECKOUT = _PACKAGE.parents[1]
EXTRAS = ("repack", "official", "attest")
"""What builders have beside the least: both engines, and what verifies."""

_FIRST_TIME = (1980, 1, 1, 0, 0, 0)
_REGULAR = 0o100644 << 16
_NOT_SENT = {"__pycache__"}


@dataclass(frozen=True, slots=True)
class Requirements:
    """What brqos needs: the text for pip, and whether every download is held against a hash."""

    text: str
    hashed: bool


def wheel_name() -> str:
    """As pip wants it."""
    return f"brqos-{brqos.__version__}-py3-none-any.whl"


def wheel() -> bytes:
    """The wheel's bytes; raises ToolError where it cannot be told what brqos needs."""
    information = f"brqos-{brqos.__version__}.dist-info"
    files = {
        **_sources(),
        f"{information}/METADATA": _metadata().encode(),
        f"{information}/WHEEL": b"Wheel-Version: 1.0\nGenerator: brqos\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{information}/entry_points.txt": b"[console_scripts]\nbrqos = brqos.cli.main:main\n",
    }
    record = f"{information}/RECORD"
    return zipped({**files, record: _record(files, record)})


def requirements() -> Requirements:
    """The locked requirements where there is a lock, else the versions that are installed here; raises ToolError."""
    if (lock := requirements_lock()) is not None:
        return Requirements(lock.read_text(encoding="utf-8"), hashed=True)
    return Requirements("".join(f"{line}\n" for line in sorted(_installed())), hashed=False)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip archive: sorted, with one time and one mode, so the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in sorted(files.items()):
            member = zipfile.ZipInfo(name, _FIRST_TIME)
            member.external_attr, member.compress_type, member.create_system = _REGULAR, zipfile.ZIP_DEFLATED, 3
            archive.writestr(member, data)
    return buffer.getvalue()


def _sources() -> dict[str, bytes]:
    found = {f"brqos/{name}": data for name, data in _files(_PACKAGE)}
    for folder in ("variants", "templates"):
        found |= {f"brqos/{folder}/{name}": data for name, data in _files(data_directory(folder))}
    if (lock := requirements_lock()) is not None:
        found[f"brqos/{lock.name}"] = lock.read_bytes()
    return found


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(folder.rglob("*")):
        below = file.relative_to(folder)
        if file.is_file() and not _NOT_SENT & set(below.parts) and file.suffix != ".pyc":
            yield below.as_posix(), file.read_bytes()


def _record(files: Mapping[str, bytes], record: str) -> bytes:
    lines = [f"{name},sha256={_hash(data)},{len(data)}" for name, data in sorted(files.items())]
    return "\n".join([*lines, f"{record},,", ""]).encode()


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _metadata() -> str:
    python, needed = _declared()
    lines = [f"Requires-Dist: {requirement}" for requirement in needed]
    head = ["Metadata-Version: 2.1", "Name: brqos", f"Version: {brqos.__version__}", f"Requires-Python: {python}"]
    return "\n".join([*head, *lines, ""])


def _declared() -> tuple[str, list[str]]:
    """The Python that brqos needs, and its dependencies with its extras'."""
    project_file = _CHECKOUT / "pyproject.toml"
    if (_CHECKOUT / "builder" / "brqos").is_dir() and project_file.is_file():
        project = tomllib.loads(project_file.read_text(encoding="utf-8"))["project"]
        extras = project.get("optional-dependencies", {})
        return project["requires-python"], [*project["dependencies"], *(one for name in EXTRAS for one in extras[name])]
    try:
        told = metadata.metadata("brqos")
    except metadata.PackageNotFoundError:
        raise ToolError(
            "it cannot be told what brqos needs, so it cannot be sent to CodeBuild",
            why=f"There are neither metadata of an installed brqos nor a pyproject.toml near {_PACKAGE}.",
            todo="Install brqos by pip, or use a checkout.",
        ) from None
    needed = [text for text in told.get_all("Requires-Dist") or [] if _is_sent(text)]
    return told["Requires-Python"] or ">=3.11", [text.split(";")[0].strip() for text in needed]


def _is_sent(requirement: str) -> bool:
    """Whether a requirement is one of brqos itself, or of an extra that builders have."""
    _, _, marker = requirement.partition(";")
    return not marker or any(f"extra == '{name}'" in marker.replace('"', "'") for name in EXTRAS)


def _installed() -> set[str]:
    """`name==version` of all that brqos's dependencies consist of, as it is installed here."""
    waiting, seen = [_name(text) for text in _declared()[1]], set[str]()
    pinned = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            # Of another platform, or an extra that is not installed here: pip finds it by the wheel's metadata.
            continue
        pinned.add(f"{name}=={found.version}")
        waiting += [_name(text) for text in found.requires or [] if ";" not in text]
    return pinned


def _name(requirement: str) -> str:
    end = next((place for place, char in enumerate(requirement) if not (char.isalnum() or char in "._-")), None)
    return requirement[:end].lower().replace("_", "-")
