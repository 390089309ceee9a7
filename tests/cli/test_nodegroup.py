"""`brqos nodegroup`, as scripts and people call it."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from brqos.architecture import Architecture
from brqos.cli.nodegroup import nodegroup
from brqos.nodes.request import NodegroupRequest, request_for, spec_of
from brqos.pipeline import nodegroup as pipeline_nodegroup
from brqos.variant import VariantName

AMI = "ami-0123456789abcdef0"
REQUIRED = (
    "--ami",
    AMI,
    "--arch",
    "x86_64",
    "--variant",
    "aws-k8s-1.29",
    "--cluster",
    "prod",
    "--region",
    "eu-central-1",
)

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(nodegroup)


class Result:
    def __init__(self, *arguments: str) -> None:
        result = CliRunner().invoke(app, arguments)
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr

    def refused(self, code: int) -> str:
        assert (self.code, self.out) == (code, ""), self.err
        assert self.err.count("error: ") == 1
        assert "Traceback" not in self.err
        return self.err


def test_the_file_goes_to_standard_output() -> None:
    result = Result(*REQUIRED)
    assert (result.code, result.err) == (0, "")
    document = yaml.safe_load(result.out)
    assert document["metadata"] == {"name": "prod", "region": "eu-central-1"}
    assert document["managedNodeGroups"][0]["ami"] == AMI
    assert Result(*REQUIRED, "--output", "-").out == result.out


def test_every_option_arrives() -> None:
    result = Result(
        *REQUIRED,
        *("--self-managed", "--name", "nodes", "--instance-type", "m6i.large", "--instance-type", "m5.large"),
        *("--min-size", "0", "--max-size", "4", "--desired", "2", "--volume-size", "50", "--max-pods", "30"),
        *("--label", "team=on", "--label", "example.com/a=b", "--taint", "a=b:NoSchedule"),
        *("--kube-reserved", "memory=1Gi", "--kube-reserved", "cpu=500m", "--system-reserved", "memory=200Mi"),
        *("--eviction-hard", "memory.available=5%", "--private-networking"),
    )
    assert result.code == 0
    assert "warning: eviction-hard replaces all of the kubelet's defaults" in result.err
    (entry,) = yaml.safe_load(result.out)["nodeGroups"]
    assert entry == {
        "name": "nodes",
        "ami": AMI,
        "amiFamily": "Bottlerocket",
        "instancesDistribution": {
            "instanceTypes": ["m6i.large", "m5.large"],
            "onDemandPercentageAboveBaseCapacity": 100,
        },
        "minSize": 0,
        "maxSize": 4,
        "desiredCapacity": 2,
        "maxPodsPerNode": 30,
        "volumeSize": 50,
        "privateNetworking": True,
        "labels": {"team": "on", "example.com/a": "b"},
        "taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}],
        "bottlerocket": {
            "settings": {
                "host-containers": {"control": {"enabled": True}, "admin": {"enabled": False}},
                "kubernetes": {
                    "kube-reserved": {"memory": "1Gi", "cpu": "500m"},
                    "system-reserved": {"memory": "200Mi"},
                    "eviction-hard": {"memory.available": "5%"},
                },
            }
        },
    }


def test_a_file_is_written_once_and_never_over_another(tmp_path: Path) -> None:
    file = tmp_path / "nodes.yaml"
    first = Result(*REQUIRED, "-o", str(file))
    assert (first.code, first.out) == (0, f"{file} (created)\n")
    assert f"Next: eksctl create nodegroup --config-file={file}" in first.err
    assert file.read_text() == Result(*REQUIRED).out
    assert Result(*REQUIRED, "-o", str(file)).out == f"{file} (unchanged)\n"
    assert "exists and has other content" in Result(*REQUIRED, "--max-pods", "9", "-o", str(file)).refused(3)
    assert "max-pods" not in file.read_text()
    assert Result(*REQUIRED, "--max-pods", "9", "-o", str(file), "--force").out == f"{file} (replaced)\n"
    assert "max-pods: 9" in file.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["nodes.yaml"]


def test_json_is_one_object(tmp_path: Path) -> None:
    file = tmp_path / "nodes.yaml"
    result = json.loads(Result(*REQUIRED, "--json", "--output", str(file)).out)
    assert result["document"] == yaml.safe_load(file.read_text())
    assert {key: value for key, value in result.items() if key != "document"} == {
        "nodegroup": str(file),
        "kind": "eksctl-managed",
        "name": "memoryqos-1-29-amd64-9abcdef0",
        "ami": AMI,
        "cluster": "prod",
        "region": "eu-central-1",
        "instance_types": ["m6i.large"],
        "rehearsal": False,
    }
    assert json.loads(Result(*REQUIRED, "--json", "-o", "-").out)["nodegroup"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--instance-type", "m6g.large"), 3, "the AMI is for x86_64, but m6g.large is arm64"),
        (("--label", "team"), 2, "--label team is not of the form KEY=VALUE"),
        (("--label", "a=b", "--label", "a=c"), 2, "--label gives a two values"),
        (("--taint", "x"), 3, "“x” is not a taint"),
        (("--max-pods", "0"), 3, "max-pods cannot be “0”"),
        (("--arch", "sparc"), 3, "“sparc” is not an architecture"),
        (("--variant", "metal-k8s-1.29"), 3, "is not the name of a Bottlerocket variant"),
        (("--build", "b1"), 2, "--ami does not go together with --build or --record"),
        (("--record", "build.json"), 2, "--ami does not go together with --build or --record"),
        (("--ami", "ami-rehearsal0123456789abcdef0"), 3, "rehears"),
        (("--output", "/dev/null/nodes.yaml"), 3, "cannot be written"),
    ],
)
def test_wrong_options_end_in_one_message(arguments: tuple[str, ...], code: int, message: str) -> None:
    assert message in Result(*REQUIRED, *arguments).refused(code)


def test_what_an_ami_needs_beside_it() -> None:
    assert "--ami needs --arch and --variant too" in Result("--ami", AMI).refused(2)
    assert "--ami needs --variant too" in Result("--ami", AMI, "--arch", "arm64").refused(2)
    described = ("--ami", AMI, "--arch", "arm64", "--variant", "aws-k8s-1.29")
    assert "the nodegroup has no cluster" in Result(*described).refused(3)
    assert "the nodegroup has no region" in Result(*described, "--cluster", "prod").refused(3)
    assert "--arch and --variant need --ami" in Result("--arch", "arm64", "--cluster", "prod").refused(2)


def test_without_an_ami_the_build_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def nodegroup_of_build(*, build: str | None, record: Path | None, wishes: dict[str, object]) -> NodegroupRequest:
        asked.append({"build": build, "record": record, "wishes": wishes})
        return request_for(
            spec_of({"cluster": "rehearsal", **wishes}),
            ami="ami-rehearsal0123456789abcdef0",
            architecture=Architecture.AARCH64,
            variant=VariantName.parse("aws-k8s-1.29"),
            region="eu-central-1",
            rehearsal=True,
        )

    monkeypatch.setattr(pipeline_nodegroup, "nodegroup_of_build", nodegroup_of_build)
    result = Result("--record", "build.json", "--max-pods", "20")
    assert asked == [{"build": None, "record": Path("build.json"), "wishes": {"max_pods": 20}}]
    assert result.code == 0
    assert result.out.startswith("# REHEARSAL - DO NOT USE")
    assert yaml.safe_load(result.out)["managedNodeGroups"][0]["ami"] == "ami-rehearsal0123456789abcdef0"


def test_the_rehearsal_is_marked_in_every_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nodegroup_of_build(**_: object) -> NodegroupRequest:
        return request_for(
            spec_of({"cluster": "c", "eviction_hard": {"memory.available": "5%"}}),
            ami="ami-rehearsal0123456789abcdef0",
            architecture=Architecture.X86_64,
            variant=VariantName.parse("aws-k8s-1.29"),
            region="eu-central-1",
            rehearsal=True,
        )

    monkeypatch.setattr(pipeline_nodegroup, "nodegroup_of_build", nodegroup_of_build)
    result = Result("--build", "x", "-o", str(tmp_path / "nodes.yaml"))
    lines = (result.out + result.err).splitlines()
    assert len(lines) == 3
    assert all(line.startswith("[rehearsal] ") for line in lines)
    assert json.loads(Result("--build", "x", "--json").out)["rehearsal"] is True
