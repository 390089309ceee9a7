"""The section `[codebuild]`: what is refused, and in which words."""

from pathlib import Path

import pytest

from brqos.config.resolve import resolve_codebuild
from brqos.errors import ConfigurationError

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('image = "a b"', "named as for docker pull"),
        ('bucket = "a..b"', "no name of a bucket"),
        ('bucket = "192.168.1.1"', "no name of a bucket"),
        ("brqos-in-image = true", "has no brqos in it"),
        ('tags = { "aws:x" = "1" }', "no tag that can be given"),
        ('tags = { "brqos:tool" = "x" }', "no tag that can be given"),
        ('tags = { team = "a;b" }', "no tag that can be given"),
        ('variables = { "A-B" = "1" }', "An environment variable's name has letters"),
        ('variables = { AWS_REGION = "x" }', "AWS_REGION cannot be given"),
        ('role = "arn:aws:iam::1:role/x"', "the name of a role for brqos to make"),
        ("at-once = 20", "unknown key “codebuild.at-once”"),
        ('vpc = { id = "vpc-0123456789abcdef0" }', "needs its id, subnets and security groups"),
    ],
)
def test_what_is_wrong_is_refused_in_words(line: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "brqos.toml"
    file.write_text(f'variant = "aws-k8s-1.34"\n[codebuild]\n{line}\n')
    with pytest.raises(ConfigurationError) as error:
        resolve_codebuild({}, file)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "line",
    [
        'bucket = "our.builds-1"',
        'image = "registry.example.com/brqos:1"\nbrqos-in-image = true',
        'tags = { "cost center" = "a/b@c", "Größe" = "" }',
        f'kms-key = "{KEY}"',
    ],
)
def test_what_is_right_is_taken(line: str, tmp_path: Path) -> None:
    file = tmp_path / "brqos.toml"
    file.write_text(f'variant = "aws-k8s-1.34"\n[codebuild]\n{line}\n')
    assert resolve_codebuild({}, file)
