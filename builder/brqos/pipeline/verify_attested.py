"""`brqos attest --verify`: documents, signatures, images and AWS, each held against what the others say."""

from dataclasses import dataclass
from pathlib import Path

from brqos.aws.regions import AwsRegions
from brqos.errors import AwsError, BrqosError, ConfigurationError
from brqos.monitor import Monitor
from brqos.provenance import aws_checks
from brqos.provenance.checks import Check, failed, failures
from brqos.provenance.cosign import Identity
from brqos.provenance.signature_checks import check_signatures
from brqos.provenance.signing import verifier_of
from brqos.provenance.verify import check_documents, check_image, check_images, read
from brqos.record import StoredBuild


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be verified: by whose key or identity, which image (else those of the build), and whether with AWS.

    `signed` lets documents that are not signed fail; with a key or an identity they do anyway.
    """

    key: str | None = None
    identity: Identity | None = None
    image: Path | None = None
    signed: bool = False
    with_aws: bool = True


def verify(stored: StoredBuild, wishes: Wishes, aws: AwsRegions, monitor: Monitor) -> list[Check]:
    """All checks in their order; raises BrqosError where nothing can be checked: no documents, no such key."""
    found = read(stored)
    by_whom = wishes.key or (wishes.identity.identity if wishes.identity else "")
    verifier = verifier_of(wishes.key, wishes.identity, aws) if by_whom else None
    checks = list(check_documents(stored, found))
    required = wishes.signed or verifier is not None
    checks += check_signatures(stored, found, verifier, by=by_whom, required=required)
    if wishes.signed and verifier is None:
        checks.append(failed("who signed", "no --key says whose signatures are wanted"))
    if wishes.image is not None:
        checks.append(check_image(wishes.image, found, monitor))
    else:
        checks += check_images(stored, found, monitor)
    if (why := _why_not_aws(stored, wishes, aws)) is not None:
        return [*checks, *aws_checks.without_aws(stored, why)]
    return [*checks, *aws_checks.check_aws(stored, found, aws)]


def failure_of(stored: StoredBuild, checks: list[Check]) -> BrqosError | None:
    """The error for what failed: AWS's where all else agrees, else one of wrong input; None where nothing did."""
    wrong = failures(checks)
    if not wrong:
        return None
    kind = AwsError if all(check.of_aws for check in wrong) else ConfigurationError
    return kind(
        f"the documents of {stored.record.id} do not agree with what is there",
        why="\n".join(f"{check.what}: {' '.join(check.told.split())}" for check in wrong),
        todo="Do not use these images until it is known why. If they were built or registered anew, write the documents"
        " again: brqos attest (with --sign, if they are to be signed).",
    )


def _why_not_aws(stored: StoredBuild, wishes: Wishes, aws: AwsRegions) -> str | None:
    if not stored.record.amis:
        return ""
    if stored.record.rehearsal:
        return "a rehearsal's AMIs are gone with it"
    if not wishes.with_aws:
        return "--no-aws"
    try:
        return None if aws.default.has_credentials() else "no login with AWS"
    except BrqosError as error:
        return error.what
