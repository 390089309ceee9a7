"""The documents of a whole run: a rehearsal, which has a source, a build, an AWS and a KMS of its own."""

import json
from pathlib import Path
from typing import Any

import pytest

from brqos.architecture import Architecture
from brqos.aws.regions import AwsRegions
from brqos.aws.session import AwsSession
from brqos.config.attest import AttestSpec, Signer
from brqos.config.model import BuildSection, BuildSpec, UpstreamSpec
from brqos.errors import ToolError, UsageError
from brqos.image.model import INVENTORY
from brqos.monitor import Silent
from brqos.pipeline import build as pipeline
from brqos.pipeline.attest import check_signing
from brqos.pipeline.build import run_build
from brqos.pipeline.generate import plan
from brqos.pipeline.surroundings import Surroundings, rehearsed
from brqos.record import StoredBuild

KEY = "arn:aws:kms:eu-central-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def wanted(attest: AttestSpec) -> BuildSpec:
    return BuildSpec(
        variant="aws-k8s-1.34",
        arch=Architecture.X86_64,
        upstream=UpstreamSpec(ref="v1.50.0"),
        build=BuildSection(make_env={"BRQOS_REHEARSAL_PACE": "0"}),
        attest=attest,
    )


def ran(around: Surroundings, root: Path, **options: Any) -> StoredBuild:
    return run_build(plan(around.spec, around.cache, Silent()), around, Silent(), root=root, **options)


def read(build: StoredBuild, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((build.folder / "attestations" / name).read_text())
    return found


@pytest.mark.processes
@pytest.mark.loopback
def test_a_run_leaves_its_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEBUILD_BUILD_ARN", "arn:aws:codebuild:eu-west-1:111122223333:build/brqos:0d3c")
    spec = wanted(AttestSpec(sign=Signer.KMS, key=KEY))
    with rehearsed(spec) as around:
        build = ran(around, tmp_path / "a")
        (ami,) = build.record.amis.values()
        tags = around.aws.session("us-west-2").ec2("us-west-2").image(ami.id).tags  # type: ignore[union-attr]
    attested, origin = build.record.attested, build.record.origin
    assert attested is not None
    assert origin is not None
    assert tags["brqos:sbom-sha256"] == attested.sbom_sha256
    assert tags["brqos:provenance-sha256"] == attested.provenance_sha256
    assert origin.builder == "arn:aws:codebuild:eu-west-1:111122223333:project/brqos"
    assert origin.pins is not None
    assert {kit.name for kit in origin.pins.kits} == {"bottlerocket-core-kit", "bottlerocket-kernel-kit"}
    assert (build.folder / "images" / INVENTORY).is_file()
    bom, provenance = read(build, "sbom.cdx.json"), read(build, "provenance.json")
    assert "bottlerocket-kubelet-memory-qos" in {item["name"] for item in bom["components"]}
    assert "REHEARSAL" in json.dumps(bom["metadata"]["properties"])
    assert ami.id in json.dumps(provenance["subject"])
    assert str(tmp_path) not in json.dumps([bom, provenance]), "no place of this machine"
    for name in ("sbom.dsse.json", "provenance.dsse.json"):
        assert read(build, name)["signatures"][0]["keyid"] == KEY
    # Another process of the same build, whose AWS has nothing of the first one's.
    with rehearsed(spec) as around:
        again = ran(around, tmp_path / "a")
    assert again.record.attested == attested, "the same bytes, whenever they are written"


@pytest.mark.processes
@pytest.mark.loopback
def test_a_failed_registration_leaves_documents_of_the_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "register_build", fail)
    with rehearsed(wanted(AttestSpec())) as around, pytest.raises(KeyboardInterrupt):
        ran(around, tmp_path)
    (file,) = tmp_path.glob("*/attestations/provenance.json")
    names = [subject["name"] for subject in json.loads(file.read_text())["subject"]]
    assert len(names) == 4
    assert not any(name.startswith("arn:") for name in names)


@pytest.mark.processes
@pytest.mark.loopback
def test_none_where_none_are_wanted(tmp_path: Path) -> None:
    with rehearsed(wanted(AttestSpec(enabled=False))) as around:
        build = ran(around, tmp_path)
    assert build.record.attested is None
    assert not (build.folder / "attestations").exists()


@pytest.mark.processes
@pytest.mark.loopback
@pytest.mark.parametrize("key", ["alias/ours", "arn:aws:kms:eu-central-1:111122223333:alias/ours"])
def test_a_rehearsal_needs_no_region_of_the_machine(tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with rehearsed(wanted(AttestSpec(sign=Signer.KMS, key=key))) as around:
        build = ran(around, tmp_path)
    region = "eu-central-1" if key.startswith("arn:") else "us-west-2"
    assert f":kms:{region}:" in read(build, "sbom.dsse.json")["signatures"][0]["keyid"]


@pytest.mark.processes
@pytest.mark.loopback
def test_an_image_alone_is_neither_published_nor_signed(tmp_path: Path) -> None:
    with rehearsed(wanted(AttestSpec(sign=Signer.KMS, key=KEY))) as around:
        build = ran(around, tmp_path)
        assert (set(build.record.amis), build.record.nodegroup is None) == ({"us-west-2"}, False)
        alone = ran(around.image_only(), tmp_path / "alone")
        again = ran(around.image_only(), tmp_path)
    assert (alone.record.amis, alone.record.nodegroup) == ({}, None)
    assert not list((alone.folder / "attestations").glob("*.dsse.json"))
    assert again.record.attested == build.record.attested, "what was published before is told as it was"


@pytest.mark.processes
@pytest.mark.loopback
def test_a_rehearsal_is_not_signed_with_a_real_key(tmp_path: Path) -> None:
    with rehearsed(wanted(AttestSpec(sign=Signer.COSIGN, key="cosign.key"))) as around:
        build = ran(around, tmp_path)
    assert build.record.attested is not None
    assert not list((build.folder / "attestations").glob("*.dsse.json"))


def test_what_cannot_sign_is_refused_before_anything_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    aws = AwsRegions(AwsSession())
    with pytest.raises(ToolError, match="cosign is not installed"):
        check_signing(AttestSpec(sign=Signer.COSIGN, key="cosign.key"), aws)
    check_signing(AttestSpec(sign=Signer.COSIGN, key="cosign.key"), aws, tools=False)
    check_signing(AttestSpec(enabled=False, sign=Signer.COSIGN), aws)
    with pytest.raises(UsageError, match="cannot sign with"):
        check_signing(AttestSpec(sign=Signer.KMS, key="cosign.key"), aws, tools=False)


@pytest.mark.processes
def test_an_old_cosign_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "cosign"
    program.write_text("""#!/bin/sh\necho '{"gitVersion": "v1.13.6"}'\n""")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ToolError, match=r"cosign 1\.13\.6 is too old"):
        check_signing(AttestSpec(sign=Signer.COSIGN), AwsRegions(AwsSession()))
