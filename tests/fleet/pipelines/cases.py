"""Configurations and wishes, by the names of the goldens that become of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brqos.fleet.codebuild.place import spec_of
from brqos.fleet.expand import expand
from brqos.fleet.pipelines import codebuild, github, gitlab
from brqos.fleet.pipelines.fleet import Fleet, fleet_of
from brqos.fleet.pipelines.wishes import Promotion, Service, Wishes

ROLE = "arn:aws:iam::111122223333:role/brqos-pipeline"

REPACK = """
[matrix]
variants = ["aws-k8s-1.33", "aws-k8s-1.34"]
[build]
engine = "repack"
sbkeys-profile = "sbkeys/mine"
[ami]
regions = ["eu-central-1", "us-east-1"]
ssm-prefix = "/images/bottlerocket"
promote = true
share-accounts = ["210987654321"]
[nodegroup]
cluster = "staging"
region = "us-east-1"
"""
SOURCE = """
variant = "aws-k8s-1.34"
[ami]
regions = ["cn-north-1"]
"""
BOTH = """
variant = "aws-k8s-1.34-nvidia"
[ami]
regions = ["eu-central-1"]
[build]
engine = "repack"
[repack]
unsigned = true
"""
IMAGES = """
[matrix]
variants = ["aws-k8s-1.34"]
archs = ["x86_64", "aarch64"]
"""


@dataclass(frozen=True)
class Case:
    """Files with their text, and the wishes."""

    files: dict[str, str]
    wishes: dict[str, Any] = field(default_factory=dict)


CASES = {
    "repack": Case({"brqos.toml": 'arch = "x86_64"\n' + REPACK}, {"role": ROLE}),
    "by-rule": Case(
        {"brqos.toml": 'arch = "x86_64"\n' + REPACK},
        {
            "role": ROLE,
            "canary_role": ROLE + "-canary",
            "promotion": Promotion.AFTER_VERIFY,
            "branch": "release/images",
        },
    ),
    "source": Case(
        {"brqos.toml": 'arch = "x86_64"\n' + SOURCE},
        {"role": ROLE.replace("arn:aws:", "arn:aws-cn:"), "runners": ("self-hosted", "big"), "schedule": "5 4 * * SUN"},
    ),
    "both-engines": Case(
        {
            "images/source.toml": 'arch = "x86_64"\n' + SOURCE.replace("cn-north-1", "eu-central-1"),
            "images/repack.toml": 'arch = "aarch64"\n' + BOTH,
        },
        {"role": ROLE, "runners": ("big",)},
    ),
    "images-only": Case({"brqos.toml": IMAGES + '[build]\nengine = "repack"\n[repack]\nunsigned = true\n'}),
    "rehearsal": Case({"brqos.toml": IMAGES}, {"rehearse": True}),
}
CONNECTION = "arn:aws:codeconnections:eu-central-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef"
IN_ECR = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/tools/brqos:1.0"
# What is wished for instead of a role and runners where all of it is AWS's own.
OF_CODEBUILD: dict[str, dict[str, Any]] = {
    "repack": {"connection": CONNECTION, "repository": "example/images"},
    "by-rule": {"canary_role": ROLE + "-canary", "promotion": Promotion.AFTER_VERIFY, "branch": "release/images"},
    "source": {"image": IN_ECR, "installs": False, "schedule": "5 4 * * SUN"},
    "both-engines": {"image": IN_ECR, "installs": False},
    "images-only": {"schedule": "*/20 0-6 1 JAN-mar *"},
    "rehearsal": {"rehearse": True},
}
PLAIN: dict[str, Any] = {"brqos": "brqos==1.0", "schedule": "17 5 * * 1"}


def fleet(case: Case, folder: Path) -> tuple[Fleet, Wishes]:
    """The case's builds; `folder` is the current one."""
    for name, text in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    wishes = Wishes(files=tuple(map(Path, case.files)), **{**PLAIN, **case.wishes})
    wishes.check()
    return fleet_of(expand(wishes.files, offline=True), wishes), wishes


def texts(case: Case, folder: Path) -> dict[str, str]:
    """The pipelines of a case, by the ending of their goldens."""
    builds, wishes = fleet(case, folder)
    return {"github.yml": github.workflow(builds, wishes), "gitlab.yml": gitlab.pipeline(builds, wishes)}


def template(name: str, folder: Path, **wishes: Any) -> str:
    """The template for a case; `folder` is the current one."""
    of_service = {"service": Service.CODEBUILD, "command": "brqos pipeline codebuild"}
    wished = {**OF_CODEBUILD[name], **of_service, **wishes}
    builds, whole = fleet(Case(CASES[name].files, wished), folder)
    return codebuild.template(builds, whole, spec_of(whole.files))
