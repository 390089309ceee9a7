"""Refusing a configuration in words for people: where it stands, what the rule is, and what to write instead."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from brqos.config.model import BuildSpec
from brqos.config.shown import shortened, shown
from brqos.errors import ConfigurationError

Location = tuple[int | str, ...]
# What pydantic appends to the place of a table's key, where the key and not its value is wrong.
_KEY_ITSELF = "[key]"
_OF_KEYS = {"codebuild.variables"}
_OF_THE_RULES = {"string_pattern_mismatch", "string_too_short", "string_too_long"}


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a pattern means, and how to keep to it."""

    why: str
    todo: str


_REGION = _Rule("That is not how AWS writes a region.", "Write it like eu-central-1.")
_ROLE = _Rule(
    "A role is given by its ARN, not by its name.", "Write it like arn:aws:iam::111122223333:role/brqos-publisher."
)
_SUBNET = _Rule("A subnet is given by its id.", "Write it like subnet-0123456789abcdef0.")
_GROUP = _Rule("A security group is given by its id.", "Write it like sg-0123456789abcdef0.")
_POLICY = _Rule("A policy is given by its ARN.", "Write it like arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy.")
_DURATION = _Rule("Karpenter takes hours, minutes and seconds, or Never.", "Write it like 720h or 1h30m.")
_MIRROR = _Rule("A mirror is an https URL or an absolute path.", "Write it like https://mirror.example.com/targets.")
_CODEBUILD_ROLE = _Rule(
    "It is the name of a role for brqos to make, or the ARN of one that is there.",
    "Write it like brqos-codebuild, or arn:aws:iam::111122223333:role/service-role/builds.",
)
# A pattern says little to people: what is meant by it, and an example.
_RULES = {
    "ami.regions": _REGION,
    "ami.name": _Rule(
        "An AMI's name has 3 to 128 characters: letters, digits, spaces and ( ) [ ] . / - ' @ _",
        "Write it like bottlerocket-example-v1.50.0.",
    ),
    "ami.description": _Rule("AWS takes at most 255 characters as an AMI's description.", "Make it shorter."),
    "ami.role": _ROLE,
    "ami.region-roles": _ROLE,
    "ami.kms-keys": _Rule(
        "A key is given by its ARN, not by an alias or its id: encrypting needs to know region and account.",
        "Write it like arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        " (`aws kms describe-key` tells it).",
    ),
    "ami.share-accounts": _Rule("An AWS account has 12 digits, without dashes.", "Write it like 111122223333."),
    "ami.share-organizations": _Rule(
        "An organization is given by its ARN, not by its id.",
        "Write it like arn:aws:organizations::111122223333:organization/o-ab12cd34ef"
        " (`aws organizations describe-organization` tells it).",
    ),
    "ami.share-ous": _Rule(
        "An organizational unit is given by its ARN, not by its id.",
        "Write it like arn:aws:organizations::111122223333:ou/o-ab12cd34ef/ou-ab12-cd34ef56"
        " (`aws organizations describe-organizational-unit` tells it).",
    ),
    "ami.deprecate-after": _Rule(
        "An age is a number from 1 to 9999, followed by d for days, w for weeks or y for years.",
        "Write it like 90d, 26w or 2y.",
    ),
    "ami.ssm-prefix": _Rule(
        "It begins with a slash, ends without one, and has letters, digits and _ . - between slashes; at most 900"
        " characters.",
        "Write it like /images/bottlerocket.",
    ),
    "nodegroup.region": _REGION,
    "nodegroup.cluster": _Rule(
        "An EKS cluster's name has letters, digits, dashes and underscores, at most 100, a letter or digit first.",
        "Give the name as `aws eks list-clusters` shows it.",
    ),
    "nodegroup.name": _Rule(
        "A nodegroup's name has letters, digits and dashes, at most 63, and begins with a letter or a digit.",
        "Write it like memoryqos-1.",
    ),
    "nodegroup.subnets": _SUBNET,
    "nodegroup.vpc.private-subnets": _SUBNET,
    "nodegroup.vpc.public-subnets": _SUBNET,
    "nodegroup.security-groups": _GROUP,
    "nodegroup.ssh-security-groups": _GROUP,
    "nodegroup.vpc.security-group": _GROUP,
    "nodegroup.vpc.id": _Rule("A VPC is given by its id.", "Write it like vpc-0123456789abcdef0."),
    "nodegroup.node-role": _Rule(
        "A role is given by its ARN, not by its name.", "Write it like arn:aws:iam::111122223333:role/nodes."
    ),
    "nodegroup.instance-profile": _Rule(
        "An instance profile is given by its ARN, not by its name.",
        "Write it like arn:aws:iam::111122223333:instance-profile/nodes.",
    ),
    "nodegroup.policies": _POLICY,
    "nodegroup.permissions-boundary": _POLICY,
    "nodegroup.max-unavailable": _Rule(
        "It is a number of nodes or a share of them, from 1 to 100, in quotes.", "Write it like 2 or 25%."
    ),
    "nodegroup.endpoint.api-server": _Rule(
        "It is the URL of the cluster's API server, without a path.",
        "Give what `aws eks describe-cluster --name NAME --query cluster.endpoint` prints.",
    ),
    "nodegroup.endpoint.certificate": _Rule(
        "It is the certificate authority in base64, on one line.",
        "Give what `aws eks describe-cluster --name NAME --query cluster.certificateAuthority.data` prints.",
    ),
    "nodegroup.endpoint.dns-ip": _Rule("It is an IP address.", "Write it like 10.100.0.10."),
    "nodegroup.karpenter.ssm-parameter": _Rule(
        "An SSM parameter's name begins with a slash here, and has letters, digits and _ . - between slashes.",
        "Write it like /images/bottlerocket/aws-k8s-1.29-memoryqos/x86_64/latest/image_id.",
    ),
    "nodegroup.karpenter.expire-after": _DURATION,
    "nodegroup.karpenter.consolidate-after": _DURATION,
    "repack.release": _Rule("It is a release of Bottlerocket's, or the newest.", "Write it like 1.50.0 or newest."),
    "repack.metadata-url": _MIRROR,
    "repack.targets-url": _MIRROR,
    "repack.tuf-root-sha512": _Rule(
        "A SHA-512 has 128 hexadecimal digits in small letters.", "Give what `sha512sum root.json` prints."
    ),
    "codebuild.region": _REGION,
    "codebuild.account": _Rule("An AWS account has 12 digits, without dashes.", "Write it like 111122223333."),
    "codebuild.bucket": _Rule(
        "A bucket's name has 3 to 63 small letters, digits, dots and dashes.", "Write it like example-brqos."
    ),
    "codebuild.image": _Rule(
        "A container image is named as for docker pull; CodeBuild's own ones begin with aws/codebuild/.",
        "Write it like 111122223333.dkr.ecr.eu-central-1.amazonaws.com/brqos:1.0.",
    ),
    "codebuild.project": _Rule(
        "A project's name has 2 to 150 letters, digits, dashes and underscores.", "Write it like brqos."
    ),
    "codebuild.role": _CODEBUILD_ROLE,
    "codebuild.batch-role": _CODEBUILD_ROLE,
    "codebuild.kms-key": _Rule(
        "A key is given by its ARN, not by an alias or its id.",
        "Write it like arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab.",
    ),
    "codebuild.sbkeys": _Rule(
        "The signing profile is a tar file in S3 (s3://bucket/name.tar or .tar.gz), or a secret of Secrets Manager by"
        " its ARN.",
        "Write it like s3://example-secrets/brqos/profile.tar.gz.",
    ),
    "codebuild.vpc.id": _Rule("A VPC is given by its id.", "Write it like vpc-0123456789abcdef0."),
    "codebuild.vpc.subnets": _SUBNET,
    "codebuild.vpc.security-groups": _GROUP,
    "codebuild.variables": _Rule(
        "An environment variable's name has letters, digits and underscores, and no digit first.",
        "Write it like PIP_INDEX_URL.",
    ),
    "build.pretty-name": _Rule(
        "It goes into os-release and the boot menu: 1 to 120 characters, and no quotes, backslashes, dollar signs,"
        " backticks or line breaks.",
        "Write it like Example Corp's Bottlerocket derivative.",
    ),
}


def refused(error: ValidationError, origins: Mapping[str, str]) -> ConfigurationError:
    """The first problem as an error that names the file or flag, the key and what to write.

    `origins` says for every value (`kubelet.throttling-factor`) where it came from.
    """
    problem = error.errors()[0]
    location: Location = problem["loc"]
    of_key = location[-1:] == (_KEY_ITSELF,)
    location = location[:-1] if of_key else location
    place = _place(_dotted(location), origins)
    if problem["type"] == "extra_forbidden":
        return _unknown_key(place, location)
    key = shortened(_dotted(location))
    cause = problem.get("ctx", {}).get("error")
    if isinstance(cause, ConfigurationError):
        return ConfigurationError(f"{place}{key}: {cause.what}", why=cause.why, todo=cause.todo)
    what = f"{place}{key} is refused" if of_key else f"{place}{key} = {shown(problem['input'])} is refused"
    rule = _rule_of_key(location) if of_key and problem["type"] in _OF_THE_RULES else _broken_rule(problem, location)
    if rule is not None:
        return ConfigurationError(what, why=rule.why, todo=rule.todo)
    return ConfigurationError(f"{what}: {problem['msg']}", todo="`brqos init --print` explains every key.")


def check_spelling(tree: Mapping[str, Any], origin: str) -> None:
    """Raise ConfigurationError for a key of a file that is written with underscores.

    The models take it, since records and our own code name fields so; a file has one spelling, that of its schema.
    """
    _check_table(tree, BuildSpec, (), f"{origin}: ")


def _check_table(table: Mapping[str, Any], model: type[BaseModel], above: Location, place: str) -> None:
    for key, value in table.items():
        field = model.model_fields.get(key)
        if field is not None and field.alias not in {None, key}:
            raise _unknown_key(place, (*above, key))
        inner = _submodel(model, key)
        if inner is not None and isinstance(value, dict):
            _check_table(value, inner, (*above, key), place)


def _dotted(location: Location) -> str:
    return ".".join(map(str, location))


def _place(key: str, origins: Mapping[str, str]) -> str:
    """Where a value came from: its own origin, else that of what is in it or around it."""
    inside = (where for known, where in origins.items() if known == key or known.startswith(f"{key}."))
    around = (where for known, where in origins.items() if key.startswith(f"{known}."))
    origin = next(inside, None) or next(around, None)
    return f"{origin}: " if origin else ""


def _unknown_key(place: str, location: Location) -> ConfigurationError:
    nearest = _nearest(location)
    return ConfigurationError(
        f"{place}unknown key “{shortened(_dotted(location))}”",
        why="An unknown key is refused, since a misspelt one would change nothing without a word.",
        todo=f"Did you mean “{nearest}”?" if nearest else "`brqos init --print` shows every key.",
    )


def _rule_of_key(location: Location) -> _Rule:
    """The rule for a table's keys: those that have to be like something are regions, or have a rule for their table."""
    return _RULES[table] if (table := _dotted(location[:-1])) in _OF_KEYS else _REGION


def _broken_rule(problem: ErrorDetails, location: Location) -> _Rule | None:
    """The rule that is broken in words, where pydantic's own words are not for people."""
    kind, given, last = problem["type"], problem["input"], str(location[-1])
    if kind in _OF_THE_RULES:
        # A rule is about a key, or about all that is in its list or table.
        return next(
            (_RULES[key] for end in range(len(location), 0, -1) if (key := _dotted(location[:end])) in _RULES), None
        )
    if kind == "tuple_type":
        return _Rule("A list is wanted here, also for a single value.", f"Write a list: {last} = [{_in_quotes(given)}]")
    if kind in {"dict_type", "model_type"}:
        return _Rule(
            "A table is wanted here.", f"Write a section [{shortened(_dotted(location))}] with a line for each key."
        )
    if kind == "string_type" and isinstance(given, (int, float)):
        if location[:2] == ("ami", "share-accounts"):
            return _Rule("An account is text of 12 digits.", "Put the account in quotes: leading zeros would be lost.")
        return _Rule("Text is wanted here.", f"Put the value in quotes: {_in_quotes(given)}")
    return None


def _in_quotes(given: object) -> str:
    text = given if isinstance(given, str) else shown(given)
    return json.dumps(shortened(text), ensure_ascii=False)


def _nearest(location: Location) -> str | None:
    model: type[BaseModel] | None = BuildSpec
    for part in location[:-1]:
        model = _submodel(model, str(part)) if model else None
    if model is None:
        return None
    keys = [field.alias or name for name, field in model.model_fields.items()]
    found = difflib.get_close_matches(str(location[-1]), keys, n=1, cutoff=0.5)
    return ".".join([*map(str, location[:-1]), *found]) if found else None


def _submodel(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    for name, field in model.model_fields.items():
        if (
            key in {name, field.alias}
            and isinstance(field.annotation, type)
            and issubclass(field.annotation, BaseModel)
        ):
            return field.annotation
    return None
