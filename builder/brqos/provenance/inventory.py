"""Upstream's list of the packages in an image, `application-inventory.json` (twoliter, embedded/rpm2img).

`{"Content": [{"Name", "Publisher", "Version", "Release", "Epoch", "InstalledTime", "ApplicationType", "Architecture",
"Url", "Summary"}]}`, sorted by name before the names of the core kit's packages lost their `bottlerocket-`. Before
twoliter 44a2623 (October 2024) there was no Epoch, and the packages of the core kit had the kit's version and the kit's
commit as release instead of their own.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from brqos.errors import ConfigurationError

# Upstream's has some 60 KB and 200 packages.
_LARGEST = 4 * 2**20


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """An installed RPM; `epoch` is `0` where it has none."""

    name: str
    version: str
    release: str
    epoch: str
    architecture: str
    publisher: str
    kind: str
    url: str
    summary: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """All packages, sorted; `sha256` is that of the file. `has_own_versions` is false for the form before Epoch."""

    packages: tuple[Package, ...]
    sha256: str
    has_own_versions: bool


def read_inventory(file: Path) -> Inventory:
    """Read the list; raises ConfigurationError for a file that is not there, or is not such a list."""
    try:
        with file.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as error:
        raise _wrong(file, error.strerror or str(error)) from None
    if len(data) > _LARGEST:
        raise _wrong(file, f"it has more than {_LARGEST} bytes")
    try:
        content = json.loads(data)["Content"]
        packages = tuple(sorted(_package(item) for item in content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _wrong(file, f"{type(error).__name__}: {error}") from None
    if not packages:
        raise _wrong(file, "it lists no package")
    return Inventory(packages, hashlib.sha256(data).hexdigest(), all("Epoch" in item for item in content))


def _package(item: dict[str, object]) -> Package:
    def text(key: str) -> str:
        # RPM writes (none) for a tag that a package does not have.
        value = str(item.get(key, ""))
        return "" if value == "(none)" else value

    if not (name := text("Name")):
        raise ValueError("a package has no name")
    return Package(
        name=name,
        version=text("Version"),
        release=text("Release"),
        epoch=text("Epoch") or "0",
        architecture=text("Architecture"),
        publisher=text("Publisher"),
        kind=text("ApplicationType"),
        url=text("Url"),
        summary=text("Summary"),
    )


def _wrong(file: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{file} is not a list of packages as upstream's build writes it",
        why=f"{why[0].upper()}{why[1:]}.",
        todo="Build again with --force; an image of somebody else's may have another list, or none.",
    )
