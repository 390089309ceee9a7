"""What stands where in an EC2NodeClass and a NodePool."""

from typing import Any

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.karpenter.document import document
from nodes.karpenter.cases import karpenter_request


def class_(**fields: Any) -> dict[str, Any]:
    spec = document([karpenter_request(**fields)])[0]["spec"]
    assert isinstance(spec, dict)
    return spec


def pool(**fields: Any) -> dict[str, Any]:
    spec = document([karpenter_request(**fields)])[1]["spec"]
    assert isinstance(spec, dict)
    return spec


def requirements(**fields: Any) -> dict[str, Any]:
    return {
        entry["key"]: (entry["operator"], entry["values"])
        for entry in pool(**fields)["template"]["spec"]["requirements"]
    }


def test_the_ami_is_named_in_one_way() -> None:
    assert class_()["amiSelectorTerms"] == [{"id": "ami-0123456789abcdef0"}]
    assert class_(arch="arm64", karpenter={"ami_by": "tags"})["amiSelectorTerms"] == [
        {"tags": {"brqos:tool": "brqos", "brqos:variant": "aws-k8s-1.29-memoryqos", "brqos:arch": "aarch64"}}
    ]
    by_ssm = {"ami_by": "ssm", "ssm_parameter": "/ours/image_id"}
    assert class_(karpenter=by_ssm)["amiSelectorTerms"] == [{"ssmParameter": "/ours/image_id"}]


def test_the_role_is_a_name() -> None:
    assert class_()["role"] == "KarpenterNodeRole-prod"
    assert class_(node_role="arn:aws:iam::111122223333:role/a/b/nodes")["role"] == "nodes"
    profile = class_(instance_profile="arn:aws:iam::111122223333:instance-profile/a/nodes")
    assert profile["instanceProfile"] == "nodes" and "role" not in profile


def test_what_karpenter_calculates_with_is_in_kubelet() -> None:
    spec = class_(
        max_pods=58,
        kube_reserved={"memory": "1Gi"},
        settings={"kubernetes": {"kube-reserved": {"cpu": "1"}, "cluster-dns-ip": ["10.0.0.10"], "event-qps": 0}},
    )
    assert spec["kubelet"] == {
        "maxPods": 58,
        "kubeReserved": {"memory": "1Gi", "cpu": "1"},
        "clusterDNS": ["10.0.0.10"],
    }
    assert "[settings.kubernetes]\nevent-qps = 0\n" in spec["userData"] and "reserved" not in spec["userData"]
    assert class_(settings={"kubernetes": {"max-pods": 30}})["kubelet"] == {"maxPods": 30}
    assert "kubelet" not in class_()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"max_pods": 3, "settings": {"kubernetes": {"max-pods": 3}}}, "max-pods is given twice"),
        ({"settings": {"kubernetes": {"max-pods": "3"}}}, "not a number of pods"),
        ({"settings": {"kubernetes": {"max-pods": True}}}, "not a number of pods"),
        ({"settings": {"kubernetes": []}}, "not a table"),
        ({"settings": {"kubernetes": {"kube-reserved": {"cpu": 1}}}}, "not a table of texts"),
        ({"settings": {"kubernetes": {"system-reserved": {"memory": "1K"}}}}, "not an amount"),
        ({"settings": {"kubernetes": {"eviction-hard": {"memory.available": "101%"}}}}, "not a percentage"),
        ({"settings": {"kubernetes": {"cluster-dns-ip": ["10.0.0.1", "10.0.0.2"]}}}, "takes one address"),
        ({"settings": {"kubernetes": {"cluster-dns-ip": 1}}}, "takes one address"),
    ],
)
def test_wrong_settings_of_the_kubelet_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        class_(**fields)


def test_volumes_are_karpenters_unless_asked_for() -> None:
    assert "blockDeviceMappings" not in class_()
    root = {"deviceName": "/dev/xvda", "ebs": {"volumeSize": "4Gi", "volumeType": "gp3", "encrypted": True}}
    assert class_(volume_size=50, volume_type="io2", volume_iops=4000)["blockDeviceMappings"] == [
        root,
        {
            "deviceName": "/dev/xvdb",
            "rootVolume": True,
            "ebs": {"volumeSize": "50Gi", "volumeType": "io2", "iops": 4000, "encrypted": True},
        },
    ]
    with_key = class_(volume_kms_key="alias/nodes")["blockDeviceMappings"]
    assert [mapping["ebs"]["kmsKeyID"] for mapping in with_key] == ["alias/nodes", "alias/nodes"]


def test_instances_without_a_wish() -> None:
    assert requirements() == {
        "kubernetes.io/arch": ("In", ["amd64"]),
        "kubernetes.io/os": ("In", ["linux"]),
        "karpenter.sh/capacity-type": ("In", ["on-demand"]),
        "karpenter.k8s.aws/instance-category": ("In", ["c", "m", "r"]),
        "karpenter.k8s.aws/instance-generation": ("Gt", ["4"]),
    }
    nvidia = requirements(variant="aws-k8s-1.34-nvidia", arch="arm64", ami="ami-01234567")
    assert nvidia["karpenter.k8s.aws/instance-gpu-manufacturer"] == ("In", ["nvidia"])
    assert nvidia["kubernetes.io/arch"] == ("In", ["arm64"])
    assert nvidia["karpenter.k8s.aws/instance-category"] == ("In", ["g"])


def test_instances_as_asked_for() -> None:
    asked = requirements(instance_types=("m6i.large", "m5.large"), spot=True, availability_zones=("eu-central-1a",))
    assert asked["node.kubernetes.io/instance-type"] == ("In", ["m6i.large", "m5.large"])
    assert asked["karpenter.sh/capacity-type"] == ("In", ["spot"])
    assert asked["topology.kubernetes.io/zone"] == ("In", ["eu-central-1a"])
    assert "karpenter.k8s.aws/instance-category" not in asked


def test_a_taint_without_a_value_has_none() -> None:
    assert pool(taints=("gpu:NoExecute",))["template"]["spec"]["taints"] == [{"key": "gpu", "effect": "NoExecute"}]
    assert "taints" not in pool()["template"]["spec"]


def test_the_class_is_the_pools_own() -> None:
    assert pool(name="x")["template"]["spec"]["nodeClassRef"] == {
        "group": "karpenter.k8s.aws",
        "kind": "EC2NodeClass",
        "name": "x",
    }


def test_the_systems_volume_is_never_smaller_than_the_amis() -> None:
    assert "blockDeviceMappings" not in class_(root_gib=4)
    for size in (None, 30):
        system, data = class_(root_gib=25, volume_size=size)["blockDeviceMappings"]
        assert (system["deviceName"], system["ebs"]["volumeSize"]) == ("/dev/xvda", "25Gi")
        assert data["ebs"]["volumeSize"] == f"{size or 20}Gi"
    assert class_(root_gib=2, volume_size=30)["blockDeviceMappings"][0]["ebs"]["volumeSize"] == "4Gi"
