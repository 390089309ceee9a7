"""DescribeSubnets: those that `seeds` has put there."""

from typing import Any

from brqos.rehearsal.emulator.compute import Subnet
from brqos.rehearsal.emulator.ec2.call import Ec2Call, action, tag_set
from brqos.rehearsal.emulator.ec2.filters import Fields, selected
from brqos.rehearsal.emulator.wire import ServiceError


def describe_subnets(call: Ec2Call) -> dict[str, Any]:
    """DescribeSubnets, by id and filters; a page of them."""
    chosen = {subnet.id: subnet for subnet in call.store.compute.subnets.values() if call.here(subnet)}
    if ids := call.asked.get("SubnetId"):
        if unknown := sorted(set(ids) - set(chosen)):
            told = f"ID '{unknown[0]}' does" if len(unknown) == 1 else f"IDs '{', '.join(unknown)}' do"
            raise ServiceError("InvalidSubnetID.NotFound", f"The subnet {told} not exist")
        chosen = {subnet_id: chosen[subnet_id] for subnet_id in ids}
    passing = selected(chosen.values(), call.asked.get("Filter", []), _FIELDS, lambda subnet: subnet.tags)
    page, token = call.page("DescribeSubnets", passing, lambda subnet: subnet.id, ids="SubnetId")
    return {"subnetSet": [_shown(call, subnet) for subnet in page], "nextToken": token}


_FIELDS: Fields[Subnet] = {
    "subnet-id": lambda subnet: subnet.id,
    "vpc-id": lambda subnet: subnet.vpc,
    "availability-zone": lambda subnet: subnet.zone,
    "cidr-block": lambda subnet: subnet.cidr,
    "map-public-ip-on-launch": lambda subnet: str(subnet.maps_public_ip).lower(),
    "owner-id": lambda subnet: subnet.owner,
    "state": lambda _: "available",
}


def _shown(call: Ec2Call, subnet: Subnet) -> dict[str, Any]:
    return {
        "subnetId": subnet.id,
        "subnetArn": f"arn:{call.caller.partition}:ec2:{subnet.region}:{subnet.owner}:subnet/{subnet.id}",
        "vpcId": subnet.vpc,
        "availabilityZone": subnet.zone,
        "cidrBlock": subnet.cidr,
        "mapPublicIpOnLaunch": subnet.maps_public_ip,
        "ownerId": subnet.owner,
        "state": "available",
        "defaultForAz": False,
        "assignIpv6AddressOnCreation": False,
        "ipv6CidrBlockAssociationSet": [],
        "ipv6Native": False,
        "tagSet": tag_set(subnet.tags),
    }


ACTIONS = {"DescribeSubnets": action(describe_subnets, "SubnetId", "Filter", "NextToken", "MaxResults")}
