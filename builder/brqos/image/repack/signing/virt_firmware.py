"""`virt-fw-vars` of virt-firmware: EFI variables, and EC2's form of them.

It is started as a program, with the words of upstream's generate-local-sbkeys, and not imported: its licence is
GPL-2.0, and it ends the process on bad input. Tried with virt-firmware 26.10.
"""

import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from brqos import process
from brqos.errors import ConfigurationError, ToolError

_MODULE = "virt.firmware.vars"
_PROGRAM = "virt-fw-vars"
_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Variable:
    """An EFI variable: `guid` is its vendor's, in lower case."""

    name: str
    guid: str
    data: bytes


def write_variables(folder: Path, *, owner: str) -> None:
    """Make `efi-vars.json` and `efi-vars.aws` in a folder with PK.crt, KEK.crt and db.crt; `owner` is a GUID."""
    certificates = ("--set-pk", owner, "PK.crt", "--add-kek", owner, "KEK.crt", "--add-db", owner, "db.crt")
    _run(folder, *certificates, "--secure-boot", "--output-json", "efi-vars.json")
    _run(folder, "--set-json", "efi-vars.json", "--output-aws", "efi-vars.aws")


def read_variables(file: Path) -> dict[str, Variable]:
    """The variables of UEFI data in EC2's form, by their names; raises ConfigurationError if it is damaged."""
    try:
        said = _run(file.absolute().parent, "-i", str(file.absolute()), "--output-json", "-")
        return {
            str(entry["name"]): Variable(entry["name"], entry["guid"].lower(), bytes.fromhex(entry["data"]))
            for entry in json.loads(said)["variables"]
        }
    except (process.ProcessError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"the UEFI data {file} cannot be decoded",
            why=error.reason if isinstance(error, process.ProcessError) else str(error),
            todo=f"Make it again with `{_PROGRAM} --set-json efi-vars.json --output-aws efi-vars.aws`.",
        ) from error


def _run(folder: Path, *words: str) -> str:
    return process.run([*_program(), *words], cwd=folder, timeout=_SECONDS).text


def _program() -> tuple[str, ...]:
    try:
        here = importlib.util.find_spec(_MODULE)
    except ModuleNotFoundError:
        here = None
    if here is not None:
        return sys.executable, "-m", _MODULE
    if process.find(_PROGRAM) is not None:
        return (_PROGRAM,)
    raise ToolError(
        f"the Python package “virt-firmware” ({_PROGRAM}) is not installed",
        why="It makes and reads the UEFI data that an AMI is registered with.",
        todo="Install brqos with its extra: pip install 'brqos[repack]'",
    )
