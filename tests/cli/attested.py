"""A build and an AWS for tests of `brqos attest`, and what is looked at."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from brqos.aws.session import AwsSession
from brqos.provenance.envelope import Envelope, Signature, encoded
from brqos.record import StoredBuild
from brqos.rehearsal.emulator import ACCOUNT, Emulator
from provenance.builds import stored
from provenance.keys import sign

from .conftest import Ran

Brqos = Callable[..., Ran]
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SBOM, PROVENANCE = "brqos:sbom-sha256", "brqos:provenance-sha256"
IDS = ("--build", "b")


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator(delay=0.01, any_key=True) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAANYBODY")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        yield running
        assert running.bugs == []


@pytest.fixture
def build(tmp_path: Path) -> StoredBuild:
    """A finished build in the folder that commands run in, without AMIs."""
    return stored(tmp_path / ".brqos" / "builds" / "b", amis=False, packed=False)


def registered(brqos: Brqos, *regions: str, code: int = 0) -> Ran:
    words = [word for region in regions or ("eu-west-1",) for word in ("--region", region)]
    return brqos("register", *IDS, *words, "--json", code=code)


def documents(build: StoredBuild) -> Path:
    return build.folder / "attestations"


def tags(emulator: Emulator) -> dict[str, tuple[str, str]]:
    return {
        image.region: (image.tags.get(SBOM, ""), image.tags.get(PROVENANCE, ""))
        for image in emulator.store.images.values()
    }


def verdicts(ran: Ran) -> dict[str, str]:
    return {item["check"]: item["verdict"] for item in ran.json["checks"]}


def failed(ran: Ran) -> dict[str, str]:
    return {item["check"]: item["told"] for item in ran.json["checks"] if item["verdict"] == "failed"}


def public_key(folder: Path, emulator: Emulator) -> Path:
    """What `aws kms get-public-key` would give, in PEM."""
    der = AwsSession(endpoint=emulator.endpoint, credentials=("x", "y")).kms("eu-central-1").public_key(KEY).der
    file = folder / "kms.pub"
    file.write_bytes(load_der_public_key(der).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return file


def sign_by_hand(build: StoredBuild, key: Any) -> None:
    """Envelopes as any other tool would write them."""
    statements = {"provenance": (documents(build) / "provenance.json").read_bytes()}
    provenance = json.loads(statements["provenance"])
    bom = json.loads((documents(build) / "sbom.cdx.json").read_text())
    statements["sbom"] = json.dumps(
        {**provenance, "predicateType": "https://cyclonedx.org/bom", "predicate": bom}
    ).encode()
    for name, payload in statements.items():
        envelope = Envelope(payload, (Signature(sign(key, encoded(payload))),))
        (documents(build) / f"{name}.dsse.json").write_text(envelope.text)
