"""What signing a build's documents needs (`[attest]`): cosign, and to verify with a key in a file cryptography.

cosign before 2.0 signs blobs with other options (sigstore/cosign, its CHANGELOG: `--yes`, `--tlog-upload`).
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import replace

from brqos.config.attest import AttestSpec, Signer
from brqos.doctor.model import Check, Report, Status
from brqos.doctor.probe import Probe, ThisMachine
from brqos.doctor.programs import PythonPackage, check_python_package, numbers, text, version_in
from brqos.stages import Stage

COSIGN_LEAST = (2,)
# As in pyproject.toml, which a test compares.
CRYPTOGRAPHY = PythonPackage("cryptography", (42,), "attest")
INSTALL_COSIGN = "https://docs.sigstore.dev/cosign/system_config/installation/"
_ASKED = ("cosign", "version", "--json")
_SIGNS_AT = (Stage.BUILD, Stage.REGISTER)


def with_signing(report: Report, spec: AttestSpec, probe: Probe | None = None) -> Report:
    """The report, and behind it what was found of what signs the documents."""
    checks = tuple(check_signing_tools(probe or ThisMachine(), spec, report.stages))
    return replace(report, checks=(*report.checks, *checks)) if checks else report


def check_signing_tools(probe: Probe, spec: AttestSpec, stages: Collection[Stage]) -> Iterator[Check]:
    """The tools of `[attest] sign`; none where nothing is signed, or nothing that would be is made."""
    at = tuple(stage for stage in _SIGNS_AT if stage in stages)
    if not (spec.enabled and spec.sign and at):
        return
    if spec.sign is Signer.COSIGN:
        yield check_cosign(probe, at)
    check = check_python_package(probe, CRYPTOGRAPHY, at)
    remedy = f"{check.remedy}   (only to verify with a public key in a file)" if check.remedy else ""
    yield replace(check, optional=True, remedy=remedy)


def check_cosign(probe: Probe, stages: tuple[Stage, ...] = _SIGNS_AT) -> Check:
    """cosign, by the version that it tells; one that was built from a branch tells none."""

    def check(status: Status, version: str = "", remedy: str = INSTALL_COSIGN) -> Check:
        return Check("cosign", status, stages, version, text(COSIGN_LEAST), remedy)

    if probe.which("cosign") is None:
        return check(Status.MISSING)
    answer = probe.ask(*_ASKED)
    if answer.status != 0:
        return check(Status.MISSING, "does not run")
    version = _version(answer.text)
    if not version:
        return check(Status.WARNING, "tells no version", "See what `cosign version` says: it should be 2 or newer.")
    if numbers(version) < COSIGN_LEAST:
        return check(Status.TOO_OLD, version)
    return check(Status.FOUND, version, "")


def _version(answer: str) -> str:
    try:
        # Behind the object there may be what it writes to standard error.
        told, _ = json.JSONDecoder().raw_decode(answer[answer.index("{") :])
        return version_in(str(told["gitVersion"]))
    except (ValueError, KeyError, TypeError):
        return ""
