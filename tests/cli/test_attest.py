"""`brqos attest`: documents written, signed and tagged, as scripts and people do it."""

from pathlib import Path

import pytest

from brqos.config.attest import AttestSpec, Signer
from brqos.record import StoredBuild, load
from brqos.rehearsal.emulator import Emulator, Fault
from provenance.builds import spec, stored
from provenance.keys import KINDS

from .attested import (
    IDS,
    KEY,
    PROVENANCE,
    SBOM,
    Brqos,
    documents,
    registered,
    sign_by_hand,
    tags,
    verdicts,
)
from .attested import build as build
from .attested import emulator as emulator

pytestmark = pytest.mark.loopback


def test_without_aws_both_documents_are_written(brqos: Brqos, build: StoredBuild) -> None:
    ran = brqos("attest", "--json")
    told = ran.json
    assert told["packages"] == 3
    assert (told["signed"], told["tagged"], told["rehearsal"]) == ([], [], False)
    assert {file.name for file in documents(build).iterdir()} == {"sbom.cdx.json", "provenance.json"}
    assert "SHA-256 " + told["sbom_sha256"] in brqos("attest").out
    checks = verdicts(brqos("attest", "--verify", "--json"))
    assert set(checks.values()) == {"ok", "not-checked"}
    assert {name for name, verdict in checks.items() if verdict != "ok"} == {
        "signature of the provenance", "signature of the SBOM",
    }  # fmt: skip
    assert "not signed" in brqos("attest", "--verify").out


def test_registering_writes_and_tags_once_all_regions_are_done(
    brqos: Brqos, build: StoredBuild, emulator: Emulator
) -> None:
    registered(brqos, "eu-west-1", "us-east-1")
    record = load(build.folder).record
    assert record.attested is not None
    hashes = (record.attested.sbom_sha256, record.attested.provenance_sha256)
    assert tags(emulator) == {"eu-west-1": hashes, "us-east-1": hashes}
    assert record.attested.tagged == {region: ami.id for region, ami in record.amis.items()}
    made = emulator.calls["CreateTags"]
    registered(brqos, "eu-west-1", "us-east-1")
    brqos("attest")
    assert emulator.calls["CreateTags"] == made, "what is tagged already is not tagged again"
    checks = verdicts(brqos("attest", "--verify", "--json"))
    assert [name for name, verdict in checks.items() if verdict == "failed"] == []
    assert sum("tag brqos:" in name for name in checks) == 4
    registered(brqos, "eu-west-1", "us-east-1", "eu-central-1")
    assert len(set(tags(emulator).values())) == 1, "with another region, all have the new hash"
    assert len(tags(emulator)) == 3
    assert tags(emulator)["eu-west-1"][1] != hashes[1]
    assert tags(emulator)["eu-west-1"][0] == hashes[0], "the image has not changed"


def test_the_tags_disturb_no_other_comparison(brqos: Brqos, build: StoredBuild, emulator: Emulator) -> None:
    registered(brqos)
    checked = brqos("register", *IDS, "--region", "eu-west-1", "--verify", "--json").json["verification"]["eu-west-1"]
    assert [row for row in checked if row["verdict"] != "ok"] == []
    assert registered(brqos).json["amis"]["eu-west-1"]["id"] in emulator.store.images


def test_a_dry_run_shows_the_tags(brqos: Brqos, build: StoredBuild, emulator: Emulator) -> None:
    calls = brqos("register", *IDS, "--region", "eu-west-1", "--dry-run", "--json").json["calls"]
    assert calls[-1]["operation"] == "CreateTags"
    assert {item["Key"] for item in calls[-1]["parameters"]["Tags"]} == {SBOM, PROVENANCE}
    registered(brqos)
    before = emulator.calls.copy()
    shown = brqos("attest", "--dry-run", "--sign", "kms", "--key", KEY, "--json").json
    assert shown["calls"] == [], "what is tagged already is not tagged again"
    assert shown["sign"] == {"signer": "kms", "key": KEY}
    assert "Nothing was done" in brqos("attest", "--dry-run").out
    assert emulator.calls == before
    (build.folder.parents[2] / "brqos.toml").write_text("[attest]\nenabled = false\n")
    calls = brqos("register", *IDS, "--region", "eu-west-1", "--dry-run", "--json").json["calls"]
    assert calls[-1]["operation"] != "CreateTags"


def test_settings_sign_by_themselves(brqos: Brqos, build: StoredBuild, emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "brqos.toml").write_text(f'[attest]\nsign = "kms"\nkey = "{KEY}"\n')
    registered(brqos)
    signed = emulator.calls["Sign"]
    assert signed == 2
    registered(brqos)
    assert emulator.calls["Sign"] == signed, "what is signed already is not signed again"
    assert verdicts(brqos("attest", "--verify", "--json"))["signature of the SBOM"] == "ok", "by the settings' key"
    registered(brqos, "eu-west-1", "us-east-1")
    assert emulator.calls["Sign"] == 2 * signed, "another provenance is signed anew"


def test_a_failure_to_sign_loses_nothing(brqos: Brqos, build: StoredBuild, emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "brqos.toml").write_text(f'[attest]\nsign = "kms"\nkey = "{KEY}"\n')
    emulator.faults.inject("Sign", Fault(kind="denied"))
    ran = registered(brqos, code=7)
    assert ran.json["amis"]["eu-west-1"]["id"] in emulator.store.images, "the result is told all the same"
    assert "are not signed" in ran.err
    assert f"brqos attest --record {Path('.brqos/builds/b/build.json')} --sign kms --key {KEY}" in ran.err
    record = load(build.folder).record
    assert set(record.amis) == {"eu-west-1"}
    assert not list(documents(build).glob("*.dsse.json")), "one envelope alone would look signed"
    assert record.attested is not None
    hashes = (record.attested.sbom_sha256, record.attested.provenance_sha256)
    assert tags(emulator) == {"eu-west-1": hashes}, "the tags wait for no signature"
    brqos("attest", "--record", build.file, "--sign", "kms", "--key", KEY)
    assert verdicts(brqos("attest", "--verify", "--signed", "--key", KEY, "--json"))["signature of the SBOM"] == "ok"


def test_a_failure_to_tag_is_made_good(brqos: Brqos, build: StoredBuild, emulator: Emulator) -> None:
    emulator.faults.inject("CreateTags", Fault(kind="denied"), region="us-east-1", skip=2)
    ran = registered(brqos, "eu-west-1", "us-east-1", code=7)
    assert "no tags for its documents in us-east-1" in ran.err
    assert tags(emulator)["us-east-1"] == ("", "")
    rows = verdicts(brqos("attest", "--verify", "--json"))
    assert "not-checked" in rows.values()
    done = brqos("attest", "--tag", "--json").json
    assert done["tagged"] == ["eu-west-1", "us-east-1"]
    assert len(set(tags(emulator).values())) == 1


def test_other_documents_take_their_old_signatures_away(brqos: Brqos, build: StoredBuild) -> None:
    brqos("attest")
    sign_by_hand(build, KINDS["ec"]())
    brqos("attest")
    assert len(list(documents(build).glob("*.dsse.json"))) == 1, "the SBOM's was written otherwise than brqos does"
    build.reload()
    build.save(tools={"docker": "29"})
    assert "sign them again" in brqos("attest").err
    assert not list(documents(build).glob("*.dsse.json"))


def test_what_is_no_envelope_is_signed_over(brqos: Brqos, build: StoredBuild, emulator: Emulator) -> None:
    words = ("attest", "--sign", "kms", "--key", KEY, "--json")
    brqos(*words)
    (documents(build) / "sbom.dsse.json").write_text("{}")
    assert len(brqos(*words).json["signed"]) == 2
    assert verdicts(brqos("attest", "--verify", "--key", KEY, "--json"))["signature of the SBOM"] == "ok"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--image", "x"), 2, "needs --verify"),
        (("--verify", "--sign", "kms"), 2, "cannot be combined"),
        (("--sign", "gpg"), 2, "not known"),
        (("--key", "x"), 2, "needs --sign"),
        (("--sign", "kms"), 2, "no key"),
        (("--sign", "kms", "--key", "cosign.key"), 2, "cannot sign with"),
        (("--sign", "cosign", "--key", KEY), 2, "awskms:///"),
        (("--verify", "--identity", "ann"), 2, "go together"),
        (("--tag",), 2, "no AMIs"),
        (("--verify", "--key", "arn:aws:s3:::x"), 2, "not the ARN"),
        (("--verify", "--key", "none.pub"), 3, "cannot be read"),
        (("--build", "none"), 3, "no build"),
    ],
)
def test_what_does_not_go_together(
    brqos: Brqos, build: StoredBuild, words: tuple[str, ...], code: int, told: str
) -> None:
    brqos("attest")
    assert told in brqos("attest", *words, code=code).err


def test_nothing_to_attest_or_to_verify(brqos: Brqos, tmp_path: Path) -> None:
    folder = tmp_path / ".brqos" / "builds" / "b"
    build = stored(folder, amis=False)
    assert "Write it: brqos attest" in brqos("attest", "--verify", code=3).err
    build.save(result=None)
    assert "no image yet" in brqos("attest", code=3).err


def test_a_dry_run_of_attest_shows_only_signatures_that_are_due(
    brqos: Brqos, build: StoredBuild, emulator: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "brqos.toml").write_text(f'[attest]\nsign = "kms"\nkey = "{KEY}"\n')
    assert brqos("attest", "--dry-run", "--json").json["sign"] == {"signer": "kms", "key": KEY}
    brqos("attest")
    assert brqos("attest", "--dry-run", "--json").json["sign"] is None
    assert brqos("attest", "--dry-run", "--sign", "kms", "--json").json["sign"] is not None
    build.reload()
    build.save(tools={"docker": "29"})
    assert brqos("attest", "--dry-run", "--json").json["sign"] is not None, "the documents would be others"


def test_a_dry_run_of_attest_shows_only_tags_that_are_not_there(
    brqos: Brqos, build: StoredBuild, emulator: Emulator
) -> None:
    registered(brqos, "eu-west-1", "us-east-1")
    assert brqos("attest", "--dry-run", "--json").json["calls"] == []
    build.reload()
    build.save(tools={"docker": "29"})
    calls = brqos("attest", "--dry-run", "--json").json["calls"]
    wanted = {region: [ami.id] for region, ami in load(build.folder).record.amis.items()}
    assert {call["region"]: call["parameters"]["Resources"] for call in calls} == wanted


def test_a_rehearsal_is_signed_only_on_demand(
    brqos: Brqos, emulator: Emulator, build: StoredBuild, tmp_path: Path
) -> None:
    (tmp_path / "brqos.toml").write_text(f'[attest]\nsign = "kms"\nkey = "{KEY}"\n')
    build.save(rehearsal=True)
    assert brqos("attest", *IDS, "--json").json["signed"] == []
    assert len(brqos("attest", *IDS, "--sign", "kms", "--json").json["signed"]) == 2


def test_a_key_of_no_known_region_is_refused_before_the_work(
    brqos: Brqos, build: StoredBuild, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "brqos.toml").write_text('[attest]\nsign = "kms"\nkey = "alias/ours"\n')
    ran = brqos("register", *IDS, "--region", "eu-west-1", code=2)
    assert "set AWS_REGION" in ran.err
    assert not emulator.store.images
    emulator.store.kms_aliases["alias/ours"] = KEY
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    registered(brqos)
    assert emulator.calls["Sign"] == 2


def test_the_file_s_settings(brqos: Brqos, build: StoredBuild, tmp_path: Path) -> None:
    for text, told in (
        ('sign = "kms"', "no attest.key"),
        ('key = "x"', "without attest.sign"),
        ('sign = "gpg"\nkey = "x"', "attest.sign"),
    ):
        (tmp_path / "brqos.toml").write_text(f"[attest]\n{text}\n")
        assert told in brqos("attest", code=3).err
    assert spec(attest=AttestSpec(sign=Signer.COSIGN)).attest.key is None, "cosign may sign keyless"
