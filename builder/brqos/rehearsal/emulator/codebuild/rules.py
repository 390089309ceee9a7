"""What CodeBuild accepts of a project: the constraints of the API reference, and those that the user guide adds.

Which machine has which sizes: user guide, "Build environment compute modes and types". Sources other than S3 and none,
and sizes by attributes, are not emulated, and are refused.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from brqos.rehearsal.emulator.codebuild.call import invalid

MEMBERS = frozenset(
    {
        "name", "description", "source", "artifacts", "cache", "environment", "serviceRole", "timeoutInMinutes",
        "queuedTimeoutInMinutes", "encryptionKey", "tags", "logsConfig", "buildBatchConfig", "concurrentBuildLimit",
        "vpcConfig",
    }
)  # fmt: skip
"""The members of CreateProject and UpdateProject that are emulated."""
REQUIRED = ("name", "source", "artifacts", "environment", "serviceRole")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,149}")
_ROLE = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::(?P<account>\d{12}):role/[!-~]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAG = re.compile(r"[\w\s.:/=@+-]*")
_S3_ZIP = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+")
_SIZES = ("SMALL", "MEDIUM", "LARGE", "XLARGE", "2XLARGE")
_GENERAL = frozenset(f"BUILD_GENERAL1_{size}" for size in _SIZES)
_LAMBDA = frozenset(f"BUILD_LAMBDA_{size}GB" for size in (1, 2, 4, 8, 10))
_COMPUTE = {
    "LINUX_CONTAINER": _GENERAL,
    "ARM_CONTAINER": _GENERAL,
    "LINUX_GPU_CONTAINER": frozenset({"BUILD_GENERAL1_SMALL", "BUILD_GENERAL1_LARGE"}),
    "LINUX_EC2": _GENERAL,
    "ARM_EC2": _GENERAL,
    "LINUX_LAMBDA_CONTAINER": _LAMBDA,
    "ARM_LAMBDA_CONTAINER": _LAMBDA,
}


def check_project(asked: Mapping[str, Any], account: str) -> None:
    """Whether a project may be like this; raises ServiceError."""
    for name in REQUIRED:
        if name not in asked:
            raise invalid(f"Invalid project: {name} is required")
    name = asked["name"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise invalid(f"Invalid project name: {name!r} must match [A-Za-z0-9][A-Za-z0-9\\-_]{{1,149}}")
    if not isinstance(asked.get("description", ""), str) or len(asked.get("description", "")) > 255:
        raise invalid("Invalid description: at most 255 characters")
    check_role(asked["serviceRole"], account)
    check_source(asked["source"])
    _check_choice("artifacts.type", _object("artifacts", asked["artifacts"], {"type"}).get("type"), ("NO_ARTIFACTS",))
    check_environment(asked["environment"])
    _check_number("timeoutInMinutes", asked.get("timeoutInMinutes"), 5, 2160)
    _check_number("queuedTimeoutInMinutes", asked.get("queuedTimeoutInMinutes"), 5, 480)
    _check_number("concurrentBuildLimit", asked.get("concurrentBuildLimit"), 1, 1 << 31)
    _check_tags(asked.get("tags", []))
    _check_network(_object("vpcConfig", asked.get("vpcConfig", {}), {"vpcId", "subnets", "securityGroupIds"}))
    _check_logs(_object("logsConfig", asked.get("logsConfig", {}), {"cloudWatchLogs", "s3Logs"}))
    _check_cache(_object("cache", asked.get("cache", {"type": "NO_CACHE"}), {"type", "location", "modes"}))
    if "buildBatchConfig" in asked:
        check_batch_config(asked["buildBatchConfig"], account)


def check_role(arn: object, account: str) -> None:
    """Whether it is the ARN of a role of the account; raises ServiceError."""
    match = _ROLE.fullmatch(arn) if isinstance(arn, str) else None
    if match is None or match["account"] != account:
        raise invalid(
            "Invalid service role: Service role account ID does not match caller's account"
            if match
            else "Invalid service role"
        )


def check_source(value: object) -> None:
    """Whether the source is one; raises ServiceError."""
    source = _object("source", value, {"type", "location", "buildspec", "insecureSsl"})
    _check_choice("source.type", source.get("type"), ("S3", "NO_SOURCE"))
    location = source.get("location", "")
    if source["type"] == "S3" and not (isinstance(location, str) and _S3_ZIP.fullmatch(location)):
        raise invalid("Invalid project source: location must be a valid S3 source, such as bucket/path/object.zip")
    if source["type"] == "NO_SOURCE" and location:
        raise invalid("Invalid project source: location must be empty for source type NO_SOURCE")
    if source["type"] == "NO_SOURCE" and not source.get("buildspec"):
        raise invalid("Invalid project source: buildspec is required for source type NO_SOURCE")


def check_environment(value: object) -> None:
    """Whether the environment is one that builds can have; raises ServiceError."""
    members = {"type", "image", "computeType", "environmentVariables", "privilegedMode", "imagePullCredentialsType"}
    environment = _object("environment", value, members)
    _check_choice("environment.type", environment.get("type"), _COMPUTE)
    _check_choice("environment.computeType", environment.get("computeType"), _GENERAL | _LAMBDA)
    if environment["computeType"] not in _COMPUTE[environment["type"]]:
        raise invalid(f"Invalid compute type {environment['computeType']} for environment type {environment['type']}")
    if not isinstance(environment.get("image"), str) or not environment["image"]:
        raise invalid("Invalid environment: image is required")
    privileged = environment.get("privilegedMode", False)
    if not isinstance(privileged, bool):
        raise invalid("Invalid environment: privilegedMode must be a boolean")
    if privileged and "LAMBDA" in environment["type"]:
        raise invalid(f"Privileged mode is not supported for environment type {environment['type']}")
    pulled = environment.get("imagePullCredentialsType", "CODEBUILD")
    _check_choice("environment.imagePullCredentialsType", pulled, ("CODEBUILD", "SERVICE_ROLE"))
    curated = environment["image"].startswith("aws/codebuild/")
    if curated and pulled != "CODEBUILD":
        raise invalid("imagePullCredentialsType must be CODEBUILD for an image of CodeBuild's own")
    check_variables(environment.get("environmentVariables", []))


def check_variables(value: object) -> dict[str, str]:
    """The variables of a list; raises ServiceError."""
    found: dict[str, str] = {}
    for item in _list("environmentVariables", value):
        variable = _object("environmentVariables", item, {"name", "value", "type"})
        name, text = variable.get("name"), variable.get("value")
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name) or not isinstance(text, str):
            raise invalid(f"Invalid environment variable: {name!r}")
        _check_choice("environmentVariables.type", variable.get("type", "PLAINTEXT"), ("PLAINTEXT",))
        if name in found:
            raise invalid(f"Invalid environment variables: {name} is given twice")
        found[name] = text
    return found


def check_batch_config(value: object, account: str) -> None:
    """Whether the configuration of batches is one; raises ServiceError."""
    members = {"serviceRole", "restrictions", "timeoutInMins", "combineArtifacts", "batchReportMode"}
    config = _object("buildBatchConfig", value, members)
    if "serviceRole" not in config:
        raise invalid("Invalid batch configuration: a service role is required")
    check_role(config["serviceRole"], account)
    # The console says 480, and the API gives 2160 where nothing is said (aws/aws-sdk#624).
    _check_number("buildBatchConfig.timeoutInMins", config.get("timeoutInMins"), 5, 2160)
    restrictions = _object(
        "restrictions", config.get("restrictions", {}), {"maximumBuildsAllowed", "computeTypesAllowed"}
    )
    _check_number("restrictions.maximumBuildsAllowed", restrictions.get("maximumBuildsAllowed"), 1, 100)
    for each in _list("computeTypesAllowed", restrictions.get("computeTypesAllowed", [])):
        _check_choice("restrictions.computeTypesAllowed", each, _GENERAL | _LAMBDA)


def _check_tags(value: object) -> None:
    listed = _list("tags", value)
    if len(listed) > 50:
        raise invalid("Invalid tags: at most 50 tags are allowed")
    keys: set[str] = set()
    for item in listed:
        tag = _object("tags", item, {"key", "value"})
        key, text = tag.get("key"), tag.get("value")
        if not isinstance(key, str) or not 1 <= len(key) <= 127 or not _TAG.fullmatch(key) or key.startswith("aws:"):
            raise invalid(f"Invalid tag key: {key!r}")
        if not isinstance(text, str) or len(text) > 255 or not _TAG.fullmatch(text):
            raise invalid(f"Invalid tag value of {key}")
        if key in keys:
            raise invalid(f"Invalid tags: {key} is given twice")
        keys.add(key)


def _check_network(config: Mapping[str, Any]) -> None:
    if not config:
        return
    if not str(config.get("vpcId", "")).startswith("vpc-"):
        raise invalid("Invalid vpc config: vpcId is required")
    for member, prefix, most in (("subnets", "subnet-", 16), ("securityGroupIds", "sg-", 5)):
        listed = _list(member, config.get(member, []))
        if not 1 <= len(listed) <= most or not all(str(each).startswith(prefix) for each in listed):
            raise invalid(f"Invalid vpc config: {member} must be 1 to {most} ids")


def _check_logs(config: Mapping[str, Any]) -> None:
    for name, given in config.items():
        logs = _object(name, given, {"status", "groupName", "streamName", "location", "encryptionDisabled"})
        _check_choice(f"logsConfig.{name}.status", logs.get("status"), ("ENABLED", "DISABLED"))
        if name == "s3Logs" and logs["status"] == "ENABLED":
            raise invalid("logsConfig.s3Logs is not emulated")
        if logs["status"] == "DISABLED" and (logs.get("groupName") or logs.get("streamName")):
            raise invalid("Invalid logsConfig: group and stream names must not be given where logs are disabled")


def _check_cache(cache: Mapping[str, Any]) -> None:
    _check_choice("cache.type", cache.get("type"), ("NO_CACHE", "LOCAL", "S3"))
    modes = ("LOCAL_DOCKER_LAYER_CACHE", "LOCAL_SOURCE_CACHE", "LOCAL_CUSTOM_CACHE")
    for mode in _list("cache.modes", cache.get("modes", [])):
        _check_choice("cache.modes", mode, modes)


def _check_choice(where: str, value: object, choices: Collection[str]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise invalid(f"Invalid {where}: {value!r} is not emulated, or not one of {', '.join(sorted(choices))}")


def _check_number(where: str, value: object, least: int, most: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise invalid(f"Invalid {where}: must be between {least} and {most}")


def _object(where: str, value: object, members: Collection[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(f"Invalid {where}: an object is expected")
    if unknown := sorted(set(value) - set(members)):
        raise invalid(f"Invalid {where}: {unknown[0]} is not emulated, or not known")
    return value


def _list(where: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise invalid(f"Invalid {where}: a list is expected")
    return value
