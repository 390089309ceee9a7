"""Holding what AWS has against the documents: the AMIs' tags against their hashes, the snapshots' against images."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from brqos.ami import tags as tagging
from brqos.ami.everywhere import everywhere
from brqos.ami.model import RegionAmi
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.regions import AwsRegions
from brqos.provenance.checks import Check, compared, failed, not_checked
from brqos.provenance.subjects import ami_arn, snapshot_arn
from brqos.provenance.verify import Read, told
from brqos.record import StoredBuild

_T = TypeVar("_T")


def check_aws(stored: StoredBuild, found: Read, aws: AwsRegions) -> Iterator[Check]:
    """Every AMI and snapshot of the record; what AWS does not tell is not checked."""
    amis = stored.record.amis
    outcome = everywhere(amis, lambda region: list(_region(region, amis[region], found, aws)))
    for region in amis:
        if region in outcome.failures:
            yield replace(not_checked(f"{region}: {amis[region].id}", told(outcome.failures[region])), of_aws=True)
        else:
            yield from (replace(check, of_aws=True) for check in outcome.results[region])


def without_aws(stored: StoredBuild, why: str) -> Iterator[Check]:
    """What is said where AWS is not asked."""
    for region, ami in stored.record.amis.items():
        yield replace(not_checked(f"{region}: {ami.id}", why), of_aws=True)


def _region(region: str, ami: RegionAmi, found: Read, aws: AwsRegions) -> Iterator[Check]:
    ec2 = aws.session(region).ec2(region)
    what = f"{region}: {ami.id}"
    image = _unless_gone(ec2.image, ami.id)
    if image is None:
        yield failed(what, "there is no such AMI")
        return
    hashes = {tagging.SBOM: found.sbom_sha256, tagging.PROVENANCE: found.provenance_sha256}
    for key, sha256 in hashes.items():
        value = image.tags.get(key)
        if value is None:
            yield not_checked(f"{what}, tag {key}", "not set; brqos attest --tag sets it")
        else:
            yield compared(f"{what}, tag {key}", value, sha256)
    os_image = found.subjects.get(ami_arn(region, ami.id))
    yield compared(f"{what}, OS image", image.tags.get(f"{tagging.SHA256}-os"), os_image)
    for role, snapshot in ami.snapshots.items():
        described = _unless_gone(ec2.snapshot, snapshot)
        held = described.tags.get(tagging.SHA256) if described else "not there"
        expected = found.subjects.get(snapshot_arn(region, snapshot))
        yield compared(f"{region}: {snapshot}, {role.value} image", held, expected)


def _unless_gone(describe: Callable[[str], _T | None], resource: str) -> _T | None:
    try:
        return describe(resource)
    except AwsCallError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return None
        raise
