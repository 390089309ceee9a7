"""Every parameter that an action takes is one that botocore sends. (That every member of an answer is one that it reads
is looked at in all tests: see the fixture `aws`.)"""

from collections.abc import Iterator
from typing import Any

import pytest

from brqos.rehearsal.emulator.codebuild.rules import MEMBERS
from brqos.rehearsal.emulator.codebuild.service import ACTIONS as CODEBUILD
from brqos.rehearsal.emulator.ec2 import ACTIONS as EC2
from brqos.rehearsal.emulator.ec2.template_data import DATA, Items, Shape
from brqos.rehearsal.emulator.eks import ACTIONS as EKS
from brqos.rehearsal.emulator.iam import ACTIONS as IAM
from brqos.rehearsal.emulator.logs.service import ACTIONS as LOGS
from brqos.rehearsal.emulator.s3.service import ACTIONS as S3
from brqos.rehearsal.emulator.ssm import ACTIONS as SSM

from .models import ec2_members, model_of, parameters_of, query_parameters_of, unknown_members


@pytest.mark.parametrize("action", sorted(EC2))
def test_parameters_of_ec2(action: str) -> None:
    assert EC2[action].members - parameters_of("ec2", action) - {"Action", "Version"} == set()


@pytest.mark.parametrize("operation", sorted(SSM))
def test_parameters_of_ssm(operation: str) -> None:
    assert SSM[operation][1] - parameters_of("ssm", operation) == set()


@pytest.mark.parametrize("operation", sorted(CODEBUILD))
def test_parameters_of_codebuild(operation: str) -> None:
    assert CODEBUILD[operation][1] - parameters_of("codebuild", operation) == set()


def test_what_codebuild_needs_of_a_project() -> None:
    shape: Any = model_of("codebuild").operation_model("CreateProject").input_shape
    assert set(shape.required_members) <= MEMBERS


@pytest.mark.parametrize("operation", sorted(LOGS))
def test_parameters_of_logs(operation: str) -> None:
    assert LOGS[operation][1] - parameters_of("logs", operation) == set()


@pytest.mark.parametrize("action", sorted(IAM))
def test_parameters_of_iam(action: str) -> None:
    assert IAM[action][1] == parameters_of("iam", action) - {"PermissionsBoundary"}


def test_operations_of_s3() -> None:
    assert set(S3) <= set(model_of("s3").operation_names)


@pytest.mark.parametrize("operation", sorted(EKS))
def test_parameters_of_eks(operation: str) -> None:
    assert EKS[operation][1] == query_parameters_of("eks", operation)


def test_the_data_of_launch_templates() -> None:
    ec2 = model_of("ec2")
    request, answer = (ec2.shape_for(f"{kind}LaunchTemplateData") for kind in ("Request", "Response"))
    looked_at = list(contradictions(DATA, request, answer, "data"))
    assert [wrong for wrong in looked_at if wrong] == []
    assert len(looked_at) > 60


def contradictions(ours: Shape, request: Any, answer: Any, where: str) -> Iterator[str]:
    """What is told of ours that botocore's model has otherwise, or nothing of what is right."""
    if isinstance(ours, str | frozenset):
        kinds = {"flag": "boolean", "number": "integer", "text": "string"}
        wanted = {kinds[ours]} if isinstance(ours, str) else {"string"}
        # Times are texts on the wire.
        if request.type_name not in (wanted | {"timestamp"} if "string" in wanted else wanted):
            yield f"{where} is a {request.type_name}"
        enum = set(getattr(request, "enum", []))
        yield "" if isinstance(ours, str) or ours <= enum else f"{where} is one of {sorted(enum)}"
    elif isinstance(ours, Items):
        if request.type_name != "list" or answer.serialization.get("name") != ours.answer:
            yield f"{where} is a {request.type_name}, {answer.serialization}"
        yield from contradictions(ours.of, request.member, answer.member, where)
    else:
        known = ec2_members(request)
        for name, shape in ours.items():
            if name not in known:
                yield f"there is no {where}.{name}"
                continue
            its_name, member = known[name]
            told = answer.members[its_name]
            if not isinstance(shape, Items) and told.serialization.get("name") != name[0].lower() + name[1:]:
                yield f"{where}.{name} is told as {told.serialization}"
            yield from contradictions(shape, member, told, f"{where}.{name}")


def test_the_check_of_answers_sees_something() -> None:
    told = {"imagesSet": [{"imageId": "x", "colour": 1, "blockDeviceMapping": [{"ebs": {"sizes": 1}}]}]}
    assert unknown_members("ec2", "DescribeImages", told) == [
        "DescribeImages.imagesSet.colour",
        "DescribeImages.imagesSet.blockDeviceMapping.ebs.sizes",
    ]
    assert unknown_members("ec2", "DescribeImages", {"imagesSet": "x"}) == ["DescribeImages.imagesSet is no list"]
    assert unknown_members("eks", "DescribeCluster", {"cluster": {"tags": {"a": "b"}, "colour": 1}}) == [
        "DescribeCluster.cluster.colour"
    ]
    assert unknown_members("ec2", "CreateTags", {"return": True, "x": 1}) == ["x"]
