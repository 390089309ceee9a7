"""The bill of materials, held against CycloneDX's own schema."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st

from brqos.provenance.bom import bom_of
from brqos.provenance.documents import compose
from brqos.provenance.inventory import Inventory, Package, read_inventory
from brqos.record import StoredBuild

from .builds import PACKAGES, TIME, package, repacked, stored

GOLDEN = Path(__file__).parent / "goldens" / "sbom.json"
VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)
TEXT = st.text(max_size=20)


def bom(build: StoredBuild) -> dict[str, Any]:
    document = json.loads(compose(build).sbom)
    assert VALIDATOR.validate_str(json.dumps(document)) is None
    return document


def named(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [item for item in document["components"] if item["name"] == name]
    return found


def properties(component: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item["value"] for item in component.get("properties", ())}


def test_golden(tmp_path: Path) -> None:
    text = compose(stored(tmp_path / "build", packed=False)).sbom
    # To write it anew: delete the file, run, and read what came.
    if not GOLDEN.exists():
        GOLDEN.write_text(text)
        pytest.fail(f"{GOLDEN} was not there and has been written: read it")
    assert text == GOLDEN.read_text()


def test_the_image_is_the_main_component(tmp_path: Path) -> None:
    build = stored(tmp_path / "build")
    main = bom(build)["metadata"]["component"]
    assert build.record.result is not None
    assert main["hashes"] == [{"alg": "SHA-256", "content": build.record.result.images[0].sha256}]
    assert (main["type"], main["version"]) == ("container", "1.50.0-dddddddddddd")


def test_scanners_find_the_operating_system_and_its_packages(tmp_path: Path) -> None:
    """Trivy 0.74 takes one component of that type, and the name as the family; Syft 1.57 looks below `components`."""
    document = bom(stored(tmp_path / "build"))
    (system,) = [item for item in document["components"] if item["type"] == "operating-system"]
    assert (system["name"], system["version"]) == ("bottlerocket", "1.50.0")
    depends = {item["ref"]: item.get("dependsOn", []) for item in document["dependencies"]}
    packages = {item["bom-ref"] for item in document["components"] if item.get("purl", "").startswith("pkg:rpm/")}
    assert set(depends[system["bom-ref"]]) == packages
    assert len(packages) == len(PACKAGES)


def test_packages(tmp_path: Path) -> None:
    document = bom(stored(tmp_path / "build"))
    assert document["compositions"][0]["aggregate"] == "incomplete"
    broker = named(document, "dbus-broker")
    assert broker["purl"] == (
        "pkg:rpm/bottlerocket/dbus-broker@37-1.1760000000.abcdef01.br1?arch=x86_64&distro=bottlerocket-1.50.0&epoch=1"
    )
    assert broker["supplier"] == {"name": "Bottlerocket"}
    assert "licenses" not in broker, "upstream's list has none"
    assert "externalReferences" not in named(document, "bottlerocket-kernel-6.12"), "it has no URL"
    assert "epoch" not in named(document, "bottlerocket-kernel-6.12")["purl"]


def test_our_own_package_is_marked_and_holds_the_settings(tmp_path: Path) -> None:
    document = bom(stored(tmp_path / "build"))
    ours, file = named(document, "bottlerocket-kubelet-memory-qos"), named(document, "900-memory-qos.conf")
    assert properties(ours)["brqos:added-by"] == "brqos"
    assert ours["supplier"] == {"name": "brqos"}
    assert ours["licenses"][0]["license"]["id"] == "Apache-2.0"
    assert file["hashes"][0]["content"] == "3" * 64
    depends = {item["ref"]: item.get("dependsOn", []) for item in document["dependencies"]}
    assert depends[ours["bom-ref"]] == [file["bom-ref"]]
    main = document["metadata"]["component"]["bom-ref"]
    assert set(depends[main]) == {item["bom-ref"] for item in document["components"]}
    marked = {item["name"] for item in document["components"] if "brqos:added-by" in properties(item)}
    assert marked == {"bottlerocket-kubelet-memory-qos", "900-memory-qos.conf"}


def test_kits_and_tools_are_there_and_not_in_the_image(tmp_path: Path) -> None:
    document = bom(stored(tmp_path / "build"))
    kit = named(document, "bottlerocket-core-kit")
    assert kit["scope"] == "excluded"
    assert kit["purl"].startswith("pkg:oci/bottlerocket-core-kit@sha256:f8e23210474218bd84f3e1995337049e")
    assert {item["name"] for item in document["components"] if item.get("scope") == "excluded"} == {
        "bottlerocket-core-kit", "bottlerocket-sdk", "twoliter",
    }  # fmt: skip


def test_the_same_build_has_the_same_bill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = stored(tmp_path / "a" / "build")
    # Another machine's clock and locale, the same list in another order.
    other = stored(tmp_path / "b" / "build", inventory=list(reversed(PACKAGES)))
    first, second = bom(one), bom(other)
    serials = first.pop("serialNumber"), second.pop("serialNumber")
    for document in (first, second):
        # The list's own digest is told, and its bytes are others.
        document["metadata"]["properties"] = []
    assert first == second
    assert serials[0] != serials[1], "another content has another serial number"
    assert compose(one).sbom == compose(one).sbom
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    later = bom(one)
    assert later["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert later["serialNumber"] != serials[0]


def test_without_a_list_of_packages_it_says_so(tmp_path: Path) -> None:
    for inventory, words in ((None, "build's output has no application-inventory.json"), ([], "lists no package")):
        build = stored(tmp_path / "build", inventory=inventory)
        document = bom(build)
        assert words in properties(document["metadata"])["brqos:inventory"]
        assert document["compositions"][0]["aggregate"] == "unknown"
        assert not [item for item in document["components"] if item.get("purl", "").startswith("pkg:rpm")]
        assert words in compose(build).why_no_inventory
    (build.folder / "images" / "application-inventory.json").unlink()
    assert "No such file" in properties(bom(build)["metadata"])["brqos:inventory"]


def test_what_a_list_lacks_or_is_of_old_is_said(tmp_path: Path) -> None:
    old = [{key: value for key, value in package("glibc").items() if key != "Epoch"}]
    told = properties(bom(stored(tmp_path / "build", inventory=old))["metadata"])
    assert told["brqos:inventory-lacks"] == "kubelet-memory-qos"
    assert "the kit's version" in told["brqos:inventory-versions"]


def test_a_repacked_image(tmp_path: Path) -> None:
    document = bom(repacked(tmp_path / "build"))
    assert named(document, "900-memory-qos.conf")["hashes"][0]["content"] == "6" * 64
    assert "brqos:inventory-lacks" not in properties(document["metadata"]), "nothing was installed there"
    assert not [item for item in document["components"] if item.get("scope") == "excluded"]


def test_a_rehearsal_says_so(tmp_path: Path) -> None:
    told = properties(bom(stored(tmp_path / "build", rehearsal=True))["metadata"])
    assert "REHEARSAL" in told["brqos:rehearsal"]


@given(st.lists(st.builds(Package, *[TEXT.filter(bool), *[TEXT] * 8]), min_size=1, max_size=4))
def test_any_list_gives_a_valid_bill(tmp_path_factory: pytest.TempPathFactory, packages: list[Package]) -> None:
    build = stored(tmp_path_factory.mktemp("any") / "build", inventory=None)
    twice = tuple(sorted([*packages, packages[0]]))
    document = bom_of(build.record, Inventory(twice, "0" * 64, True), why_none="", made=TIME)
    assert VALIDATOR.validate_str(json.dumps(document)) is None
    references = [item["bom-ref"] for item in document["components"]]
    assert len(set(references)) == len(references)
    assert len([item for item in document["components"] if item["type"] == "library"]) == len(twice)


def test_a_long_list_is_read_whole(tmp_path: Path) -> None:
    many = [package(f"package-{number}") for number in range(300)]
    build = stored(tmp_path / "build", inventory=many)
    assert build.record.result is not None
    assert build.record.result.inventory is not None
    assert len(read_inventory(build.path(build.record.result.inventory)).packages) == 300
    assert compose(build).packages == 300


def test_the_time_is_in_utc(tmp_path: Path) -> None:
    document = bom_of(stored(tmp_path / "b").record, None, why_none="x", made=datetime(2026, 1, 1, tzinfo=UTC))
    assert document["metadata"]["timestamp"] == "2026-01-01T00:00:00+00:00"
