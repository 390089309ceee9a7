"""Which permissions are there, found out before the work begins: by dry runs of EC2, which nothing comes of."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from brqos.ami import tags as tagging
from brqos.ami.policy.rules import ACTIONS, UNPROTECT, PolicyStage
from brqos.aws.dry_run import Permission, ProbeResult
from brqos.aws.errors import ErrorKind

# Well-formed, since EC2 refuses an id of another form before anything else; no resource has these.
NO_IMAGE = "ami-00000000000000000"
NO_SNAPSHOT = "snap-00000000000000000"

_NAME = "brqos-permission-probe"
# Far enough ahead for any clock; EC2 takes at most ten years.
_DEPRECATE_AFTER = timedelta(days=365)
# All that follows would meet the same.
_FATAL = frozenset(
    {ErrorKind.CREDENTIALS, ErrorKind.EXPIRED, ErrorKind.PROFILE, ErrorKind.REGION, ErrorKind.CONNECTION}
)
_NO_DRY_RUN = {
    "ebs": "EBS direct has no dry runs.",
    "ssm": "Systems Manager has no dry runs.",
    "sts": "STS has no dry runs.",
    "autoscaling": "Auto Scaling has no dry runs.",
}
# Operation, parameters, and whether it is about a placeholder.
_Call = tuple[str, Mapping[str, Any], bool]
# That nothing comes of a dry run is the endpoint's promise; what cannot be made good again is not staked on it.
_DEREGISTER: _Call = ("DeregisterImage", {"ImageId": NO_IMAGE}, True)
_DELETE: _Call = ("DeleteSnapshot", {"SnapshotId": NO_SNAPSHOT}, True)
_UNPROTECT: _Call = ("DisableImageDeregistrationProtection", {"ImageId": NO_IMAGE}, True)
_READS = ("Describe", "Get", "List")


class Prober(Protocol):
    """What asks: `brqos.aws.dry_run.DryRunEc2`, or a stand-in."""

    def probe(self, operation: str, parameters: Mapping[str, Any]) -> ProbeResult:
        """Ask whether a call would be allowed."""
        ...


@dataclass(frozen=True, slots=True)
class ProbeTargets:
    """What the probes are about; `image` and `snapshot` are ones that brqos made, None where there are none yet.

    `source_region` is where an AMI would be copied from, `account` the one that asks, `tags` what is made gets.
    """

    region: str
    account: str
    now: datetime
    tags: Mapping[str, str]
    image: str | None = None
    snapshot: str | None = None
    source_region: str | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """One dry run. `on_placeholder`: it is about something that does not exist, so a refusal is no proof."""

    stage: PolicyStage
    operation: str
    parameters: Mapping[str, Any]
    on_placeholder: bool = False

    @property
    def action(self) -> str:
        """The permission as IAM calls it."""
        return f"ec2:{self.operation}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one permission; `words` say why it is denied, or cannot be told."""

    stage: PolicyStage
    action: str
    permission: Permission
    words: str = ""


def probes_for(stages: Iterable[PolicyStage], targets: ProbeTargets, *, unprotect: bool = False) -> tuple[Probe, ...]:
    """The dry runs for these stages, in their order; a call that several stages make is asked for once. Pure."""
    wanted = set(stages)
    probes: dict[str, Probe] = {}
    for stage in PolicyStage:
        for operation, parameters, on_placeholder in _OF_STAGE.get(stage, _none)(targets) if stage in wanted else ():
            if unprotect or f"ec2:{operation}" != UNPROTECT:
                probe = Probe(stage, operation, parameters, on_placeholder)
                probes.setdefault(f"{operation} {parameters}", probe)
    return tuple(probes.values())


def examine(
    stages: Collection[PolicyStage], targets: ProbeTargets, prober: Prober, *, unprotect: bool = False
) -> tuple[Finding, ...]:
    """Every permission that changes something and the stages need, with what is known of it.

    What has no dry run is told as unknown. After an error that concerns all calls (no credentials, no network), and at
    an endpoint that does not know dry runs, nothing more is asked. Permissions to read are left out: they show in the
    first call.
    """
    return (*run_probes(probes_for(stages, targets, unprotect=unprotect), prober), *_untold(stages))


def run_probes(probes: Sequence[Probe], prober: Prober) -> tuple[Finding, ...]:
    """Ask them one after the other, until an answer makes the rest pointless: then that is the answer to all."""
    findings: list[Finding] = []
    failure: ProbeResult | None = None
    for probe in probes:
        result = failure or prober.probe(probe.operation, probe.parameters)
        if result.kind in _FATAL or result.ignored:
            failure = result
        findings.append(_finding(probe, result))
    return tuple(findings)


def _finding(probe: Probe, result: ProbeResult) -> Finding:
    if result.permission is Permission.DENIED and probe.on_placeholder and not result.explicit:
        # A policy that goes by tags, such as the one of `brqos iam-policy`, refuses what has none.
        words = f"It was refused for something that does not exist, and so has no tags: {result.words}"
        return Finding(probe.stage, probe.action, Permission.UNKNOWN, words)
    return Finding(probe.stage, probe.action, result.permission, result.words)


def _untold(stages: Collection[PolicyStage]) -> tuple[Finding, ...]:
    found = {
        action: Finding(stage, action, Permission.UNKNOWN, _NO_DRY_RUN[service])
        for stage in PolicyStage
        if stage in stages
        for action in ACTIONS[stage]
        for service, operation in (action.split(":"),)
        if service in _NO_DRY_RUN and not operation.startswith(_READS)
    }
    return tuple(found.values())


def _none(_targets: ProbeTargets) -> tuple[_Call, ...]:
    return ()


def _upload(targets: ProbeTargets) -> tuple[_Call, ...]:
    # The tags of StartSnapshot ask for the same permission; a call of its own is the nearest that can be probed.
    return (_tag(targets), _DELETE)


def _register(targets: ProbeTargets) -> tuple[_Call, ...]:
    # Without a snapshot of ours an empty volume: then the image alone is asked about, which is about to be made.
    content = {"SnapshotId": targets.snapshot} if targets.snapshot else {"VolumeSize": 1}
    parameters = {
        "Name": _NAME,
        "Architecture": "x86_64",
        "VirtualizationType": "hvm",
        "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": content}],
        "TagSpecifications": _tagged(targets, "image"),
    }
    return (("RegisterImage", parameters, False), _DEREGISTER)


def _copy(targets: ProbeTargets) -> tuple[_Call, ...]:
    parameters = {
        "Name": _NAME,
        "SourceImageId": _image(targets),
        "SourceRegion": targets.source_region or targets.region,
        "TagSpecifications": _tagged(targets, "image", "snapshot"),
    }
    return (("CopyImage", parameters, targets.image is None), _tag(targets), _DEREGISTER, _DELETE)


def _share(targets: ProbeTargets) -> tuple[_Call, ...]:
    permission = {"ImageId": _image(targets), "LaunchPermission": {"Add": [{"UserId": targets.account}]}}
    of_snapshot = {
        "SnapshotId": _snapshot(targets),
        "Attribute": "createVolumePermission",
        "OperationType": "add",
        "UserIds": [targets.account],
    }
    return (
        ("ModifyImageAttribute", permission, targets.image is None),
        ("ModifySnapshotAttribute", of_snapshot, targets.snapshot is None),
    )


def _mark(targets: ProbeTargets) -> tuple[_Call, ...]:
    image, absent = {"ImageId": _image(targets)}, targets.image is None
    return (
        ("EnableImageDeprecation", {**image, "DeprecateAt": targets.now + _DEPRECATE_AFTER}, absent),
        ("EnableImageDeregistrationProtection", image, absent),
    )


def _prune(_targets: ProbeTargets) -> tuple[_Call, ...]:
    return (_DEREGISTER, _DELETE, _UNPROTECT)


# Not of NODES: a launch template is probed with its own data, where those are known (nodes/launch_template/apply.py).
_OF_STAGE = {
    PolicyStage.UPLOAD: _upload,
    PolicyStage.REGISTER: _register,
    PolicyStage.COPY: _copy,
    PolicyStage.SHARE: _share,
    PolicyStage.MARK: _mark,
    PolicyStage.PRUNE: _prune,
}


def _tag(targets: ProbeTargets) -> _Call:
    parameters = {"Resources": [_snapshot(targets)], "Tags": _tags(targets)}
    return ("CreateTags", parameters, targets.snapshot is None)


def _tags(targets: ProbeTargets) -> list[dict[str, str]]:
    return tagging.tag_list({**targets.tags, tagging.TOOL: "brqos"})


def _tagged(targets: ProbeTargets, *kinds: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": _tags(targets)} for kind in kinds]


def _image(targets: ProbeTargets) -> str:
    return targets.image or NO_IMAGE


def _snapshot(targets: ProbeTargets) -> str:
    return targets.snapshot or NO_SNAPSHOT
