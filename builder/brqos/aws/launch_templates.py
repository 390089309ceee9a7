"""EC2: launch templates and their versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from brqos.aws.dry_run import DryRunEc2, ProbeResult
from brqos.aws.errors import AwsCallError, ErrorKind, refused, translated

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import LaunchTemplateTypeDef


@dataclass(frozen=True, slots=True)
class DescribedLaunchTemplate:
    """A launch template as DescribeLaunchTemplates tells it; the versions are numbers from 1 on."""

    id: str
    name: str
    default_version: int
    latest_version: int
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WrittenVersion:
    """A version that was written; `warnings` are what EC2 has against its data, which it keeps nevertheless."""

    template: str
    """The template's id."""
    number: int
    warnings: tuple[str, ...] = ()


class LaunchTemplates:
    """Launch templates in one region; safe to use from any thread. All methods but the probes raise AwsCallError.

    Data are RequestLaunchTemplateData of the API: `{"ImageId": "ami-...", "UserData": "<base64>", ...}`. EC2 looks at
    little of them: whether the image exists, for one, it finds out when an instance is started.
    """

    def __init__(self, client: "EC2Client", region: str, profile: str | None) -> None:
        self._client = client
        self._profile = profile
        self.region = region

    def find(self, name: str) -> DescribedLaunchTemplate | None:
        """The template of that name; None if there is none."""
        try:
            with translated("DescribeLaunchTemplates", self.region, self._profile):
                answer = self._client.describe_launch_templates(LaunchTemplateNames=[name])
        except AwsCallError as error:
            if error.kind is ErrorKind.NOT_FOUND:
                return None
            raise
        return next((_described(item) for item in answer.get("LaunchTemplates", [])), None)

    def version(self, template: str, version: int | str) -> Mapping[str, Any]:
        """The data of one version (a number, `$Default` or `$Latest`) of the template with this id.

        An error of kind NOT_FOUND if there is no such version or template.
        """
        with translated("DescribeLaunchTemplateVersions", self.region, self._profile):
            answer = self._client.describe_launch_template_versions(LaunchTemplateId=template, Versions=[str(version)])
        for item in answer.get("LaunchTemplateVersions", []):
            return cast("Mapping[str, Any]", item.get("LaunchTemplateData", {}))
        message = f"The answer does not hold version {version} of {template}."
        code = "InvalidLaunchTemplateId.VersionNotFound"
        raise refused("DescribeLaunchTemplateVersions", self.region, code=code, status=400, message=message)

    def create(
        self, name: str, data: Mapping[str, Any], *, description: str, tags: Mapping[str, str], token: str
    ) -> WrittenVersion:
        """Make a template with this version 1; with the token of an earlier call the answer to that one comes back.

        The description is the version's. An error of kind DUPLICATE_NAME if the name is taken.
        """
        asked = _creation(name, data, description, tags)
        with translated("CreateLaunchTemplate", self.region, self._profile):
            answer = cast("Any", self._client).create_launch_template(**asked, ClientToken=token)
        return WrittenVersion(answer["LaunchTemplate"]["LaunchTemplateId"], 1, _warnings(answer))

    def create_version(self, template: str, data: Mapping[str, Any], *, description: str, token: str) -> WrittenVersion:
        """Add a version with these data alone; with the token of an earlier call the answer to that one comes back."""
        asked = _new_version(template, data, description)
        with translated("CreateLaunchTemplateVersion", self.region, self._profile):
            answer = cast("Any", self._client).create_launch_template_version(**asked, ClientToken=token)
        return WrittenVersion(template, answer["LaunchTemplateVersion"]["VersionNumber"], _warnings(answer))

    def probe_create(
        self, name: str, data: Mapping[str, Any], *, description: str, tags: Mapping[str, str]
    ) -> ProbeResult:
        """Ask whether `create` would be allowed."""
        return self._probe("CreateLaunchTemplate", _creation(name, data, description, tags))

    def probe_create_version(self, template: str, data: Mapping[str, Any], *, description: str) -> ProbeResult:
        """Ask whether `create_version` would be allowed."""
        return self._probe("CreateLaunchTemplateVersion", _new_version(template, data, description))

    def _probe(self, operation: str, asked: Mapping[str, Any]) -> ProbeResult:
        return DryRunEc2(self._client, self.region, self._profile).probe(operation, asked)


def _creation(name: str, data: Mapping[str, Any], description: str, tags: Mapping[str, str]) -> dict[str, Any]:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {
        "LaunchTemplateName": name,
        "LaunchTemplateData": data,
        **({"VersionDescription": description} if description else {}),
        **({"TagSpecifications": [{"ResourceType": "launch-template", "Tags": listed}]} if listed else {}),
    }


def _new_version(template: str, data: Mapping[str, Any], description: str) -> dict[str, Any]:
    return {
        "LaunchTemplateId": template,
        "LaunchTemplateData": data,
        **({"VersionDescription": description} if description else {}),
    }


def _described(item: "LaunchTemplateTypeDef") -> DescribedLaunchTemplate:
    return DescribedLaunchTemplate(
        id=item.get("LaunchTemplateId", ""),
        name=item.get("LaunchTemplateName", ""),
        default_version=item.get("DefaultVersionNumber", 0),
        latest_version=item.get("LatestVersionNumber", 0),
        tags={tag.get("Key", ""): tag.get("Value", "") for tag in item.get("Tags", [])},
    )


def _warnings(answer: Mapping[str, Any]) -> tuple[str, ...]:
    errors = answer.get("Warning", {}).get("Errors", [])
    return tuple(f"{error.get('Code', '')}: {error.get('Message', '')}" for error in errors)
