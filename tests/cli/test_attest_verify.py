"""`brqos attest --verify`: what agrees, what does not, and what cannot be told."""

import json
import os
import shutil
from pathlib import Path

import pytest

from brqos.config.attest import AttestSpec, Signer
from brqos.provenance.envelope import Envelope, Signature, encoded
from brqos.record import StoredBuild
from brqos.rehearsal.emulator import Emulator
from provenance.keys import KINDS, sign, written

from .attested import (
    KEY,
    PROVENANCE,
    Brqos,
    documents,
    failed,
    public_key,
    registered,
    sign_by_hand,
    verdicts,
)
from .attested import build as build
from .attested import emulator as emulator

pytestmark = pytest.mark.loopback


def test_signed_by_kms(brqos: Brqos, build: StoredBuild, emulator: Emulator, tmp_path: Path) -> None:
    registered(brqos)
    told = brqos("attest", "--sign", "kms", "--key", KEY, "--json").json
    assert len(told["signed"]) == 2
    for key in (KEY, str(public_key(tmp_path, emulator))):
        checks = verdicts(brqos("attest", "--verify", "--key", key, "--json"))
        assert checks["signature of the provenance"] == checks["signature of the SBOM"] == "ok"
    assert f"it says by {KEY}" in brqos("attest", "--verify").out
    other = brqos("attest", "--verify", "--key", KEY.replace("1234", "4321"), "--json", code=3)
    assert set(failed(other)) == {"signature of the provenance", "signature of the SBOM"}


def test_on_a_folder_that_was_carried_away(
    brqos: Brqos, build: StoredBuild, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(brqos)
    key = KINDS["ec"]()
    brqos("attest")
    sign_by_hand(build, key)
    elsewhere = tmp_path / "elsewhere"
    shutil.move(build.folder, elsewhere)
    for name in os.environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    words = ("attest", "--verify", "--record", elsewhere, "--key", written(key, tmp_path), "--json")
    checks = verdicts(brqos(*words))
    assert checks["os image"] == checks["signature of the SBOM"] == "ok"
    (aws,) = [item for item in brqos(*words).json["checks"] if item["verdict"] == "not-checked"]
    assert aws["told"] == "no login with AWS"
    for image in (elsewhere / "images").glob("*.img"):
        image.unlink()
    assert verdicts(brqos(*words))["os image"] == "not-checked"


def test_no_aws(brqos: Brqos, build: StoredBuild, emulator: Emulator) -> None:
    registered(brqos)
    before = emulator.calls.copy()
    checks = brqos("attest", "--verify", "--no-aws", "--json").json["checks"]
    assert [item["told"] for item in checks if "eu-west-1" in item["check"]] == ["--no-aws"]
    assert emulator.calls == before


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("image", "os image"),
        ("sbom", "SBOM is the one of the provenance"),
        ("provenance", "provenance is the one of the record"),
        ("subject", "subjects are those of the record"),
        ("envelope", "signature of the provenance"),
        ("no-envelope", "signature of the SBOM"),
        ("garbage", "signature of the SBOM"),
        ("other-type", "signature of the provenance"),
        ("other-statement", "signature of the SBOM"),
    ],
)
def test_what_was_changed_is_found(brqos: Brqos, build: StoredBuild, tmp_path: Path, change: str, check: str) -> None:
    key = KINDS["ed25519"]()
    brqos("attest")
    sign_by_hand(build, key)
    words = ("attest", "--verify", "--key", written(key, tmp_path), "--json")
    brqos(*words)
    folder, provenance = documents(build), documents(build) / "provenance.json"
    match change:
        case "image":
            (image,) = [item for item in (build.folder / "images").glob("*.img") if "-data" not in item.name]
            image.write_bytes(image.read_bytes() + b"!")
        case "sbom":
            file = folder / "sbom.cdx.json"
            file.write_text(file.read_text().replace("dbus-broker", "dbus-br0ker"))
        case "provenance":
            provenance.write_text(provenance.read_text() + " ")
        case "subject":
            provenance.write_text(provenance.read_text().replace('"sha256": "30', '"sha256": "31', 1))
        case "envelope":
            file = folder / "provenance.dsse.json"
            shutil.copy(folder / "sbom.dsse.json", file)
        case "no-envelope":
            (folder / "sbom.dsse.json").unlink()
        case "garbage":
            (folder / "sbom.dsse.json").write_text("{}")
        case "other-type":
            payload = provenance.read_bytes()
            pae = encoded(payload, "text/plain")
            envelope = Envelope(payload, (Signature(sign(key, pae)),), "text/plain")
            (folder / "provenance.dsse.json").write_text(envelope.text)
        case "other-statement":
            # Signed by the right key, about another image.
            statement = json.loads(provenance.read_text())
            bom = json.loads((folder / "sbom.cdx.json").read_text())
            statement |= {"predicateType": "https://cyclonedx.org/bom", "predicate": bom}
            statement["subject"][0]["digest"]["sha256"] = "0" * 64
            payload = json.dumps(statement).encode()
            envelope = Envelope(payload, (Signature(sign(key, encoded(payload))),))
            (folder / "sbom.dsse.json").write_text(envelope.text)
    ran = brqos(*words, code=3)
    assert check in failed(ran), ran.out
    assert "Do not use these images" in ran.err


def test_the_data_image_is_no_os_image(brqos: Brqos, build: StoredBuild) -> None:
    brqos("attest")
    names = sorted((build.folder / "images").glob("*.img"), key=lambda file: "-data" in file.name)
    shutil.copy(names[1], names[0])
    assert set(failed(brqos("attest", "--verify", "--json", code=3))) == {"os image"}


def test_a_record_of_another_source_is_found(brqos: Brqos, build: StoredBuild) -> None:
    brqos("attest")
    build.reload()
    build.save(upstream=build.record.upstream.model_copy(update={"commit": "0" * 40}), attested=None)
    told = failed(brqos("attest", "--verify", "--json", code=3))
    assert told == {"sources are those of the record": "other than in the record: bottlerocket"}


def test_documents_do_not_steer_the_terminal(brqos: Brqos, build: StoredBuild) -> None:
    brqos("attest")
    file = documents(build) / "provenance.json"
    document = json.loads(file.read_text())
    document["subject"][0]["name"] = "\x1b[2J\nos image  ok"
    file.write_text(json.dumps(document))
    ran = brqos("attest", "--verify", code=3)
    assert "\x1b" not in ran.out + ran.err
    assert not [line for line in (ran.out + ran.err).splitlines() if line.strip() == "os image  ok"]


def test_what_was_changed_in_aws_is_found(brqos: Brqos, build: StoredBuild, emulator: Emulator) -> None:
    registered(brqos)
    (image,) = emulator.store.images.values()
    image.tags[PROVENANCE] = "0" * 64
    snapshot = next(iter(emulator.store.snapshots.values()))
    snapshot.tags["brqos:image-sha256"] = "0" * 64
    ran = brqos("attest", "--verify", "--json", code=7)
    assert len(failed(ran)) == 2
    assert any(PROVENANCE in name for name in failed(ran))
    emulator.store.images.clear()
    gone = failed(brqos("attest", "--verify", "--json", code=7))
    assert "there is no such AMI" in gone.values()


def test_the_settings_key_is_asked_only_where_aws_may_be(
    brqos: Brqos, build: StoredBuild, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "brqos.toml").write_text(f'[attest]\nsign = "kms"\nkey = "{KEY}"\n')
    registered(brqos)
    before = emulator.calls.copy()
    assert verdicts(brqos("attest", "--verify", "--no-aws", "--json"))["signature of the SBOM"] == "not-checked"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert verdicts(brqos("attest", "--verify", "--json"))["signature of the SBOM"] == "not-checked"
    assert emulator.calls == before


def test_the_record_does_not_say_whose_signatures_are_right(
    brqos: Brqos, build: StoredBuild, emulator: Emulator, tmp_path: Path
) -> None:
    build.save(spec=build.record.spec.model_copy(update={"attest": AttestSpec(sign=Signer.KMS, key=KEY)}))
    brqos("attest", "--json")
    assert emulator.calls["Sign"] == 2, "it is signed as it was the last time"
    assert verdicts(brqos("attest", "--verify", "--json"))["signature of the SBOM"] == "not-checked"
    assert "who signed" in failed(brqos("attest", "--verify", "--signed", "--json", code=3))
    assert emulator.calls["Verify"] == 0
    (tmp_path / "brqos.toml").write_text(f'[attest]\nsign = "kms"\nkey = "{KEY}"\n')
    assert verdicts(brqos("attest", "--verify", "--signed", "--json"))["signature of the SBOM"] == "ok"


def test_any_image_file(brqos: Brqos, build: StoredBuild, tmp_path: Path) -> None:
    brqos("attest")
    (image,) = [item for item in (build.folder / "images").glob("*.img") if "-data" not in item.name]
    copy = tmp_path / "downloaded"
    shutil.copy(image, copy)
    assert verdicts(brqos("attest", "--verify", "--image", copy, "--json"))["image downloaded"] == "ok"
    copy.write_bytes(b"another")
    brqos("attest", "--verify", "--image", copy, code=3)
    assert "no image" in brqos("attest", "--verify", "--image", tmp_path / "none", code=3).err


def test_not_signed_fails_only_where_signatures_are_wanted(brqos: Brqos, build: StoredBuild, tmp_path: Path) -> None:
    brqos("attest")
    brqos("attest", "--verify")
    brqos("attest", "--verify", "--signed", code=3)
    ran = brqos("attest", "--verify", "--key", written(KINDS["ec"](), tmp_path), "--json", code=3)
    assert failed(ran)["signature of the SBOM"] == "not signed"
