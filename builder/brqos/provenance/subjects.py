"""What the documents are about: the images, and in each region the snapshots and the AMI that were made of them.

in-toto wants a digest of every subject (spec/v1/statement.md, ResourceDescriptor). That of a snapshot is its image's;
that of an AMI is the SHA-256 of its OS image. An image that is packed is there twice: as its file lies there (which
`cosign verify-blob-attestation` looks for) and by what is in it (which snapshots hold, and tags name).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from brqos.ami.policy.request import one_partition
from brqos.image.model import Image, ImageRole
from brqos.record import BuildRecord

Descriptor = dict[str, Any]


def subjects_of(record: BuildRecord) -> list[Descriptor]:
    """All subjects in a fixed order; empty where nothing is built yet."""
    if record.result is None:
        return []
    images = {image.role: image for image in record.result.images}
    found = [subject for role in ImageRole if role in images for subject in _image(images[role])]
    for region in sorted(record.amis):
        found += _region(record, region, images)
    return found


def ami_arn(region: str, ami: str) -> str:
    """The ARN of an AMI, which names no account (Service Authorization Reference, Amazon EC2)."""
    return f"arn:{one_partition((region,), None)}:ec2:{region}::image/{ami}"


def snapshot_arn(region: str, snapshot: str) -> str:
    """The ARN of a snapshot."""
    return f"arn:{one_partition((region,), None)}:ec2:{region}::snapshot/{snapshot}"


def _image(image: Image) -> Iterator[Descriptor]:
    annotations = {"role": image.role.value, "bytes": image.bytes}
    packed = image.file_sha256 != image.sha256
    content = image.file.name.removesuffix(".lz4") if packed else image.file.name
    yield _descriptor(content, image.sha256, **annotations)
    if packed:
        yield _descriptor(image.file.name, image.file_sha256, role=image.role.value, bytes=image.file_bytes)


def _region(record: BuildRecord, region: str, images: Mapping[ImageRole, Image]) -> Iterator[Descriptor]:
    ami = record.amis[region]
    arn = ami_arn(region, ami.id)
    yield {**_descriptor(arn, images[ImageRole.OS].sha256, region=region, ami=ami.id, name=ami.name), "uri": arn}
    for role in ImageRole:
        if role in ami.snapshots and role in images:
            arn, snapshot = snapshot_arn(region, ami.snapshots[role]), ami.snapshots[role]
            told = _descriptor(arn, images[role].sha256, region=region, snapshot=snapshot, role=role.value)
            yield {**told, "uri": arn}


def _descriptor(subject: str, sha256: str, **annotations: object) -> Descriptor:
    return {"name": subject, "digest": {"sha256": sha256}, "annotations": annotations}
