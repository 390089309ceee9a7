"""The emitted templates: goldens to be read, cfn-lint, and both versions of YAML."""

import base64
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from ruamel.yaml import YAML

from brqos.nodes import rules
from brqos.nodes.launch_template.document import document, parameters
from brqos.nodes.launch_template.file import launch_template_file
from brqos.nodes.launch_template.names import logical_ids, stack_name, template_name
from brqos.nodes.request import NodegroupRequest
from nodes.launch_template.cases import CERTIFICATE, ENDPOINT, FULL, KNOWN, ROLE, SUBNETS, wish
from nodes.launch_template.intrinsics import resolved
from nodes.launch_template.lint import complaints
from nodes.launch_template.wishes import wishes

GOLDENS = Path(__file__).with_name("goldens")
OFFICIAL = {"ami": None, "variant": "aws-k8s-1.37"}
CASES: dict[str, list[dict[str, Any]]] = {
    "plain": [{}],
    "full": [FULL],
    "nvidia": [{**KNOWN, "variant": "aws-k8s-1.34-nvidia", "name": "gpu", "kube_reserved": {"memory": "1Gi"}}],
    "official": [{**OFFICIAL, "taints": ("dedicated=spark:NoSchedule",), "max_pods": 58}],
    "rehearsal": [{"ami": "ami-rehearsal0123456789abcdef0", "rehearsal": True}],
    "several": [
        {**KNOWN, "name": "nodes-amd64"},
        {**KNOWN, "name": "nodes-arm64", "arch": "arm64", "ami": "ami-1234abcd"},
    ],
}


def requests(case: str) -> list[NodegroupRequest]:
    return [wish(**fields) for fields in CASES[case]]


def resources(*made: NodegroupRequest) -> dict[str, Any]:
    found = document(made)["Resources"]
    assert isinstance(found, dict)
    return found


def properties(request: NodegroupRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """The launch template's data, and the nodegroup's properties."""
    template, group = resources(request).values()
    return template["Properties"]["LaunchTemplateData"], group["Properties"]


@pytest.mark.parametrize("case", CASES)
def test_the_file_is_the_golden(case: str) -> None:
    assert launch_template_file(requests(case)).text == (GOLDENS / f"{case}.yaml").read_text(encoding="utf-8")


def test_every_golden_is_a_case() -> None:
    assert {path.stem for path in GOLDENS.iterdir()} == set(CASES)


@pytest.mark.parametrize("case", sorted(set(CASES) - {"rehearsal"}))
def test_cfn_lint_has_nothing_against_the_goldens(case: str) -> None:
    assert complaints((GOLDENS / f"{case}.yaml").read_text(encoding="utf-8")) == []


def test_cfn_lint_can_say_no() -> None:
    text = (GOLDENS / "plain.yaml").read_text(encoding="utf-8")
    assert complaints(text.replace("VolumeType: gp3", "VolumeType: gp9"))
    assert complaints(text.replace("Ref: SubnetIds", "Ref: Subnets"))


@given(wishes())
@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.too_slow])
def test_cfn_lint_has_nothing_against_any(request: NodegroupRequest) -> None:
    assert complaints(launch_template_file([request]).text) == []


@given(wishes())
@settings(deadline=None, max_examples=50)
def test_both_versions_of_yaml_read_the_same(request: NodegroupRequest) -> None:
    rules_of_all_kinds(request)
    made = launch_template_file([request])
    assert yaml.safe_load(made.text) == made.document
    assert YAML(typ="safe", pure=True).load(made.text) == made.document
    comments = [line for line in made.text.splitlines() if line.lstrip().startswith("#") and "aws " not in line]
    assert all(len(line) <= 100 for line in comments)


@given(wishes())
@settings(deadline=None, max_examples=50)
def test_a_node_reads_what_was_asked_for(request: NodegroupRequest) -> None:
    data, _ = properties(request)
    told = {"ApiServer": ENDPOINT["api_server"], "ClusterCertificate": CERTIFICATE}
    read = tomllib.loads(base64.b64decode(resolved(data["UserData"], told)).decode())["settings"]
    kubernetes = read.get("kubernetes", {})
    spec = request.spec
    for given_, name in ((spec.kube_reserved, "kube-reserved"), (spec.eviction_hard, "eviction-hard")):
        assert kubernetes.get(name, {}) == given_
    assert kubernetes.get("max-pods") == spec.max_pods
    if request.ami is not None:
        assert kubernetes["cluster-name"] == request.cluster
        assert kubernetes["api-server"] == ENDPOINT["api_server"]
        assert kubernetes["cluster-certificate"] == CERTIFICATE
    assert read.get("motd") == spec.settings.get("motd")


def rules_of_all_kinds(request: NodegroupRequest) -> None:
    # What is general is right already: nothing of this kind's rules is tried with what would never come here.
    if "_" not in request.cluster:
        rules.check(request)


def test_what_is_known_is_no_parameter() -> None:
    assert parameters([wish()]) == ["ApiServer", "ClusterCertificate", "NodeRoleArn", "SubnetIds"]
    assert parameters([wish(**KNOWN)]) == []
    assert "Parameters" not in document([wish(**KNOWN)])
    assert parameters([wish(**{**KNOWN, "endpoint": {"api_server": "https://a"}})]) == ["ClusterCertificate"]
    assert parameters([wish(**OFFICIAL)]) == ["NodeRoleArn", "SubnetIds"]
    assert parameters([wish(**KNOWN, name="a"), wish(name="b", node_role=ROLE)]) == [
        "ApiServer",
        "ClusterCertificate",
        "SubnetIds",
    ]


def test_known_values_stand_in_their_places() -> None:
    data, group = properties(wish(**KNOWN))
    assert (group["NodeRole"], group["Subnets"]) == (ROLE, list(SUBNETS))
    assert "${" not in data["UserData"]["Fn::Base64"]


def test_an_own_ami_is_in_the_template_alone() -> None:
    data, group = properties(wish())
    assert data["ImageId"] == wish().ami
    assert not {"AmiType", "Version", "ReleaseVersion", "DiskSize", "RemoteAccess"} & set(group)
    assert not {"InstanceType", "IamInstanceProfile", "NetworkInterfaces", "InstanceMarketOptions"} & set(data)


def test_the_official_ami_is_in_the_nodegroup_alone() -> None:
    data, group = properties(wish(**OFFICIAL, taints=("a=b:NoSchedule",)))
    assert "ImageId" not in data
    assert (group["AmiType"], group["Version"]) == ("BOTTLEROCKET_x86_64", "1.37")
    read = tomllib.loads(data["UserData"]["Fn::Base64"])["settings"]
    assert read["kubernetes"] == {"memory-throttling-factor": 0.9, "memory-reservation-policy": "TieredReservation"}


def test_the_nodegroup_uses_the_version_that_the_stack_made() -> None:
    template, group = resources(wish(name="nodes"))
    assert resources(wish(name="nodes"))[group]["Properties"]["LaunchTemplate"] == {
        "Id": {"Ref": template},
        "Version": {"Fn::GetAtt": [template, "LatestVersionNumber"]},
    }


def test_names_hang_on_the_nodegroup_alone() -> None:
    one, other = wish(name="a-1"), wish(name="a1", arch="arm64")
    assert logical_ids([one]) == ["A1"]
    assert logical_ids([one, other]) == ["A1", "A1x2"]
    assert set(resources(one)) < set(resources(one, other))
    assert template_name(one) == "prod-a-1"


@pytest.mark.parametrize(
    ("cluster", "name", "stack"),
    [
        ("prod", "nodes", "prod-nodes"),
        ("my_own", "nodes", "my-own-nodes"),
        ("1st", "nodes", "eks-1st-nodes"),
        ("x" * 100, "n" * 63, "eks-" + "x" * 60 + "-" + "n" * 63),
    ],
)
def test_the_stacks_name_is_one(cluster: str, name: str, stack: str) -> None:
    assert stack_name([wish(cluster=cluster, name=name)]) == stack
    assert len(stack) <= 128


def test_the_command_asks_eks_for_what_is_missing() -> None:
    (command,) = launch_template_file([wish()]).commands
    assert command.startswith("aws cloudformation deploy --region eu-central-1 --stack-name prod-")
    assert "--template-file {file}" in command
    assert 'ApiServer="$(aws eks describe-cluster --region eu-central-1 --name prod --query cluster.endpoint' in command
    assert "--parameter-overrides" not in launch_template_file([wish(**KNOWN)]).commands[0]


def test_a_rehearsal_says_so_before_all_else() -> None:
    first = launch_template_file(requests("rehearsal")).text.splitlines()[0]
    assert first.startswith("# REHEARSAL - DO NOT USE")
    assert "REHEARSAL" not in launch_template_file([wish()]).text


def test_both_volumes_are_encrypted_or_none() -> None:
    plain, _ = properties(wish())
    assert [mapping["DeviceName"] for mapping in plain["BlockDeviceMappings"]] == ["/dev/xvdb"]
    data, _ = properties(wish(volume_encrypted=True, volume_kms_key="alias/nodes"))
    root, second = data["BlockDeviceMappings"]
    assert root == {"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "KmsKeyId": "alias/nodes"}}
    assert second["Ebs"] | root["Ebs"] == second["Ebs"]


def test_nodes_get_no_tags_of_ours() -> None:
    data, group = properties(wish(tags={"team": "x"}))
    for specification in data["TagSpecifications"]:
        assert not [tag for tag in specification["Tags"] if tag["Key"].startswith("brqos:")]
        assert {"Key": "team", "Value": "x"} in specification["Tags"]
    assert group["Tags"]["brqos:tool"] == "brqos"
    assert group["Tags"]["team"] == "x"
