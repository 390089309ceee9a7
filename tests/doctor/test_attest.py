"""What signing documents needs, as the doctor sees it."""

import tomllib
from pathlib import Path

import pytest

from brqos.config.attest import AttestSpec, Signer
from brqos.doctor.attest import CRYPTOGRAPHY, check_cosign, check_signing_tools
from brqos.doctor.model import Check, Status
from brqos.doctor.probe import Answer
from brqos.stages import Stage
from doctor.machine import Machine

COSIGN, KMS = AttestSpec(sign=Signer.COSIGN), AttestSpec(sign=Signer.KMS, key="alias/ours")
ASKED = "cosign version --json"


def saying(text: str, status: int = 0) -> Machine:
    return Machine(answers={ASKED: Answer(status, text)})


def checks(machine: Machine, spec: AttestSpec, *stages: Stage) -> dict[str, Check]:
    return {check.name: check for check in check_signing_tools(machine, spec, stages or tuple(Stage))}


def test_all_there() -> None:
    found = checks(Machine(), COSIGN)
    assert set(found) == {"cosign", "cryptography"}
    assert all(check.is_there for check in found.values())
    assert set(checks(Machine(), KMS)) == {"cryptography"}, "KMS is asked over the network"


@pytest.mark.parametrize(
    ("spec", "stages"),
    [
        (AttestSpec(), tuple(Stage)),
        (AttestSpec(enabled=False, sign=Signer.COSIGN), tuple(Stage)),
        (COSIGN, (Stage.GENERATE, Stage.NODEGROUP)),
    ],
)
def test_nothing_is_needed_where_nothing_is_signed(spec: AttestSpec, stages: tuple[Stage, ...]) -> None:
    machine = Machine()
    assert checks(machine, spec, *stages) == {}
    assert machine.asked == []


def test_it_is_missing() -> None:
    check = checks(Machine(missing=frozenset(["cosign", "cryptography"])), COSIGN, Stage.REGISTER)["cosign"]
    assert (check.status, check.stops, check.needed_for) == (Status.MISSING, True, (Stage.REGISTER,))
    assert "https://docs.sigstore.dev/" in check.remedy


@pytest.mark.parametrize(
    ("answer", "status", "version"),
    [
        ('{"gitVersion": "v3.0.2", "goVersion": "go1.25.1"}', Status.FOUND, "3.0.2"),
        ('{"gitVersion": "v2.0.0"}\na newer version is there: v9.9.9', Status.FOUND, "2.0.0"),
        ('{"gitVersion": "v1.13.6", "goVersion": "go1.21.1"}', Status.TOO_OLD, "1.13.6"),
        ('{"gitVersion": "devel", "goVersion": "go1.25.1"}', Status.WARNING, "tells no version"),
        ("cosign", Status.WARNING, "tells no version"),
        ("[2.4]", Status.WARNING, "tells no version"),
    ],
)
def test_its_version(answer: str, status: Status, version: str) -> None:
    check = check_cosign(saying(answer))
    assert (check.status, check.version) == (status, version)
    assert bool(check.remedy) == (status is not Status.FOUND)


def test_one_that_does_not_run() -> None:
    assert check_cosign(saying("Error: unknown flag: --json", 1)).version == "does not run"
    assert check_cosign(saying("Error: unknown flag: --json", 1)).stops


def test_cryptography_is_there_to_verify_only() -> None:
    check = checks(Machine(missing=frozenset(["cryptography"])), KMS)["cryptography"]
    assert (check.stops, check.is_there) == (False, False)
    assert "brqos[attest]" in check.remedy
    assert "only to verify" in check.remedy


def test_the_package_is_that_of_the_extra() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    least = ".".join(map(str, CRYPTOGRAPHY.least))
    assert project["optional-dependencies"][CRYPTOGRAPHY.extra] == [f"{CRYPTOGRAPHY.name}>={least}"]
