"""DescribeInstanceTypes: some types of each kind, with the figures that AWS tells of them."""

from dataclasses import dataclass
from typing import Any

from brqos.rehearsal.emulator.ec2.call import Ec2Call, action
from brqos.rehearsal.emulator.ec2.filters import Fields, selected
from brqos.rehearsal.emulator.wire import ServiceError

_MOST = 100


@dataclass(frozen=True, slots=True)
class _Gpu:
    name: str
    manufacturer: str
    count: int
    memory_mib: int


@dataclass(frozen=True, slots=True)
class _Type:
    """`interfaces` are those of each of its network `cards`, `addresses` the IPv4 addresses of each interface."""

    name: str
    manufacturer: str
    vcpus: int
    memory_mib: int
    interfaces: int
    addresses: int
    gpu: _Gpu | None = None
    cards: int = 1
    current: bool = True

    @property
    def architectures(self) -> list[str]:
        if self.name.startswith("t2."):
            return ["i386", "x86_64"]
        return ["arm64" if self.manufacturer == "AWS" else "x86_64"]


_GIB = 1024
_TYPES = {
    each.name: each
    for each in (
        _Type("t2.micro", "Intel", 1, 1 * _GIB, 2, 2),
        _Type("t3.medium", "Intel", 2, 4 * _GIB, 3, 6),
        _Type("t3.large", "Intel", 2, 8 * _GIB, 3, 12),
        _Type("m5.large", "Intel", 2, 8 * _GIB, 3, 10, current=False),
        _Type("m5.xlarge", "Intel", 4, 16 * _GIB, 4, 15, current=False),
        _Type("m6i.large", "Intel", 2, 8 * _GIB, 3, 10, current=False),
        _Type("m6i.xlarge", "Intel", 4, 16 * _GIB, 4, 15, current=False),
        _Type("m7i.large", "Intel", 2, 8 * _GIB, 3, 10),
        _Type("m7i.xlarge", "Intel", 4, 16 * _GIB, 4, 15),
        _Type("c5.xlarge", "Intel", 4, 8 * _GIB, 4, 15, current=False),
        _Type("c7i.large", "Intel", 2, 4 * _GIB, 3, 10),
        _Type("r7i.large", "Intel", 2, 16 * _GIB, 3, 10),
        _Type("t4g.medium", "AWS", 2, 4 * _GIB, 3, 6),
        _Type("t4g.large", "AWS", 2, 8 * _GIB, 3, 12),
        _Type("m6g.large", "AWS", 2, 8 * _GIB, 3, 10),
        _Type("m6g.xlarge", "AWS", 4, 16 * _GIB, 4, 15),
        _Type("m7g.large", "AWS", 2, 8 * _GIB, 3, 10),
        _Type("m7g.xlarge", "AWS", 4, 16 * _GIB, 4, 15),
        _Type("m8g.large", "AWS", 2, 8 * _GIB, 3, 10),
        _Type("c7g.large", "AWS", 2, 4 * _GIB, 3, 10),
        _Type("c7g.xlarge", "AWS", 4, 8 * _GIB, 4, 15),
        _Type("r6g.large", "AWS", 2, 16 * _GIB, 3, 10),
        _Type("g4dn.xlarge", "Intel", 4, 16 * _GIB, 3, 10, _Gpu("T4", "NVIDIA", 1, 16384)),
        _Type("g5.xlarge", "AMD", 4, 16 * _GIB, 4, 15, _Gpu("A10G", "NVIDIA", 1, 22888), current=False),
        _Type("g6.xlarge", "AMD", 4, 16 * _GIB, 4, 15, _Gpu("L4", "NVIDIA", 1, 22888)),
        _Type("g5g.xlarge", "AWS", 4, 8 * _GIB, 4, 15, _Gpu("T4g", "NVIDIA", 1, 16384)),
        _Type("p4d.24xlarge", "Intel", 96, 1152 * _GIB, 15, 50, _Gpu("A100", "NVIDIA", 8, 40960), cards=4),
        _Type("p5.48xlarge", "AMD", 192, 2048 * _GIB, 2, 50, _Gpu("H100", "NVIDIA", 8, 81920), cards=32),
        # Accelerators of AWS are no GPUs.
        _Type("inf2.xlarge", "AMD", 4, 16 * _GIB, 4, 15),
    )
}


def describe_instance_types(call: Ec2Call) -> dict[str, Any]:
    """DescribeInstanceTypes, by name and filters; a page of them; raises ServiceError for names that are not known."""
    names = call.asked.get("InstanceType") or list(_TYPES)
    if unknown := sorted(set(names) - set(_TYPES)):
        message = f"The following supplied instance types do not exist: [{', '.join(unknown)}]"
        raise ServiceError("InvalidInstanceType", message)
    if len(names) > _MOST:
        raise ServiceError("InvalidParameterValue", f"At most {_MOST} instance types can be given")
    chosen = selected((_TYPES[name] for name in dict.fromkeys(names)), call.asked.get("Filter", []), _FIELDS)
    page, token = call.page("DescribeInstanceTypes", chosen, lambda each: each.name, ids="InstanceType", most=_MOST)
    return {"instanceTypeSet": [_shown(each) for each in page], "nextToken": token}


_FIELDS: Fields[_Type] = {
    "instance-type": lambda each: each.name,
    "processor-info.supported-architecture": lambda each: each.architectures,
    "current-generation": lambda each: str(each.current).lower(),
    "memory-info.size-in-mib": lambda each: str(each.memory_mib),
    "vcpu-info.default-vcpus": lambda each: str(each.vcpus),
}


def _shown(each: _Type) -> dict[str, Any]:
    return {
        "instanceType": each.name,
        "currentGeneration": each.current,
        "bareMetal": False,
        "hypervisor": "xen" if each.name.startswith("t2.") else "nitro",
        "burstablePerformanceSupported": each.name.startswith("t"),
        "supportedVirtualizationTypes": ["hvm"],
        "supportedRootDeviceTypes": ["ebs"],
        "processorInfo": {"manufacturer": each.manufacturer, "supportedArchitectures": each.architectures},
        "vCpuInfo": {"defaultVCpus": each.vcpus},
        "memoryInfo": {"sizeInMiB": each.memory_mib},
        "gpuInfo": _gpus(each.gpu) if each.gpu else None,
        "networkInfo": {
            "maximumNetworkInterfaces": each.interfaces * each.cards,
            "maximumNetworkCards": each.cards,
            "defaultNetworkCardIndex": 0,
            "networkCards": [
                {"networkCardIndex": index, "maximumNetworkInterfaces": each.interfaces} for index in range(each.cards)
            ],
            "ipv4AddressesPerInterface": each.addresses,
            "ipv6AddressesPerInterface": each.addresses,
        },
    }


def _gpus(gpu: _Gpu) -> dict[str, Any]:
    told = {
        "name": gpu.name,
        "manufacturer": gpu.manufacturer,
        "count": gpu.count,
        "memoryInfo": {"sizeInMiB": gpu.memory_mib},
    }
    return {"gpus": [told], "totalGpuMemoryInMiB": gpu.count * gpu.memory_mib}


ACTIONS = {
    "DescribeInstanceTypes": action(describe_instance_types, "InstanceType", "Filter", "NextToken", "MaxResults"),
}
