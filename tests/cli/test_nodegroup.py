"""`brqos nodegroup`, as scripts and people call it."""

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from brqos.ami.model import RegionAmi
from brqos.cli.nodegroup import nodegroup
from brqos.config.model import BuildSpec, Delivery
from brqos.record import BuildRecord, UpstreamRecord

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
    assert result.code == 0
    assert "Checked from the command line alone (no AWS login)" in result.err
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
    assert "warning: before Bottlerocket 1.69.0 eviction-hard replaces all of the kubelet's defaults" in result.err
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
        "cluster": "prod",
        "region": "eu-central-1",
        "rehearsal": False,
        "nodegroups": [
            {
                "name": "memoryqos-1-29-amd64-9abcdef0",
                "ami": AMI,
                "variant": "aws-k8s-1.29-memoryqos",
                "architecture": "x86_64",
                "instance_types": ["m6i.large"],
            }
        ],
    }
    assert json.loads(Result(*REQUIRED, "--json", "-o", "-").out)["nodegroup"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--instance-type", "m6g.large"), 3, "the AMI is for x86_64, but m6g.large is arm64"),
        (("--label", "team"), 2, "--label team is not of the form KEY=VALUE"),
        (("--label", "a=b", "--label", "a=c"), 2, "--label gives a two values"),
        (("--taint", "x"), 3, "“x” is not a taint"),
        (("--max-pods", "0"), 3, "flag --max-pods: nodegroup.max-pods = 0 is refused"),
        (("--subnet", "mine"), 3, "flag --subnet: nodegroup.subnets.0 = 'mine' is refused"),
        (("--ami", AMI), 3, "two nodegroups would be called"),
        (("--arch", "arm64"), 2, "there is 1 AMI, but --arch is given 2 times"),
        (("--kind", "auto-mode"), 2, "EKS Auto Mode takes no custom AMI"),
        (("--kind", "eksctll"), 2, "--kind eksctll is not known"),
        (("--kind", "karpenter", "--self-managed"), 2, "--self-managed does not go together with --kind karpenter"),
        (("--setting", "kubernetes.max-pod=1"), 3, "kubernetes.max-pod"),
        (("--setting", "kubernetes"), 2, "--setting kubernetes is not of the form KEY=VALUE"),
        (("--max-unavailable", "0"), 3, "It is a number of nodes or a share of them"),
        (("--on-demand-base", "1"), 3, "on-demand-base does not go with the kind eksctl-managed"),
        (("--official",), 2, "--official does not go together with --ami or --build or --record"),
        (("--factor", "0.8"), 2, "--factor needs --official"),
        (("--policy", "None"), 2, "--policy needs --official"),
        (("--max-size", "100001"), 3, "the nodegroup's largest size is 100001"),
        (("--canary", "1"), 2, "--canary needs --replace"),
        (("--dry-run",), 2, "--dry-run needs --apply or --merge"),
        (("--replace", "old", "--output", "x"), 2, "--output does not go together with --replace"),
        (("--replace", "old", "--merge", "x"), 2, "--replace and --merge do not go together"),
        (("--build", "b1"), 2, "--ami does not go together with --build or --record"),
        (("--record", "build.json"), 2, "--ami does not go together with --build or --record"),
        (("--output", "/dev/null/nodes.yaml"), 3, "cannot be written"),
    ],
)
def test_wrong_options_end_in_one_message(arguments: tuple[str, ...], code: int, message: str) -> None:
    assert message in Result(*REQUIRED, *arguments).refused(code)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--arch", "sparc", "“sparc” is not an architecture"),
        ("--variant", "metal-k8s-1.29", "is not the name of a Bottlerocket variant"),
        ("--ami", "ami-rehearsal0123456789abcdef0", "was made by a rehearsal"),
        ("--cluster", "a b", "flag --cluster: nodegroup.cluster = 'a b' is refused"),
    ],
)
def test_wrong_values_end_in_one_message(option: str, value: str, message: str) -> None:
    arguments = list(REQUIRED)
    arguments[arguments.index(option) + 1] = value
    assert message in Result(*arguments).refused(3)


def test_a_wrong_kind_is_said_before_a_build_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "EKS Auto Mode takes no custom AMI" in Result("--kind", "auto-mode", "--cluster", "prod").refused(2)


def test_what_an_ami_needs_beside_it() -> None:
    assert "--ami needs --arch and --variant too" in Result("--ami", AMI).refused(2)
    assert "--ami needs --variant too" in Result("--ami", AMI, "--arch", "arm64").refused(2)
    described = ("--ami", AMI, "--arch", "arm64", "--variant", "aws-k8s-1.29")
    assert "the nodegroup has no cluster" in Result(*described).refused(3)
    assert "the nodegroup has no region" in Result(*described, "--cluster", "prod").refused(3)
    assert "--arch and --variant need --ami or --official" in Result("--arch", "arm64", "--cluster", "prod").refused(2)
    assert "--official needs --arch and --variant too" in Result("--official", "--cluster", "prod").refused(2)


def test_several_amis_stand_in_one_file() -> None:
    other = "ami-00000000000000001"
    result = Result(*REQUIRED, "--ami", other, "--arch", "arm64", "--instance-type", "m6g.large")
    assert result.code == 0, result.err
    entries = yaml.safe_load(result.out)["managedNodeGroups"]
    assert [(entry["ami"], entry["instanceType"]) for entry in entries] == [(AMI, "m6i.large"), (other, "m6g.large")]


def test_the_official_ami_needs_no_id() -> None:
    place = ("--cluster", "prod", "--region", "eu-central-1")
    result = Result("--official", "--arch", "x86_64", "--variant", "aws-k8s-1.37", "--factor", "0.8", *place)
    assert result.code == 0, result.err
    (entry,) = yaml.safe_load(result.out)["managedNodeGroups"]
    assert "ami" not in entry
    assert entry["bottlerocket"]["settings"]["kubernetes"]["memory-throttling-factor"] == 0.8
    older = Result("--official", "--arch", "x86_64", "--variant", "aws-k8s-1.29", *place)
    assert "the official AMI of aws-k8s-1.29 has no settings for MemoryQoS" in older.refused(3)


def test_the_file_says_what_the_flags_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = '[nodegroup]\ncluster = "prod"\nregion = "eu-central-1"\nmax-pods = 20\nself-managed = true\n'
    (tmp_path / "brqos.toml").write_text(text)
    described = ("--ami", AMI, "--arch", "x86_64", "--variant", "aws-k8s-1.29")
    assert yaml.safe_load(Result(*described).out)["nodeGroups"][0]["maxPodsPerNode"] == 20
    assert yaml.safe_load(Result(*described, "--max-pods", "30").out)["nodeGroups"][0]["maxPodsPerNode"] == 30
    managed = yaml.safe_load(Result(*described, "--kind", "eksctl-managed").out)["managedNodeGroups"]
    assert managed[0]["bottlerocket"]["settings"]["kubernetes"]["max-pods"] == 20
    (tmp_path / "brqos.toml").write_text('variant = "aws-k8s-1.30"\n' + text)
    assert "has no cluster" in Result(*described).refused(3)


def written_build(folder: Path, *, rehearsal: bool = False, regions: tuple[str, ...] = ("eu-central-1",)) -> Path:
    id_ = "ami-rehearsal0123456789abcdef0" if rehearsal else AMI
    spec = {"variant": "aws-k8s-1.29", "arch": "aarch64", "nodegroup": {"cluster": "recorded", "max-pods": 11}}
    record = BuildRecord(
        id="b1",
        rehearsal=rehearsal,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        updated=datetime(2026, 1, 1, tzinfo=UTC),
        spec=BuildSpec.model_validate(spec),
        variant="aws-k8s-1.29-memoryqos",
        delivery=Delivery.DROP_IN,
        upstream=UpstreamRecord(repository="r", ref="v1.50.0", commit="c" * 40, release="1.50.0"),
        overlay_commit="d" * 40,
        work_tree="/somewhere",
        files=(),
        kubelet_configuration={},
        amis={region: RegionAmi(id=id_, name="x", snapshots={}) for region in regions},
    )
    folder.mkdir(parents=True)
    (folder / "build.json").write_text(record.model_dump_json())
    return folder / "build.json"


def test_without_an_ami_a_build_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "there is no build in this folder yet" in Result("--cluster", "prod").refused(3)
    file = written_build(tmp_path / ".brqos/builds/b1")
    document = yaml.safe_load(Result("--cluster", "prod").out)
    assert document["metadata"] == {"name": "prod", "region": "eu-central-1"}
    assert document["managedNodeGroups"][0]["ami"] == AMI
    for arguments in ((), ("--build", "b1"), ("--record", str(file))):
        result = Result(*arguments)
        assert "Checked from the build record alone" in result.err
        assert yaml.safe_load(result.out)["metadata"]["name"] == "recorded"
    (tmp_path / "brqos.toml").write_text("[nodegroup]\nmax-pods = 12\n")
    (entry,) = yaml.safe_load(Result().out)["managedNodeGroups"]
    assert entry["bottlerocket"]["settings"]["kubernetes"] == {"max-pods": 12}


def test_of_several_regions_one_has_to_be_named(tmp_path: Path) -> None:
    file = str(written_build(tmp_path / "b1", regions=("eu-central-1", "us-east-1")))
    assert "has AMIs in 2 regions: eu-central-1, us-east-1" in Result("--record", file).refused(3)
    assert yaml.safe_load(Result("--record", file, "--region", "us-east-1").out)["metadata"]["region"] == "us-east-1"
    assert "has no AMI in eu-west-1" in Result("--record", file, "--region", "eu-west-1").refused(3)


def test_a_rehearsal_is_marked_in_every_line(tmp_path: Path) -> None:
    file = str(written_build(tmp_path / "b1", rehearsal=True))
    result = Result("--record", file, "--eviction-hard", "memory.available=5%", "-o", str(tmp_path / "nodes.yaml"))
    lines = (result.out + result.err).splitlines()
    assert len(lines) == 3
    assert all(line.startswith("[rehearsal] ") for line in lines)
    assert json.loads(Result("--record", file, "--json").out)["rehearsal"] is True
    assert Result("--record", file).out.startswith("# REHEARSAL - DO NOT USE")


def test_a_rollout_is_printed_and_not_done() -> None:
    result = Result(*REQUIRED, "--replace", "old")
    assert result.code == 0
    assert "eksctl delete nodegroup --cluster prod --region eu-central-1 --name old --drain=false" in result.out
    steps = json.loads(Result(*REQUIRED, "--replace", "old", "--canary", "2", "--json").out)["steps"]
    assert steps[0]["title"] == "Create a canary group of 2"
    file = "memoryqos-1-29-amd64-9abcdef0-canary.eksctl.yaml"
    assert steps[0]["commands"][1] == f"eksctl create nodegroup --config-file={file}"


def test_the_rollouts_commands_are_the_callers_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written_build(tmp_path / ".brqos/builds/b1")
    words = ("--label", "a=b", "--replace", "old", "--json", "--setting", 'motd="it\'s $x"', "--dry-run")
    monkeypatch.setattr("sys.argv", ["brqos", "nodegroup", *words])
    command = json.loads(Result(*words).out)["steps"][0]["commands"][0]
    assert shlex.split(command)[:7] == [
        "brqos",
        "nodegroup",
        "--label",
        "a=b",
        "--setting",
        'motd="it\'s $x"',
        "--build",
    ]
    assert "--build b1 --output memoryqos-1-29-arm64-9abcdef0.eksctl.yaml" in command
    again = Result(*shlex.split(command)[2:])
    assert (again.code, again.out) == (0, "memoryqos-1-29-arm64-9abcdef0.eksctl.yaml (created)\n")


def test_an_empty_name_is_no_rollout() -> None:
    assert "cannot be the name of a nodegroup" in Result(*REQUIRED, "--replace", "").refused(3)


@pytest.mark.parametrize("words", [("--dry-run",), ("--output", "-")])
def test_a_merge_that_writes_nothing_is_one_object_too(tmp_path: Path, words: tuple[str, ...]) -> None:
    file = tmp_path / "team.yaml"
    text = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata:\n  name: prod\n  region: eu-central-1\n"
    file.write_text(text)
    merging = (*REQUIRED, "--merge", str(file), *words)
    result = json.loads(Result(*merging, "--json").out)
    assert (result["nodegroup"], result["text"]) == (None, Result(*merging).out)
    assert file.read_text() == text


def test_of_a_teams_file_only_the_new_nodegroups_are_created(tmp_path: Path) -> None:
    file = tmp_path / "team.yaml"
    file.write_text(
        "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: prod, region: eu-central-1}\n"
    )
    told = Result(*REQUIRED, "--ami", "ami-00000000000000001", "--arch", "arm64", "--merge", str(file)).err
    names = "memoryqos-1-29-amd64-9abcdef0,memoryqos-1-29-arm64-00000001"
    assert f"Next: eksctl create nodegroup --config-file={file} --include={names}\n" in told


@pytest.mark.parametrize("mode", ["merge", "apply"])
def test_a_mode_that_the_kind_has_not_is_refused_before_all_else(mode: str) -> None:
    words = ("--kind", "karpenter", f"--{mode}", *(["x"] if mode == "merge" else []))
    refusal = Result(*REQUIRED, *words).refused(2)
    assert refusal.startswith(f"error: --{mode} does not go with --kind karpenter")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('kind = "auto-mode"', "EKS Auto Mode takes no custom AMI"),
        ('karpenter.limits.gpu = "1"', "limits.gpu is refused: Input should be 'cpu' or 'memory'"),
    ],
)
def test_a_file_is_refused_in_words_that_fit(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "brqos.toml"
    file.write_text(f"[nodegroup]\n{line}\n")
    assert message in Result(*REQUIRED, "--config", str(file)).refused(3)
