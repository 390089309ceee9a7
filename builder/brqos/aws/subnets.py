"""EC2: subnets, as far as it matters where nodes go."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brqos.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef

# The most that the API takes as values of a filter.
_FILTER_VALUES = 200


@dataclass(frozen=True, slots=True)
class DescribedSubnet:
    """A subnet as DescribeSubnets tells it.

    Whether it is public is a matter of its routes, which this does not tell; `maps_public_ip` says whether instances
    get a public address there by themselves.
    """

    id: str
    zone: str
    vpc: str
    maps_public_ip: bool


class Subnets:
    """Subnets in one region; safe to use from any thread. All methods raise AwsCallError."""

    def __init__(self, client: "EC2Client", region: str, profile: str | None) -> None:
        self._client = client
        self._profile = profile
        self.region = region

    def describe(self, ids: Iterable[str]) -> dict[str, DescribedSubnet]:
        """The subnets by id; those that do not exist are left out."""
        wanted = list(dict.fromkeys(ids))
        found: dict[str, DescribedSubnet] = {}
        for start in range(0, len(wanted), _FILTER_VALUES):
            # By a filter: asked for by SubnetIds one unknown id would spoil the answer to all.
            filters: list[FilterTypeDef] = [{"Name": "subnet-id", "Values": wanted[start : start + _FILTER_VALUES]}]
            with translated("DescribeSubnets", self.region, self._profile):
                pages = self._client.get_paginator("describe_subnets").paginate(Filters=filters)
                for item in (item for page in pages for item in page.get("Subnets", [])):
                    found[item.get("SubnetId", "")] = DescribedSubnet(
                        id=item.get("SubnetId", ""),
                        zone=item.get("AvailabilityZone", ""),
                        vpc=item.get("VpcId", ""),
                        maps_public_ip=item.get("MapPublicIpOnLaunch", False),
                    )
        # The filter knows wildcards, an id does not.
        return {subnet: found[subnet] for subnet in wanted if subnet in found}
