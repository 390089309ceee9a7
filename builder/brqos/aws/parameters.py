"""Systems Manager: the Parameter Store in one region."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brqos.aws.errors import AwsCallError, ErrorKind, translated

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

IMAGE = "aws:ec2:image"
"""The data type whose value has to be an AMI of the account, or one that is shared with it."""
TEXT = "text"
_MOST_NAMES = 10


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as GetParameters tells it."""

    name: str
    value: str
    version: int = 1
    data_type: str = TEXT


@dataclass(frozen=True, slots=True)
class ParameterVersion:
    """A parameter as it was at some time; the description is that of this version."""

    version: int
    value: str
    description: str = ""


class Parameters:
    """The Parameter Store in one region; safe to use from any thread. All methods raise AwsCallError."""

    def __init__(self, client: "SSMClient", region: str, profile: str | None) -> None:
        self._client = client
        self._profile = profile
        self.region = region

    def get(self, names: Iterable[str]) -> dict[str, Parameter]:
        """The parameters by name; those that do not exist are left out."""
        wanted = list(dict.fromkeys(names))
        found: dict[str, Parameter] = {}
        for start in range(0, len(wanted), _MOST_NAMES):
            with translated("GetParameters", self.region, self._profile):
                answer = self._client.get_parameters(Names=wanted[start : start + _MOST_NAMES])
            for item in answer.get("Parameters", []):
                name = item.get("Name", "")
                found[name] = Parameter(
                    name, item.get("Value", ""), item.get("Version", 1), item.get("DataType") or TEXT
                )
        return found

    def create(self, name: str, value: str, *, data_type: str, description: str, tags: Mapping[str, str]) -> None:
        """Make a parameter; an AwsCallError of kind DUPLICATE_NAME if it exists.

        For the data type IMAGE the answer proves nothing: the value is checked afterwards, and where it is refused the
        parameter never appears (PutParameter's documentation, "DataType").
        """
        with translated("PutParameter", self.region, self._profile):
            self._client.put_parameter(
                Name=name,
                Value=value,
                Type="String",
                DataType=data_type,
                Description=description,
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
                Overwrite=False,
            )

    def overwrite(self, name: str, value: str, *, data_type: str, description: str) -> None:
        """Give a parameter another value; `data_type` has to be the one that it has. IMAGE is checked afterwards."""
        # PutParameter takes no tags together with Overwrite.
        with translated("PutParameter", self.region, self._profile):
            self._client.put_parameter(
                Name=name, Value=value, Type="String", DataType=data_type, Description=description, Overwrite=True
            )

    def history(self, name: str) -> list[ParameterVersion]:
        """All versions that are still known (the last 100), the oldest first; empty if there is no such parameter."""
        try:
            with translated("GetParameterHistory", self.region, self._profile):
                pages = self._client.get_paginator("get_parameter_history").paginate(Name=name)
                told = [item for page in pages for item in page.get("Parameters", [])]
        except AwsCallError as error:
            if error.kind is ErrorKind.NOT_FOUND:
                return []
            raise
        versions = [
            ParameterVersion(item.get("Version", 0), item.get("Value", ""), item.get("Description", ""))
            for item in told
        ]
        return sorted(versions, key=lambda version: version.version)
