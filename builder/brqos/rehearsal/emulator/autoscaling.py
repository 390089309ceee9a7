"""Auto Scaling: which groups and launch configurations there are. Tests put them into `store.compute`:

store.compute.groups.setdefault((account, region), {})["nodes"] = {"LaunchTemplate": {...}}
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from brqos.rehearsal.emulator.ec2.filters import Fields, selected
from brqos.rehearsal.emulator.paging import UnknownTokenError
from brqos.rehearsal.emulator.query import members, result_response
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import Caller, Response, ServiceError

_PAGE = 50
_LARGEST_PAGE = 100


class AutoScaling:
    """The service `autoscaling`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(self, asked: Mapping[str, Any], caller: Caller) -> Response:
        """Carry out an action; raises ServiceError."""
        action = str(asked["Action"])
        actions: dict[str, Callable[[Mapping[str, Any], Caller], dict[str, Any]]] = {
            "DescribeAutoScalingGroups": self._groups,
            "DescribeLaunchConfigurations": self._configurations,
        }
        if action not in actions:
            raise ServiceError("InvalidAction", f"Could not find operation {action} for version 2011-01-01")
        with self._store.lock:
            return result_response("autoscaling", action, actions[action](asked, caller))

    def _groups(self, asked: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        known = self._store.compute.groups.get((caller.account, caller.region), {})
        wanted = members(asked, "AutoScalingGroupNames")
        chosen = {
            name: _whole_group(name, group, caller) for name, group in known.items() if not wanted or name in wanted
        }
        filters = [{"Name": each.get("Name"), "Value": members(each, "Values")} for each in members(asked, "Filters")]
        passing = selected(chosen.values(), filters, _FIELDS, _tags)
        chosen = {name: group for name, group in chosen.items() if group in passing}
        page, token = self._page("groups", chosen, asked, caller)
        return {"AutoScalingGroups": page, "NextToken": token}

    def _configurations(self, asked: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        known = self._store.compute.configurations.get((caller.account, caller.region), {})
        wanted = members(asked, "LaunchConfigurationNames")
        chosen = {
            name: {
                "LaunchConfigurationName": name,
                "InstanceType": "m5.large",
                "CreatedTime": _EPOCH,
                "EbsOptimized": False,
                **configuration,
            }
            for name, configuration in known.items()
            if not wanted or name in wanted
        }
        page, token = self._page("configurations", chosen, asked, caller)
        return {"LaunchConfigurations": page, "NextToken": token}

    def _page(
        self, query: str, chosen: Mapping[str, dict[str, Any]], asked: Mapping[str, Any], caller: Caller
    ) -> tuple[list[dict[str, Any]], str | None]:
        size = str(asked.get("MaxRecords", _PAGE))
        if not size.isdecimal() or not 1 <= int(size) <= _LARGEST_PAGE:
            raise ServiceError("ValidationError", f"MaxRecords must be between 1 and {_LARGEST_PAGE}")
        query = f"{query} {caller.account} {caller.region}"
        try:
            keys, token = self._store.pager.page(query, list(chosen), int(size), asked.get("NextToken"))
        except UnknownTokenError:
            raise ServiceError("InvalidNextToken", "The NextToken value is not valid.") from None
        return [chosen[key] for key in keys if key in chosen], token


_EPOCH = datetime.fromtimestamp(0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _whole_group(name: str, group: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """A group with the members that every one has."""
    return {
        "AutoScalingGroupName": name,
        "AutoScalingGroupARN": f"arn:{caller.partition}:autoscaling:{caller.region}:{caller.account}:"
        f"autoScalingGroup:{name}:autoScalingGroupName/{name}",
        "MinSize": 0,
        "MaxSize": 1,
        "DesiredCapacity": 0,
        "DefaultCooldown": 300,
        "AvailabilityZones": [f"{caller.region}a"],
        "HealthCheckType": "EC2",
        "CreatedTime": _EPOCH,
        "Instances": [],
        "Tags": [],
        **group,
    }


def _tags(group: Mapping[str, Any]) -> dict[str, str]:
    return {str(tag["Key"]): str(tag["Value"]) for tag in group["Tags"]}


_FIELDS: Fields[dict[str, Any]] = {"tag-value": lambda group: list(_tags(group).values())}
