"""Whether AMIs and snapshots are in use, as far as AWS's APIs tell: a report in words.

What only a cluster or a file names (an EC2NodeClass of Karpenter's, a Terraform variable) no API of AWS's can tell;
nodes that run count as instances. A parameter that brqos made for one version does not count, since it would keep its
AMI for ever; it does where a launch template takes the AMI from it.
"""

import re
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from brqos.ami.pruning.model import OwnParameter, UsageReport
from brqos.ami.pruning.parameters import is_made_for
from brqos.aws.ec2 import DescribedImage
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.retry import StoppedError
from brqos.aws.usage import LaunchTemplate, ScalingGroup, TemplateChoice, TemplateVersion, Usage, is_unavailable

_T = TypeVar("_T")

_RESOLVED = "resolve:ssm:"
# What AWS publishes are its own AMIs.
_PUBLIC = "/aws/service/"
_AMI = re.compile(r"ami-[0-9A-Za-z]+", re.ASCII)
# Reading a SecureString would decrypt a secret, and EC2 takes no AMI from one.
_READ_TYPES = ("String", "StringList")


def usage_of(
    source: Usage,
    images: Sequence[DescribedImage],
    snapshots: Collection[str],
    *,
    own_parameters: Iterable[OwnParameter] = (),
    stop: threading.Event | None = None,
) -> UsageReport:
    """Who uses the images and snapshots; `own_parameters` are those with brqos's tag.

    A permission that is missing goes into the report. Raises AwsCallError for any other failure, and StoppedError.
    """
    survey = _Survey(source, images, snapshots, own_parameters, stop or threading.Event())
    return survey.report()


class _Survey:
    def __init__(
        self,
        source: Usage,
        images: Sequence[DescribedImage],
        snapshots: Collection[str],
        own_parameters: Iterable[OwnParameter],
        stop: threading.Event,
    ) -> None:
        self._source = source
        self._images = {image.id: image for image in images}
        self._snapshots = frozenset(snapshots)
        self._own = {parameter.name: parameter for parameter in own_parameters}
        self._stop = stop
        self._uses: dict[str, list[str]] = {}
        self._unknown: dict[str, bool] = {}
        self._resolved: dict[str, tuple[str, ...]] = {}
        self._warnings: list[str] = []

    def report(self) -> UsageReport:
        if self._images:
            self._look_at_instances()
            self._look_at_parameters()
            self._look_at_recipes()
        if self._images or self._snapshots:
            self._look_at_templates()
            self._look_at_launch_configurations()
        return UsageReport(
            asked=frozenset(self._images) | self._snapshots,
            uses={used: tuple(dict.fromkeys(by)) for used, by in self._uses.items()},
            unknown_of_images=tuple(self._unknown),
            unknown_of_snapshots=tuple(
                name for name, concerns_snapshots in self._unknown.items() if concerns_snapshots
            ),
            warnings=tuple(self._warnings),
        )

    def _look_at_instances(self) -> None:
        for instance in self._told("ec2:DescribeInstances", self._source.instances(sorted(self._images))):
            self._used((instance.image,), f"instance {instance.id} ({instance.state})")

    def _look_at_parameters(self) -> None:
        listed = self._told("ssm:DescribeParameters", self._source.parameters())
        names = [item.name for item in listed if item.type in _READ_TYPES]
        for name, value in self._told("ssm:GetParameters", self._source.parameter_values(names)):
            for image_id in _AMI.findall(value):
                image, own = self._images.get(image_id), self._own.get(name)
                if image is not None and (own is None or not is_made_for(own, image)):
                    self._used((image_id,), f"SSM parameter {name}")

    def _look_at_recipes(self) -> None:
        missing = "Image Builder's recipes were not looked at"
        if not self._source.knows_recipes():
            self._warnings.append(f"{missing}: this boto3 is too old for DescribeImageReferences")
            return
        try:
            for reference in self._source.recipes(sorted(self._images)):
                self._used((reference.image,), reference.arn)
        except AwsCallError as error:
            # The other checks do without it: an account that has no such permission yet can still be pruned.
            if not is_unavailable(error):
                raise
            self._warnings.append(f"{missing}: {error.what}")

    def _look_at_templates(self) -> None:
        templates = self._told("ec2:DescribeLaunchTemplates", self._source.launch_templates(), snapshots=True)
        groups = self._told("autoscaling:DescribeAutoScalingGroups", self._source.groups())
        for group in groups:
            self._used(group.images, f"Auto Scaling group {group.name}")
        permission = "ec2:DescribeLaunchTemplateVersions"
        for template in templates:
            for version in self._told(permission, self._source.template_versions(template.id), snapshots=True):
                by = _words(template, version, groups)
                self._used(self._images_of(version), by)
                self._used(version.snapshots, by)

    def _images_of(self, version: TemplateVersion) -> tuple[str, ...]:
        if not version.image.startswith(_RESOLVED):
            return (version.image,)
        name = version.image.removeprefix(_RESOLVED)
        if name.startswith(_PUBLIC) or not self._images:
            return ()
        if name not in self._resolved:
            values = self._told("ssm:GetParameters", self._source.parameter_values([name]), permit_invalid=True)
            self._resolved[name] = tuple(image for _, value in values for image in _AMI.findall(value))
        return self._resolved[name]

    def _look_at_launch_configurations(self) -> None:
        permission = "autoscaling:DescribeLaunchConfigurations"
        for item in self._told(permission, self._source.launch_configurations(), snapshots=True):
            self._used((item.image, *item.snapshots), f"launch configuration {item.name}")

    def _used(self, ids: Iterable[str], by: str) -> None:
        for used in ids:
            if used in self._images or used in self._snapshots:
                self._uses.setdefault(used, []).append(by)

    def _told(
        self, permission: str, items: Iterable[_T], *, snapshots: bool = False, permit_invalid: bool = False
    ) -> list[_T]:
        """What the API tells; a missing permission is remembered, and whether it concerns snapshots as well."""
        told: list[_T] = []
        try:
            for item in items:
                if self._stop.is_set():
                    raise StoppedError
                told.append(item)
        except AwsCallError as error:
            # A template may name a parameter that there is not, or in a form that is none: nothing starts from it.
            if permit_invalid and error.kind in (ErrorKind.NOT_FOUND, ErrorKind.VALIDATION):
                return told
            if error.kind is not ErrorKind.ACCESS_DENIED:
                raise
            self._unknown[permission] = self._unknown.get(permission, False) or snapshots
        return told


def _words(template: LaunchTemplate, version: TemplateVersion, groups: Sequence[ScalingGroup]) -> str:
    numbers: Mapping[str, int] = {"$Default": template.default, "$Latest": template.latest}

    def takes(choice: TemplateChoice) -> bool:
        number = numbers.get(choice.version, choice.version)
        return choice.template in (template.id, template.name) and str(number) == str(version.number)

    users = [group.name for group in groups if any(takes(choice) for choice in group.templates)]
    words = f"launch template {template.name or template.id} (version {version.number})"
    return f"{words} of Auto Scaling group {', '.join(users)}" if users else words
