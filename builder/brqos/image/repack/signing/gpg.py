"""GnuPG with a home of its own: the user's keys, settings and agent are neither seen nor touched.

GRUB knows RSA and DSA keys, and SHA-256 and SHA-512 (bottlerocket-kernel-kit's grub.spec, VERIFY_MODS).
Tried with GnuPG 2.2.40.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from brqos import process
from brqos.errors import ConfigurationError, ToolError
from brqos.image.repack.signing.private_folder import private_folder

_RSA = "1"
_SECONDS = 120.0
# doc/DETAILS of GnuPG, "Format of the colon listings": what stands in which field of a `sec` line, counted from 0.
_VALIDITY, _ALGORITHM, _TOKEN = 1, 3, 14
_HERE = "+"


@dataclass(frozen=True, slots=True)
class GnuPg:
    """The programs, on one home."""

    home: Path

    def make_key(self, user_id: str) -> str:
        """Make an RSA key of 2048 bits without passphrase and end, as upstream's generate-local-sbkeys does.

        Returns its fingerprint. `user_id` is one line.
        """
        parameters = f"Key-Type: RSA\nKey-Length: 2048\nName-Real: {user_id}\nExpire-Date: 0\n%no-protection\n%commit\n"
        self._gpg("--gen-key", stdin=parameters.encode(), what="a signing key for grub.cfg could not be made")
        return self.secret_key()

    def take(self, file: Path) -> None:
        """Import the keys of a file; raises ConfigurationError if there is none in it."""
        self._gpg("--import", str(file.absolute()), what=f"{file} cannot be imported by gpg")

    def take_public(self, key: bytes) -> None:
        """Import a public key."""
        self._gpg("--import", stdin=key, what="GRUB's public key cannot be imported by gpg")

    def secret_key(self) -> str:
        """The fingerprint of the only secret key; raises ConfigurationError for none, several, or one of no use."""
        lines = [line.split(":") for line in self._gpg("--with-colons", "--list-secret-keys").text.splitlines()]
        keys = [line for line in lines if line[0] == "sec"]
        if len(keys) != 1:
            raise _unusable(f"It has {len(keys)} secret keys, and one is needed.")
        key = keys[0]
        if key[_ALGORITHM] != _RSA:
            raise _unusable("It is no RSA key: GRUB cannot check signatures of other kinds.")
        if key[_VALIDITY] in {"e", "r", "d"}:
            raise _unusable("It has expired, was revoked, or is disabled.")
        if key[_TOKEN] != _HERE:
            raise _unusable("The secret part is not in the file, but on a card or in KMS.")
        return next(line[9] for line in lines if line[0] == "fpr")

    def export_public(self, fingerprint: str) -> bytes:
        """The public key as GRUB reads it: OpenPGP packets, not armored."""
        return self._gpg("--export-options", "export-minimal", "--export", fingerprint).stdout

    def export_secret(self, fingerprint: str) -> str:
        """The secret key, armored, as upstream's `config-sign.key`."""
        return self._gpg("--armor", "--export-secret-keys", fingerprint).text

    def sign(self, data: bytes, fingerprint: str) -> bytes:
        """A detached signature, not armored."""
        words = ("--local-user", fingerprint, "--digest-algo", "SHA512", "--detach-sign", "--output", "-")
        return self._gpg(
            *words,
            stdin=data,
            what="grub.cfg could not be signed by gpg",
            todo="A key with a passphrase cannot be used: make a profile with `brqos keys new`.",
        ).stdout

    def check(self, data: bytes, signature: bytes) -> str | None:
        """The fingerprint of the key whose good signature this is, or None if it is none of a key that is here."""
        file = self.home / "signature"
        file.write_bytes(signature)
        done = self._run("--status-fd", "1", "--verify", str(file), "-", stdin=data, check=False)
        file.unlink()
        valid = [line.split() for line in done.text.splitlines() if line.startswith("[GNUPG:] VALIDSIG ")]
        return valid[0][2] if done.status == 0 and len(valid) == 1 else None

    def stop(self) -> None:
        """End the agent, and whatever else gpg started on this home."""
        # It ends by itself, too, when its home is gone; and what we have to say is not about that.
        with contextlib.suppress(ToolError, process.ProcessError, process.TimedOut):
            process.run(["gpgconf", "--kill", "all"], cwd=self.home, env=self._environment, timeout=_SECONDS)

    @property
    def _environment(self) -> dict[str, str | None]:
        return {"GNUPGHOME": str(self.home), "LC_ALL": "C", "GPG_AGENT_INFO": None, "GPG_TTY": None}

    def _gpg(self, *words: str, stdin: bytes | None = None, what: str = "", todo: str = "") -> process.Completed:
        try:
            return self._run(*words, stdin=stdin)
        except process.ProcessError as error:
            raise ConfigurationError(
                what or "gpg failed", why=error.reason, todo=todo or "Give a complete signing profile."
            ) from error

    def _run(self, *words: str, stdin: bytes | None = None, check: bool = True) -> process.Completed:
        general = ("gpg", "--no-options", "--batch", "--no-tty", "--quiet", "--yes", "--pinentry-mode", "error")
        try:
            return process.run(
                [*general, *words], cwd=self.home, env=self._environment, stdin=stdin, check=check, timeout=_SECONDS
            )
        except process.TimedOut as error:
            raise ToolError(
                f"gpg did not end within {_SECONDS:.0f} s",
                why="Its agent may not be able to start here.",
                todo=f"Try `gpg --version` and `gpgconf --list-dirs`, and look at the space in {self.home.parent}.",
            ) from error


@contextlib.contextmanager
def gnupg() -> Iterator[GnuPg]:
    """GnuPG on a new, empty home of mode 0700; afterwards its agent and the home are gone."""
    with private_folder() as home:
        found = GnuPg(home)
        try:
            yield found
        finally:
            found.stop()


def _unusable(why: str) -> ConfigurationError:
    return ConfigurationError(
        "config-sign.key of the signing profile cannot be used",
        why=why,
        todo="Make a profile with `brqos keys new`, or with upstream's sbkeys/generate-local-sbkeys.",
    )
