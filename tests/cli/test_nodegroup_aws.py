"""`brqos nodegroup` and `brqos userdata` with a login: what AWS says of AMI, types and cluster, or does not say."""

import base64
import json
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from brqos.ami.tags import common_tags
from brqos.aws import session as sessions
from brqos.aws.session import AwsSession
from brqos.rehearsal.emulator import ACCOUNT, Emulator, Fault
from brqos.rehearsal.emulator.records import Grant, Image
from brqos.rehearsal.emulator.seeds import add_subnet

from .conftest import Ran

pytestmark = pytest.mark.loopback

AMI = "ami-0123456789abcdef0"
REGION = "eu-central-1"
DESCRIBED = ("--ami", AMI, "--arch", "x86_64", "--variant", "aws-k8s-1.29")
PLACE = ("--cluster", "prod", "--region", REGION)
OF_EKSCTL = {"alpha.eksctl.io/cluster-name": "prod"}
SAID = f"AWS says: {AMI} is available and x86_64, Bottlerocket v1.50.0; the cluster prod runs Kubernetes 1.30."

Run = Callable[..., Ran]


def image(ami: str = AMI, **given: Any) -> Image:
    """An AMI as `brqos register` leaves it."""
    tags = common_tags(
        build=None,
        variant="aws-k8s-1.29-memoryqos",
        arch="x86_64",
        image_version="1.50.0-0123abcd",
        upstream_commit=None,
    )
    architecture = given.pop("architecture", "x86_64")
    mappings = [
        {"deviceName": device, "ebs": {"snapshotId": f"snap-0{size:016x}", "volumeSize": size, "encrypted": False}}
        for device, size in (("/dev/xvda", 2), ("/dev/xvdb", 20))
    ]
    attributes = {
        "name": f"bottlerocket-{ami}",
        "architecture": architecture,
        "virtualizationType": "hvm",
        "rootDeviceName": "/dev/xvda",
        "enaSupport": True,
    }
    usual: dict[str, Any] = {"region": REGION, "owner": ACCOUNT, "created_at": 0, "ready_at": 0, "tags": tags}
    return Image(ami, attributes=attributes, mappings=mappings, **{**usual, **given})


class Account:
    """An account in the emulator with one AMI and one cluster, which tests change."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.add(image())
        self.cluster(version="1.30", tags=OF_EKSCTL)

    def add(self, made: Image) -> None:
        self.emulator.store.images[made.id] = made

    def cluster(self, **members: Any) -> None:
        self.emulator.add_cluster(REGION, "prod", members)

    def subnets(self, *places: tuple[str, bool]) -> list[str]:
        """The cluster gets these subnets, each of a zone and public or not."""
        ids = [f"subnet-{number:017x}" for number in range(len(places))]
        for id_, (zone, public) in zip(ids, places, strict=True):
            place = {"vpc": "vpc-0123456789abcdef0", "zone": f"{REGION}{zone}", "maps_public_ip": public}
            add_subnet(self.emulator.store, REGION, id_, place)
        self.cluster(resourcesVpcConfig={"vpcId": "vpc-0123456789abcdef0", "subnetIds": ids})
        return ids

    @property
    def told(self) -> dict[str, Any]:
        return self.emulator.store.clusters[ACCOUNT, REGION]["prod"].told

    @property
    def calls(self) -> dict[str, int]:
        return dict(self.emulator.calls)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with Emulator(any_key=True) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE000000000")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
        yield Account(running)
        assert not running.bugs, running.bugs


@pytest.fixture
def nodegroup(brqos: Run) -> Run:
    def run(*words: str, code: int = 0) -> Ran:
        ran = brqos("nodegroup", *DESCRIBED, *PLACE, *words, code=code)
        assert ran.err.count("error: ") == (code != 0)
        assert bool(ran.out) == (code == 0)
        return ran

    return run


@pytest.fixture
def userdata(brqos: Run) -> Run:
    return lambda *words, code=0: brqos("userdata", "--variant", "aws-k8s-1.29", "--cluster", "prod", *words, code=code)


def warnings_of(ran: Ran) -> list[str]:
    return [line.removeprefix("warning: ") for line in ran.err.splitlines() if line.startswith("warning: ")]


# What is good, and what is refused.


def test_a_good_ami_and_a_good_cluster_are_told(account: Account, nodegroup: Run) -> None:
    ran = nodegroup()
    assert ran.err == f"{SAID}\n"
    document = yaml.safe_load(ran.out)
    assert document["managedNodeGroups"][0]["ami"] == AMI
    assert "vpc" not in document
    questions = ("DescribeImages", "DescribeCluster", "DescribeInstanceTypes", "DescribeSubnets", "ListNodegroups")
    assert account.calls == dict.fromkeys(questions, 1)


def test_nothing_is_asked_with_no_aws(account: Account, nodegroup: Run) -> None:
    assert nodegroup("--no-aws").err == (
        "Checked from the command line alone (--no-aws): not whether the AMI is there and the cluster takes it.\n"
    )
    assert account.calls == {}


def test_what_is_wrong_in_itself_is_said_before_anything_is_asked(account: Account, nodegroup: Run) -> None:
    nodegroup("--instance-type", "m6g.large", code=3)
    # Also what only this kind takes no notice of, or refuses.
    assert "too small" in nodegroup("--volume-size", "10", code=3).err
    assert "--apply does not go with --kind eksctl-managed" in nodegroup("--apply", code=2).err
    assert account.calls == {}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"architecture": "arm64"}, f"the AMI {AMI} is for arm64, not for x86_64"),
        ({"tags": {"brqos:variant": "aws-k8s-1.30-memoryqos"}}, "is of the variant aws-k8s-1.30-memoryqos, not"),
        ({"region": "eu-west-1"}, f"there is no AMI {AMI} in {REGION}"),
        ({"owner": "111122223333"}, f"there is no AMI {AMI} in {REGION}"),
        ({"ready_at": time.time() + 3600}, f"the AMI {AMI} is not available, but pending"),
        ({"fails": True}, "is not available, but failed"),
        ({"disabled": True}, "is not available, but disabled"),
    ],
)
def test_an_ami_that_cannot_work_is_refused(
    account: Account, nodegroup: Run, wrong: dict[str, Any], words: str
) -> None:
    account.add(image(**wrong))
    assert words in nodegroup(code=3).err


def test_each_of_several_amis_is_looked_at(account: Account, brqos: Run) -> None:
    other = "ami-00000000000000001"
    words = ("nodegroup", *DESCRIBED, *PLACE, "--ami", other, "--arch", "arm64")
    assert f"there is no AMI {other}" in brqos(*words, code=3).err
    account.add(image(other, architecture="arm64"))
    told = brqos(*words).err
    assert f"{AMI} is available and x86_64" in told
    assert f"{other} is available and arm64" in told


def test_an_ami_of_another_account_is_doubtful(account: Account, nodegroup: Run) -> None:
    account.add(image(owner="111122223333", permissions={Grant("UserId", ACCOUNT)}))
    (warning,) = warnings_of(nodegroup())
    assert f"the AMI {AMI} does not have brqos's tags" in warning


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("1.28", "A kubelet may not be newer than the control plane of its cluster; prod has 1.28."),
        ("1.33", "A kubelet may be 3 minor versions older than the control plane; prod has 1.33."),
    ],
)
def test_a_kubelet_that_does_not_go_with_the_cluster_is_refused(
    account: Account, nodegroup: Run, version: str, words: str
) -> None:
    account.cluster(version=version)
    assert words in nodegroup(code=3).err


def test_a_cluster_that_is_not_there_is_refused(account: Account, nodegroup: Run) -> None:
    account.emulator.store.clusters.clear()
    assert f"there is no EKS cluster prod in {REGION}" in nodegroup(code=3).err
    assert "ListNodegroups" not in account.calls


def test_a_type_that_the_region_does_not_have_is_refused(account: Account, nodegroup: Run) -> None:
    assert f"{REGION} has no instance type m6i.metal" in nodegroup("--instance-type", "m6i.metal", code=3).err


def test_a_cluster_can_be_doubtful_too(account: Account, nodegroup: Run) -> None:
    account.cluster(computeConfig={"enabled": True}, status="UPDATING")
    updating, auto_mode = warnings_of(nodegroup())
    assert "the cluster prod is UPDATING" in updating
    assert "the cluster prod has EKS Auto Mode on" in auto_mode


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("eksctl-managed", "eksctl would pass over it"),
        ("launch-template", "it can be given the new launch template"),
        ("terraform", "Terraform changes it if it made it"),
        ("eksctl", ""),
        ("karpenter", ""),
    ],
)
def test_a_name_that_is_taken_is_warned_of(account: Account, nodegroup: Run, kind: str, words: str) -> None:
    account.emulator.add_nodegroup(REGION, "prod", "taken")
    told = [words for words in warnings_of(nodegroup("--kind", kind, "--name", "taken")) if "called taken" in words]
    assert len(told) == bool(words)
    assert all(words in warning for warning in told)
    assert not [warning for warning in warnings_of(nodegroup("--kind", kind)) if "called" in warning]


# What is taken over from the cluster.


def test_a_foreign_cluster_gives_its_vpc(account: Account, nodegroup: Run) -> None:
    account.cluster(tags=None)
    ids = account.subnets(("a", False), ("b", False), ("a", True), ("b", True))
    ran = nodegroup()
    assert warnings_of(ran) == []
    assert "eksctl did not make it, so the section vpc is from EKS" in ran.err
    assert yaml.safe_load(ran.out)["vpc"] == {
        "id": "vpc-0123456789abcdef0",
        "securityGroup": account.told["resourcesVpcConfig"]["clusterSecurityGroupId"],
        "subnets": {
            "private": {f"{REGION}a": {"id": ids[0]}, f"{REGION}b": {"id": ids[1]}},
            "public": {f"{REGION}a": {"id": ids[2]}, f"{REGION}b": {"id": ids[3]}},
        },
    }


def test_of_a_foreign_vpc_stands_there_what_eksctl_takes(account: Account, nodegroup: Run) -> None:
    account.cluster(tags=None)
    ids = account.subnets(("a", False), ("a", False), ("b", False), ("c", True))
    assert "the cluster's vpc has no public subnets for the nodes" in nodegroup(code=3).err
    ran = nodegroup("--private-networking")
    assert f"the section vpc leaves out {ids[1]}, {ids[3]}: it has one for each zone" in warnings_of(ran)[0]
    assert yaml.safe_load(ran.out)["vpc"]["subnets"] == {
        "private": {f"{REGION}a": {"id": ids[0]}, f"{REGION}b": {"id": ids[2]}}
    }


def test_a_vpc_that_is_given_stays(account: Account, nodegroup: Run) -> None:
    account.cluster(tags=None)
    ids = account.subnets(("a", False), ("b", False))
    own = [
        word for zone, id_ in zip("ab", ids, strict=True) for word in ("--vpc-private-subnet", f"{REGION}{zone}={id_}")
    ]
    ran = nodegroup("--private-networking", "--vpc", "vpc-01234567", "--vpc-security-group", "sg-01234567", *own)
    assert yaml.safe_load(ran.out)["vpc"]["securityGroup"] == "sg-01234567"
    assert ran.err == f"{SAID}\n"


def test_without_the_subnets_a_foreign_vpc_is_not_made_up(account: Account, nodegroup: Run) -> None:
    account.cluster(tags=None)
    account.emulator.deny("ec2:DescribeSubnets")
    ran = nodegroup()
    assert "vpc" not in yaml.safe_load(ran.out)
    foreign, unanswered = warnings_of(ran)
    assert foreign.startswith("eksctl did not make the cluster prod, and adds nodes to such a one only if")
    assert unanswered.startswith("AWS could not be asked about the subnets: ")


def test_a_launch_template_gets_the_endpoint(account: Account, nodegroup: Run) -> None:
    ran = nodegroup("--kind", "launch-template")
    assert account.told["endpoint"] in ran.out
    assert account.told["certificateAuthority"]["data"] in ran.out
    assert "${ApiServer}" not in ran.out
    assert "${ApiServer}" in nodegroup("--kind", "launch-template", "--no-aws").out


# The launch template made by API.

APPLY = ("--kind", "launch-template", "--apply")
NODEGROUP = ("--node-role", "arn:aws:iam::111122223333:role/nodes", "--subnet", "subnet-01234567")
FILE = Path("memoryqos-1-29-amd64-9abcdef0.nodegroup.json")


def test_applied_it_is_made_once(account: Account, nodegroup: Run) -> None:
    planned = nodegroup(*APPLY, "--dry-run", "--json").json["launch_templates"][0]
    assert (planned["action"], planned["permission"], planned["template"]) == ("create", "allowed", None)
    assert planned["description"] == f"{AMI}, Bottlerocket aws-k8s-1.29-memoryqos"
    assert planned["tags"]["brqos:tool"] == "brqos"
    first, again = (nodegroup(*APPLY, "--json").json["launch_templates"][0] for _ in range(2))
    assert (first["made"], again["made"], first["version"], again["version"]) == (True, False, 1, 1)
    assert first["next"] is None


def test_the_nodegroups_file_goes_with_the_version(account: Account, nodegroup: Run) -> None:
    words = (*APPLY, *NODEGROUP)
    assert nodegroup(*words).err.endswith(
        f"Next: aws eks create-nodegroup --region {REGION} --cli-input-json file://{FILE}\n"
    )
    assert f"{FILE} (replaced)" in nodegroup(*words, "--max-pods", "40").out
    assert json.loads(FILE.read_text())["launchTemplate"]["version"] == "2"
    refusal = nodegroup(*words, "--max-pods", "41", "--max-size", "9", code=3).err
    assert "has other content" in refusal
    assert "Add --force" in refusal
    assert account.calls["CreateLaunchTemplateVersion"] == 2  # A dry run and the call itself: not for the refused one.
    assert f"{FILE} (replaced)" in nodegroup(*words, "--max-pods", "41", "--max-size", "9", "--force").out
    account.emulator.add_nodegroup(REGION, "prod", "memoryqos-1-29-amd64-9abcdef0")
    assert "Next: aws eks update-nodegroup-version" in nodegroup(*words, "--max-pods", "42").err


def test_who_may_not_look_at_nodegroups_gets_the_template(account: Account, nodegroup: Run) -> None:
    account.emulator.deny("eks:DescribeNodegroup")
    ran = nodegroup(*APPLY, *NODEGROUP)
    assert "is not known (AWS refused DescribeNodegroup" in warnings_of(ran)[-1]
    assert f"{FILE} (created)" in ran.out


# Questions that are not answered.


def test_what_may_not_be_asked_is_said_and_the_rest_is_asked(account: Account, nodegroup: Run) -> None:
    account.emulator.deny("eks:*")
    ran = nodegroup()
    (warning,) = warnings_of(ran)
    assert warning == (
        f"AWS could not be asked about the cluster: AWS refused DescribeCluster in {REGION}: AccessDeniedException "
        "(`brqos iam-policy --for nodes` prints the permissions)"
    )
    assert f"AWS says: {AMI} is available and x86_64, Bottlerocket v1.50.0." in ran.err
    account.emulator.deny("ec2:*")
    assert len(warnings_of(nodegroup())) == 3
    account.emulator.allow("eks:*")
    account.cluster(version="1.28")
    assert "does not go with the cluster" in nodegroup(code=3).err


@pytest.mark.parametrize(("kind", "hint"), [("expired", "log in again"), ("unknown-key", "check the keys")])
def test_a_login_that_is_no_good_is_tried_once(account: Account, nodegroup: Run, kind: str, hint: str) -> None:
    account.emulator.faults.inject("DescribeImages", Fault(kind=kind))
    ran = nodegroup()
    (warning,) = warnings_of(ran)
    assert warning.startswith("AWS could not be asked about the AMI, the cluster, the instance types: AWS refused")
    assert hint in warning
    assert account.calls == {"DescribeImages": 1}
    assert yaml.safe_load(ran.out)["managedNodeGroups"][0]["ami"] == AMI


def test_a_region_that_the_account_does_not_use_is_said(account: Account, nodegroup: Run) -> None:
    account.emulator.store.settings(REGION).opt_in_status = "not-opted-in"
    (warning,) = warnings_of(nodegroup())
    assert "whether the account uses this region" in warning


@pytest.mark.usefixtures("account")
def test_without_a_network_it_goes_on(nodegroup: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("time.sleep", lambda _: None)
    of_ec2, of_eks = warnings_of(nodegroup())
    assert of_ec2.startswith("AWS could not be asked about the AMI, the instance types: AWS cannot be reached")
    assert of_eks.startswith("AWS could not be asked about the cluster: AWS cannot be reached for DescribeCluster")


def test_what_takes_long_is_given_up_soon(account: Account, nodegroup: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sessions._LITTLE.attempts * (sessions._LITTLE.connect_seconds + sessions._LITTLE.read_seconds) <= 40
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(sessions, "_LITTLE", sessions._Patience(2, 5, 0.2))
    account.emulator.faults.inject("DescribeImages", Fault(hang=30), times=9)
    account.emulator.faults.inject("DescribeCluster", Fault(hang=30), times=9)
    assert len(warnings_of(nodegroup())) == 2
    assert account.calls == {"DescribeImages": 2, "DescribeCluster": 2}


def test_patience_is_of_a_session_and_not_of_its_credentials(account: Account) -> None:
    usual = AwsSession()
    assert usual.has_credentials()
    short = usual.impatient()
    assert short._boto3() is usual._boto3()
    attempts = [
        session._client("ec2", REGION).meta.config.retries["total_max_attempts"] for session in (usual, short, usual)
    ]
    assert attempts == [6, 2, 6]
    assert short._client("ec2", REGION, attempts=1).meta.config.retries["total_max_attempts"] == 1
    # STS and SSO, when botocore asks them for credentials.
    core = usual._boto3()._session
    assert core.create_client("sts", REGION).meta.config.connect_timeout == 10


@pytest.mark.usefixtures("account")
def test_a_profile_that_is_not_there(nodegroup: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "the AWS profile “nobody” does not exist" in nodegroup("--profile", "nobody", code=7).err
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    ran = nodegroup()
    assert "AWS is not asked: the AWS profile “AWS_PROFILE” does not exist" in warnings_of(ran)[0]
    assert "Checked from the command line alone (no AWS login)" in ran.err
    assert nodegroup("--no-aws").out == ran.out


@pytest.mark.usefixtures("account")
def test_half_a_login_is_none(nodegroup: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "AWS is not asked: there are no AWS credentials that can be used" in nodegroup().err


# `brqos userdata`.


def test_user_data_get_the_endpoint_from_eks(account: Account, userdata: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = userdata("--region", REGION)
    assert ran.err == ""
    kubernetes = tomllib.loads(ran.out)["settings"]["kubernetes"]
    assert kubernetes == {
        "cluster-name": "prod",
        "api-server": account.told["endpoint"],
        "cluster-certificate": account.told["certificateAuthority"]["data"],
    }
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    assert userdata().out == ran.out
    assert account.calls == {"DescribeCluster": 2}


def test_an_endpoint_that_is_given_is_not_asked_for(account: Account, userdata: Run) -> None:
    certificate = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nx\n").decode()
    part = ("--region", REGION, "--api-server", "https://mine.example")
    ran = userdata(*part, "--cluster-certificate", certificate)
    assert account.calls == {}
    assert tomllib.loads(ran.out)["settings"]["kubernetes"]["cluster-certificate"] == certificate
    asked = tomllib.loads(userdata(*part).out)["settings"]["kubernetes"]
    assert (asked["api-server"], asked["cluster-certificate"]) == (
        "https://mine.example", account.told["certificateAuthority"]["data"],
    )  # fmt: skip


def test_user_data_of_a_cluster_that_nodes_cannot_join(account: Account, userdata: Run) -> None:
    account.cluster(version="1.28")
    assert "does not go with the cluster" in userdata("--region", REGION, code=3).err
    account.cluster(version="1.30", status="CREATING", endpoint=None, certificateAuthority=None)
    ran = userdata("--region", REGION, code=3)
    assert "the cluster prod is CREATING" in warnings_of(ran)[0]
    assert "the endpoint of the cluster prod is not known" in ran.err
    assert "there is no EKS cluster prod in eu-west-1" in userdata("--region", "eu-west-1", code=3).err


def test_user_data_without_an_answer(account: Account, userdata: Run) -> None:
    assert "the region of the cluster is not known" in userdata(code=3).err
    assert "the endpoint of the cluster prod is not known" in userdata("--region", REGION, "--no-aws", code=3).err
    assert account.calls == {}
    account.emulator.deny("eks:DescribeCluster")
    denied = userdata("--region", REGION, code=7).err
    assert "AWS refused DescribeCluster" in denied
    assert "with --api-server and --cluster-certificate" in denied
    account.emulator.allow()
    account.emulator.faults.inject("DescribeCluster", Fault(kind="expired"))
    assert "Log in again" in userdata("--region", REGION, code=7).err
    assert "“nobody” does not exist" in userdata("--region", REGION, "--profile", "nobody", code=7).err
