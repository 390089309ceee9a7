"""The emitted files: goldens to be read, both versions of YAML, and the TOML in them."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from ruamel.yaml import YAML

from brqos.nodes import rules
from brqos.nodes.karpenter.file import karpenter_file
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.user_data.settings import node_settings
from nodes.karpenter.cases import CASES, karpenter_request, wishes

GOLDENS = Path(__file__).with_name("goldens")
IN_KUBELET = {"max-pods", "kube-reserved", "system-reserved", "eviction-hard", "cluster-dns-ip"}


def requests_of(case: str) -> list[NodegroupRequest]:
    wanted = [karpenter_request(**fields) for fields in CASES[case]]
    for one in wanted:
        rules.check(one)
    return wanted


def user_data(class_: dict[str, Any]) -> dict[str, Any]:
    return tomllib.loads(class_["spec"]["userData"])


@pytest.mark.parametrize("case", CASES)
def test_the_file_is_the_golden(case: str) -> None:
    assert karpenter_file(requests_of(case)).text == (GOLDENS / f"{case}.yaml").read_text(encoding="utf-8")


def test_every_golden_is_a_case() -> None:
    assert {path.stem for path in GOLDENS.iterdir()} == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_both_versions_of_yaml_read_the_document(case: str) -> None:
    file = karpenter_file(requests_of(case))
    assert list(yaml.safe_load_all(file.text)) == file.document
    assert list(YAML(typ="safe", pure=True).load_all(file.text)) == file.document


def test_each_ami_has_two_objects_of_one_name() -> None:
    file = karpenter_file(requests_of("several"))
    assert [(object_["kind"], object_["metadata"]["name"]) for object_ in file.document] == [
        (kind, name)
        for name in ("memoryqos-amd64", "memoryqos-arm64", "memoryqos-gpu")
        for kind in ("EC2NodeClass", "NodePool")
    ]
    assert file.suffix == ".karpenter.yaml" and file.commands == ("kubectl apply -f {file}",)


def test_a_rehearsal_says_so_before_all_else() -> None:
    assert karpenter_file(requests_of("rehearsal")).text.startswith("# REHEARSAL - DO NOT USE")
    assert "REHEARSAL" not in karpenter_file(requests_of("plain")).text


@pytest.mark.parametrize("text", ["a\u2028b", "a\x85b", "\ufeff", "a\tb", "a\nb", "\x07", " \n ", "é “ü”", "'''", '"'])
def test_user_data_survives_whatever_is_in_it(text: str) -> None:
    file = karpenter_file([karpenter_request(settings={"motd": text})])
    for objects in (yaml.safe_load_all(file.text), YAML(typ="safe", pure=True).load_all(file.text)):
        assert user_data(next(iter(objects)))["settings"]["motd"] == text


@given(wishes())
@settings(deadline=None, max_examples=60)
def test_whatever_is_right_is_emitted_right(wish: NodegroupRequest) -> None:
    rules.check(wish)
    file = karpenter_file([wish])
    assert list(yaml.safe_load_all(file.text)) == file.document
    assert list(YAML(typ="safe", pure=True).load_all(file.text)) == file.document
    expected = node_settings(wish)
    kubernetes = {key: value for key, value in expected.pop("kubernetes", {}).items() if key not in IN_KUBELET}
    assert user_data(file.document[0]) == {
        "settings": {**expected, **({"kubernetes": kubernetes} if kubernetes else {})}
    }
    comments = [line for line in file.text.splitlines() if line.lstrip().startswith("# ")]
    assert all(len(line) <= 100 for line in comments)
