"""cosign (sigstore/cosign): it signs with keys in files, in other clouds' services, in tokens, or without any key.

cosign is given the encoding that DSSE signs (`sign-blob`), and so makes the very signature that its own `attest-blob`
would: `cosign verify-blob-attestation` takes the envelope. Its own command would make a statement with one subject.
With a key nothing is sent to sigstore's public log: who publishes what images is not for everybody. Without a key
(`keyless`) certificate and log entry are what a signature is worth anything by; cosign keeps them in a bundle.
"""

import base64
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from brqos import process
from brqos.errors import ConfigurationError, ToolError
from brqos.process import Completed, ProcessError, TimedOut
from brqos.provenance.envelope import Signature, decoded

PROGRAM = "cosign"
_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Identity:
    """Who must have signed without a key: the certificate's identity, and who vouched for it."""

    identity: str
    issuer: str


def sign(data: bytes, key: str | None, bundle: Path) -> Signature:
    """Sign data; without a key `bundle` is written too. Raises ToolError, ConfigurationError."""
    argv = [PROGRAM, "sign-blob", "--yes"]
    with tempfile.TemporaryDirectory(prefix="brqos-cosign-") as folder:
        output = Path(folder) / "signature"
        if key is None:
            argv += ["--bundle", str(bundle)]
        else:
            argv += ["--key", key, "--tlog-upload=false"]
            argv += ["--use-signing-config=false", "--new-bundle-format=false"] if _major() >= 3 else []
        completed = _run([*argv, "--output-signature", str(output), "-"], data, "sign")
        if output.is_file():
            text = output.read_text()
        else:
            text = _signature_in(bundle) if key is None and bundle.is_file() else completed.text
    try:
        signature = decoded(text.strip())
        if not signature:
            raise ValueError("there is none")
        return Signature(signature)
    except (ValueError, TypeError) as error:
        raise _failed("sign", f"What it printed is no signature ({error}).") from None


def verify(data: bytes, signature: bytes, key: str) -> bool:
    """Whether the key made the signature; raises ToolError, ConfigurationError."""
    with tempfile.TemporaryDirectory(prefix="brqos-cosign-") as folder:
        file = Path(folder) / "signature"
        file.write_text(base64.b64encode(signature).decode())
        argv = [PROGRAM, "verify-blob", "--key", key, "--insecure-ignore-tlog=true", "--signature", str(file), "-"]
        return _verified(argv, data)


def verify_keyless(data: bytes, bundle: Path, by: Identity) -> bool:
    """Whether the bundle's certificate is that identity's and its key made the signature; raises ToolError."""
    wanted = ["--certificate-identity", by.identity, "--certificate-oidc-issuer", by.issuer]
    return _verified([PROGRAM, "verify-blob", "--bundle", str(bundle), *wanted, "-"], data)


def not_installed(why: str) -> ToolError:
    """The error for a machine without cosign."""
    return ToolError(
        "cosign is not installed",
        why=why,
        todo="Install it: https://docs.sigstore.dev/cosign/system_config/installation/ (or sign with kms).",
    )


def _signature_in(bundle: Path) -> str:
    """The signature in a bundle, where cosign >= 3 writes it and nowhere else (its sign_blob.go), in base64.

    Bundles: sigstore/protobuf-specs, sigstore_bundle.proto, in JSON; before that cosign's own LocalSignedPayload.
    """
    try:
        told = json.loads(bundle.read_bytes())
        found = told["messageSignature"]["signature"] if "messageSignature" in told else told["base64Signature"]
        return str(found)
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _verified(argv: list[str], data: bytes) -> bool:
    completed = _completed(argv, data)
    if completed.status == 0:
        return True
    told = completed.stderr.lower()
    if any(words in told for words in ("invalid signature", "failed to verify signature", "none of the expected")):
        return False
    raise _failed("verify", ProcessError(completed).reason)


def _run(argv: list[str], data: bytes, what: str) -> Completed:
    completed = _completed(argv, data)
    if completed.status != 0:
        raise _failed(what, ProcessError(completed).reason)
    return completed


def _completed(argv: list[str], data: bytes) -> Completed:
    try:
        return process.run(argv, stdin=data, check=False, timeout=_SECONDS)
    except ToolError as error:
        raise not_installed(error.why) from None
    except TimedOut:
        raise _failed("answer", f"It did not end within {_SECONDS} seconds.") from None


def _major() -> int:
    """cosign's major version; 2 where it does not say one."""
    try:
        told = json.loads(_completed([PROGRAM, "version", "--json"], b"").stdout)
        return int(str(told["gitVersion"]).removeprefix("v").split(".")[0])
    except (ValueError, KeyError, TypeError):
        return 2


def _failed(what: str, why: str) -> ConfigurationError:
    password = "" if "COSIGN_PASSWORD" in os.environ else " A key with a password needs it in COSIGN_PASSWORD."
    return ConfigurationError(
        f"cosign could not {what}",
        why=why,
        todo=f"Correct the key's name, or what cosign needs to reach it.{password}",
    )
