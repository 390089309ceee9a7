"""What is set up: the plan is pure, so it is held against what may be there already."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from brqos.aws.iam import Role
from brqos.aws.s3 import Bucket
from brqos.config.ami import AmiSpec
from brqos.config.codebuild import CodeBuildVpc
from brqos.config.nodegroup import NodegroupSpec
from brqos.errors import BrqosError, ConfigurationError
from brqos.fleet.codebuild.buildspec import results_prefix
from brqos.fleet.codebuild.place import OURS, Place, check_arns
from brqos.fleet.codebuild.project import differences, project_of, update_of
from brqos.fleet.codebuild.rights import batch_rights, build_rights, trust_of
from brqos.fleet.codebuild.roles import FoundRole, takes_away
from brqos.fleet.codebuild.setup import Action, Found, plan_setup
from brqos.pipeline import results
from fleet import builds
from fleet.codebuild.parts import RUN, place

GOLDENS = Path(__file__).with_name("goldens")
ROLE = "arn:aws:iam::444455556666:role/publisher"
PUBLISHED = builds.spec(ami=AmiSpec(regions=("eu-central-1", "us-east-1"), ssm_prefix="/images", protect=True))
FULL = place(
    image="444455556666.dkr.ecr.eu-central-1.amazonaws.com/tools/brqos:1.2",
    sbkeys="s3://secrets/profile.tar.gz",
    vpc=CodeBuildVpc(id="vpc-01234567", subnets=("subnet-01234567",), security_groups=("sg-01234567",)),
    kms_key="arn:aws:kms:eu-central-1:111122223333:key/1234abcd",
    variables={"PIP_INDEX_URL": "https://mirror.example.com/simple"},
)


def documents(where: Place, *specs: Any) -> dict[str, Any]:
    return {
        "project": project_of(where),
        "trust": trust_of(where),
        "policies": build_rights(where, specs or [builds.spec()]),
        "batch trust": trust_of(where, of_batches=True),
        "batch policies": batch_rights(where),
    }


@pytest.mark.parametrize("case", ["least", "full"])
def test_it_is_the_golden(case: str) -> None:
    found = documents(place()) if case == "least" else documents(FULL, PUBLISHED)
    assert found == json.loads((GOLDENS / f"{case}.json").read_text())


def there(where: Place, specs: list[Any], **changed: Any) -> Found:
    """All as it is wanted."""
    roles = {
        where.spec.role: (trust_of(where), build_rights(where, specs)),
        where.batch_role: (trust_of(where, of_batches=True), batch_rights(where)),
    }
    found = {
        name: FoundRole(Role(name, f"arn:{name}", trust, {**where.tags, "more": "x"}), policies)
        for name, (trust, policies) in roles.items()
    }
    told = {**project_of(where), "arn": "arn:x", "created": 1, "badge": {"badgeEnabled": False}}
    whole: dict[str, Any] = {
        "bucket": Bucket(where.bucket, where.region, where.tags), "roles": found, "project": told, **changed,
    }  # fmt: skip
    return Found(**whole)


@pytest.mark.parametrize("where", [place(), FULL])
def test_what_is_right_is_left_alone(where: Place) -> None:
    changes = plan_setup(where, [PUBLISHED], there(where, [PUBLISHED]))
    assert [change.action for change in changes] == [Action.KEEP] * 4
    assert not any(change.calls for change in changes)


def test_nothing_is_there() -> None:
    changes = plan_setup(place(), [builds.spec()], Found())
    assert {change.action for change in changes} == {Action.CREATE}
    assert [call.operation for change in changes for call in change.calls] == [
        "CreateBucket", "CreateRole", "PutRolePolicy", "CreateRole", "PutRolePolicy", "CreateProject",
    ]  # fmt: skip


def test_a_difference_is_told_and_made_good() -> None:
    before = there(place(), [builds.spec()])
    *_, project = plan_setup(place(image="example/other:1", timeout=60), [builds.spec()], before)
    assert project.action is Action.UPDATE
    assert "environment.image: aws/codebuild/standard:7.0 -> example/other:1" in project.differences
    assert "timeoutInMinutes: 480 -> 60" in project.differences
    (call,) = project.calls
    assert set(call.parameters) == {"name", "environment", "timeoutInMinutes"}


def test_a_limit_or_network_that_is_not_wanted_any_more_goes() -> None:
    found = {**project_of(FULL), "name": "brqos", "concurrentBuildLimit": 20}
    update = update_of(project_of(place()), found)
    assert update["concurrentBuildLimit"] == -1
    assert update["vpcConfig"] == {}


def test_tags_of_others_stay() -> None:
    found = project_of(place())
    found["tags"] = [{"key": "theirs", "value": "x"}]
    tags = {tag["key"]: tag["value"] for tag in update_of(project_of(place()), found)["tags"]}
    assert tags == {"theirs": "x", **OURS}


def test_only_rights_that_differ_are_written() -> None:
    changes = plan_setup(place(), [PUBLISHED], there(place(), [builds.spec()]))
    calls = [call for change in changes for call in change.calls]
    assert [(call.operation, call.parameters["policy_name"]) for call in calls] == [("PutRolePolicy", "brqos-publish")]


def test_rights_that_are_not_wanted_any_more_go() -> None:
    two = [PUBLISHED, builds.spec(ami=AmiSpec(regions=("eu-west-1",), ssm_prefix="/other"))]
    before = there(place(), two)
    role = before.roles["brqos-codebuild"]
    assert role is not None
    before.roles["brqos-codebuild"] = FoundRole(role.role, {**role.policies, "theirs": {"Statement": []}})  # type: ignore[index]
    _, role_change, *_ = plan_setup(place(), [builds.spec()], before)
    gone = [call.parameters["policy_name"] for call in role_change.calls if call.operation == "DeleteRolePolicy"]
    assert gone == ["brqos-publish", "brqos-publish-2"]
    assert role_change.narrows


@pytest.mark.parametrize(
    ("before", "after", "narrows"),
    [
        ([builds.spec()], [PUBLISHED], False),
        ([PUBLISHED], [PUBLISHED], False),
        ([PUBLISHED], [builds.spec()], True),
        ([PUBLISHED], [builds.spec(ami=AmiSpec(regions=("us-east-1",), ssm_prefix="/images", protect=True))], True),
    ],
)
def test_what_takes_rights_from_builds_that_go_on_is_told(before: list[Any], after: list[Any], narrows: bool) -> None:
    changes = plan_setup(place(), after, there(place(), before))
    assert any(change.narrows for change in changes) is narrows


def test_rights_are_compared_as_sets_and_with_their_conditions() -> None:
    def allowed(actions: Any, resources: Any, **more: Any) -> dict[str, Any]:
        return {"p": {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources, **more}]}}

    one = allowed(["a", "b"], "x")
    assert not takes_away(one, allowed(["c", "b", "a"], ["y", "x"], Sid="Other"))
    assert not takes_away({}, one)
    assert takes_away(one, allowed("a", "x"))
    assert takes_away(one, allowed(["a", "b"], "x", Condition={"Bool": {"c": "true"}}))
    here, there_too = ({"StringEquals": {"aws:RequestedRegion": regions}} for regions in ("r1", ["r1", "r2"]))
    assert not takes_away(allowed("a", "x", Condition=here), allowed("a", "x", Condition=there_too))
    assert takes_away(allowed("a", "x", Condition=there_too), allowed("a", "x", Condition=here))
    other = {"StringEquals": {"other": "r1"}}
    assert takes_away(allowed("a", "x", Condition=other), allowed("a", "x", Condition=here))
    assert not takes_away(allowed("a", "x", Condition=other), allowed("a", "x"))


@pytest.mark.parametrize("words", [{"project": "other"}, {"role": "r"}])
def test_a_role_serves_one_project_in_one_region(words: dict[str, str]) -> None:
    """A second one would take its rights, and the builds of the first would fail at their end."""
    here = place(**words)
    elsewhere = Place(here.account, "us-east-1", "aws", here.spec)
    first = there(elsewhere, [builds.spec()])
    with pytest.raises(ConfigurationError, match=r"is made for another project, arn:aws:codebuild:us-east-1:"):
        plan_setup(here, [builds.spec()], Found(roles=first.roles))
    builds_role, batch_role = first.roles.values()
    with pytest.raises(ConfigurationError, match=r"role .*-batch is made for another project"):
        plan_setup(here, [builds.spec()], Found(roles={here.batch_role: batch_role}))
    assert builds_role is not None


def test_roles_of_others_are_used_and_not_touched() -> None:
    where = place(role="arn:aws:iam::111122223333:role/ours")
    changes = plan_setup(where, [builds.spec()], Found())
    assert [change.what.split()[0] for change in changes] == ["bucket", "project"]
    project = project_of(where)
    assert project["serviceRole"] == project["buildBatchConfig"]["serviceRole"] == "arn:aws:iam::111122223333:role/ours"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"bucket": Bucket("brqos-111122223333-eu-central-1", "eu-central-1", {"team": "x"})}, "bucket"),
        ({"bucket": Bucket("brqos-111122223333-eu-central-1", "eu-central-1", {})}, "bucket"),
        ({"project": {**project_of(place()), "tags": []}}, "project"),
        ({"roles": {"brqos-codebuild": FoundRole(Role("brqos-codebuild", "arn", {}, {}), {})}}, "role"),
    ],
)
def test_what_is_somebody_elses_is_refused(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(BrqosError, match=rf"the {told} .* is not brqos's"):
        plan_setup(place(), [builds.spec()], there(place(), [builds.spec()], **changed))


def test_a_bucket_that_an_interrupt_left_is_finished() -> None:
    left = Bucket("brqos-111122223333-eu-central-1", "eu-central-1")
    bucket, *_ = plan_setup(place(), [builds.spec()], there(place(), [builds.spec()], bucket=left, blank=True))
    assert [call.operation for call in bucket.calls] == ["CreateBucket"]


def test_a_bucket_of_another_region_is_refused() -> None:
    other = Bucket("brqos-111122223333-eu-central-1", "us-east-1", dict(OURS))
    with pytest.raises(ConfigurationError, match="is in us-east-1"):
        plan_setup(place(), [], Found(bucket=other))


def test_rights_follow_from_what_is_published_and_by_whom() -> None:
    by_role = builds.spec(ami=AmiSpec(regions=("eu-central-1",), role=ROLE))
    assert "brqos-publish" not in build_rights(place(), [builds.spec()])
    (policy,) = [doc for name, doc in build_rights(place(), [by_role]).items() if name == "brqos-publish"]
    assert [statement["Resource"] for statement in policy["Statement"]] == [[ROLE]]
    several = build_rights(place(), [PUBLISHED, builds.spec(ami=AmiSpec(regions=("eu-west-1",), ssm_prefix="/other"))])
    assert list(several) == ["brqos-work", "brqos-publish", "brqos-publish-2"]
    cluster = builds.spec(ami=AmiSpec(regions=("eu-central-1",)), nodegroup=NodegroupSpec(cluster="c"))
    assert "eks:DescribeCluster" in json.dumps(build_rights(place(), [cluster]))


def test_builds_that_make_public_amis_may_share_them() -> None:
    ami = AmiSpec(regions=("eu-central-1",))
    public = json.dumps(build_rights(place(), [builds.spec(ami=ami.model_copy(update={"public": True}))]))
    assert "ec2:ModifyImageAttribute" in public
    assert "ec2:ModifyImageAttribute" not in json.dumps(build_rights(place(), [builds.spec(ami=ami)]))


def test_what_builds_leave_needs_no_other_rights_at_s3() -> None:
    """Builds write and never read, so they need no s3:ListBucket; parts of large files are PutObject, or given up."""
    asked = set(re.findall(r"\bs3\.(\w+)\(target", Path(results.__file__).read_text()))
    assert asked == {"put", "upload"}
    (statement,) = [one for one in build_rights(place(), [])["brqos-work"]["Statement"] if one["Sid"] == "LeaveResults"]
    assert statement["Action"] == ["s3:AbortMultipartUpload", "s3:PutObject"]
    assert statement["Resource"] == [f"arn:aws:s3:::{place().bucket}/runs/*"]
    assert results_prefix(RUN, "aws-k8s-1.29-x86_64", 1).startswith("runs/")


def test_more_rights_than_a_role_holds_are_refused() -> None:
    many = [
        builds.spec(ami=AmiSpec(regions=("eu-central-1",), ssm_prefix=f"/images/of/team-{number}"))
        for number in range(9)
    ]
    with pytest.raises(ConfigurationError, match="a role holds at most 10240"):
        build_rights(place(), many)


def test_differences_name_the_place_and_ignore_what_is_more() -> None:
    assert list(differences({"a": {"b": 1}, "c": [2, 1]}, {"a": {"b": 1, "x": 2}, "c": [1, 2], "d": 4})) == []
    assert list(differences({"a": {"b": 1}}, {"a": {"b": 2}})) == ["a.b: 2 -> 1"]
    assert list(differences({"a": {"b": 1}}, None)) == ["a.b: nothing -> 1"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"role": "arn:aws:iam::444455556666:role/x"}, "role is arn:aws:iam::444455556666:role/x"),
        ({"role": "arn:aws-cn:iam::111122223333:role/x"}, r"in the account 111122223333 \(aws\)"),
        ({"batch_role": "arn:aws:iam::444455556666:role/x"}, "batch-role is"),
        ({"kms_key": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}, "kms-key is"),
    ],
)
def test_what_codebuild_cannot_use_there_is_refused(words: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        check_arns(place(**words))


def test_names_that_brqos_makes_are_of_the_account() -> None:
    check_arns(place())
    check_arns(place(role="arn:aws:iam::111122223333:role/x", kms_key=FULL.spec.kms_key))
