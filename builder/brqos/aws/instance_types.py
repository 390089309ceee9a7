"""EC2: what the types of instances are like."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brqos.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef, InstanceTypeInfoTypeDef, NetworkInfoTypeDef

# The most that the API takes as values of a filter, and gives at once.
_FILTER_VALUES = 200
_PAGE = 100


@dataclass(frozen=True, slots=True)
class DescribedInstanceType:
    """A type of instances as DescribeInstanceTypes tells it.

    `architectures` are EC2's (`x86_64`, `arm64`; old types have `i386` too), `gpus` the manufacturers of its GPUs, one
    for each kind of GPU (`NVIDIA`, `AMD`, `Habana`). `interfaces` are those that its default network card takes, which
    is what the VPC CNI goes by; `addresses` the IPv4 addresses of each of them.
    """

    name: str
    architectures: tuple[str, ...]
    gpus: tuple[str, ...]
    memory_mib: int
    vcpus: int
    interfaces: int
    addresses: int


class InstanceTypes:
    """Types of instances in one region; safe to use from any thread. All methods raise AwsCallError."""

    def __init__(self, client: "EC2Client", region: str, profile: str | None) -> None:
        self._client = client
        self._profile = profile
        self.region = region

    def describe(self, names: Iterable[str]) -> dict[str, DescribedInstanceType]:
        """The types by name; those that do not exist, or not in this region, are left out."""
        wanted = list(dict.fromkeys(names))
        found: dict[str, DescribedInstanceType] = {}
        for start in range(0, len(wanted), _FILTER_VALUES):
            # By a filter: asked for by InstanceTypes one unknown name (InvalidInstanceType) spoils it all.
            filters: list[FilterTypeDef] = [{"Name": "instance-type", "Values": wanted[start : start + _FILTER_VALUES]}]
            with translated("DescribeInstanceTypes", self.region, self._profile):
                pages = self._client.get_paginator("describe_instance_types").paginate(
                    Filters=filters, PaginationConfig={"PageSize": _PAGE}
                )
                for item in (item for page in pages for item in page.get("InstanceTypes", [])):
                    described = _described(item)
                    found[described.name] = described
        # The filter knows wildcards, a name does not.
        return {name: found[name] for name in wanted if name in found}


def _described(item: "InstanceTypeInfoTypeDef") -> DescribedInstanceType:
    network = item.get("NetworkInfo", {})
    return DescribedInstanceType(
        name=item.get("InstanceType", ""),
        architectures=tuple(item.get("ProcessorInfo", {}).get("SupportedArchitectures", [])),
        gpus=tuple(gpu.get("Manufacturer", "") for gpu in item.get("GpuInfo", {}).get("Gpus", [])),
        memory_mib=item.get("MemoryInfo", {}).get("SizeInMiB", 0),
        vcpus=item.get("VCpuInfo", {}).get("DefaultVCpus", 0),
        interfaces=_interfaces(network),
        addresses=network.get("Ipv4AddressesPerInterface", 0),
    )


def _interfaces(network: "NetworkInfoTypeDef") -> int:
    # MaximumNetworkInterfaces counts all cards together: 60 for a p4d.24xlarge, of which the VPC CNI uses 15.
    default = network.get("DefaultNetworkCardIndex", 0)
    for card in network.get("NetworkCards", []):
        if card.get("NetworkCardIndex") == default:
            return card.get("MaximumNetworkInterfaces", 0)
    return network.get("MaximumNetworkInterfaces", 0)
