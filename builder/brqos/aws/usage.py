"""What may use an image or a snapshot: the calls that tell it, as plain facts.

They come page by page, so that whoever asks may stop in between. All methods raise AwsCallError.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from brqos.aws.errors import AwsCallError, ErrorKind, translated

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import LaunchTemplateVersionTypeDef
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.type_defs import ParameterStringFilterTypeDef

# The most that the APIs take: values of a filter (EC2), ids of DescribeImageReferences, names of GetParameters.
_FILTER_VALUES = 200
_REFERENCED_IMAGES = 10
_PARAMETER_NAMES = 10
# The largest pages, by the APIs' references; left to itself SSM gives ten parameters at a time.
_PAGES = {
    "DescribeInstances": 1000,
    "DescribeLaunchTemplates": 200,
    "DescribeLaunchTemplateVersions": 200,
    "DescribeAutoScalingGroups": 100,
    "DescribeLaunchConfigurations": 100,
    "DescribeParameters": 50,
}
# Everything but `terminated`: a stopped instance starts from its volumes, but is still told to be of its image.
_LIVING = ["pending", "running", "shutting-down", "stopping", "stopped"]
_RECIPES = ("imagebuilder:ImageRecipe", "imagebuilder:ContainerRecipe")
_UNAVAILABLE = (ErrorKind.ACCESS_DENIED, ErrorKind.OTHER, ErrorKind.VALIDATION)


@dataclass(frozen=True, slots=True)
class ImageInstance:
    """An instance that is not terminated, and the image it was started from."""

    id: str
    image: str
    state: str


@dataclass(frozen=True, slots=True)
class LaunchTemplate:
    """A launch template, with the numbers of the versions that `$Default` and `$Latest` stand for."""

    id: str
    name: str
    default: int
    latest: int


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """A version of a launch template; `image` is an id, `resolve:ssm:<parameter>`, or empty."""

    template: str
    number: int
    image: str
    snapshots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TemplateChoice:
    """The version of a launch template that a group takes: a number, `$Default` or `$Latest`."""

    template: str
    """The template's id, or its name."""
    version: str


@dataclass(frozen=True, slots=True)
class ScalingGroup:
    """An Auto Scaling group: its launch templates, and the images that it names itself (overrides, instances)."""

    name: str
    templates: tuple[TemplateChoice, ...]
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LaunchConfiguration:
    """A launch configuration."""

    name: str
    image: str
    snapshots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParameterName:
    """A parameter of Systems Manager, without its value."""

    name: str
    type: str
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class ImageReference:
    """A resource that names an image, as EC2 itself tells it."""

    image: str
    kind: str
    arn: str


class Usage:
    """EC2, Auto Scaling and Systems Manager in one region; safe to use from any thread."""

    def __init__(
        self,
        ec2: "EC2Client",
        autoscaling: Any,  # noqa: ANN401 - its stubs are not among the test dependencies
        ssm: "SSMClient",
        *,
        region: str,
        profile: str | None,
    ) -> None:
        self._ec2 = ec2
        self._autoscaling = autoscaling
        self._ssm = ssm
        self._profile = profile
        self.region = region

    def instances(self, images: Sequence[str]) -> Iterator[ImageInstance]:
        """The instances of these images that are not terminated."""
        for part in _parts(images, _FILTER_VALUES):
            filters = [{"Name": "image-id", "Values": part}, {"Name": "instance-state-name", "Values": _LIVING}]
            for page in self._pages(self._ec2, "DescribeInstances", {"Filters": filters}):
                for instance in (item for entry in page.get("Reservations", []) for item in entry.get("Instances", [])):
                    state = instance.get("State", {}).get("Name", "")
                    yield ImageInstance(instance["InstanceId"], instance.get("ImageId", ""), state)

    def launch_templates(self) -> Iterator[LaunchTemplate]:
        """All launch templates."""
        for page in self._pages(self._ec2, "DescribeLaunchTemplates", {}):
            for item in page.get("LaunchTemplates", []):
                yield LaunchTemplate(
                    id=item["LaunchTemplateId"],
                    name=item.get("LaunchTemplateName", ""),
                    default=item.get("DefaultVersionNumber", 0),
                    latest=item.get("LatestVersionNumber", 0),
                )

    def template_versions(self, template: str) -> Iterator[TemplateVersion]:
        """All versions of a launch template; none if it is gone by now."""
        asked = {"LaunchTemplateId": template}
        try:
            for page in self._pages(self._ec2, "DescribeLaunchTemplateVersions", asked):
                yield from (_template_version(item) for item in page.get("LaunchTemplateVersions", []))
        except AwsCallError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise

    def groups(self) -> Iterator[ScalingGroup]:
        """All Auto Scaling groups."""
        for page in self._pages(self._autoscaling, "DescribeAutoScalingGroups", {}):
            yield from (_group(item) for item in page.get("AutoScalingGroups", []))

    def launch_configurations(self) -> Iterator[LaunchConfiguration]:
        """All launch configurations."""
        for page in self._pages(self._autoscaling, "DescribeLaunchConfigurations", {}):
            for item in page.get("LaunchConfigurations", []):
                snapshots = _mapped_snapshots(item.get("BlockDeviceMappings", []))
                yield LaunchConfiguration(item["LaunchConfigurationName"], item.get("ImageId", ""), snapshots)

    def parameters(self, tags: Mapping[str, str] | None = None) -> Iterator[ParameterName]:
        """The account's parameters, all of them or those with all these tags."""
        filters: list[ParameterStringFilterTypeDef] = [
            {"Key": f"tag:{key}", "Option": "Equals", "Values": [value]} for key, value in (tags or {}).items()
        ]
        for page in self._pages(self._ssm, "DescribeParameters", {"ParameterFilters": filters} if filters else {}):
            for item in page.get("Parameters", []):
                yield ParameterName(item["Name"], item.get("Type", ""), item.get("LastModifiedDate"))

    def parameter_values(self, names: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Name and value of each parameter that there is; a name may end with `:<version>` or `:<label>`."""
        for part in _parts(names, _PARAMETER_NAMES):
            with translated("GetParameters", self.region, self._profile):
                answer = self._ssm.get_parameters(Names=part)
            for item in answer.get("Parameters", []):
                yield item.get("Name", ""), item.get("Value", "")

    def recipes(self, images: Sequence[str]) -> Iterator[ImageReference]:
        """The recipes of Image Builder that name these images.

        Only DescribeImageReferences (EC2, 2025) tells them. For the other kinds the calls above are better: it looks
        at no Auto Scaling group, and at ten versions of a launch template unless told more.
        """
        types = [{"ResourceType": name} for name in _RECIPES]
        for part in _parts(images, _REFERENCED_IMAGES):
            for page in self._pages(self._ec2, "DescribeImageReferences", {"ImageIds": part, "ResourceTypes": types}):
                for item in page.get("ImageReferences", []):
                    yield ImageReference(item.get("ImageId", ""), item.get("ResourceType", ""), item.get("Arn", ""))

    def knows_recipes(self) -> bool:
        """Whether this version of botocore has DescribeImageReferences."""
        return "DescribeImageReferences" in self._ec2.meta.service_model.operation_names

    def delete_parameter(self, name: str) -> None:
        """Delete a parameter."""
        with translated("DeleteParameter", self.region, self._profile):
            self._ssm.delete_parameter(Name=name)

    def _pages(self, client: Any, operation: str, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:  # noqa: ANN401
        with translated(operation, self.region, self._profile):
            paginator = client.get_paginator(_method(operation))
            pages = iter(paginator.paginate(**parameters, PaginationConfig={"PageSize": _PAGES.get(operation)}))
        while True:
            with translated(operation, self.region, self._profile):
                page = next(pages, None)
            if page is None:
                return
            yield page


def is_unavailable(error: AwsCallError) -> bool:
    """Whether a call is not to be had here: not allowed, or unknown to the service."""
    return error.kind in _UNAVAILABLE


def _template_version(item: "LaunchTemplateVersionTypeDef") -> TemplateVersion:
    data = item.get("LaunchTemplateData", {})
    return TemplateVersion(
        template=item.get("LaunchTemplateId", ""),
        number=item.get("VersionNumber", 0),
        image=data.get("ImageId", ""),
        snapshots=_mapped_snapshots(data.get("BlockDeviceMappings", [])),
    )


def _group(item: Mapping[str, Any]) -> ScalingGroup:
    mixed = item.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    overrides = mixed.get("Overrides", [])
    chosen = [
        item.get("LaunchTemplate"),
        mixed.get("LaunchTemplateSpecification"),
        *(override.get("LaunchTemplateSpecification") for override in overrides),
        *(instance.get("LaunchTemplate") for instance in item.get("Instances", [])),
    ]
    images = [entry.get("ImageId") for entry in (*overrides, *item.get("Instances", []))]
    return ScalingGroup(
        name=item["AutoScalingGroupName"],
        templates=tuple(dict.fromkeys(_choice(entry) for entry in chosen if entry)),
        images=tuple(dict.fromkeys(image for image in images if image)),
    )


def _choice(entry: Mapping[str, str]) -> TemplateChoice:
    # A group that names no version takes the default one.
    template = entry.get("LaunchTemplateId") or entry.get("LaunchTemplateName", "")
    return TemplateChoice(template, entry.get("Version") or "$Default")


def _mapped_snapshots(mappings: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    found = (mapping.get("Ebs", {}).get("SnapshotId") for mapping in mappings)
    return tuple(dict.fromkeys(snapshot for snapshot in found if snapshot))


def _method(operation: str) -> str:
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in operation).lstrip("_")


def _parts(values: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(values), size):
        yield list(values[start : start + size])
