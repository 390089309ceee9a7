"""`amis.json` in the shape of pubsys, for tools that go on from there.

twoliter, tools/pubsys/src/aws/ami: an object from region to `Image` (mod.rs), whose launch permissions are objects of
one key each, named by serde's `rename_all = "lowercase"`: `group`, `userid`, `organizationarn`, `organizationalunitarn`
(launch_permissions.rs).
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from brqos.ami.model import RegionAmi
from brqos.errors import ConfigurationError
from brqos.files import write_atomically
from brqos.monitor import Monitor

_EVERYBODY = "all"


def amis_text(amis: Mapping[str, RegionAmi]) -> str:
    """The text of the file; `shared_with` tells who may launch each."""
    content = {
        region: {
            "id": amis[region].id,
            "name": amis[region].name,
            "public": _EVERYBODY in amis[region].shared_with,
            "launch_permissions": [launch_permission(name) for name in amis[region].shared_with],
        }
        for region in sorted(amis)
    }
    return json.dumps(content, indent=2) + "\n"


def launch_permission(name: str) -> dict[str, str]:
    """An account, `all`, or an ARN, as pubsys writes it."""
    if name == _EVERYBODY:
        return {"group": name}
    if not name.startswith("arn:"):
        return {"userid": name}
    # arn:<partition>:organizations::<account>:organization/<id>, or …:ou/<id of the organization>/<id>
    is_ou = name.split(":", 5)[-1].startswith("ou/")
    return {"organizationalunitarn" if is_ou else "organizationarn": name}


def check_writable(path: Path) -> None:
    """Refuse a place where the file could not be written, before there is anything to write; ConfigurationError."""
    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise ConfigurationError(
            f"{path} cannot be written",
            why="It is a folder." if path.is_dir() else "Its folder is not there, or may not be written to.",
            todo="Name a file in a folder that is there.",
        )


def try_to_write_amis(path: Path, amis: Mapping[str, RegionAmi], monitor: Monitor) -> None:
    """Write the file; where that cannot be done the AMIs are there all the same, and it is a warning."""
    try:
        write_amis(path, amis)
    except ConfigurationError as error:
        monitor.warn(f"{error.what}: {error.why}")


def write_amis(path: Path, amis: Mapping[str, RegionAmi]) -> None:
    """Write the file, whole or not at all; raises ConfigurationError where it cannot be written."""
    write_atomically(path, amis_text(amis))
