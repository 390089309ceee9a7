"""What runs from images, or could, and where: instances, launch templates, Auto Scaling, and subnets."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Instance:
    """An instance, just as much of it as tells which image it runs from."""

    id: str
    region: str
    owner: str
    image_id: str
    launched_at: float
    instance_type: str = "m5.large"
    state: str = "running"
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class TemplateVersion:
    """One version of a launch template; `data` has the names that the answer of DescribeLaunchTemplateVersions has."""

    number: int
    created_at: float
    description: str
    data: dict[str, Any]


@dataclass(slots=True)
class LaunchTemplate:
    """A launch template with all its versions, the oldest first."""

    id: str
    name: str
    region: str
    owner: str
    created_at: float
    tags: dict[str, str]
    versions: list[TemplateVersion]
    default_version: int = 1

    @property
    def latest_version(self) -> int:
        """The highest number of a version."""
        return self.versions[-1].number


@dataclass(slots=True)
class Subnet:
    """A subnet."""

    id: str
    region: str
    owner: str
    vpc: str
    zone: str
    cidr: str
    maps_public_ip: bool = False
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Compute:
    """All of it in all regions; groups and configurations are dictionaries with the names of the API."""

    instances: dict[str, Instance] = field(default_factory=dict)
    templates: dict[str, LaunchTemplate] = field(default_factory=dict)
    subnets: dict[str, Subnet] = field(default_factory=dict)
    groups: dict[tuple[str, str], dict[str, dict[str, Any]]] = field(default_factory=dict)
    configurations: dict[tuple[str, str], dict[str, dict[str, Any]]] = field(default_factory=dict)
