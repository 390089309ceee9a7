"""botocore's models of the services, which have the truth about names on the wire."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape, StructureShape


@cache
def model_of(service: str) -> ServiceModel:
    """The model of one service."""
    return botocore.session.get_session().get_service_model(service)


def parameters_of(service: str, action: str) -> set[str]:
    """The names on the wire of an action's parameters, as botocore writes them."""
    shape = model_of(service).operation_model(action).input_shape
    members = shape.members if shape is not None else {}  # type: ignore[attr-defined]
    if service != "ec2":
        return set(members)
    return {_ec2_name(name, member) for name, member in members.items()}


def query_parameters_of(service: str, operation: str) -> set[str]:
    """The parameters of an operation that are sent in the query of its URL."""
    shape = model_of(service).operation_model(operation).input_shape
    assert shape is not None
    located = (member.serialization for member in shape.members.values())
    return {str(each["name"]) for each in located if each.get("location") == "querystring"}


def ec2_members(shape: Shape) -> dict[str, tuple[str, Shape]]:
    """Of a structure in a request of EC2: by their names on the wire the members' names in the model, and shapes."""
    assert isinstance(shape, StructureShape)
    return {_ec2_name(name, member): (name, member) for name, member in shape.members.items()}


def _ec2_name(name: str, member: Shape) -> str:
    serialization = member.serialization
    if "queryName" in serialization:
        return str(serialization["queryName"])
    given = str(serialization.get("name", name))
    return given[0].upper() + given[1:]


def unknown_members(service: str, action: str, told: Mapping[str, Any]) -> list[str]:
    """The members of an answer that the model does not have, and that a client would never see."""
    shape = model_of(service).operation_model(action).output_shape
    if shape is None:
        # EC2 says `return` even where the model has no answer.
        return sorted(set(told) - {"return"})
    return list(_unknown(told, shape, action))


def _unknown(told: Any, shape: Shape, where: str) -> Iterator[str]:
    if shape.type_name == "list" and isinstance(told, list | tuple):
        for item in told:
            yield from _unknown(item, shape.member, where)  # type: ignore[attr-defined]
    elif shape.type_name == "structure" and isinstance(told, Mapping):
        known = {
            member.serialization.get("name", name): member
            for name, member in shape.members.items()  # type: ignore[attr-defined]
        }
        for name, value in told.items():
            if name not in known:
                yield f"{where}.{name}"
            elif value is not None:
                yield from _unknown(value, known[name], f"{where}.{name}")
    elif shape.type_name == "map" and isinstance(told, Mapping):
        for value in told.values():
            yield from _unknown(value, shape.value, where)  # type: ignore[attr-defined]
    elif shape.type_name in ("list", "structure") or isinstance(told, list | tuple | Mapping):
        yield f"{where} is no {shape.type_name}"
