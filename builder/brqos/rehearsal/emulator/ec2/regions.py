"""DescribeRegions: the regions of the caller's partition, and whether the account is in them."""

from typing import Any

from brqos.rehearsal.emulator.ec2.call import Ec2Call, action
from brqos.rehearsal.emulator.ec2.filters import Fields, selected
from brqos.rehearsal.emulator.partitions import domain_of, regions_of
from brqos.rehearsal.emulator.wire import ServiceError


def describe_regions(call: Ec2Call) -> dict[str, Any]:
    """DescribeRegions: those that are enabled, with AllRegions the others too; raises ServiceError."""
    known = sorted({*regions_of(call.caller.partition), call.caller.region})
    names = call.asked.get("RegionName") or known
    if unknown := [name for name in names if name not in known]:
        raise ServiceError("InvalidParameterValue", f"Invalid region name(s) provided: {','.join(unknown)}")
    told = [_told(call, name) for name in known if name in names]
    if not (call.flag("AllRegions") or call.asked.get("RegionName")):
        told = [each for each in told if each["optInStatus"] != "not-opted-in"]
    return {"regionInfo": selected(told, call.asked.get("Filter", []), _FIELDS)}


def _told(call: Ec2Call, name: str) -> dict[str, str]:
    return {
        "regionName": name,
        "regionEndpoint": f"ec2.{name}.{domain_of(name)}",
        "optInStatus": call.store.settings(name, call.caller.account).opt_in_status,
    }


_FIELDS: Fields[dict[str, str]] = {
    "region-name": lambda region: region["regionName"],
    "endpoint": lambda region: region["regionEndpoint"],
    "opt-in-status": lambda region: region["optInStatus"],
}
ACTIONS = {"DescribeRegions": action(describe_regions, "RegionName", "AllRegions", "Filter")}
