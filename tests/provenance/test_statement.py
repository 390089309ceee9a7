"""Statements, held against what in-toto's and SLSA's specifications say of each field."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from brqos.config.ami import AmiSpec
from brqos.config.model import BuildSection, Engine, UpstreamSpec
from brqos.config.repack import RepackSpec
from brqos.provenance.documents import PROVENANCE_ENVELOPE, SBOM_ENVELOPE, compose, payloads
from brqos.provenance.materials import oci_purl
from brqos.provenance.statement import parameters_of
from brqos.provenance.subjects import ami_arn
from brqos.record import BuildRecord, StoredBuild, recordable

from .builds import ORIGIN, PINS, repacked, spec, stored

GOLDEN = Path(__file__).parent / "goldens" / "provenance.json"
DIGESTS = {"sha256": r"[0-9a-f]{64}", "gitCommit": r"[0-9a-f]{40}"}


def provenance(build: StoredBuild) -> dict[str, Any]:
    document = json.loads(compose(build).provenance)
    check_statement(document)
    return document


def check_descriptor(told: dict[str, Any]) -> None:
    """ResourceDescriptor: one of uri, digest and content; digests in lower-case hexadecimal."""
    known = {"name", "uri", "digest", "content", "downloadLocation", "mediaType", "annotations"}
    assert told.keys() <= known
    assert told.keys() & {"uri", "digest", "content"}
    for kind, value in told.get("digest", {}).items():
        assert re.fullmatch(DIGESTS[kind], value)
    if "uri" in told:
        assert re.match(r"[a-z][a-z0-9+.-]*:", told["uri"]), told


def check_statement(document: dict[str, Any]) -> None:
    assert document.keys() == {"_type", "subject", "predicateType", "predicate"}
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://slsa.dev/provenance/v1"
    for subject in document["subject"]:
        check_descriptor(subject)
        assert subject["digest"], "a subject without digest matches nothing"
    names = [subject["name"] for subject in document["subject"]]
    assert len(set(names)) == len(names)
    predicate = document["predicate"]
    assert predicate.keys() == {"buildDefinition", "runDetails"}
    definition, details = predicate["buildDefinition"], predicate["runDetails"]
    assert definition.keys() == {
        "buildType", "externalParameters", "internalParameters", "resolvedDependencies",
    }  # fmt: skip
    assert details.keys() == {"builder", "metadata", "byproducts"}
    for told in (*definition["resolvedDependencies"], *details["byproducts"]):
        check_descriptor(told)
    for moment in ("startedOn", "finishedOn"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", details["metadata"][moment])


def materials(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in document["predicate"]["buildDefinition"]["resolvedDependencies"]}


def test_golden(tmp_path: Path) -> None:
    text = compose(stored(tmp_path / "build", packed=False)).provenance
    # To write it anew: delete the file, run, and read what came.
    if not GOLDEN.exists():
        GOLDEN.write_text(text)
        pytest.fail(f"{GOLDEN} was not there and has been written: read it")
    assert text == GOLDEN.read_text()


def test_subjects(tmp_path: Path) -> None:
    build = stored(tmp_path / "build")
    found = {item["name"]: item for item in provenance(build)["subject"]}
    assert build.record.result is not None
    os_image, data_image = build.record.result.images
    name = os_image.file.name
    assert found[name]["digest"]["sha256"] == os_image.file_sha256, "as the file lies there, for cosign"
    assert found[name.removesuffix(".lz4")]["digest"]["sha256"] == os_image.sha256
    ami = found["arn:aws:ec2:eu-west-1::image/ami-0123456789abcdef0"]
    assert (ami["uri"], ami["digest"]["sha256"]) == (ami["name"], os_image.sha256)
    assert ami["annotations"]["region"] == "eu-west-1"
    data = found["arn:aws:ec2:eu-west-1::snapshot/snap-0123456789abcdef1"]
    assert data["digest"]["sha256"] == data_image.sha256
    assert len(found) == 7
    assert len(provenance(stored(tmp_path / "raw", packed=False))["subject"]) == 5, "a raw image is there once"


def test_arns_are_of_the_region_s_partition() -> None:
    assert ami_arn("cn-north-1", "ami-1") == "arn:aws-cn:ec2:cn-north-1::image/ami-1"
    assert ami_arn("us-gov-west-1", "ami-1") == "arn:aws-us-gov:ec2:us-gov-west-1::image/ami-1"


def test_materials(tmp_path: Path) -> None:
    found = materials(provenance(stored(tmp_path / "build")))
    assert list(found) == [
        "brqos", "bottlerocket", "core-kit source", "overlay", "bottlerocket-core-kit", "bottlerocket-sdk", "twoliter",
    ]  # fmt: skip
    upstream = f"git+https://github.com/bottlerocket-os/bottlerocket.git@{'c' * 40}"
    assert (found["bottlerocket"]["uri"], found["bottlerocket"]["digest"]) == (upstream, {"gitCommit": "c" * 40})
    assert found["overlay"]["digest"] == {"gitCommit": "d" * 40}
    assert found["core-kit source"]["digest"] == {"gitCommit": "e" * 40}
    assert found["brqos"]["digest"] == {"sha256": "b" * 64}
    assert found["bottlerocket-core-kit"]["digest"] == {"sha256": PINS.kits[0].sha256}
    assert found["twoliter"]["digest"] == {"sha256": "ad" * 32}


def test_a_port_of_a_registry_is_no_tag() -> None:
    pin = PINS.kits[0].model_copy(update={"source": "registry.example:5000/bottlerocket/kit"})
    assert oci_purl(pin).endswith("?repository_url=registry.example%3A5000/bottlerocket/kit")


@pytest.mark.parametrize(
    ("repository", "uri"),
    [
        ("git@git.example.com:os/bottlerocket.git", "git+ssh://git@git.example.com/os/bottlerocket.git@"),
        ("https://git.example.com/bottlerocket", "git+https://git.example.com/bottlerocket@"),
        ("/home/ann/bottlerocket", None),
        ("file:///home/ann/bottlerocket", None),
    ],
)
def test_where_the_source_came_from(tmp_path: Path, repository: str, uri: str | None) -> None:
    build = stored(tmp_path / "build")
    upstream = build.record.upstream.model_copy(update={"repository": repository})
    build.record = build.record.model_copy(update={"upstream": upstream})
    document = provenance(build)
    assert materials(document)["bottlerocket"].get("uri", "") == (f"{uri}{'c' * 40}" if uri else "")
    assert "ann" not in json.dumps(document).replace("annotations", "")


def test_neither_secrets_nor_places_nor_logins_are_told(tmp_path: Path) -> None:
    wanted = spec(
        upstream=UpstreamSpec(repository="/home/ann/b", core_kit="https://ann:secret@example.com/kit", ref="v1.50.0"),
        build=BuildSection(sbkeys_profile=Path("/home/ann/keys/ours"), make_env={"TOKEN": "hush"}),
        repack=RepackSpec(tuf_root=Path("/home/ann/root.json")),
        ami=AmiSpec(regions=("eu-west-1",), profile="ann", share_accounts=("210987654321",)),
    )
    document = provenance(stored(tmp_path / "build", spec=recordable(wanted), engine=Engine.REPACK))
    text = json.dumps(document).replace("annotations", "")
    assert "ann" not in text
    assert "secret" not in text
    assert "hush" not in text
    parameters = document["predicate"]["buildDefinition"]["externalParameters"]
    assert parameters["build"]["sbkeys-profile"] == "ours"
    assert parameters["build"]["make-env"].keys() == {"TOKEN"}
    assert parameters["repack"]["tuf-root"] == "root.json"
    assert "repack" not in parameters_of(stored(tmp_path / "source", spec=recordable(wanted)).record)
    assert "ami" not in parameters, "which AMIs there are is told by the subjects"
    assert "210987654321" not in text


def test_what_made_the_images_is_told_whatever_a_later_run_was_asked_for(tmp_path: Path) -> None:
    build = stored(tmp_path / "build")
    asked = {"variant": "aws-k8s-1.34", "build": {"jobs": 4}}
    origin = ORIGIN.model_copy(update={"parameters": asked, "tools": {"cargo": "1.90.0"}, "brqos": "0.0.9"})
    build.save(origin=origin)
    document = provenance(build)
    build.save(spec=spec(build=BuildSection(jobs=8)), tools={"cargo": "1.91.0"}, brqos="0.2.0")
    assert provenance(build) == document
    predicate = document["predicate"]
    assert predicate["buildDefinition"]["externalParameters"] == asked
    assert predicate["runDetails"]["builder"]["version"] == {"brqos": "0.0.9", "cargo": "1.90.0"}


def test_what_was_left_beside_the_images(tmp_path: Path) -> None:
    build = stored(tmp_path / "build")
    documents = compose(build)
    left = json.loads(documents.provenance)["predicate"]["runDetails"]["byproducts"]
    told = {item["name"]: item["digest"]["sha256"] for item in left}
    assert told.keys() == {"sbom.cdx.json", "build.log", "application-inventory.json"}
    assert told["sbom.cdx.json"] == documents.sbom_sha256
    assert told["build.log"] == "1" * 64, "as it was then, wherever the folder is now"


def test_a_repacked_image_names_what_it_was_made_of(tmp_path: Path) -> None:
    official = {
        "os": {"target": "b.img.lz4", "address": "https://updates.example/b.img.lz4", "file-sha256": "9" * 64},
        "data": {"target": "d.img.lz4", "address": "d.img.lz4", "file-sha256": "a" * 64},
        "repository": {"root-sha512": "c" * 128},
    }
    found = materials(provenance(repacked(tmp_path / "a", official=official)))
    assert list(found) == ["brqos", "in.img.lz4", "in-data.img.lz4", "bottlerocket"]
    image = found["in.img.lz4"]
    assert image["digest"] == {"sha256": "7" * 64}
    assert image["uri"] == "https://updates.example/b.img.lz4"
    assert image["annotations"]["verified"]["by"] == "TUF"
    assert image["annotations"]["verified"]["file-sha256"] == "9" * 64
    assert image["annotations"]["verified"]["repository"] == {"root-sha512": "c" * 128}
    assert "uri" not in found["in-data.img.lz4"], "a name alone is no place"
    given = materials(provenance(repacked(tmp_path / "b")))["in.img.lz4"]
    assert given["annotations"]["verified"] == "no: given as a file"


def test_an_older_record_tells_what_it_knows(tmp_path: Path) -> None:
    build = stored(tmp_path / "build")
    old = build.record.model_dump(mode="json", exclude={"origin", "attested"})
    del old["result"]["inventory"]
    build.record = BuildRecord.model_validate(old)
    document = provenance(build)
    assert document["predicate"]["runDetails"]["builder"]["id"] == "urn:brqos:builder:unknown"
    assert list(materials(document)) == ["bottlerocket", "core-kit source", "overlay"]


def test_the_same_record_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = stored(tmp_path / "a" / "build"), stored(tmp_path / "b" / "build")
    assert compose(one) == compose(other)


def test_both_statements_are_about_the_same(tmp_path: Path) -> None:
    build = stored(tmp_path / "build")
    documents = compose(build)
    found = payloads(build, documents)
    assert found[PROVENANCE_ENVELOPE] == documents.provenance.encode()
    about_bom = json.loads(found[SBOM_ENVELOPE])
    assert about_bom["predicateType"] == "https://cyclonedx.org/bom"
    assert about_bom["predicate"] == json.loads(documents.sbom)
    assert about_bom["subject"] == json.loads(documents.provenance)["subject"]


def test_a_rehearsal_says_so(tmp_path: Path) -> None:
    document = provenance(stored(tmp_path / "build", rehearsal=True))
    assert "REHEARSAL" in document["predicate"]["buildDefinition"]["internalParameters"]["rehearsal"]
