"""Which dry runs are made, and what is made of their answers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator

from brqos.ami.policy.policy import ACTIONS, PolicyStage
from brqos.ami.policy.probe import NO_IMAGE, NO_SNAPSHOT, Finding, ProbeTargets, examine, probes_for, run_probes
from brqos.ami.policy.rules import UNPROTECT
from brqos.aws.dry_run import Permission, ProbeResult
from brqos.aws.errors import ErrorKind

ALL = tuple(PolicyStage)
NEW = ProbeTargets(
    region="eu-west-1", account="111122223333", now=datetime(2026, 1, 2, tzinfo=UTC), tags={"Team": "platform"}
)
MADE = ProbeTargets(
    region="eu-west-1",
    account="111122223333",
    now=datetime(2026, 1, 2, tzinfo=UTC),
    tags={"Team": "platform"},
    image="ami-0123456789abcdef0",
    snapshot="snap-0123456789abcdef0",
    source_region="us-east-1",
)
REMOVING = {"DeleteSnapshot", "DeregisterImage", "DisableImageDeregistrationProtection"}


class Asked:
    """Gives the same answer to every probe, and counts them."""

    def __init__(self, **answer: Any) -> None:
        self.answer = {"permission": Permission.UNKNOWN, **answer}
        self.operations: list[str] = []

    def probe(self, operation: str, parameters: Mapping[str, Any]) -> ProbeResult:
        self.operations.append(operation)
        return ProbeResult(operation, **self.answer)


def by_action(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.action: finding for finding in findings}


@pytest.mark.parametrize("targets", [NEW, MADE])
def test_every_probe_is_a_call_that_ec2_knows_with_a_dry_run(targets: ProbeTargets) -> None:
    model = boto3.client("ec2", region_name="eu-west-1").meta.service_model
    for probe in probes_for(ALL, targets, unprotect=True):
        shape = model.operation_model(probe.operation).input_shape
        parameters = {**probe.parameters, "DryRun": True}
        assert not ParamValidator().validate(parameters, shape).has_errors(), probe.operation
        assert "DryRun" in shape.members


def test_every_change_that_a_stage_makes_in_ec2_is_probed() -> None:
    reads = ("Describe", "Get")
    for stage, actions in ACTIONS.items():
        # Launch templates are probed where their data are known: brqos.nodes.launch_template.apply.
        if stage is PolicyStage.NODES:
            assert probes_for([stage], NEW) == ()
            continue
        changes = {
            action for action in actions if action.startswith("ec2:") and not action.split(":")[1].startswith(reads)
        }
        # The tags of what is registered are part of that call.
        if stage is PolicyStage.REGISTER:
            changes.discard("ec2:CreateTags")
        assert {probe.action for probe in probes_for([stage], NEW, unprotect=True)} == changes


def test_no_call_is_asked_for_twice() -> None:
    calls = [(probe.operation, str(probe.parameters)) for probe in probes_for(ALL, MADE, unprotect=True)]
    assert len(set(calls)) == len(calls)
    assert [operation for operation, _ in calls].count("DeleteSnapshot") == 1


def test_protection_is_probed_only_where_it_may_be_switched_off() -> None:
    assert UNPROTECT not in {probe.action for probe in probes_for(ALL, NEW)}
    assert [probe.operation for probe in probes_for([PolicyStage.VERIFY, PolicyStage.PARAMETERS], NEW)] == []


def test_without_anything_of_ours_placeholders_are_named() -> None:
    for probe in probes_for(ALL, NEW, unprotect=True):
        named = NO_IMAGE in repr(probe.parameters) or NO_SNAPSHOT in repr(probe.parameters)
        assert named == probe.on_placeholder, probe.operation
        assert probe.on_placeholder == (probe.operation != "RegisterImage")


def test_removals_never_name_what_is_there() -> None:
    for probe in probes_for(ALL, MADE, unprotect=True):
        named = str(MADE.image) in repr(probe.parameters) or str(MADE.snapshot) in repr(probe.parameters)
        assert named == (probe.operation not in REMOVING), probe.operation
        assert probe.on_placeholder == (probe.operation in REMOVING)


def test_what_is_made_has_the_tags_that_a_policy_goes_by() -> None:
    for probe in probes_for([PolicyStage.UPLOAD, PolicyStage.REGISTER, PolicyStage.COPY], MADE):
        if probe.operation not in REMOVING:
            assert {"Key": "brqos:tool", "Value": "brqos"} in (
                probe.parameters.get("Tags") or probe.parameters["TagSpecifications"][0]["Tags"]
            )


def test_allowed_and_denied() -> None:
    assert {finding.permission for finding in run_probes(probes_for(ALL, NEW), Asked(permission="allowed"))} == {
        "allowed"
    }
    denied = Asked(permission=Permission.DENIED, words="no policy allows it")
    found = by_action(run_probes(probes_for(ALL, MADE), denied))
    assert found["ec2:ModifyImageAttribute"] == Finding(
        PolicyStage.SHARE, "ec2:ModifyImageAttribute", Permission.DENIED, "no policy allows it"
    )


def test_a_refusal_for_a_placeholder_is_no_proof() -> None:
    refused = Asked(permission=Permission.DENIED, words="no policy allows it")
    found = by_action(run_probes(probes_for(ALL, NEW), refused))
    assert found["ec2:RegisterImage"].permission is Permission.DENIED
    assert found["ec2:ModifyImageAttribute"].permission is Permission.UNKNOWN
    assert "has no tags: no policy allows it" in found["ec2:ModifyImageAttribute"].words
    forbidden = Asked(permission=Permission.DENIED, words="explicit deny", explicit=True)
    assert by_action(run_probes(probes_for(ALL, NEW), forbidden))["ec2:CopyImage"].permission is Permission.DENIED


@pytest.mark.parametrize(
    "answer",
    [{"kind": ErrorKind.CREDENTIALS}, {"kind": ErrorKind.CONNECTION}, {"kind": ErrorKind.EXPIRED}, {"ignored": True}],
)
def test_what_concerns_all_calls_is_asked_once(answer: dict[str, Any]) -> None:
    asked = Asked(words="no", **answer)
    probes = probes_for(ALL, MADE)
    findings = run_probes(probes, asked)
    assert len(asked.operations) == 1
    assert asked.operations[0] not in REMOVING
    assert [finding.action for finding in findings] == [probe.action for probe in probes]
    assert {(finding.permission, finding.words) for finding in findings} == {(Permission.UNKNOWN, "no")}


def test_other_errors_do_not_end_it() -> None:
    asked = Asked(words="InvalidAMIID.NotFound", kind=ErrorKind.NOT_FOUND)
    probes = probes_for(ALL, NEW)
    assert len(run_probes(probes, asked)) == len(asked.operations) == len(probes)


def test_what_has_no_dry_run_is_told() -> None:
    found = by_action(examine(ALL, NEW, Asked(permission=Permission.ALLOWED)))
    for action in ("ebs:StartSnapshot", "ebs:PutSnapshotBlock", "ssm:PutParameter", "sts:AssumeRole"):
        assert found[action].permission is Permission.UNKNOWN
        assert "no dry runs" in found[action].words
    assert found["ec2:RegisterImage"].permission is Permission.ALLOWED
    assert not [action for action in found if ":Describe" in action or ":Get" in action or ":List" in action]
    assert {finding.stage for finding in examine([PolicyStage.MARK], NEW, Asked())} == {PolicyStage.MARK}
