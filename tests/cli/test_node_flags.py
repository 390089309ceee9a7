"""Flags about nodes become values of `[nodegroup]`, each under the key that the file has for it."""

import inspect

import pytest

from brqos.cli import node_flags as flags
from brqos.cli.node_flags import node_flags, nodegroup_spec, settings_of
from brqos.cli.nodegroup import nodegroup
from brqos.config.nodegroup import NodegroupSpec
from brqos.errors import UsageError

EXAMPLES: dict[str, object] = {
    **dict.fromkeys(("spot", "volume_encrypted", "private_networking", "admin_container"), True),
    "control_container": False,
    **dict.fromkeys(("on_demand_base", "on_demand_percentage", "min_size", "max_size", "desired"), 100),
    **dict.fromkeys(("volume_size", "volume_iops", "volume_throughput", "max_pods"), 200),
    "kind": "eksctl",
    "cluster": "prod",
    "region": "eu-central-1",
    "name": "workers",
    "max_unavailable": "25%",
    "volume_type": "gp2",
    "volume_kms_key": "alias/nodes",
    "node_role": "arn:aws:iam::111122223333:role/nodes",
    "instance_profile": "arn:aws:iam::111122223333:instance-profile/nodes",
    "permissions_boundary": "arn:aws:iam::111122223333:policy/boundary",
    "ssh_key": "mine",
    "vpc": "vpc-01234567",
    "vpc_security_group": "sg-01234567",
    "api_server": "https://example.com",
    "cluster_certificate": "LS0tLS1CRUdJTg==",
    "cluster_dns_ip": "10.100.0.10",
    "ami_by": "ssm",
    "ssm_parameter": "/a/b",
    "expire_after": "24h",
    "consolidate_after": "1m",
    "instance_type": ["m6i.large"],
    "subnet": ["subnet-01234567"],
    "security_group": ["sg-01234567"],
    "zone": ["eu-central-1a"],
    "iam_policy": ["arn:aws:iam::aws:policy/X"],
    "ssh_security_group": ["sg-01234567"],
    "taint": ["a=b:NoSchedule"],
    "limit": ["cpu=100"],
    "vpc_private_subnet": ["eu-central-1a=subnet-01234567"],
    "vpc_public_subnet": ["eu-central-1a=subnet-01234567"],
    **{
        name: ["a=b"]
        for name in (
            *("tag", "label", "kube_reserved", "system_reserved", "eviction_hard", "subnet_tag", "security_group_tag"),
        )
    },
    "setting": ["motd=hello"],
}


def test_every_flag_arrives_in_the_spec() -> None:
    default = NodegroupSpec()
    for name, value in EXAMPLES.items():
        spec = nodegroup_spec({name: value}, None)
        changed = {field for field in type(spec).model_fields if getattr(spec, field) != getattr(default, field)}
        assert changed, name
    assert set(EXAMPLES) == {*flags._PLAIN, *flags._LISTS, *flags._PAIRS, "setting"}


def test_every_flag_is_one_of_the_commands() -> None:
    assert set(EXAMPLES) <= set(inspect.signature(nodegroup).parameters)


def test_what_was_not_given_says_nothing() -> None:
    assert node_flags(dict.fromkeys(EXAMPLES)) == {}
    assert node_flags({"taint": [], "label": (), "self_managed": False}) == {}


def test_zero_and_false_were_given() -> None:
    assert node_flags({"min_size": 0, "spot": False}) == {"min-size": 0, "spot": False}


@pytest.mark.parametrize(
    ("words", "tree"),
    [
        (["kubernetes.cpu-manager-policy=static"], {"kubernetes": {"cpu-manager-policy": "static"}}),
        (["kubernetes.event-qps=50", "kubernetes.event-burst=9"], {"kubernetes": {"event-qps": 50, "event-burst": 9}}),
        (['kubernetes.x."memory.available"=5%'], {"kubernetes": {"x": {"memory.available": "5%"}}}),
        (['motd="1"'], {"motd": "1"}),
        (["kubernetes.sysctls=['a.b']"], {"kubernetes": {"sysctls": ["a.b"]}}),
        (["motd=a=b"], {"motd": "a=b"}),
        (["motd=1\n[other]\nx=1"], {"motd": "1\n[other]\nx=1"}),
        (["motd=😀"], {"motd": "😀"}),
        (["motd=x", "motd=x"], {"motd": "x"}),
    ],
)
def test_settings_are_written_as_in_toml_and_text_needs_no_quotes(words: list[str], tree: dict[str, object]) -> None:
    assert settings_of(words) == tree


@pytest.mark.parametrize("words", [["motd"], ["=x"], ["a b=c"], ["motd=x", "motd=y"]])
def test_what_is_no_setting_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        settings_of(words)


@pytest.mark.parametrize("text", ["nan", "inf", "2026-01-01", "12:30:00", "[2026-01-01]"])
def test_what_toml_alone_takes_for_more_than_text_is_text(text: str) -> None:
    assert settings_of([f"motd={text}", f"motd={text}"]) == {"motd": text}
