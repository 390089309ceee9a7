"""Accounts to publish in: moto's, and the emulator's. What holds in both is not a habit of either."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from brqos.ami.calls import copy_parameters
from brqos.ami.making.existing import snapshots_of
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan
from brqos.ami.publication import Publication
from brqos.ami.publishing.steps import check_publication, name_in_ssm, share_and_mark
from brqos.ami.upload.blocks import blocks_of
from brqos.ami.waiting import wait_until
from brqos.aws.session import AwsSession
from brqos.image.model import ImageRole
from brqos.monitor import Monitor

BLOCK = 524288
SUBJECT = {"variant": "aws-k8s-1.29-memoryqos", "arch": "x86_64", "image_version": "1.50.0-0123abcd"}
PREFIX = "/images/bottlerocket"
FOLDER = f"{PREFIX}/aws-k8s-1.29-memoryqos/x86_64"


class World:
    """An account, seen with one session in all regions; its AMIs are made by boto3's own calls, not by brqos's."""

    def __init__(self, session: AwsSession) -> None:
        self.session = session
        self._plain: dict[str, str] = {}

    def client(self, service: str, region: str) -> Any:
        return self.session._client(service, region)

    def make_ami(self, region: str, name: str) -> RegionAmi:
        """An available AMI of one block; moto makes up the snapshots of its AMIs itself."""
        if self.session.endpoint is None:
            return self._registered(region, {"Name": name}, {})
        if region not in self._plain:
            self._plain[region] = self.make_snapshot(region, {0: b"1" * BLOCK}, {"VolumeSize": 1})
        parameters = {
            "Name": name,
            "Architecture": "x86_64",
            "RootDeviceName": "/dev/xvda",
            "VirtualizationType": "hvm",
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": self._plain[region]}}],
        }
        return self._registered(region, parameters, {ImageRole.OS: self._plain[region]})

    def make_planned(
        self, plan: AmiPlan, *, omit: Iterable[int] = (), change: Iterable[int] = (), extra: Iterable[int] = ()
    ) -> RegionAmi:
        """The AMI of a plan; in its OS snapshot some blocks are left out, are others, or are too many."""
        snapshots = {}
        for item in plan.snapshots:
            blocks = dict(enumerate(blocks_of(item.image)))
            if item.role.value == "os":
                blocks |= dict.fromkeys(change, b"\xff" * BLOCK) | dict.fromkeys(extra, b"\x01" * BLOCK)
                blocks = {index: block for index, block in blocks.items() if index not in set(omit)}
            tags = [{"Key": key, "Value": value} for key, value in item.tags.items()]
            start = {"VolumeSize": item.volume_gib, "Description": item.description, "Tags": tags, "Timeout": 60}
            if item.kms_key:
                start |= {"Encrypted": True, "KmsKeyArn": item.kms_key}
            snapshots[item.role] = self.make_snapshot(plan.region, blocks, start)
        return self._registered(plan.region, plan.register_parameters(snapshots), snapshots)

    def make_snapshot(self, region: str, blocks: Mapping[int, bytes], start: Mapping[str, Any]) -> str:
        """A completed snapshot of these blocks."""
        ebs, digests = self.client("ebs", region), []
        snapshot: str = ebs.start_snapshot(**start)["SnapshotId"]
        for index in sorted(blocks):
            digests.append(hashlib.sha256(blocks[index]).digest())
            ebs.put_snapshot_block(
                SnapshotId=snapshot,
                BlockIndex=index,
                BlockData=blocks[index],
                DataLength=BLOCK,
                Checksum=base64.b64encode(digests[-1]).decode(),
                ChecksumAlgorithm="SHA256",
            )
        ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=len(digests))
        ec2 = self.session.ec2(region)
        assert wait_until(lambda: True if (s := ec2.snapshot(snapshot)) and s.state == "completed" else None, 20)
        return snapshot

    def _registered(self, region: str, parameters: Mapping[str, Any], snapshots: Any) -> RegionAmi:
        ec2 = self.session.ec2(region)
        image_id = self.client("ec2", region).register_image(**parameters)["ImageId"]
        assert wait_until(lambda: True if (i := ec2.image(image_id)) and i.state == "available" else None, 20)
        return RegionAmi(id=image_id, name=parameters["Name"], snapshots=snapshots)

    def copy(self, plan: AmiPlan, source: RegionAmi) -> RegionAmi:
        """The copy of another region's AMI."""
        ec2 = self.session.ec2(plan.region)
        image_id = self.client("ec2", plan.region).copy_image(**copy_parameters(plan, source.id))["ImageId"]
        assert wait_until(lambda: True if (i := ec2.image(image_id)) and i.state == "available" else None, 20)
        image = ec2.image(image_id)
        assert image is not None
        return RegionAmi(id=image_id, name=image.name, snapshots=snapshots_of(image), copied_from=source.id)

    def parameters(self, region: str) -> Mapping[str, str]:
        """Every parameter of a region, with its value."""
        pages = self.client("ssm", region).get_paginator("get_parameters_by_path").paginate(Path="/", Recursive=True)
        return {item["Name"]: item["Value"] for page in pages for item in page["Parameters"]}

    def put_parameter(self, region: str, name: str, value: str, **more: Any) -> None:
        """A parameter made by somebody else."""
        self.client("ssm", region).put_parameter(Name=name, Value=value, Type="String", **more)


def publish_region(
    session: AwsSession,
    region: str,
    ami: RegionAmi,
    publication: Publication,
    monitor: Monitor,
    *,
    on_step: Callable[[RegionAmi], None] = lambda _: None,
) -> RegionAmi:
    """The steps of one region one after the other, as `brqos.ami.release` takes them for all."""
    check_publication(publication)
    ami = share_and_mark(session, region, ami, publication, monitor, on_step=on_step)
    ami = name_in_ssm(session, region, ami, publication, monitor)
    on_step(ami)
    return ami
