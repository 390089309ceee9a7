"""Signatures of EFI programs, made by `sbsign` and checked by `sbverify` (sbsigntool; tried with 0.9.4)."""

from pathlib import Path

from brqos import process
from brqos.errors import ConfigurationError, ToolError

_SECONDS = 120.0


def sign(data: bytes, name: str, *, key: Path, certificate: Path, folder: Path) -> bytes:
    """The program with one more signature; `folder` is a private one. Raises ToolError if sbsign fails.

    "Gaps between PE/COFF sections", which sbsign says of shim and some kernels, is about the table of symbols behind
    the sections: it is signed with the rest.
    """
    unsigned, signed = folder / f"{name}.unsigned", folder / f"{name}.signed"
    unsigned.write_bytes(data)
    pair = ("--key", key.absolute(), "--cert", certificate.absolute())
    try:
        process.run(["sbsign", *pair, "--output", signed, unsigned], cwd=folder, timeout=_SECONDS)
        return signed.read_bytes()
    except (process.ProcessError, process.TimedOut, FileNotFoundError) as error:
        raise ToolError(
            f"sbsign could not sign {name}",
            why=error.reason if isinstance(error, process.ProcessError) else str(error),
            todo="Try sbsigntool 0.9.4 or newer; if it fails there too, please report it as a bug of brqos.",
        ) from error
    finally:
        unsigned.unlink(missing_ok=True)
        signed.unlink(missing_ok=True)


def check(data: bytes, name: str, *, certificate: Path, folder: Path) -> None:
    """Let sbverify find a signature by a key that the certificate vouches for; else raises ConfigurationError."""
    file = folder / f"{name}.check"
    file.write_bytes(data)
    try:
        process.run(["sbverify", "--cert", certificate.absolute(), file], cwd=folder, timeout=_SECONDS)
    except (process.ProcessError, process.TimedOut) as error:
        raise ConfigurationError(
            f"{name} carries no valid signature under {certificate.name}",
            why=error.reason if isinstance(error, process.ProcessError) else str(error),
            todo="It was signed with other keys, or changed afterwards: repack the image anew with this profile.",
        ) from error
    finally:
        file.unlink(missing_ok=True)
