"""What `brqos attest` does with a build: write and sign its documents, or verify them; and how that is shown."""

from pathlib import Path

from brqos.cli.ami_flags import AmiFlags
from brqos.config.attest import AttestSpec, Signer
from brqos.config.resolve import resolve_attest
from brqos.console import Console
from brqos.errors import UsageError
from brqos.locks import lock_of, locked
from brqos.pipeline.attest import Attested, attest, is_signed, planned_tags, wish_of
from brqos.pipeline.surroundings import aws_of
from brqos.pipeline.verify_attested import Wishes, failure_of, verify
from brqos.provenance.checks import Check, Verdict
from brqos.provenance.cosign import Identity
from brqos.provenance.documents import (
    PROVENANCE_ENVELOPE,
    PROVENANCE_FILE,
    SBOM_ENVELOPE,
    SBOM_FILE,
    Documents,
    compose,
    is_signed_as,
)
from brqos.provenance.keys import KeyKind, parse_key
from brqos.provenance.signing import Wish, check_wish
from brqos.record import StoredBuild

_SIGNS = {Verdict.OK: "+", Verdict.FAILED: "!", Verdict.NOT_CHECKED: "~"}


class Attesting:
    """One run of the command, for one build."""

    def __init__(self, console: Console, stored: StoredBuild, config: Path | None, profile: str | None) -> None:
        self._console = console
        self._stored = stored
        spec = stored.record.spec
        self._config = config
        self._spec: AttestSpec = resolve_attest(config, spec)
        self._aws = aws_of(AmiFlags(profile=[profile] if profile else None).resolved(config, spec))

    def write(self, *, sign: str | None, key: str | None, tag: bool | None, dry_run: bool) -> None:
        """Write both documents, sign them if that is wished for, and tag the AMIs."""
        wish = self._wish(sign, key)
        if wish is not None:
            check_wish(wish)
        stored = self._stored
        if dry_run:
            documents = compose(stored)
            again = sign is not None or not is_signed_as(stored, documents)
            self._show_plan(documents, wish if again else None, tag=self._tags(tag))
            return
        with locked(lock_of(stored.folder), f"attesting {stored.record.id}", wait=True, monitor=self._console):
            # Somebody else may have registered it while we waited.
            stored.reload()
            done = attest(
                stored, self._aws, self._console, wish=wish, again=sign is not None, tag=self._tags(tag)
            )  # fmt: skip
        self._show(done)

    def verify(
        self,
        *,
        key: str | None,
        identity: str | None,
        issuer: str | None,
        image: Path | None,
        signed: bool,
        with_aws: bool,
    ) -> None:
        """Show every check; raises the error for those that failed."""
        by = Identity(identity, issuer) if identity and issuer else None
        wishes = Wishes(key or (None if by else self._key_of_settings(with_aws)), by, image, signed, with_aws)
        checks = verify(self._stored, wishes, self._aws, self._console)
        self._show_checks(checks)
        if (error := failure_of(self._stored, checks)) is not None:
            raise error

    def _wish(self, sign: str | None, key: str | None) -> Wish | None:
        if sign is None:
            if key is not None:
                raise UsageError("--key needs --sign or --verify", todo="Add --sign cosign or --sign kms.")
            return None if self._stored.record.rehearsal else wish_of(self._spec)
        if sign not in set(Signer):
            raise UsageError(f"--sign {sign} is not known", todo="Write cosign or kms.")
        # The file's key is for the file's signer.
        return Wish(Signer(sign), key or (self._spec.key if self._spec.sign == sign else None))

    def _key_of_settings(self, with_aws: bool) -> str | None:
        """The key of brqos.toml where it can verify too: a file there is the private one, and KMS has to be asked.

        Never the record's: whoever forged the build would have named their own.
        """
        recorded = self._stored.record.spec.model_copy(update={"attest": AttestSpec()})
        name = resolve_attest(self._config, recorded).key
        kind = parse_key(name).kind if name else KeyKind.FILE
        if kind is KeyKind.KMS and not (with_aws and self._aws.default.has_credentials()):
            return None
        return name if kind is not KeyKind.FILE else None

    def _tags(self, wanted: bool | None) -> bool:
        record = self._stored.record
        if not record.amis or record.rehearsal:
            if wanted:
                why = "is a rehearsal: its AMIs are gone with it" if record.rehearsal else "has no AMIs to be tagged"
                raise UsageError(f"the build {record.id} {why}", todo="Leave --tag out.")
            return False
        if wanted is not None:
            return wanted
        if self._aws.default.has_credentials():
            return True
        self._console.warn("without a login with AWS the AMIs keep their tags: afterwards, brqos attest --tag")
        return False

    def _show_plan(self, documents: Documents, wish: Wish | None, *, tag: bool) -> None:
        stored = self._stored
        calls = planned_tags(stored, documents) if tag else []
        files = [str(stored.path(file)) for file in (SBOM_FILE, PROVENANCE_FILE)]
        if self._console.json_output:
            told = {"signer": wish.signer, "key": wish.key} if wish else None
            shown = [call.model_dump(mode="json") for call in calls]
            self._console.data({"dry_run": True, "files": files, "sign": told, "calls": shown, **_hashes(documents)})
            return
        self._console.line(f"write {files[0]} (SHA-256 {documents.sbom_sha256})")
        self._console.line(f"write {files[1]} (SHA-256 {documents.provenance_sha256})")
        if wish is not None:
            self._console.line(f"sign both with {wish.signer}{f', {wish.key}' if wish.key else ', without a key'}")
        for call in calls:
            self._console.line(f"{call.region}: {call.service} {call.operation} {call.parameters['Resources'][0]}")
            for item in call.parameters["Tags"]:
                self._console.line(f"  {item['Key']} = {item['Value']}")
        self._console.line("Nothing was done (--dry-run).")

    def _show(self, done: Attested) -> None:
        stored, documents = self._stored, done.documents
        if self._console.json_output:
            envelopes = [str(stored.path(file).absolute()) for file in (SBOM_ENVELOPE, PROVENANCE_ENVELOPE)]
            self._console.data(
                {
                    "build": stored.record.id,
                    "sbom": str(stored.path(SBOM_FILE).absolute()),
                    "provenance": str(stored.path(PROVENANCE_FILE).absolute()),
                    **_hashes(documents),
                    "packages": documents.packages,
                    "signed": envelopes if is_signed(stored) else [],
                    "tagged": list(done.tagged),
                    "rehearsal": stored.record.rehearsal,
                }
            )
            return
        rows = [
            ["SBOM", f"{stored.path(SBOM_FILE)}, {documents.packages or 'no'} packages"],
            ["", f"SHA-256 {documents.sbom_sha256}"],
            ["provenance", str(stored.path(PROVENANCE_FILE))],
            ["", f"SHA-256 {documents.provenance_sha256}"],
            ["signed", "+yes" if done.signed else "~no"],
            ["tagged", ", ".join(done.tagged) or "-"],
        ]
        self._console.table(["", ""], rows)

    def _show_checks(self, checks: list[Check]) -> None:
        if self._console.json_output:
            shown = [{"check": item.what, "verdict": item.verdict, "told": item.told} for item in checks]
            good = not any(item.verdict is Verdict.FAILED for item in checks)
            self._console.data({"build": self._stored.record.id, "ok": good, "checks": shown})
            return
        # What documents say may have line ends, which would make rows of their own.
        rows = [
            [item.what, f"{_SIGNS[item.verdict]}{item.verdict.replace('-', ' ')}", " ".join(item.told.split())]
            for item in checks
        ]
        self._console.table(["CHECK", "", ""], rows)


def _hashes(documents: Documents) -> dict[str, str]:
    return {"sbom_sha256": documents.sbom_sha256, "provenance_sha256": documents.provenance_sha256}
