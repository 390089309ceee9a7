"""What Terraform itself says of the files: their form, their JSON twin, and what the real module makes of them.

The module is not in the repository: BRQOS_TERRAFORM_AWS_EKS names a checkout of terraform-aws-eks v21. Its launch
template and nodegroup need the AWS provider and an account; here its variables take our arguments, and its template is
rendered.
"""

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from brqos.nodes.request import NodegroupRequest
from brqos.nodes.terraform.file import terraform_file
from brqos.nodes.terraform.user_data import settings_of
from nodes.terraform.cases import CASES, requests, wish, wishes

pytestmark = pytest.mark.processes

# Read when the tests are collected: the tests themselves run without any BRQOS_* variable.
_GIVEN = os.environ.get("BRQOS_TERRAFORM_AWS_EKS")
needs_module = pytest.mark.skipif(
    _GIVEN is None, reason="BRQOS_TERRAFORM_AWS_EKS names no checkout of terraform-aws-eks"
)

CLUSTER = """
locals {
  LABEL = {
    name                      = "prod"
    endpoint                  = "https://0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com"
    certificate_authority     = [{ data = "LS0tLS1CRUdJTg==" }]
    kubernetes_network_config = [{ ip_family = "FAMILY", service_ipv4_cidr = "IPV4", service_ipv6_cidr = "IPV6" }]
    vpc_config                = [{ subnet_ids = toset(["subnet-01234567"]), cluster_security_group_id = "sg-01234567" }]
  }
}
"""
# Terraform drops what an object of a variable's type does not have, without a word: so they are handed back.
OBJECTS = ("block_device_mappings", "metadata_options", "taints", "update_config")
OUTPUTS = """
output "taken" {
  value = { TAKEN }
}
output "user_data" {
  value = templatefile("TEMPLATE", {
    enable_bootstrap_user_data = var.enable_bootstrap_user_data
    cluster_name               = coalesce(var.cluster_name, "")
    cluster_endpoint           = var.cluster_endpoint == null ? "" : var.cluster_endpoint
    cluster_auth_base64        = var.cluster_auth_base64 == null ? "" : var.cluster_auth_base64
    cluster_dns_ips            = jsonencode([cidrhost(var.cluster_service_cidr, 10)])
    bootstrap_extra_args       = var.bootstrap_extra_args
  })
}
"""


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run Terraform without anybody's configuration, and return what it said; it never asks the network.

    Skipped without it in any case: no distribution has it among its packages.
    """
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("the program “terraform” is not installed")
    configuration = tmp_path_factory.mktemp("terraform") / "terraformrc"
    configuration.write_text("disable_checkpoint = true\n")

    def run(*arguments: str, cwd: Path, text: str | None = None) -> str:
        environment = {**os.environ, "TF_CLI_CONFIG_FILE": str(configuration), "TF_IN_AUTOMATION": "1"}
        done = subprocess.run(
            [program, *arguments], cwd=cwd, input=text, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("case", CASES)
def test_terraform_would_format_nothing(case: str, terraform: Callable[..., str], tmp_path: Path) -> None:
    text = terraform_file(requests(case)).text
    assert terraform("fmt", "-", cwd=tmp_path, text=text) == text


@given(wishes())
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_terraform_would_format_nothing_of_any_wish(
    terraform: Callable[..., str], tmp_path: Path, request_: NodegroupRequest
) -> None:
    text = terraform_file([request_]).text
    assert terraform("fmt", "-", cwd=tmp_path, text=text) == text


def evaluated(
    request: NodegroupRequest, terraform: Callable[..., str], folder: Path, *, json_syntax: bool = False
) -> str:
    """The user data that Terraform and the module's own template make of a file."""
    checkout = Path(_GIVEN or "")
    module = folder / "module"
    module.mkdir(exist_ok=True)
    variables = checkout / "modules" / "eks-managed-node-group" / "variables.tf"
    (module / "variables.tf").write_text(variables.read_text())
    taken = ", ".join(f"{name} = var.{name}" for name in OBJECTS)
    template = checkout / "templates" / "bottlerocket_user_data.tpl"
    (module / "outputs.tf").write_text(OUTPUTS.replace("TEMPLATE", str(template)).replace("TAKEN", taken))
    made = terraform_file([request])
    ((label, arguments),) = made.document["module"].items()
    six = request.cluster == "six"
    family = {
        "FAMILY": "ipv6" if six else "ipv4",
        "IPV4": "" if six else "172.20.0.0/16",
        "IPV6": "fd00::/108" if six else "",
    }
    cluster = CLUSTER.replace("LABEL", label)
    for name, value in family.items():
        cluster = cluster.replace(f'"{name}"', f'"{value}"')
    (folder / "cluster.tf").write_text(cluster + f'output "module" {{\n  value = module.{label}\n}}\n')
    for old in ("file.tf", "file.tf.json"):
        (folder / old).unlink(missing_ok=True)
    if json_syntax:
        document = {"module": made.document["module"]}
        document["module"][label] |= {"source": "./module"}
        del document["module"][label]["version"]
        text = json.dumps(document)
    else:
        text = re.sub(r'^data "aws_eks_cluster".*?^}\n', "", made.text, flags=re.DOTALL | re.MULTILINE)
        text = re.sub(r"^  source +=.*\n  version +=.*$", '  source = "./module"', text, flags=re.MULTILINE)
    text = text.replace("data.aws_eks_cluster.", "local.")
    (folder / ("file.tf.json" if json_syntax else "file.tf")).write_text(text)
    terraform("init", "-input=false", cwd=folder)
    terraform("apply", "-auto-approve", "-input=false", cwd=folder)
    output: dict[str, Any] = json.loads(terraform("output", "-json", cwd=folder))
    (folder / "terraform.tfstate").unlink()
    module_ = output["module"]["value"]
    for name in OBJECTS:
        assert_kept(arguments.get(name), module_["taken"][name])
    return str(module_["user_data"])


def assert_kept(given_: Any, taken: Any) -> None:
    """Nothing of what was given is lost; the module may have added its defaults."""
    if isinstance(given_, dict):
        for key, value in given_.items():
            assert_kept(value, taken[key])
    elif given_ is not None:
        assert taken == given_


def check(text: str, request: NodegroupRequest) -> None:
    """The settings are the wanted ones, and with an own AMI the module has added the cluster."""
    read = tomllib.loads(text)["settings"]
    if request.ami is not None:
        joining = {key: read["kubernetes"].pop(key) for key in ("cluster-name", "api-server", "cluster-certificate")}
        assert joining["cluster-name"] == "prod" and joining["api-server"].startswith("https://")
        dns = "fd00::a" if request.cluster == "six" else "172.20.0.10"
        assert read["kubernetes"].pop("cluster-dns-ip") == [dns]
        if not read["kubernetes"]:
            del read["kubernetes"]
    assert read == settings_of(request)


@needs_module
@pytest.mark.parametrize("json_syntax", [False, True], ids=["hcl", "json"])
@pytest.mark.parametrize("case", [case for case in CASES if case != "several"])
def test_the_module_takes_the_arguments_and_makes_valid_user_data(
    case: str, json_syntax: bool, terraform: Callable[..., str], tmp_path: Path
) -> None:
    (request,) = requests(case)
    check(evaluated(request, terraform, tmp_path, json_syntax=json_syntax), request)


@needs_module
def test_a_cluster_with_ipv6_gets_its_dns_address(terraform: Callable[..., str], tmp_path: Path) -> None:
    request = wish(cluster="six")
    check(evaluated(request, terraform, tmp_path), request)


@needs_module
@given(wishes())
@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_module_makes_valid_user_data_of_any_wish(
    terraform: Callable[..., str], tmp_path_factory: pytest.TempPathFactory, request_: NodegroupRequest
) -> None:
    check(evaluated(request_, terraform, tmp_path_factory.mktemp("any")), request_)
