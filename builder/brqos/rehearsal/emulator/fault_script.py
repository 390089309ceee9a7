"""Faults for an emulator in a process of its own, as a script in JSON (`--faults FILE`, or POST /_emulator/faults).

    {
      "faults": [                                  one entry for the calls that shall go wrong
        {"operation": "PutSnapshotBlock",          needed
         "skip": 3, "times": 2,                    after three good calls two bad ones (defaults: 0 and 1)
         "region": "eu-west-1",                    only calls in this region (default: in all)
         "fault": {"kind": "throttled"}}           needed; see below
      ],
      "mix": [                                     chance
        {"operations": ["PutSnapshotBlock"],       default: all
         "probability": 0.05,                      needed; of each call
         "faults": [{"weight": 3, "kind": "throttled"}, {"weight": 1, "reset": "body"}],
         "seed": 1, "limit": 100}                  the same seed makes the same choices; at most 100 faults
      ],
      "rates": {"PutSnapshotBlock": 500, "*": 20}, calls a second for each account and region
      "deny": ["ec2:RegisterImage"],               permissions that are missing
      "unknown_after_start": 2.0,                  seconds in which EBS direct says 404 of a new snapshot
      "unknown_after_making": 1.0,                 the same for EC2's images and snapshots
      "fail_snapshots": 1, "fail_images": 1, "fail_copies": 1
    }

A fault has one or more of the members of `faults.Fault`: code, status, message, reason, kind (throttled, expired,
denied, internal, unavailable, unknown-key), location, drop, reset (body, answer, now), hang, slow, kill, after_effect.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from brqos.rehearsal.emulator.access import Access
from brqos.rehearsal.emulator.errors import KINDS
from brqos.rehearsal.emulator.faults import Fault, Faults
from brqos.rehearsal.emulator.throttle import Rate, Throttle

_TYPES: dict[str, type] = {field.name: type(getattr(Fault(), field.name)) for field in fields(Fault)}
_CHOICES = {"kind": ("", *KINDS), "reset": ("", "body", "answer", "now")}


class FaultScriptError(Exception):
    """The script is wrong; the message says where and how."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What a script changes."""

    faults: Faults
    access: Access
    throttle: Throttle


@dataclass(frozen=True, slots=True)
class KillOrder:
    """Kill `pid` before or after the nth call of an operation, counted from now on."""

    pid: int
    operation: str
    nth: int
    after: bool


def read(path: Path) -> dict[str, object]:
    """Read a script from a file; raises FaultScriptError."""
    try:
        script = json.loads(path.read_bytes())
    except OSError as error:
        raise FaultScriptError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise FaultScriptError(f"{path} is not JSON: {error}") from error
    if not isinstance(script, dict):
        raise FaultScriptError(f"{path} does not hold a JSON object")
    return script


def apply(script: Mapping[str, object], targets: Targets) -> None:
    """Check a script, then do what it says, all of it or nothing; raises FaultScriptError."""
    known: dict[str, Callable[[str, object, Targets], list[Callable[[], None]]]] = {
        "faults": _injections,
        "mix": _mixes,
        "rates": _rates,
        "deny": _denials,
        "unknown_after_start": _seconds,
        "unknown_after_making": _seconds,
        "fail_snapshots": _failures,
        "fail_images": _failures,
        "fail_copies": _failures,
    }
    steps: list[Callable[[], None]] = []
    for name, value in script.items():
        if name not in known:
            raise FaultScriptError(f"“{name}” is not known; there are: {', '.join(known)}")
        steps += known[name](name, value, targets)
    for step in steps:
        step()


def checked_kill(asked: Mapping[str, object]) -> KillOrder:
    """The order that a request gives; raises FaultScriptError."""
    entry = _entry("kill", asked, {"pid": int, "operation": str, "nth": int, "when": str})
    when = entry.get("when", "before")
    if "pid" not in entry or "operation" not in entry or when not in ("before", "after"):
        raise FaultScriptError("kill: needs pid and operation; when is “before” or “after”")
    order = KillOrder(entry["pid"], entry["operation"], entry.get("nth", 1), when == "after")
    if order.pid <= 1 or order.nth < 1:
        raise FaultScriptError("kill: pid must be that of a client, nth counts from 1")
    return order


def _injections(where: str, value: object, targets: Targets) -> list[Callable[[], None]]:
    steps: list[Callable[[], None]] = []
    for number, item in enumerate(_list(where, value)):
        place = f"{where}[{number}]"
        entry = _entry(place, item, {"operation": str, "skip": int, "times": int, "region": str, "fault": dict})
        if "operation" not in entry or "fault" not in entry:
            raise FaultScriptError(f"{place}: needs operation and fault")
        fault = _fault(f"{place}.fault", entry.pop("fault"))
        operation = entry.pop("operation")
        steps.append(partial(targets.faults.inject, operation, fault, **entry))
    return steps


def _mixes(where: str, value: object, targets: Targets) -> list[Callable[[], None]]:
    steps: list[Callable[[], None]] = []
    types = {"operations": list, "probability": float, "faults": list, "seed": int, "limit": int}
    for number, item in enumerate(_list(where, value)):
        place = f"{where}[{number}]"
        entry = _entry(place, item, types)
        probability = entry.pop("probability", -1.0)
        if not 0 <= probability <= 1:
            raise FaultScriptError(f"{place}.probability: must be between 0 and 1")
        weights: dict[Fault, float] = {}
        for index, each in enumerate(_list(f"{place}.faults", entry.pop("faults", []))):
            inner = f"{place}.faults[{index}]"
            given = dict(_entry(inner, each, {**_TYPES, "weight": float}))
            weight = given.pop("weight", 1.0)
            weights[_fault(inner, given)] = weight
        if not weights or min(weights.values()) < 0 or not sum(weights.values()):
            raise FaultScriptError(f"{place}.faults: needs faults, with weights from 0 on and not all of them 0")
        operations = frozenset(entry.pop("operations", []))
        steps.append(partial(targets.faults.mix, weights, probability, operations, **entry))
    return steps


def _rates(where: str, value: object, targets: Targets) -> list[Callable[[], None]]:
    if not isinstance(value, dict):
        raise FaultScriptError(f"{where}: must be an object of operations and rates")
    steps: list[Callable[[], None]] = []
    for operation, rate in value.items():
        if isinstance(rate, bool) or not isinstance(rate, int | float) or rate <= 0:
            raise FaultScriptError(f"{where}.{operation}: must be a number above 0")
        steps.append(partial(targets.throttle.limit, operation, Rate(float(rate))))
    return steps


def _denials(where: str, value: object, targets: Targets) -> list[Callable[[], None]]:
    actions = _list(where, value)
    for action in actions:
        if not isinstance(action, str) or ":" not in action:
            raise FaultScriptError(f"{where}: {action!r} is no action such as “ec2:RegisterImage”")
    return [partial(targets.access.deny, str(action)) for action in actions]


def _seconds(where: str, value: object, targets: Targets) -> list[Callable[[], None]]:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise FaultScriptError(f"{where}: must be a number of seconds")
    seconds = float(value)
    return [lambda: setattr(targets.faults, where, seconds)]


def _failures(where: str, value: object, targets: Targets) -> list[Callable[[], None]]:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise FaultScriptError(f"{where}: must be a number from 0 on")
    count = value
    return [lambda: getattr(targets.faults, where)(count)]


def _list(where: str, value: object) -> list[object]:
    if not isinstance(value, list):
        raise FaultScriptError(f"{where}: must be a list")
    return value


def _fault(where: str, value: object) -> Fault:
    entry = _entry(where, value, _TYPES)
    for name, choices in _CHOICES.items():
        if entry.get(name, "") not in choices:
            raise FaultScriptError(f"{where}.{name}: must be one of {', '.join(choices[1:])}")
    fault = Fault(**entry)
    if fault == Fault() or fault == Fault(after_effect=True):
        raise FaultScriptError(f"{where}: says of nothing that it goes wrong")
    return fault


def _entry(where: str, value: object, types: Mapping[str, type]) -> dict[str, Any]:
    """An object with members of these types only; whole numbers are taken for fractions too."""
    if not isinstance(value, Mapping):
        raise FaultScriptError(f"{where}: must be an object")
    for name, item in value.items():
        if name not in types:
            raise FaultScriptError(f"{where}.{name}: is not known; there are: {', '.join(types)}")
        wanted = types[name]
        fits = isinstance(item, int | float) if wanted is float else isinstance(item, wanted)
        if not fits or (isinstance(item, bool) and wanted is not bool):
            raise FaultScriptError(f"{where}.{name}: must be of the type {wanted.__name__}")
    return dict(value)
