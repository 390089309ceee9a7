"""What there is to do about the launch template, decided from what is there."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brqos.aws.launch_templates import DescribedLaunchTemplate
from brqos.errors import AwsError, ConfigurationError
from brqos.nodes.launch_template.data import launch_template_data
from brqos.nodes.launch_template.plan import Action, Existing, Step, plan_apply, same_data
from nodes.launch_template.cases import FULL, KNOWN, wish
from nodes.launch_template.test_document import OFFICIAL

OURS = {"brqos:tool": "brqos"}


def existing(data: dict[str, Any], *, tags: dict[str, str] | None = None, latest: int = 4) -> Existing:
    name = "prod-memoryqos-arm64"
    template = DescribedLaunchTemplate("lt-0123456789abcdef0", name, 1, latest, OURS if tags is None else tags)
    return Existing(template, data)


def plan(there: Existing | None = None, **fields: Any) -> Step:
    return plan_apply(wish(**{**FULL, **fields}), there)


def test_nothing_there_is_made() -> None:
    step = plan()
    assert (step.action, step.template, step.version) == (Action.CREATE, None, None)
    assert step.name == "prod-memoryqos-arm64"
    assert step.data == launch_template_data(wish(**FULL))
    assert step.tags["brqos:tool"] == "brqos"
    assert len(step.token) == 64


def test_the_same_is_left_alone() -> None:
    step = plan(existing(launch_template_data(wish(**FULL))))
    assert (step.action, step.template, step.version) == (Action.NOTHING, "lt-0123456789abcdef0", 4)


def test_another_content_is_a_new_version() -> None:
    step = plan(existing(launch_template_data(wish(**FULL))), ami="ami-0fedcba9876543210")
    assert (step.action, step.version) == (Action.NEW_VERSION, 4)
    assert step.data["ImageId"] == "ami-0fedcba9876543210"


def test_the_same_again_after_others_is_a_version_of_its_own() -> None:
    old = launch_template_data(wish(**FULL, ami="ami-0fedcba9876543210"))
    assert plan(existing(old)).token == plan(existing(old)).token
    assert plan(existing(old)).token != plan(existing(old, latest=6)).token
    assert plan().token != plan(existing(old)).token
    assert plan().token != plan(tags={"other": "tag"}).token


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({}, "did not make"),
        ({"Name": "x"}, "did not make"),
        ({**OURS, "aws:cloudformation:stack-name": "s"}, "stack s"),
    ],
)
def test_what_is_not_ours_is_left_alone(tags: dict[str, str], why: str) -> None:
    with pytest.raises(AwsError, match=why):
        plan(existing(launch_template_data(wish(**FULL)), tags=tags))


def test_without_the_endpoint_there_is_no_plan() -> None:
    with pytest.raises(ConfigurationError, match="endpoint is not known"):
        plan_apply(wish(), None)
    assert plan_apply(wish(**OFFICIAL), None).action is Action.CREATE


def told(data: dict[str, Any]) -> dict[str, Any]:
    """The same data as EC2 tells them: with its defaults, and lists in another order."""
    answer = copy.deepcopy(data)
    answer["MetadataOptions"] |= {
        "State": "pending",
        "HttpEndpoint": "enabled",
        "HttpProtocolIpv6": "disabled",
        "InstanceMetadataTags": "disabled",
    }
    answer |= {"EbsOptimized": False, "NetworkInterfaces": []}
    for name in ("BlockDeviceMappings", "TagSpecifications", "SecurityGroupIds"):
        answer.get(name, []).reverse()
    return answer


def test_ec2s_own_defaults_make_no_difference() -> None:
    for request in (wish(**FULL), wish(**KNOWN)):
        assert same_data(launch_template_data(request), told(launch_template_data(request)))


CHANGES: list[dict[str, Any]] = [
    {"ami": "ami-0fedcba9876543210"},
    {"volume_size": 101},
    {"volume_encrypted": False, "volume_kms_key": None},
    {"security_groups": ("sg-0123456789abcdef0",)},
    {"security_groups": ()},
    {"ssh_key": None, "admin_container": True},
    {"tags": {"team": "other"}},
    {"tags": {"team": "data", "Name": "spark", "more": "x"}},
    {"max_pods": 59},
    {"taints": ()},
    {"settings": {}},
]


@given(st.sampled_from(CHANGES), st.booleans())
@settings(deadline=None)
def test_any_change_is_seen(change: dict[str, Any], swapped: bool) -> None:
    one, other = launch_template_data(wish(**FULL)), launch_template_data(wish(**{**FULL, **change}))
    if swapped:
        one, other = other, one
    assert not same_data(one, told(other))


@pytest.mark.parametrize(
    "more",
    [
        {"InstanceType": "m6i.large"},
        {"IamInstanceProfile": {"Name": "x"}},
        {"EbsOptimized": True},
        {"MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "disabled"}},
    ],
)
def test_what_somebody_added_is_seen(more: dict[str, Any]) -> None:
    data = launch_template_data(wish(**KNOWN))
    assert not same_data(data, data | more)
