"""Settings of the account, as a test in another process gives them.

    {"region": "eu-west-1", "account": "000000000000",
     "encryption_by_default": true, "default_kms_key": "arn:...", "opt_in_status": "not-opted-in",
     "image_block_public_access": "block-new-sharing", "snapshot_block_public_access": "block-all-sharing",
     "clusters": {"main": {"version": "1.29", ...}}, "nodegroups": {"main": {"old": {"amiType": "CUSTOM", ...}}},
     "subnets": {"subnet-...": {"vpc": "vpc-...", "zone": "eu-west-1a", "maps_public_ip": true}},
     "groups": {"nodes": {"LaunchTemplate": {...}}}, "configurations": {"old": {"ImageId": "ami-..."}},
     "kms_keys": ["arn:..."], "kms_aliases": {"alias/x": "arn:..."}, "roles": {"arn:...": {"external_id": "x"}},
     "builds": {"aws_k8s_*": {"seconds": 5, "state": "FAILED", "message": "x", "lines": ["y"], "times": 1}},
     "concurrent_builds": 4, "role_delay": 0.2, "any_role": true, "log_delay": 2.0,
     "largest_page": 2, "delay": 0.5}

All members are optional; those that an account sets in a region need `region`. `seeds` says what may be said of
clusters, nodegroups and subnets, `codebuild.scripted` what of builds.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any

from brqos.rehearsal.emulator import seeds
from brqos.rehearsal.emulator.codebuild.scripted import Script
from brqos.rehearsal.emulator.regions import RegionSettings
from brqos.rehearsal.emulator.store import ACCOUNT, Role, Store
from brqos.rehearsal.emulator.wire import ServiceError

_Setter = tuple[type | tuple[type, ...], Callable[[Any], None]]
_PER_REGION = {field.name: field.type for field in fields(RegionSettings)}


def change_settings(store: Store, asked: Mapping[str, Any]) -> None:
    """Change what is named; raises ServiceError for anything that is not known or has the wrong type."""
    account, region = str(asked.get("account", ACCOUNT)), asked.get("region")
    setters: dict[str, _Setter] = {
        "kms_keys": (list, lambda value: store.kms_keys.update(value)),
        "kms_aliases": (dict, lambda value: store.kms_aliases.update(value)),
        "roles": (dict, lambda value: store.roles.update({arn: Role(**role) for arn, role in value.items()})),
        "largest_page": (int, lambda value: setattr(store, "largest_page", value)),
        "delay": ((int, float), lambda value: setattr(store, "delay", float(value))),
        "builds": (dict, lambda value: _script_builds(store, value)),
        "concurrent_builds": (int, lambda value: setattr(store.codebuild, "concurrency", value)),
        "role_delay": ((int, float), lambda value: setattr(store.roles_of_iam, "delay", float(value))),
        "any_role": (bool, lambda value: setattr(store.roles_of_iam, "required", not value)),
        "log_delay": ((int, float), lambda value: setattr(store.logs, "delay", float(value))),
    }
    if isinstance(region, str):
        settings, place = store.settings(region, account), (account, region)
        setters["groups"] = (dict, lambda value: store.compute.groups.setdefault(place, {}).update(value))
        setters["configurations"] = (
            dict,
            lambda value: store.compute.configurations.setdefault(place, {}).update(value),
        )
        setters |= _seeding(store, region, account)
        for name in _PER_REGION:
            kind: type = bool if name == "encryption_by_default" else str
            setters[name] = (kind, partial(setattr, settings, name))
    given = {name: value for name, value in asked.items() if name not in ("account", "region")}
    for name, value in given.items():
        if name not in setters:
            raise ServiceError("ValidationError", f"{name} is not known, or needs a region")
        if not isinstance(value, setters[name][0]):
            raise ServiceError("ValidationError", f"{name} has the wrong type")
    for name, value in given.items():
        setters[name][1](value)


def _seeding(store: Store, region: str, account: str) -> dict[str, _Setter]:
    def clusters(value: Mapping[str, Any]) -> None:
        for name, given in value.items():
            seeds.add_cluster(store, region, name, _object(given), account=account)

    def nodegroups(value: Mapping[str, Any]) -> None:
        for cluster, named in value.items():
            for name, given in _object(named).items():
                seeds.add_nodegroup(store, region, cluster, name, _object(given), account=account)

    def subnets(value: Mapping[str, Any]) -> None:
        for subnet_id, given in value.items():
            seeds.add_subnet(store, region, subnet_id, _object(given), account=account)

    return {"clusters": (dict, clusters), "nodegroups": (dict, nodegroups), "subnets": (dict, subnets)}


def _script_builds(store: Store, value: Mapping[str, Any]) -> None:
    for pattern, given in value.items():
        script = dict(_object(given))
        times = script.pop("times", None)
        try:
            store.codebuild.scripted.script(pattern, Script(**script), times=times)
        except TypeError:
            raise ServiceError("ValidationError", f"{pattern}: a script has no such members") from None


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ServiceError("ValidationError", f"{value!r} is not an object")
    return value
