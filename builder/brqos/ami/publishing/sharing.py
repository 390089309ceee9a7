"""Who may use an AMI: what is missing is added, nothing is taken away.

Rules (EC2's user guide, "Share an AMI with specific AWS accounts" and "… with organizations and organizational units"):
whoever may launch an AMI needs no permission for its snapshots; whoever copies it does; snapshots can be shared with
accounts or with everybody, not with organizations.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from brqos.ami.publication import Publication
from brqos.ami.waiting import wait_until
from brqos.aws.ec2 import DescribedSnapshot, Ec2
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.image_attributes import BlockPublicAccess, Grants, ImageAttributes
from brqos.errors import AwsError
from brqos.monitor import Monitor

_TOLD_SECONDS = 120.0
# Words of EC2's for "this key, or these people, cannot be": with an encrypted snapshot it is the key.
# hashicorp/packer issues 7410 (InvalidParameter) and 7499 (OperationNotPermitted), opendevstack/ods-core issue 1062
# (UnsupportedOperation).
_REFUSALS = ("InvalidParameter", "InvalidParameterValue", "OperationNotPermitted", "UnsupportedOperation")


@dataclass(frozen=True, slots=True)
class SharingPlan:
    """What has to be added to the image and to each snapshot; `extras` may use the image and were not asked for."""

    image: Grants
    snapshots: Mapping[str, Grants]
    extras: Grants

    def __bool__(self) -> bool:
        return bool(self.image or any(self.snapshots.values()))


def wanted_grants(publication: Publication) -> Grants:
    """Who shall be able to launch the AMI."""
    return Grants(
        accounts=frozenset(publication.accounts),
        organizations=frozenset(publication.organizations),
        ous=frozenset(publication.ous),
        public=publication.public,
    )


def wanted_readers(publication: Publication) -> Grants:
    """Who shall be able to read the snapshots."""
    if not publication.share_snapshots:
        return Grants()
    return Grants(accounts=frozenset(publication.accounts), public=publication.public)


def plan_sharing(publication: Publication, image: Grants, snapshots: Mapping[str, Grants]) -> SharingPlan:
    """What is missing, from who may use the image and the snapshots at present."""
    wanted, readers = wanted_grants(publication), wanted_readers(publication)
    return SharingPlan(
        image=wanted - image,
        snapshots={snapshot: readers - found for snapshot, found in snapshots.items()},
        extras=image - wanted,
    )


def share(
    image_id: str,
    snapshot_ids: Sequence[str],
    publication: Publication,
    attributes: ImageAttributes,
    ec2: Ec2,
    monitor: Monitor,
    *,
    stop: threading.Event | None = None,
) -> tuple[str, ...]:
    """Share the image, and its snapshots where that is wanted; returns who may launch it now, as EC2 tells it.

    Raises AwsError for what cannot be shared, before anything is where that can be known; StoppedError.
    """
    found = _present(image_id, publication, attributes)
    if publication.share_snapshots:
        snapshots = {snapshot: attributes.snapshot_permissions(snapshot) for snapshot in snapshot_ids}
    else:
        snapshots = {}
    plan = plan_sharing(publication, found, snapshots)
    _tell_extras(plan.extras, image_id, ec2.region, monitor)
    if not plan:
        return found.names
    encrypted = [snapshot for snapshot in _described(snapshot_ids, ec2) if snapshot.encrypted]
    _check_public(image_id, plan, encrypted, attributes)
    try:
        # Whoever may launch should be able to copy from the same moment on.
        for snapshot_id, readers in plan.snapshots.items():
            attributes.share_snapshot(snapshot_id, readers)
        attributes.share_image(image_id, plan.image)
    except AwsCallError as error:
        if encrypted and error.code in _REFUSALS:
            raise _unshareable(image_id, encrypted, ec2.region, error) from error
        raise
    if plan.image:
        monitor.note(f"{ec2.region}: {image_id} is shared with {', '.join(plan.image.names)}")
    for snapshot_id, readers in plan.snapshots.items():
        if readers:
            monitor.note(f"{ec2.region}: {snapshot_id} can be read by {', '.join(readers.names)}")
    _tell_keys(encrypted, ec2.region, monitor)
    return _told(image_id, plan, attributes, stop).names


def _present(image_id: str, publication: Publication, attributes: ImageAttributes) -> Grants:
    try:
        return attributes.launch_permissions(image_id)
    except AwsCallError as error:
        # Who shares nothing need not be allowed to ask.
        if error.kind is ErrorKind.ACCESS_DENIED and not wanted_grants(publication):
            return Grants()
        raise


def _described(snapshot_ids: Sequence[str], ec2: Ec2) -> list[DescribedSnapshot]:
    return [found for snapshot in snapshot_ids if (found := ec2.snapshot(snapshot)) is not None]


def _check_public(
    image_id: str, plan: SharingPlan, encrypted: Sequence[DescribedSnapshot], attributes: ImageAttributes
) -> None:
    snapshots = any(readers.public for readers in plan.snapshots.values())
    if not plan.image.public and not snapshots:
        return
    if encrypted:
        raise AwsError(
            f"{image_id} in {attributes.region} cannot be made public",
            why=f"Its snapshots are encrypted: {', '.join(snapshot.id for snapshot in encrypted)}.",
            todo="Make it without --kms-key in an account that does not encrypt by default, or share it with accounts.",
        )
    try:
        blocks = {
            **({"image": attributes.block_public_access()} if plan.image.public else {}),
            **({"snapshot": attributes.block_public_snapshots()} if snapshots else {}),
        }
    except AwsCallError as error:
        # Whoever may not ask is told by the sharing itself.
        if error.kind is ErrorKind.ACCESS_DENIED:
            return
        raise
    for kind, block in blocks.items():
        if block.blocked:
            raise _blocked(image_id, kind, block, attributes.region)


def _blocked(image_id: str, kind: str, block: BlockPublicAccess, region: str) -> AwsError:
    by_policy = block.managed_by == "declarative-policy"
    return AwsError(
        f"{image_id} in {region} cannot be made public: the account blocks public access there",
        why=f"Block public access for {kind}s is “{block.state}”, managed by "
        + ("a declarative policy of the organization." if by_policy else "the account."),
        todo="Share it with accounts, organizations or OUs instead; or, to allow public ones, "
        + (
            "ask whoever manages the organization's policies."
            if by_policy
            else f"`aws ec2 disable-{kind}-block-public-access --region {region}`."
        ),
    )


def _unshareable(image_id: str, encrypted: Sequence[DescribedSnapshot], region: str, error: AwsCallError) -> AwsError:
    keys = ", ".join(dict.fromkeys(snapshot.kms_key or "a key that EC2 does not tell" for snapshot in encrypted))
    return AwsError(
        f"{image_id} in {region} cannot be shared: its snapshots are encrypted with {keys}",
        why=f"{error.why or error.what} What the account's default key (alias/aws/ebs) encrypts cannot be shared.",
        todo=f"Make the AMI with a key of your own (--kms-key {region}=ARN) whose policy lets these accounts use it.",
    )


def _tell_extras(extras: Grants, image_id: str, region: str, monitor: Monitor) -> None:
    if extras.public:
        monitor.warn(
            f"{region}: {image_id} is public, which was not asked for; to end that: aws ec2 modify-image-attribute"
            f" --region {region} --image-id {image_id} --launch-permission 'Remove=[{{Group=all}}]'"
        )
    others = [name for name in extras.names if name != "all"]
    if others:
        monitor.note(f"{region}: {image_id} is also shared with {', '.join(others)}, which stays so")


def _tell_keys(encrypted: Sequence[DescribedSnapshot], region: str, monitor: Monitor) -> None:
    for key in dict.fromkeys(snapshot.kms_key for snapshot in encrypted if snapshot.kms_key):
        monitor.note(
            f"{region}: those it is shared with need {key} too: its policy has to allow them kms:DescribeKey,"
            " kms:CreateGrant, kms:Decrypt, kms:ReEncrypt* and kms:GenerateDataKeyWithoutPlaintext"
        )


def _told(image_id: str, plan: SharingPlan, attributes: ImageAttributes, stop: threading.Event | None) -> Grants:
    """Who may launch the image, once EC2 tells of all that was added."""

    def complete() -> Grants | None:
        found = attributes.launch_permissions(image_id)
        lacking = any(
            readers - attributes.snapshot_permissions(snapshot)
            for snapshot, readers in plan.snapshots.items()
            if readers
        )
        return None if plan.image - found or lacking else found

    found = wait_until(complete, _TOLD_SECONDS, stop=stop)
    if found is None:
        raise AwsError(
            f"AWS does not tell that {image_id} in {attributes.region} is shared as it was asked to",
            why=f"Not within {_TOLD_SECONDS:.0f} seconds; asked for: {_names(plan)}.",
            todo="Run the same command again: it adds what is missing.",
        )
    return found


def _names(plan: SharingPlan) -> str:
    told = [
        *plan.image.names,
        *(f"{name} for {snapshot}" for snapshot, item in plan.snapshots.items() for name in item.names),
    ]
    return ", ".join(told)
