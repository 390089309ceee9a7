"""What is sent to the builders: one archive for all builds of a run, called by its SHA-256.

    brqos-<version>-py3-none-any.whl, requirements.txt   brqos itself, as it runs here
    config/<number>/<name>.toml                          the configuration files, as they are
    overlays/<variant>-<commit>.patch                    what was planned here: what upstream's source is changed by
    fleet.json                                           the builds, and what has to come of each

Keys are never in it. Values of [build.make-env] are, if a configuration file has them: the bucket is the account's own.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from brqos import __version__
from brqos.errors import ConfigurationError
from brqos.fleet.codebuild.members import Member, config_names
from brqos.fleet.codebuild.place import BUNDLES
from brqos.fleet.codebuild.wheel import requirements, wheel, wheel_name, zipped

REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True, slots=True)
class Bundle:
    """The archive; `hashed` tells whether all that pip fetches is held against hashes."""

    data: bytes
    hashed: bool

    @property
    def sha256(self) -> str:
        """Of the archive."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def key(self) -> str:
        """Where it lies in the bucket."""
        return bundle_key(self.sha256)


def bundle_key(sha256: str) -> str:
    """Where a bundle lies in the bucket."""
    return f"{BUNDLES}/{sha256}.zip"


def contents_of(files: Sequence[Path]) -> dict[Path, bytes]:
    """The configuration files' bytes; raises ConfigurationError for one that cannot be read."""
    try:
        return {file: file.read_bytes() for file in files}
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename} cannot be read", why=str(error), todo="Make it readable, or name another file."
        ) from None


def bundle_of(
    members: Sequence[Member],
    contents: Mapping[Path, bytes],
    overlays: Mapping[str, str],
    *,
    with_brqos: bool = True,
) -> Bundle:
    """The archive for these builds; the same bytes for the same builds, files and brqos."""
    files = {name: contents[file] for file, name in config_names(contents).items()}
    files |= {f"overlays/{name}.patch": text.encode() for name, text in overlays.items()}
    files["fleet.json"] = _fleet(members)
    hashed = True
    if with_brqos:
        needed = requirements()
        hashed = needed.hashed
        files |= {wheel_name(): wheel(), REQUIREMENTS: needed.text.encode()}
    return Bundle(zipped(files), hashed)


def _fleet(members: Sequence[Member]) -> bytes:
    told = [
        {
            "id": member.id,
            "identifier": member.identifier,
            "variant": member.entry.spec.variant,
            "arch": member.entry.spec.arch.value,
            "config": member.config,
            "expected": member.expected,
            "inputs": member.inputs,
        }
        for member in members
    ]
    return (json.dumps({"brqos": __version__, "builds": told}, indent=2) + "\n").encode()
