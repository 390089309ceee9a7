"""The emitted files: goldens to be read, what stands where, and user data that Bottlerocket can read."""

import json
import textwrap
from pathlib import Path
from typing import Any

import hcl2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brqos.errors import ConfigurationError
from brqos.nodes import rules
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.terraform.file import terraform_file
from brqos.nodes.terraform.user_data import settings_of as wanted_settings
from nodes.requests import AMI
from nodes.terraform.cases import CASES, requests, wish, wishes
from nodes.terraform.user_data import settings_of

GOLDENS = Path(__file__).with_name("goldens")


def arguments(request: NodegroupRequest) -> dict[str, Any]:
    """The module's arguments, as they stand in Terraform's JSON syntax."""
    (module,) = terraform_file([request]).document["module"].values()
    assert isinstance(module, dict)
    return module


@pytest.mark.parametrize("case", CASES)
def test_the_file_is_the_golden(case: str) -> None:
    wanted = requests(case)
    for request in wanted:
        rules.check(request)
    assert terraform_file(wanted).text == (GOLDENS / f"{case}.tf").read_text(encoding="utf-8")


def test_every_golden_is_a_case() -> None:
    assert {path.stem for path in GOLDENS.iterdir()} == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_the_data_are_jsons_and_have_the_same_modules(case: str) -> None:
    made = terraform_file(requests(case))
    assert json.loads(json.dumps(made.document)) == made.document
    assert len(made.document["module"]) == len(made.requests)
    assert made.suffix == ".tf"
    assert all(f'module "{label}" {{' in made.text for label in made.document["module"])


def test_an_own_ami_brings_all_that_a_node_needs_to_join() -> None:
    module = arguments(wish())
    assert module["ami_id"] == AMI
    assert module["enable_bootstrap_user_data"] is True
    assert module["use_latest_ami_release_version"] is False
    assert module["cluster_endpoint"].endswith(".endpoint}")
    assert module["cluster_auth_base64"].endswith(".certificate_authority[0].data}")
    assert "ami_release_version" not in module


def test_the_official_ami_is_named_by_its_type_and_said_to_be_enough() -> None:
    request = wish(ami=None, variant="aws-k8s-1.37")
    module = arguments(request)
    assert not {"ami_id", "enable_bootstrap_user_data", "cluster_endpoint"} & set(module)
    assert (module["ami_type"], module["kubernetes_version"]) == ("BOTTLEROCKET_x86_64", "1.37")
    assert settings_of(module)["kubernetes"] == {
        "memory-throttling-factor": 0.9,
        "memory-reservation-policy": "TieredReservation",
    }
    assert "No custom image is needed" in terraform_file([request]).text


@pytest.mark.parametrize(
    ("variant", "arch", "ami_type"),
    [
        ("aws-k8s-1.34", "arm64", "BOTTLEROCKET_ARM_64"),
        ("aws-k8s-1.34-nvidia", "x86_64", "BOTTLEROCKET_x86_64_NVIDIA"),
        ("aws-k8s-1.34-fips", "arm64", "BOTTLEROCKET_ARM_64_FIPS"),
        ("aws-k8s-1.34-nvidia-fips", "arm64", "BOTTLEROCKET_ARM_64_NVIDIA"),
        ("aws-k8s-1.34-nvidia-595", "x86_64", "BOTTLEROCKET_x86_64_NVIDIA"),
    ],
)
def test_the_type_of_an_own_ami_is_one_that_the_module_has_a_template_for(
    variant: str, arch: str, ami_type: str
) -> None:
    assert arguments(wish(variant=variant, arch=arch))["ami_type"] == ami_type


def test_the_desired_size_is_never_below_the_least() -> None:
    assert arguments(wish(min_size=2))["desired_size"] == 2
    assert arguments(wish(min_size=0))["desired_size"] == 0
    assert arguments(wish(desired_capacity=3))["desired_size"] == 3


def test_max_unavailable_is_a_number_or_a_share() -> None:
    assert arguments(wish(max_unavailable="2"))["update_config"] == {"max_unavailable": 2}
    assert arguments(wish(max_unavailable="25%"))["update_config"] == {"max_unavailable_percentage": 25}
    assert "update_config" not in arguments(wish())


def test_taints_are_told_to_eks_and_brought_along() -> None:
    module = arguments(wish(taints=("a=b:NoSchedule", "a:NoExecute")))
    assert list(module["taints"].values()) == [
        {"key": "a", "value": "b", "effect": "NO_SCHEDULE"},
        {"key": "a", "effect": "NO_EXECUTE"},
    ]
    assert settings_of(module)["kubernetes"]["node-taints"] == {"a": ["b:NoSchedule", ":NoExecute"]}


def test_with_the_official_ami_eks_alone_sets_taints() -> None:
    module = arguments(wish(ami=None, variant="aws-k8s-1.37", taints=("a=b:NoSchedule",)))
    assert "a:NoSchedule" in module["taints"]
    assert "node-taints" not in settings_of(module)["kubernetes"]


def test_own_security_groups_keep_the_clusters() -> None:
    module = arguments(wish(security_groups=("sg-01234567",)))
    assert module["vpc_security_group_ids"] == ["sg-01234567"]
    assert module["cluster_primary_security_group_id"].endswith(".vpc_config[0].cluster_security_group_id}")
    assert "cluster_primary_security_group_id" not in arguments(wish())


def test_the_data_volume_is_always_there_and_the_systems_where_it_is_encrypted() -> None:
    data = {"volume_size": 80, "volume_type": "gp3", "delete_on_termination": True}
    assert arguments(wish())["block_device_mappings"] == {"xvdb": {"device_name": "/dev/xvdb", "ebs": data}}
    both = arguments(wish(volume_encrypted=True))["block_device_mappings"]
    assert both["xvda"] == {"device_name": "/dev/xvda", "ebs": {"encrypted": True}}
    assert both["xvdb"]["ebs"] == {**data, "encrypted": True}


def test_a_role_is_made_or_given() -> None:
    made = arguments(wish(name="x" * 36 + "-y"))
    assert len(made["iam_role_name"]) <= 37 and not made["iam_role_name"].endswith("-")
    assert "create_iam_role" not in made
    given_ = arguments(wish(node_role="arn:aws:iam::111122223333:role/nodes"))
    assert (given_["create_iam_role"], given_["iam_role_arn"]) == (False, "arn:aws:iam::111122223333:role/nodes")
    assert not {"iam_role_name", "iam_role_additional_policies"} & set(given_)


def test_session_manager_needs_its_policy() -> None:
    assert arguments(wish(region="cn-north-1"))["iam_role_additional_policies"] == {
        "AmazonSSMManagedInstanceCore": "arn:aws-cn:iam::aws:policy/AmazonSSMManagedInstanceCore"
    }
    assert "iam_role_additional_policies" not in arguments(wish(control_container=False))


def test_policies_are_attached_once() -> None:
    own, aws = "arn:aws:iam::111122223333:policy/X", "arn:aws:iam::aws:policy/X"
    needed = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
    module = arguments(wish(control_container=False, policies=(own, aws, needed)))
    assert module["iam_role_additional_policies"] == {own: own, aws: aws}
    session_manager = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    module = arguments(wish(policies=(session_manager,)))
    assert list(module["iam_role_additional_policies"].values()) == [session_manager]


def test_a_rehearsal_says_so_before_all_else() -> None:
    first = terraform_file(requests("rehearsal")).text.splitlines()[0]
    assert first.startswith("# REHEARSAL - DO NOT USE")
    assert "REHEARSAL" not in terraform_file(requests("plain")).text


def test_files_of_an_old_and_a_new_ami_can_stand_side_by_side() -> None:
    old = terraform_file([wish()]).document
    new = terraform_file([wish(ami="ami-0fedcba9876543210")]).document
    assert not set(old["module"]) & set(new["module"])
    assert not set(old["data"]["aws_eks_cluster"]) & set(new["data"]["aws_eks_cluster"])


def test_one_cluster_is_looked_up_once() -> None:
    made = terraform_file(requests("several")).document
    (label,) = made["data"]["aws_eks_cluster"]
    assert {module["cluster_name"] for module in made["module"].values()} == {f"${{data.aws_eks_cluster.{label}.name}}"}


def as_json_syntax(value: Any) -> Any:
    """What python-hcl2 reads, as Terraform's JSON syntax has it."""
    match value:
        case dict():
            read = {_unquoted(key): as_json_syntax(item) for key, item in value.items()}
            return {key: item for key, item in read.items() if not key.startswith("__")}
        case list():
            return [as_json_syntax(item) for item in value]
        case str() if value.startswith('"<<-EOT'):
            return textwrap.dedent(value.split("\n", 1)[1].removesuffix('  EOT"'))
        case str():
            return _unquoted(value)
        case _:
            return value


def _unquoted(text: str) -> str:
    return str(json.loads(text)) if text.startswith('"') else text


@pytest.mark.parametrize("golden", sorted(GOLDENS.iterdir()), ids=lambda path: path.stem)
def test_another_reader_of_hcl_reads_the_same(golden: Path) -> None:
    read = as_json_syntax(hcl2.loads(golden.read_text(encoding="utf-8")))
    document = terraform_file(requests(golden.stem)).document
    (data,) = read["data"]
    assert data == document["data"]
    assert {label: module for block in read["module"] for label, module in block.items()} == document["module"]


@given(wishes())
@settings(deadline=None, max_examples=60)
def test_whatever_is_right_becomes_user_data_that_bottlerocket_can_read(request: NodegroupRequest) -> None:
    rules.check(request)
    made = terraform_file([request])
    wanted = {key: value for key, value in wanted_settings(request).items() if (key, value) != ("kubernetes", {})}
    assert settings_of(arguments(request)) == wanted
    assert all(len(line) <= 100 for line in made.text.splitlines() if line.lstrip().startswith("# "))


@given(wishes(), st.data())
@settings(deadline=None, max_examples=40)
def test_one_wrong_wish_is_refused(request: NodegroupRequest, data: st.DataObject) -> None:
    wrong = data.draw(
        st.sampled_from(
            [
                {"desired_capacity": request.spec.max_size + 1},
                {"volume_size": 19},
                {"volume_type": "io2"},
                {"volume_kms_key": "alias/x", "volume_encrypted": False},
                {"labels": {**request.spec.labels, "eks.amazonaws.com/x": "y"}},
                {"taints": ("a=b:NoSchedule", "a=c:NoSchedule")},
                {"kube_reserved": {"memory": "1K"}},
                {"private_networking": True},
                {"node_role": "arn:aws:iam::111122223333:role/n", "permissions_boundary": "arn:aws:iam::aws:policy/X"},
                {"settings": {"kubernetes": {"api-server": "https://example.com"}}},
                {"settings": {"kubernetes": {"node-taints": {"a": ["b:NoSchedule"]}}}},
                {"settings": {"host-containers": {"admin": {"enabled": True}}}},
                {"max_pods": 5, "settings": {"kubernetes": {"max-pods": 6}}},
                {"settings": {"motd": "x" * 15000}},
            ]
        )
    )
    spec = {name: getattr(request.spec, name) for name in type(request.spec).model_fields}
    image = {"ami": request.ami, "arch": request.architecture.value, "variant": request.variant.base}
    broken = wish(**{**image, **spec, **wrong, "kind": "terraform"})
    with pytest.raises(ConfigurationError):
        rules.check(broken)
        terraform_file([broken])
