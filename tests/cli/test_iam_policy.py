import json
from pathlib import Path

import pytest

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::444455556666:role/brqos"


def actions(policy: dict) -> set[str]:
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def test_by_default_it_is_what_register_needs(brqos) -> None:
    ran = brqos("iam-policy", "--region", "eu-west-1", "--ssm-prefix", "/platform")
    assert {"ebs:StartSnapshot", "ec2:RegisterImage", "ec2:CopyImage", "ssm:PutParameter"} <= actions(ran.json)
    assert not {"ec2:DescribeInstances", "sts:AssumeRole", "kms:CreateGrant"} & actions(ran.json)
    assert "CopyImages:" in ran.err
    assert "all regions" not in ran.err


def test_without_a_prefix_no_parameters_are_allowed(brqos) -> None:
    ran = brqos("iam-policy")
    assert not [action for action in actions(ran.json) if action.startswith("ssm:")]
    assert "--ssm-prefix" in ran.err
    assert "all regions" in ran.err


def test_stages_of_ones_own(brqos) -> None:
    ran = brqos("iam-policy", "--for", "mark", "--for", "prune", "--unprotect", "--account", "111122223333")
    assert "ec2:DisableImageDeregistrationProtection" in actions(ran.json)
    assert "ec2:RegisterImage" not in actions(ran.json)
    assert "arn:aws:ssm:*:111122223333:parameter/*" in ran.out


def test_only_the_role(brqos) -> None:
    ran = brqos("iam-policy", "--for", "assume", "--role", ROLE)
    assert actions(ran.json) == {"sts:AssumeRole"}
    assert ran.err == ""
    assert "sts:AssumeRole" in actions(brqos("iam-policy", "--role", ROLE).json)


def test_whoever_builds_on_codebuild(brqos, tmp_path: Path) -> None:
    ran = brqos("iam-policy", "--for", "codebuild", "--region", "eu-west-1", "--account", "111122223333")
    assert {"codebuild:StartBuildBatch", "iam:PassRole", "logs:FilterLogEvents"} <= actions(ran.json)
    assert "arn:aws:codebuild:eu-west-1:111122223333:project/brqos" in ran.out
    assert "arn:aws:s3:::brqos-111122223333-eu-west-1/runs/*/run.json" in ran.out
    assert "--config takes yours" in ran.err
    assert "codebuild:StartBuildBatch" not in actions(brqos("iam-policy").json)
    # A brqos.toml that is not named is not read.
    section = 'project = "fleet"\nregion = "cn-north-1"\naccount = "444455556666"\nbucket = "our-builds"'
    (tmp_path / "brqos.toml").write_text(f'variant = "aws-k8s-1.29"\n[codebuild]\n{section}\n')
    same = brqos("iam-policy", "--for", "codebuild", "--region", "eu-west-1", "--account", "111122223333")
    assert same.out == ran.out
    ran = brqos("iam-policy", "--for", "codebuild", "--config", "brqos.toml", "--region", "cn-northwest-1")
    assert "arn:aws-cn:codebuild:cn-north-1:444455556666:project/fleet" in ran.out
    assert "arn:aws-cn:s3:::our-builds" in ran.out
    assert "cn-north-1:444455556666:log-group:/aws/codebuild/fleet:*" in ran.out
    assert "--config" not in ran.err


def test_a_configuration_for_the_names_has_to_be_one(brqos, tmp_path: Path) -> None:
    assert "no-such.toml" in brqos("iam-policy", "--for", "codebuild", "--config", "no-such.toml", code=3).err
    (tmp_path / "bad.toml").write_text('[codebuild]\nproject = "no project"\n')
    ran = brqos("iam-policy", "--for", "codebuild", "--config", "bad.toml", "-o", "policy.json", code=3)
    assert "codebuild.project" in ran.err
    assert not (tmp_path / "policy.json").exists()


def test_a_key_adds_what_kms_is_asked(brqos) -> None:
    ran = brqos("iam-policy", "--for", "upload", "--region", "eu-west-1", "--kms-key", KEY)
    assert "kms:CreateGrant" in actions(ran.json)
    assert '"ec2.eu-west-1.amazonaws.com"' in ran.out
    assert "--key-policy" in ran.err


def test_another_partition(brqos) -> None:
    assert "arn:aws-cn:ec2:*::image/*" in brqos("iam-policy", "--partition", "aws-cn").out
    assert "arn:aws:" not in brqos("iam-policy", "--region", "us-gov-west-1").out


def test_too_long_a_policy_is_told_of(brqos) -> None:
    regions = [word for number in range(1, 60) for word in ("--region", f"ap-southeast-{number}")]
    ran = brqos("iam-policy", "--quiet", *regions)
    assert "warning: the policy has" in ran.err
    assert "6144" in ran.err
    assert len(ran.err.splitlines()) == 1
    assert ran.json["Version"] == "2012-10-17"


def test_key_policy(brqos) -> None:
    ran = brqos("iam-policy", "--key-policy", "--kms-key", KEY, "--share-account", "444455556666")
    assert len(ran.json["Statement"]) == 5
    assert "aws kms create-grant --region eu-west-1" in ran.err
    same = brqos("iam-policy", "--key-policy", "--kms-key", KEY, "--account", "444455556666")
    assert same.json == ran.json
    assert len(brqos("iam-policy", "--key-policy", "--kms-key", KEY, "--account", "*").json["Statement"]) == 2


def test_grants_are_a_script(brqos) -> None:
    ran = brqos("iam-policy", "--grants", "--kms-key", KEY, "--share-account", "444455556666")
    assert ran.out.splitlines()[0] == "# 444455556666"
    assert ran.out.splitlines()[1].startswith("aws kms create-grant ")
    assert len(ran.out.splitlines()) == 2


def test_a_file(brqos, tmp_path: Path) -> None:
    wanted = brqos("iam-policy", "--for", "mark").out
    ran = brqos("iam-policy", "--for", "mark", "-o", "policy.json")
    assert ran.out == ""
    assert (tmp_path / "policy.json").read_text() == wanted
    brqos("iam-policy", "--for", "mark", "--output", "policy.json")
    assert "other content" in brqos("iam-policy", "--for", "copy", "-o", "policy.json", code=3).err
    assert (tmp_path / "policy.json").read_text() == wanted
    brqos("iam-policy", "--for", "copy", "-o", "policy.json", "--force")
    assert "ec2:CopyImage" in actions(json.loads((tmp_path / "policy.json").read_text()))
    assert brqos("iam-policy", "--for", "mark", "-o", "-").out == wanted
    assert "error:" in brqos("iam-policy", "-o", tmp_path, code=3).err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--for", "nonsense"], 2, "upload"),
        (["--key-policy"], 3, "no KMS key is given"),
        (["--key-policy", "--grants"], 2, "different things"),
        (["--key-policy", "--kms-key", KEY, "--for", "upload"], 2, "do not go together"),
        (["--key-policy", "--kms-key", KEY, "--role", ROLE], 2, "do not go together"),
        (
            ["--grants", "--kms-key", KEY, "--unprotect", "--region", "eu-west-1"],
            2,
            "--region, --unprotect and --grants",
        ),
        (["--config", "brqos.toml"], 2, "Add --for codebuild"),
        (["--key-policy", "--kms-key", KEY, "--config", "brqos.toml"], 2, "do not go together"),
        (["--share-account", "444455556666"], 2, "needs --key-policy or --grants"),
        (["--grants", "--kms-key", KEY], 2, "needs --share-account"),
        (["--key-policy", "--kms-key", KEY, "--share-account", "4"], 3, "is not an AWS account"),
        (["--for", "parameters"], 3, "needs the prefix"),
        (["--for", "assume"], 3, "needs the roles"),
        (["--unprotect"], 3, "part of pruning only"),
        (["--region", "eu-west-1", "--region", "cn-north-1"], 3, "two partitions"),
        (["--kms-key", "alias/x"], 3, "not an alias"),
    ],
)
def test_what_is_refused(brqos, words: list[str], code: int, told: str) -> None:
    ran = brqos("iam-policy", *words, code=code)
    assert told in ran.err
    assert ran.out == ""
