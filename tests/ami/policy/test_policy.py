"""The IAM policy, held against what AWS's Service Authorization Reference says of each action."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami.policy.reference import BY_NAME, CALLED, REQUEST_TAG, RESOURCE_TAG, STAGES, TYPES, UNTAGGED, type_of
from ami.policy.wishes import CODEBUILD, DEFAULT_NAMES, OTHER, OWNER, REGIONS, key, requests, role
from brqos import aws
from brqos.ami.policy.codebuild import CODEBUILD_RULES
from brqos.ami.policy.keys import auto_scaling_role, grant_commands, key_policy_for, key_use, notes_for_keys
from brqos.ami.policy.policy import ACTIONS, LONGEST, PolicyStage, needed_for, notes_for, policy_for, size_of
from brqos.ami.policy.request import Partition, PolicyRequest, policy_request
from brqos.ami.policy.rules import UNPROTECT
from brqos.config.codebuild import CodeBuildSpec
from brqos.errors import BrqosError, ConfigurationError
from brqos.fleet.codebuild.names import names_of

GOLDENS = Path(__file__).parents[1] / "goldens"
ALL = tuple(PolicyStage)
_ON_WISH = (PolicyStage.PRUNE, PolicyStage.NODES, PolicyStage.ATTEST, PolicyStage.CODEBUILD, PolicyStage.ASSUME)
REGISTER = tuple(stage for stage in PolicyStage if stage not in _ON_WISH)
_NOT_PUBLISHING = (PolicyStage.NODES, PolicyStage.ATTEST, PolicyStage.CODEBUILD)
PUBLISHING = tuple(stage for stage in PolicyStage if stage not in _NOT_PUBLISHING)


def test_the_actions_of_each_stage() -> None:
    assert {stage: set(actions) for stage, actions in ACTIONS.items()} == STAGES
    assert all(list(actions) == sorted(actions) for actions in ACTIONS.values())
    assert {action for actions in ACTIONS.values() for action in actions} <= set(TYPES)


def test_every_call_that_is_made_is_some_stage_s() -> None:
    folder = Path(aws.__file__).parent
    calls = re.compile(r'(?:translated\(|_pages\([^,]+, |_ask\(|_write\(|Setting\()"([A-Z]\w+)"')
    made = {name for file in folder.glob("*.py") for name in calls.findall(file.read_text())}
    assert {"RegisterImage", "DescribeInstances", "PutParameter", "FilterLogEvents", "PutBucketPolicy"} <= made
    allowed = {action.split(":")[1] for actions in ACTIONS.values() for action in actions}
    # Asking who one is needs no permission.
    assert {CALLED.get(call, call) for call in made} - allowed == {"GetCallerIdentity"}
    # Others ask for what is no call by itself: to hand over roles, and to tag what is being made.
    assert {action.split(":")[1] for action in STAGES[PolicyStage.CODEBUILD]} - made - set(CALLED.values()) == {
        "PassRole"
    }


@given(requests())
def test_it_allows_what_is_needed_and_nothing_else(request: PolicyRequest) -> None:
    allowed = {action for statement in policy_for(request)["Statement"] for action in statement["Action"]}
    assert allowed == needed_for(request)
    wanted = {action for stage in request.stages for action in STAGES[stage]}
    if not request.unprotect:
        wanted.discard(UNPROTECT)
    # Without a prefix there are no parameters to verify, and pruning reads those of any name.
    if request.ssm_prefix is None and PolicyStage.PRUNE not in request.stages:
        wanted.discard("ssm:GetParameters")
    if request.codebuild is not None and not request.codebuild.made_roles:
        wanted -= {action for action in wanted if action.startswith("iam:")} - {"iam:PassRole"}
    signing = STAGES[PolicyStage.ATTEST]
    assert {action for action in allowed if not action.startswith("kms:") or action in signing} == wanted
    assert any(action.startswith("kms:") for action in allowed - signing) == bool(request.kms_keys)


@given(requests())
def test_every_resource_is_of_the_partition_and_of_a_type_that_the_action_knows(request: PolicyRequest) -> None:
    for statement in policy_for(request)["Statement"]:
        for resource in statement["Resource"]:
            assert resource == "*" or resource.startswith(f"arn:{request.partition.value}:")
            assert "{" not in resource
            for action in statement["Action"]:
                kind = type_of(resource)
                assert (kind in TYPES[action]) if kind else not TYPES[action], (action, resource)


OF_CODEBUILD = {rule.sid for rule in CODEBUILD_RULES}


def assert_regions_are_named(resources: list[str], request: PolicyRequest) -> None:
    """What CodeBuild needs is of the region that it runs in; where that is not told, of those that are asked for."""
    assert request.codebuild is not None
    places = {request.codebuild.region} if request.codebuild.region else set(request.regions or "*")
    assert {region for arn in resources if (region := arn.split(":")[3])} <= places
    buckets = {rest.split("/")[0] for arn in resources if (rest := arn.partition(":s3:::")[2])}
    assert buckets <= {"our-builds", *(f"brqos-{request.account}-{place}" for place in places)}


@given(requests())
def test_regions_are_always_a_condition(request: PolicyRequest) -> None:
    for statement in policy_for(request)["Statement"]:
        told = json.dumps(statement.get("Condition", {}))
        if statement["Action"] == ["sts:AssumeRole"] or "kms:Sign" in statement["Action"]:
            assert "Condition" not in statement
        elif statement["Sid"] in OF_CODEBUILD:
            assert "aws:RequestedRegion" not in told
            assert_regions_are_named(statement["Resource"], request)
        elif statement["Action"][0].startswith("kms:"):
            assert all(f"ec2.{region}.amazonaws.com" in told for region in request.regions)
            assert ("*" in told) == (not request.regions)
        else:
            equals = statement.get("Condition", {}).get("StringEquals", {})
            assert equals.get("aws:RequestedRegion") == (list(request.regions) or None)


@given(requests())
def test_tags_are_a_condition_wherever_the_reference_knows_them(request: PolicyRequest) -> None:
    for statement in policy_for(request)["Statement"]:
        equals = statement.get("Condition", {}).get("StringEquals", {})
        by_request, by_resource = "aws:RequestTag/brqos:tool" in equals, "aws:ResourceTag/brqos:tool" in equals
        for action in statement["Action"]:
            for kind in map(type_of, statement["Resource"]):
                if action in BY_NAME and statement["Sid"] in OF_CODEBUILD:
                    assert not by_request
                    assert not by_resource
                    continue
                known = {pair for pair in REQUEST_TAG | RESOURCE_TAG if pair == (action, kind)}
                assert bool(known) == (by_request or by_resource) or action in UNTAGGED, (action, kind)
                assert not by_request or (action, kind) in REQUEST_TAG
                assert not by_resource or (action, kind) in RESOURCE_TAG


@given(requests())
def test_it_is_a_valid_document(request: PolicyRequest) -> None:
    policy = policy_for(request)
    sids = [statement["Sid"] for statement in policy["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(sid.isalnum() for sid in sids)
    assert policy["Version"] == "2012-10-17"
    assert all(statement["Effect"] == "Allow" for statement in policy["Statement"])
    assert json.loads(json.dumps(policy)) == policy
    # Nodes and keys together may be too long, and so may CodeBuild with them; the command says so then.
    more = {PolicyStage.NODES, PolicyStage.CODEBUILD} & set(request.stages)
    assert size_of(policy) <= LONGEST or (more and (request.kms_keys or PolicyStage.CODEBUILD in more))
    assert all("\n" not in note for note in notes_for(request))


@given(st.permutations(REGIONS[Partition.AWS]), st.permutations(ALL))
def test_the_order_of_the_wishes_does_not_matter(regions: list[str], stages: list[PolicyStage]) -> None:
    def made(regions: Any, stages: Any) -> str:
        keys = [key(region) for region in regions]
        request = policy_request(
            stages, regions=[*regions, *regions], ssm_prefix="/p", kms_keys=keys, roles=[role()] * 2, account=OWNER,
            signing_keys=[key("eu-west-1")] * 2, codebuild=DEFAULT_NAMES,
        )  # fmt: skip
        return json.dumps([policy_for(request), notes_for(request)])

    assert made(regions, stages) == made(REGIONS[Partition.AWS], ALL)


GOLDEN = {
    "register": policy_request(
        REGISTER, regions=["us-east-1", "eu-west-1"], account=OWNER, ssm_prefix="/platform/bottlerocket"
    ),
    "all-with-keys": policy_request(
        PUBLISHING,
        regions=REGIONS[Partition.AWS][:5],
        account=OWNER,
        ssm_prefix="/platform/bottlerocket",
        kms_keys=[key(region) for region in REGIONS[Partition.AWS][:5]],
        roles=[role()],
        unprotect=True,
    ),
    "upload-china": policy_request([PolicyStage.UPLOAD], kms_keys=[key("cn-north-1", "aws-cn")]),
    "prune-gov": policy_request([PolicyStage.PRUNE], regions=["us-gov-west-1"]),
    "nodes": policy_request([PolicyStage.NODES], regions=["eu-west-1"], account=OWNER),
    "assume": policy_request([PolicyStage.ASSUME], roles=[role()], regions=["eu-west-1"]),
    "codebuild": policy_request(
        [PolicyStage.CODEBUILD], regions=["eu-central-1"], account=OWNER, codebuild=DEFAULT_NAMES
    ),
    "codebuild-own-role-china": policy_request(
        [PolicyStage.CODEBUILD],
        regions=["cn-north-1", "cn-northwest-1"],
        codebuild=names_of(
            CodeBuildSpec(
                account=OWNER,
                project="fleet",
                bucket="our-builds",
                role=f"arn:aws-cn:iam::{OWNER}:role/ci/builds",
                batch_role="fleet-batch",
            )
        ),
    ),
    "attest": policy_request([PolicyStage.ATTEST], signing_keys=[key("eu-central-1")], regions=["eu-west-1"]),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_goldens(name: str) -> None:
    check_golden(name, {"policy": policy_for(GOLDEN[name]), "notes": list(notes_for(GOLDEN[name]))})


def check_golden(name: str, value: object) -> None:
    text = json.dumps(value, indent=2) + "\n"
    # To write it anew: delete the file, run, and read what came.
    file = GOLDENS / f"policy-{name}.json"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        pytest.fail(f"{file} was not there and has been written: read it")
    assert file.read_text() == text


def test_what_fits_into_a_managed_policy_in_five_regions() -> None:
    assert size_of(policy_for(GOLDEN["all-with-keys"])) < LONGEST
    with_nodes = replace(GOLDEN["all-with-keys"], stages=(*PUBLISHING, PolicyStage.NODES))
    assert size_of(policy_for(replace(with_nodes, kms_keys=()))) < LONGEST
    assert size_of(policy_for(with_nodes)) > LONGEST
    assert any("do not fit into one managed policy" in note for note in notes_for(with_nodes))
    assert not any("do not fit" in note for note in notes_for(GOLDEN["nodes"]))
    by_a_person = replace(
        GOLDEN["register"], stages=(*REGISTER, PolicyStage.CODEBUILD), regions=("us-east-1",), codebuild=DEFAULT_NAMES
    )
    assert size_of(policy_for(by_a_person)) < LONGEST
    assert size_of({"a b": " "}) == len('{"ab":""}')


def test_pruning_switches_protection_off_only_where_asked() -> None:
    assert UNPROTECT not in json.dumps(policy_for(policy_request([PolicyStage.PRUNE])))
    assert UNPROTECT in json.dumps(policy_for(policy_request([PolicyStage.PRUNE], unprotect=True)))


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"stages": []}, "for no stage"),
        ({"stages": [PolicyStage.PARAMETERS]}, "needs the prefix"),
        ({"stages": [PolicyStage.ASSUME]}, "needs the roles"),
        ({"stages": [PolicyStage.ATTEST]}, "needs the key that signs"),
        ({"stages": [PolicyStage.CODEBUILD]}, "needs the names"),
        ({"account": OTHER, "codebuild": names_of(CODEBUILD[1])}, f"account {OWNER}, and the policy is for {OTHER}"),
        ({"regions": ["cn-north-1"], "codebuild": names_of(CodeBuildSpec(region="eu-west-1"))}, "two partitions"),
        ({"regions": ["cn-north-1"], "codebuild": names_of(CodeBuildSpec(role=role()))}, "two partitions"),
        ({"signing_keys": ["alias/brqos"]}, "is not the ARN of a KMS key"),
        ({"unprotect": True}, "part of pruning only"),
        ({"regions": ["Europe"]}, "“Europe” is not an AWS region"),
        ({"regions": ["eu-west-1 "]}, "is not an AWS region"),
        ({"regions": ["us-iso-east-1"]}, "does not know"),
        ({"regions": ["eusc-de-east-1"]}, "does not know"),
        ({"regions": ["eu-west-1", "cn-north-1"]}, "two partitions"),
        ({"regions": ["us-gov-west-1"], "roles": [role()]}, "two partitions"),
        ({"regions": ["eu-west-1"], "partition": Partition.CHINA}, "--partition aws-cn is of aws-cn"),
        ({"account": "1111-2222-3333"}, "is not an AWS account"),
        ({"account": "١" * 12}, "is not an AWS account"),
        ({"ssm_prefix": "platform"}, "cannot be the prefix"),
        ({"ssm_prefix": "/platform/"}, "cannot be the prefix"),
        ({"ssm_prefix": "/*"}, "cannot be the prefix"),
        ({"ssm_prefix": "/x" * 500}, "cannot be the prefix"),
        ({"kms_keys": ["alias/brqos"]}, "not an alias"),
        ({"kms_keys": [f"arn:aws:kms:eu-west-1:{OWNER}:alias/x"]}, "not an alias"),
        ({"kms_keys": ["1234abcd"]}, "is not the ARN of a KMS key"),
        ({"kms_keys": [key("eu-west-1", "aws-cn")]}, "contradicts itself"),
        ({"kms_keys": [key("eu-west-1", "aws-iso")]}, "does not know (aws-iso)"),
        ({"kms_keys": [key("eu-west-1")], "regions": ["eu-west-2"]}, "not among the regions"),
        ({"roles": [f"arn:aws:iam::{OWNER}:user/x"]}, "is not the ARN of a role"),
        ({"roles": [f"arn:aws:iam::{OWNER}:role/*"]}, "is not the ARN of a role"),
    ],
)
def test_what_is_refused(wishes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        policy_request(**{"stages": [PolicyStage.UPLOAD], **wishes})
    assert words in str(caught.value)
    assert caught.value.todo


@given(st.text(max_size=60), st.sampled_from(["regions", "kms_keys", "roles", "account", "ssm_prefix"]))
def test_any_text_is_taken_or_refused_with_words(text: str, field: str) -> None:
    try:
        policy_request([PolicyStage.UPLOAD], **{field: text if field in ("account", "ssm_prefix") else [text]})
    except BrqosError as error:
        assert isinstance(error, ConfigurationError)


def test_the_partition_is_found() -> None:
    assert policy_request([PolicyStage.UPLOAD]).partition is Partition.AWS
    assert policy_request([PolicyStage.UPLOAD], partition=Partition.CHINA).partition is Partition.CHINA
    assert policy_request([PolicyStage.UPLOAD], roles=[role("aws-us-gov")]).partition is Partition.GOV_CLOUD


def test_notes_say_where_it_is_wide() -> None:
    told = "\n".join(notes_for(policy_request([*REGISTER, PolicyStage.PRUNE], ssm_prefix="/p")))
    for words in ("all regions", "CopyImages:", "TagStartedSnapshots:", "ReadParameters:", "--account", "--kms-key"):
        assert words in told
    assert notes_for(policy_request([PolicyStage.MARK], regions=["eu-west-1"])) == ()
    of_nodes = policy_request([PolicyStage.NODES], regions=["eu-west-1"])
    assert notes_for(of_nodes) == (
        "The clusters and launch templates are those of any account: name yours with --account.",
    )
    assert notes_for(replace(of_nodes, account=OWNER)) == ()


# The key's own policy.


def test_key_policy_goldens() -> None:
    check_golden("key", key_policy_for(key_use([key("eu-west-1")])))
    shared = key_use([key("cn-north-1", "aws-cn")], [OTHER, "777788889999"])
    check_golden("key-shared-china", {"policy": key_policy_for(shared), "commands": grant_commands(shared)})


def test_the_key_policy_is_wide_in_nothing_but_its_resource() -> None:
    for statement in key_policy_for(key_use([key("eu-west-1")], [OTHER]))["Statement"]:
        assert statement["Resource"] == "*"
        assert "*" not in json.dumps(statement["Principal"])
        assert ("Condition" in statement) == (statement["Action"] == ["kms:CreateGrant"])


def test_the_owner_of_the_key_is_no_other_account() -> None:
    use = key_use([key("eu-west-1"), key("us-east-1")], [OWNER, OTHER, OTHER])
    assert use.others == (OTHER,)
    assert len(grant_commands(use)[OTHER]) == 2
    assert len(notes_for_keys(use)) == 4


def test_the_service_linked_role() -> None:
    assert auto_scaling_role(Partition.CHINA, OWNER) == (
        f"arn:aws-cn:iam::{OWNER}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    )


@pytest.mark.parametrize(
    ("keys", "accounts", "words"),
    [
        ([], [], "no KMS key"),
        ([key("eu-west-1"), key("eu-west-1", account=OTHER)], [], "several accounts"),
        ([key("eu-west-1")], ["x"], "is not an AWS account"),
        ([key("eu-west-1"), key("cn-north-1", "aws-cn")], [], "two partitions"),
    ],
)
def test_keys_that_are_refused(keys: list[str], accounts: list[str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        key_use(keys, accounts)
