from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.ami.policy.rules import PolicyStage
from brqos.errors import BrqosError, ConfigurationError, UsageError
from brqos.fleet.pipelines.cron import check_cron
from brqos.fleet.pipelines.explain import explanation
from brqos.fleet.pipelines.iam import documents
from brqos.fleet.pipelines.wishes import Wishes
from fleet.pipelines.cases import CASES, PLAIN, REPACK, ROLE, Case, fleet


@pytest.mark.parametrize(
    "text", ["17 5 * * 1", "*/15 0-6,20 1 JAN-mar Sun", "0 0 31 12 6", "5/10 * * * *", "0,30 9-17/2 * * MON-FRI"]
)
def test_cron(text: str) -> None:
    check_cron(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("@weekly", "1 fields"),
        ("* * * *", "4 fields"),
        ("60 * * * *", "“60” is no minute"),
        ("0 24 * * *", "hour"),
        ("0 0 0 * *", "day of the month"),
        ("0 0 * foo *", "“foo” is no month"),
        ("0 0 * * 7", "day of the week"),
        ("0 0 * * 5-1", "5-1"),
        ("*/0 * * * *", "*/0"),
        ("1,, * * * *", "minute"),
        ("0 0 * * MON#1", "MON#1"),
        ("٣ * * * *", "minute"),
    ],
)
def test_no_cron(text: str, why: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        check_cron(text)
    assert why in str(error.value)


@given(st.text(alphabet="0123456789*,-/ aMONJ", max_size=20))
def test_anything_is_a_cron_expression_or_refused(text: str) -> None:
    try:
        check_cron(text)
    except ConfigurationError:
        return
    assert len(text.split()) == 5
    assert '"' not in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "arn:aws:iam::1111:role/x"},
        {"role": "arn:aws:iam::111122223333:user/x"},
        {"canary_role": "brqos"},
        {"role": ROLE, "region": "cn-north-1"},
        {"role": ROLE, "account": "444455556666"},
        {"account": "1"},
        {"region": "Frankfurt"},
        {"runners": ("big\nrunner",)},
        {"runners": ("${{ x }}",)},
        {"branch": "main]"},
        {"repository": "images"},
        {"cluster": 'a"b'},
        {"brqos": "brqos; rm -rf /"},
        {"brqos": "-r evil.txt"},
        {"files": (Path("/etc/brqos.toml"),)},
        {"files": (Path("../brqos.toml"),)},
        {"files": (Path("a b.toml"),)},
        {"schedule": "weekly"},
    ],
)
def test_wrong_wishes(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Wishes(**{"files": (Path("brqos.toml"),), **PLAIN, **wrong}).check()


def test_the_owner_is_the_roles_account() -> None:
    wishes = Wishes(files=(Path("brqos.toml"),), role=ROLE, region="eu-west-1", **PLAIN)
    wishes.check()
    assert wishes.owner == "111122223333"


ONE = 'arch = "x86_64"\nvariant = "aws-k8s-1.34"\n'


@pytest.mark.parametrize(
    ("files", "wishes", "what"),
    [
        ([ONE + "[ami]\nregions = ['eu-west-1']\npublic = true\n"], {"role": ROLE}, "public AMI"),
        ([ONE + "[ami]\nregions = ['eu-west-1']\nprofile = 'x'\n"], {"role": ROLE}, "profile of the AWS"),
        ([ONE + "[ami]\nregions = ['eu-west-1']\n", ONE], {"role": ROLE}, "some of the builds"),
        ([ONE], {}, "big machine"),
        ([REPACK], {}, "no role"),
        (
            [ONE + '[build]\nengine = "repack"\n[repack]\nunsigned = true\n'],
            {"promotion": "after-verify"},
            "after-verify",
        ),
        ([ONE + f"[nodegroup]\ncluster = '{name}'\n" for name in "ab"], {"runners": ("big",)}, "several clusters"),
        (
            [ONE + f"[ami]\nregions = ['eu-west-1']\nssm-prefix = '/{name}'\n" for name in "ab"],
            {"runners": ("big",), "role": ROLE},
            "different prefixes",
        ),
        (
            [ONE + f"[build]\nsbkeys-profile = '{name}'\n" for name in "ab"],
            {"runners": ("big",)},
            "several profiles",
        ),
        ([ONE + "[matrix]\nexclude = [{ arch = 'x86_64' }]\n"], {}, "nothing to build"),
    ],
)
def test_what_no_pipeline_can_do(
    files: list[str], wishes: dict[str, Any], what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    from brqos.fleet.pipelines.wishes import Promotion

    if "promotion" in wishes:
        wishes = {**wishes, "promotion": Promotion(wishes["promotion"])}
    case = Case({f"{number}.toml": text for number, text in enumerate(files)}, wishes)
    with pytest.raises(BrqosError) as error:
        fleet(case, tmp_path)
    assert what in str(error.value)
    assert error.value.todo


@pytest.fixture
def repack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def made(case: str = "repack", **wishes: Any) -> Any:
        return fleet(Case(CASES[case].files, {**CASES[case].wishes, **wishes}), tmp_path)

    return made


def test_the_policy_is_for_what_is_done_and_no_more(repack: Any) -> None:
    builds, wishes = repack(repository="example/images")
    stages = set(builds.policy(wishes).stages)
    left_out = {
        PolicyStage.MARK, PolicyStage.PRUNE, PolicyStage.NODES, PolicyStage.ASSUME, PolicyStage.ATTEST,
        PolicyStage.CODEBUILD,
    }  # fmt: skip
    assert stages == set(PolicyStage) - left_out
    policy = documents(builds, wishes)["brqos-permissions.json"]
    assert "arn:aws:ssm:*:111122223333:parameter/images/bottlerocket/*" in str(policy)
    assert "us-east-1" in str(policy)


def test_the_key_that_signs_is_the_publishers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    key = "arn:aws:kms:eu-central-1:111122223333:key/0"
    text = f'arch = "x86_64"\n{REPACK}[attest]\nsign = "kms"\nkey = "{key}"\n'
    builds, wishes = fleet(Case({"brqos.toml": text}, {"role": ROLE}), tmp_path)
    assert PolicyStage.ATTEST in builds.policy(wishes).stages
    assert key in str(documents(builds, replace(wishes, repository="a/b"))["brqos-permissions.json"])


def test_one_region_is_not_copied_to(repack: Any) -> None:
    builds, wishes = repack("source")
    assert PolicyStage.COPY not in builds.policy(wishes).stages


def test_trust_is_for_one_branch_and_the_environments(repack: Any) -> None:
    builds, wishes = repack(repository="example/images")
    (statement,) = documents(builds, wishes)["brqos-trust.json"]["Statement"]
    host = "token.actions.githubusercontent.com"
    assert statement["Principal"] == {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{host}"}
    assert statement["Condition"] == {
        "StringEquals": {
            f"{host}:aud": "sts.amazonaws.com",
            f"{host}:sub": [
                "repo:example/images:ref:refs/heads/main",
                "repo:example/images:environment:brqos-canary",
                "repo:example/images:environment:brqos-production",
            ],
        }
    }


def test_another_role_for_the_canary_is_not_trusted_here(repack: Any) -> None:
    builds, wishes = repack("by-rule", repository="example/images")
    assert "brqos-canary" not in str(documents(builds, wishes)["brqos-trust.json"]["Statement"][0]["Condition"])


def test_gitlabs_trust(repack: Any) -> None:
    builds, wishes = repack(repository="group/sub/images")
    (statement,) = documents(builds, wishes, gitlab="git.example.com")["brqos-trust.json"]["Statement"]
    assert statement["Condition"]["StringEquals"] == {
        "git.example.com:aud": "https://git.example.com",
        "git.example.com:sub": ["project_path:group/sub/images:ref_type:branch:ref:main"],
    }


def test_trust_needs_a_repository(repack: Any) -> None:
    with pytest.raises(UsageError, match="trust policy"):
        documents(*repack())


@pytest.mark.parametrize("gitlab", [False, True])
def test_the_explanation_names_what_has_to_be_there(repack: Any, gitlab: bool) -> None:
    builds, wishes = repack()
    text = "\n".join(explanation(builds, wishes, gitlab=gitlab))
    for words in ("OIDC", "BRQOS_SBKEYS", "brqos-canary", "brqos-production", "eu-central-1, us-east-1", "staging"):
        assert words in text
    assert ("required reviewers" in text) != gitlab
