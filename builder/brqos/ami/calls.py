"""Every call of AWS's APIs that a plan will make, in order and with its parameters: what `--dry-run` shows. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from brqos.ami.layout import BLOCK, DEVICES, placeholder
from brqos.ami.plan import AmiPlan, SnapshotPlan
from brqos.ami.publication import Publication
from brqos.ami.publishing.parameter_names import Wanted, wanted, wanted_latest
from brqos.ami.tags import tag_list
from brqos.config.base import Model

_IMAGE = "<the AMI>"
_Call = tuple[str, str, dict[str, Any]]


class PlannedCall(Model):
    """One call of AWS's API."""

    service: str
    operation: str
    region: str
    parameters: dict[str, Any]


def calls_of(plan: AmiPlan) -> tuple[PlannedCall, ...]:
    """The calls for one region, those that only read included; UEFI data is shortened."""
    making = _copies(plan) if plan.copy_from else [*_writes(plan), *_registers(plan)]
    calls = [*_looks(plan), *making, *_publishes(plan), *_verifies(plan), *_names(plan)]
    return tuple(
        PlannedCall(service=service, operation=operation, region=plan.region, parameters=parameters)
        for service, operation, parameters in calls
    )


def document_calls(region: str, tags: Mapping[str, str], image: str = _IMAGE) -> PlannedCall:
    """The call that puts the hashes of a build's documents on its AMI, once all regions are done."""
    parameters = {"Resources": [image], "Tags": tag_list(tags)}
    return PlannedCall(service="ec2", operation="CreateTags", region=region, parameters=parameters)


def _looks(plan: AmiPlan) -> list[_Call]:
    named = {"Owners": ["self"], "Filters": [{"Name": "name", "Values": [plan.name]}]}
    return [("sts", "GetCallerIdentity", {}), ("ec2", "DescribeImages", named)]


def _writes(plan: AmiPlan) -> list[_Call]:
    return [call for snapshot in plan.snapshots for call in _writes_snapshot(snapshot)]


def _writes_snapshot(plan: SnapshotPlan) -> list[_Call]:
    snapshot = placeholder(plan.role)
    size = {"Name": "volume-size", "Values": [str(plan.volume_gib)]}
    found = [{"Name": "status", "Values": ["completed"]}, size, *_tag_filters(plan.identity)]
    start: dict[str, Any] = {
        "VolumeSize": plan.volume_gib,
        "Description": plan.description,
        "Tags": tag_list(plan.tags),
    }
    if plan.kms_key:
        start |= {"Encrypted": True, "KmsKeyArn": plan.kms_key}
    which = f"0 … {plan.blocks - 1}" + (", but those of zeros" if plan.omit_zeros else "")
    blocks = {"SnapshotId": snapshot, "BlockIndex": which, "DataLength": BLOCK}
    count = f"at most {plan.blocks}" if plan.omit_zeros else plan.blocks
    return [
        ("ec2", "DescribeSnapshots", {"OwnerIds": ["self"], "Filters": found}),
        ("ebs", "StartSnapshot", start),
        ("ebs", "PutSnapshotBlock", {**blocks, "ChecksumAlgorithm": "SHA256"}),
        (
            "ebs",
            "CompleteSnapshot",
            {"SnapshotId": snapshot, "ChangedBlocksCount": count, "ChecksumAggregationMethod": "LINEAR"},
        ),
    ]


def _registers(plan: AmiPlan) -> list[_Call]:
    shown = dict(plan.registration)
    if data := shown.get("UefiData"):
        shown["UefiData"] = f"{data[:24]}… ({len(data)} characters)"
    return [("ec2", "RegisterImage", shown)]


def _copies(plan: AmiPlan) -> list[_Call]:
    assert plan.copy_from is not None
    tags = [
        ("ec2", "CreateTags", {"Resources": [placeholder(item.role)], "Tags": tag_list(item.tags)})
        for item in plan.snapshots
    ]
    return [("ec2", "CopyImage", copy_parameters(plan, f"<the AMI in {plan.copy_from}>")), *tags]


def copy_parameters(plan: AmiPlan, source: str) -> dict[str, Any]:
    """CopyImage's parameters for the AMI `source` of the region that the plan copies from."""
    # The snapshots of a copy are not told apart by this call; what each holds is tagged when they are there.
    snapshot_tags = _common(tuple(item.tags for item in plan.snapshots))
    encryption = {"Encrypted": True, "KmsKeyId": plan.kms_key} if plan.kms_key else {}
    return {
        "SourceRegion": plan.copy_from,
        "SourceImageId": source,
        "Name": plan.name,
        "Description": plan.registration.get("Description", ""),
        **encryption,
        "TagSpecifications": [
            {"ResourceType": "image", "Tags": tag_list(plan.tags)},
            {"ResourceType": "snapshot", "Tags": tag_list(snapshot_tags)},
        ],
    }


def _common(tables: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *others = tables
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}


def _publishes(plan: AmiPlan) -> list[_Call]:
    wishes = plan.publication
    calls: list[_Call] = [("ec2", "DescribeImageAttribute", {"ImageId": _IMAGE, "Attribute": "launchPermission"})]
    if wishes.public:
        calls.append(("ec2", "GetImageBlockPublicAccessState", {}))
    # The snapshots first: with them it shows whether they may be shared at all.
    for item in plan.snapshots if wishes.share_snapshots else ():
        calls += _snapshot_permissions(placeholder(item.role), wishes)
    if permissions := _launch_permissions(wishes):
        added = {"ImageId": _IMAGE, "LaunchPermission": {"Add": permissions}}
        calls.append(("ec2", "ModifyImageAttribute", added))
    if wishes.deprecate_after_days:
        when = f"<its creation + {wishes.deprecate_after_days} days>"
        calls.append(("ec2", "EnableImageDeprecation", {"ImageId": _IMAGE, "DeprecateAt": when}))
    if wishes.protect:
        calls.append(("ec2", "EnableImageDeregistrationProtection", {"ImageId": _IMAGE}))
    return calls


def _snapshot_permissions(snapshot: str, wishes: Publication) -> list[_Call]:
    asked = {"SnapshotId": snapshot, "Attribute": "createVolumePermission"}
    grants: list[dict[str, Any]] = [{"UserIds": list(wishes.accounts)}] if wishes.accounts else []
    grants += [{"GroupNames": ["all"]}] if wishes.public else []
    changes = [("ec2", "ModifySnapshotAttribute", {**asked, "OperationType": "add", **grant}) for grant in grants]
    return [("ec2", "DescribeSnapshotAttribute", asked), *changes]


def _launch_permissions(wishes: Publication) -> list[dict[str, str]]:
    return [
        *({"UserId": account} for account in wishes.accounts),
        *({"OrganizationArn": arn} for arn in wishes.organizations),
        *({"OrganizationalUnitArn": arn} for arn in wishes.ous),
        *([{"Group": "all"}] if wishes.public else []),
    ]


def _verifies(plan: AmiPlan) -> list[_Call]:
    blocks: list[_Call] = []
    for role in (item.role for item in plan.snapshots):
        blocks.append(("ebs", "ListSnapshotBlocks", {"SnapshotId": placeholder(role)}))
        blocks.append(("ebs", "GetSnapshotBlock", {"SnapshotId": placeholder(role), "BlockIndex": "<a sample>"}))
    devices = ", ".join(DEVICES[item.role] for item in plan.snapshots)
    return [
        ("ec2", "DescribeImages", {"ImageIds": [_IMAGE]}),
        ("ec2", "DescribeImageAttribute", {"ImageId": _IMAGE, "Attribute": "uefiData"}),
        ("ec2", "DescribeSnapshots", {"SnapshotIds": f"<those of {devices}>"}),
        *blocks,
    ]


def _names(plan: AmiPlan) -> list[_Call]:
    wishes = plan.publication
    named = [_put(wish) for wish in wanted(wishes, _IMAGE, plan.region)]
    if named:
        named.append(("ssm", "GetParameters", {"Names": [call[2]["Name"] for call in named]}))
    # Each parameter of `latest` is read back before the next one is written.
    for wish in wanted_latest(wishes, _IMAGE, plan.region) if wishes.promote else ():
        named += [_put(wish, overwrite=True), ("ssm", "GetParameters", {"Names": [wish.name]})]
    return named


def _put(wish: Wanted, *, overwrite: bool = False) -> _Call:
    parameters = {"Name": wish.name, "Value": wish.value, "Type": "String", "DataType": wish.data_type}
    return ("ssm", "PutParameter", {**parameters, "Overwrite": overwrite})


def _tag_filters(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]
