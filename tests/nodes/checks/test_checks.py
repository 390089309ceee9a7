"""What AWS tells, held against requests: refused, warned of, and taken over."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from brqos.aws.ec2 import DescribedImage
from brqos.aws.eks import DescribedCluster
from brqos.aws.instance_types import DescribedInstanceType
from brqos.aws.subnets import DescribedSubnet
from brqos.errors import ConfigurationError
from brqos.nodes.checks.facts import NodeFacts
from brqos.nodes.checks.hold import Checked, hold
from nodes.requests import AMI, request

OURS = {
    "brqos:tool": "brqos",
    "brqos:variant": "aws-k8s-1.29-memoryqos",
    "brqos:image-version": "1.50.0-0123abcd",
}
MAPPINGS: dict[str, Mapping[str, Any]] = {
    "/dev/xvda": {"VolumeSize": 2, "Encrypted": False},
    "/dev/xvdb": {"VolumeSize": 20, "Encrypted": False},
}
IMAGE = DescribedImage(
    id=AMI,
    name="bottlerocket-x",
    state="available",
    reason="",
    tags=OURS,
    attributes={"Architecture": "x86_64", "RootDeviceName": "/dev/xvda"},
    mappings=MAPPINGS,
)
CLUSTER = DescribedCluster(
    name="prod",
    status="ACTIVE",
    version="1.30",
    endpoint="https://ABC.gr7.eu-central-1.eks.amazonaws.com",
    certificate_authority="LS0tLS1CRUdJTiBDRVJU",
    vpc_id="vpc-01234567",
    subnet_ids=("subnet-00000001", "subnet-00000002", "subnet-00000003"),
    cluster_security_group="sg-00000001",
    security_group_ids=("sg-00000002",),
    auto_mode=False,
    tags={"alpha.eksctl.io/cluster-name": "prod"},
)
SUBNETS = {
    "subnet-00000001": DescribedSubnet("subnet-00000001", "eu-central-1a", "vpc-01234567", maps_public_ip=False),
    "subnet-00000002": DescribedSubnet("subnet-00000002", "eu-central-1a", "vpc-01234567", maps_public_ip=False),
    "subnet-00000003": DescribedSubnet("subnet-00000003", "eu-central-1b", "vpc-01234567", maps_public_ip=True),
}


def type_(name: str, *, architecture: str = "x86_64", gpus: tuple[str, ...] = ()) -> DescribedInstanceType:
    return DescribedInstanceType(name, (architecture,), gpus, 8192, 2, 3, 10)


def checked(image: DescribedImage | None = IMAGE, cluster: DescribedCluster | None = CLUSTER, **spec: Any) -> Checked:
    facts = NodeFacts(
        images={AMI: image}, clusters=() if cluster is None else (cluster,), subnets=SUBNETS, nodegroups=("taken",)
    )
    return hold([request(**spec)], facts)


def refusal(image: DescribedImage | None = IMAGE, cluster: DescribedCluster | None = CLUSTER, **spec: Any) -> str:
    with pytest.raises(ConfigurationError) as refused:
        checked(image, cluster, **spec)
    assert refused.value.todo
    return str(refused.value)


def test_a_good_ami_and_a_good_cluster_are_told() -> None:
    result = checked()
    assert result.warnings == ()
    assert result.told == (
        f"{AMI} is available and x86_64, Bottlerocket v1.50.0",
        "the cluster prod runs Kubernetes 1.30",
    )
    assert result.requests[0].image.release == "1.50.0"
    assert result.requests[0].image.root_gib == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "pending"}, "is not available, but pending"),
        ({"attributes": {"Architecture": "arm64"}}, "is for arm64, not for x86_64"),
        ({"tags": OURS | {"brqos:variant": "aws-k8s-1.30-memoryqos"}}, "is of the variant aws-k8s-1.30-memoryqos, not"),
        ({"attributes": {"RootDeviceName": "/dev/sda1"}}, "does not boot from /dev/xvda"),
        ({"mappings": {"/dev/xvdb": {}}}, "does not boot from /dev/xvda"),
    ],
)
def test_an_ami_that_cannot_work_is_refused(change: dict[str, Any], words: str) -> None:
    assert words in refusal(replace(IMAGE, **change))


def test_an_ami_that_is_not_there_is_refused() -> None:
    assert f"there is no AMI {AMI} in eu-central-1" in refusal(None)


def test_a_volume_is_at_least_as_large_as_its_snapshot() -> None:
    larger = replace(IMAGE, mappings={**MAPPINGS, "/dev/xvdb": {"VolumeSize": 50}})
    assert "a data volume of 40 GiB is smaller than the AMI's, which has 50 GiB" in refusal(larger, volume_size=40)
    assert checked(larger, volume_size=50).warnings == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tags": {}}, "does not have brqos's tags"),
        ({"deprecated_at": datetime(2027, 1, 2, tzinfo=UTC)}, "counts as deprecated from 2027-01-02 on"),
        ({"mappings": {"/dev/xvda": {}}}, "has no data volume /dev/xvdb"),
        (
            {"mappings": {**MAPPINGS, "/dev/xvda": {"Encrypted": True}}},
            "one snapshot is encrypted and the other is not",
        ),
    ],
)
def test_what_is_doubtful_is_warned_of(change: dict[str, Any], words: str) -> None:
    (warning,) = checked(replace(IMAGE, **change)).warnings
    assert words in warning


def test_encrypting_both_settles_it() -> None:
    mixed = replace(IMAGE, mappings={**MAPPINGS, "/dev/xvda": {"Encrypted": True}})
    assert checked(mixed, volume_encrypted=True).warnings == ()


@pytest.mark.parametrize(("version", "good"), [("1.28", False), ("1.29", True), ("1.32", True), ("1.33", False)])
def test_a_kubelet_is_never_newer_and_at_most_three_minors_older(version: str, good: bool) -> None:
    cluster = replace(CLUSTER, version=version)
    if good:
        assert checked(cluster=cluster).warnings == ()
    else:
        assert "the AMI's Kubernetes 1.29 does not go with the cluster" in refusal(cluster=cluster)


def test_a_refusal_says_which_versions_go() -> None:
    assert "use an AMI for 1.28" in refusal(cluster=replace(CLUSTER, version="1.28"))
    assert "Use an AMI for 1.30 or newer" in refusal(cluster=replace(CLUSTER, version="1.33"))


@pytest.mark.parametrize("kind", ["launch-template", "terraform"])
def test_an_official_ami_that_names_its_version_is_of_the_clusters(kind: str) -> None:
    official = {"ami": None, "variant": "aws-k8s-1.37", "kind": kind}
    newer = replace(CLUSTER, version="1.38")
    with pytest.raises(ConfigurationError, match=r"is asked for Kubernetes 1\.37, and the cluster has 1\.38") as caught:
        checked(cluster=newer, **official)
    assert "--variant aws-k8s-1.38" in caught.value.todo
    assert checked(cluster=replace(CLUSTER, version="1.37"), **official)
    assert checked(cluster=newer, **{**official, "kind": "eksctl-managed"})


def test_a_cluster_that_is_not_there_is_refused() -> None:
    assert "there is no EKS cluster prod in eu-central-1" in refusal(cluster=None)


@pytest.mark.parametrize(
    ("change", "words"), [({"auto_mode": True}, "EKS Auto Mode on"), ({"status": "UPDATING"}, "prod is UPDATING")]
)
def test_a_cluster_can_be_doubtful_too(change: dict[str, Any], words: str) -> None:
    (warning,) = checked(cluster=replace(CLUSTER, **change)).warnings
    assert words in warning


def test_a_name_that_is_taken_is_warned_of() -> None:
    (warning,) = checked(name="taken").warnings
    assert "has a nodegroup called taken already" in warning
    assert checked(name="taken", kind="eksctl").warnings == ()


def test_ec2_knows_types_better_than_their_names() -> None:
    facts = NodeFacts(types={"zz9.large": type_("zz9.large", architecture="arm64", gpus=("NVIDIA",))})
    (known,) = hold([request(instance_types=("zz9.large",))], facts).requests[0].instance_types
    assert (known.architecture, known.nvidia) == ("aarch64", True)
    with pytest.raises(ConfigurationError, match=r"eu-central-1 has no instance type m6i\.large"):
        hold([request()], facts)


def test_a_foreign_cluster_gives_eksctl_its_vpc() -> None:
    foreign = replace(CLUSTER, tags={})
    result = checked(cluster=foreign)
    vpc = result.requests[0].spec.vpc
    assert (vpc.id, vpc.security_group) == ("vpc-01234567", "sg-00000002")
    assert vpc.private_subnets == {"eu-central-1a": "subnet-00000001"}
    assert vpc.public_subnets == {"eu-central-1b": "subnet-00000003"}
    (warning,) = result.warnings
    assert "the section vpc leaves out subnet-00000002" in warning
    assert any("the section vpc is from EKS" in line for line in result.told)
    own = checked(cluster=foreign, vpc={"id": "vpc-76543210"}).requests[0].spec.vpc
    assert own.id == "vpc-76543210"
    assert checked().requests[0].spec.vpc.id is None


def test_a_launch_template_gets_the_endpoint() -> None:
    endpoint = checked(kind="launch-template").requests[0].spec.endpoint
    assert (endpoint.api_server, endpoint.certificate) == (CLUSTER.endpoint, CLUSTER.certificate_authority)
    given = checked(kind="launch-template", endpoint={"api-server": "https://mine"}).requests[0].spec.endpoint
    assert given.api_server == "https://mine"


def test_what_was_not_answered_is_said_and_nothing_is_taken_for_granted() -> None:
    result = hold([request()], NodeFacts(unanswered=("the AMI: denied",)))
    assert result.warnings == ("AWS could not be asked about the AMI: denied",)
    assert result.told == ()
