"""The CodeBuild project, in the words of CreateProject. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from brqos.config.codebuild import CURATED, Compute
from brqos.fleet.codebuild.place import BUNDLES, OURS, Place

MOST_IN_BATCH = 100
"""The most builds of one batch (CodeBuild's quotas; `maximumBuildsAllowed`)."""

_LONGEST_BATCH = 2160
_DESCRIPTION = "Bottlerocket with MemoryQoS; made and changed by `brqos build --on codebuild`"
_BY_HAND = "version: 0.2\nphases:\n  build:\n    commands:\n      - echo 'brqos starts builds here'\n      - exit 1\n"
_NO_LIMIT = -1


def project_of(place: Place) -> dict[str, Any]:
    """The project as it shall be; what differs from build to build is said when a batch is started."""
    spec = place.spec
    return {
        "name": place.project,
        "description": _DESCRIPTION,
        "source": {"type": "S3", "location": f"{place.bucket}/{BUNDLES}/none.zip", "buildspec": _BY_HAND},
        "artifacts": {"type": "NO_ARTIFACTS"},
        "environment": {
            "type": "LINUX_CONTAINER",
            "image": spec.image,
            "computeType": Compute.SMALL.type,
            # Builds that need Docker say so themselves.
            "privilegedMode": False,
            "imagePullCredentialsType": "CODEBUILD" if spec.image.startswith(CURATED) else "SERVICE_ROLE",
            "environmentVariables": [
                {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in sorted(spec.variables.items())
            ],
        },
        "serviceRole": place.role_arn,
        "timeoutInMinutes": spec.timeout,
        "queuedTimeoutInMinutes": spec.queued_timeout,
        "encryptionKey": spec.kms_key or place.arn("kms", "alias/aws/s3"),
        "tags": _tags(place.tags),
        "logsConfig": {"cloudWatchLogs": {"status": "ENABLED", "groupName": place.log_group}},
        "buildBatchConfig": {
            "serviceRole": place.batch_role_arn,
            "combineArtifacts": False,
            "restrictions": {"maximumBuildsAllowed": MOST_IN_BATCH},
            "timeoutInMins": _LONGEST_BATCH,
        },
        **({"vpcConfig": _network(place)} if spec.vpc else {}),
    }


def is_ours(project: Mapping[str, Any]) -> bool:
    """Whether brqos made it."""
    tags = {tag["key"]: tag["value"] for tag in project.get("tags", ())}
    return OURS.items() <= tags.items()


def update_of(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of UpdateProject that make of `found` what is wanted; only the name where nothing differs.

    Tags that somebody added stay.
    """
    kept = {tag["key"]: tag["value"] for tag in found.get("tags", ())}
    merged = {**wanted, "tags": _tags({**kept, **{tag["key"]: tag["value"] for tag in wanted["tags"]}})}
    if found.get("concurrentBuildLimit"):
        # A build beyond it is refused (user guide, "Builds in AWS CodeBuild"); by the account's own quota it waits.
        merged["concurrentBuildLimit"] = _NO_LIMIT
    if "vpcConfig" not in wanted and found.get("vpcConfig", {}).get("vpcId"):
        merged["vpcConfig"] = {}
    return {key: value for key, value in merged.items() if key == "name" or any(differences(value, found.get(key)))}


def differences(wanted: object, found: object, path: str = "") -> Iterator[str]:
    """What of `wanted` is otherwise in `found`, one line each; what only `found` has does not count."""
    if isinstance(wanted, Mapping) and wanted:
        there = found if isinstance(found, Mapping) else {}
        for key, value in wanted.items():
            yield from differences(value, there.get(key), f"{path}.{key}" if path else str(key))
    elif _ordered(wanted) != _ordered(found):
        yield f"{path}: {_shown(found)} -> {_shown(wanted)}"


def _ordered(value: object) -> object:
    """Lists of the API have no order that means anything; of their members only what is said counts."""
    if isinstance(value, list):
        return sorted(value, key=repr)
    return value or None if isinstance(value, (str, Mapping)) else value


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value).replace("\n", " ")


def _network(place: Place) -> dict[str, Any]:
    vpc = place.spec.vpc
    return {"vpcId": vpc.id, "subnets": list(vpc.subnets), "securityGroupIds": list(vpc.security_groups)}


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]
