"""Names and values of the SSM parameters of a version, from templates. Pure.

The first two are pubsys's (twoliter, tools/pubsys/policies/ssm/defaults.toml): `arch` is EC2's word (parse_arch in
tools/pubsys/src/aws/mod.rs), `image_version` is `<release>-<short commit>` (BUILDSYS_VERSION_FULL in twoliter/embedded/
Makefile.toml). Other than pubsys, brqos gives what is exactly an AMI's id the data type aws:ec2:image, so that a launch
template may name the parameter instead of the AMI. Further ones are `[ami.ssm-parameters]`, in the same words.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from brqos.ami.publication import LATEST, Publication, Subject
from brqos.aws.parameters import IMAGE, TEXT
from brqos.errors import ConfigurationError

# PutParameter's documentation, "Name": 1011 characters with the ARN before it, whose head takes at most 61; 15 levels.
_LONGEST = 950
_MOST_LEVELS = 15
_NAME = re.compile(r"(/[A-Za-z0-9_.-]+)+", re.ASCII)
_VARIABLE = re.compile(r"\{([a-z_]+)\}")
_PUBSYS = {
    "{variant}/{arch}/{image_version}/image_id": "{image_id}",
    "{variant}/{arch}/{image_version}/image_version": "{image_version}",
}
_IN_NAMES = ("variant", "arch", "image_version")
_IN_VALUES = ("variant", "arch", "image_version", "image_id", "image_name", "region")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the parameters of one version, or of `latest`."""

    image_id: str
    image_version: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A parameter as it shall be."""

    name: str
    value: str
    data_type: str


def names(prefix: str, subject: Subject, version: str | None = None) -> Names:
    """The names for the subject's own version, or for another one such as `latest`."""
    folder = f"{prefix.rstrip('/')}/{subject.variant}/{subject.arch}/{version or subject.image_version}"
    return Names(f"{folder}/image_id", f"{folder}/image_version")


def check_parameters(publication: Publication) -> None:
    """Refuse names and tags that SSM would refuse, and what would be taken for `latest`; raises ConfigurationError."""
    if publication.ssm_prefix is None:
        return
    if publication.subject.image_version == LATEST:
        raise ConfigurationError(
            f"the image's version cannot be “{LATEST}” where SSM parameters are asked for",
            why="That is the name for the version that was promoted.",
            todo="Give another --image-version.",
        )
    for template in (*_PUBSYS, *publication.parameters):
        _check_template(template, publication)
    for wish in wanted(publication, "ami-00000000000000000", "eu-west-1"):
        if problem := _problem(wish.name):
            raise ConfigurationError(
                f"“{wish.name}” cannot be the name of an SSM parameter",
                why=problem,
                todo="Give another --ssm-prefix, or another name in [ami.ssm-parameters].",
            )
    for tag, value in publication.tags.items():
        if not all(_is_for_tags(character) for character in tag + value):
            raise ConfigurationError(
                f"an SSM parameter cannot have the tag “{tag}” with the value “{value}”",
                why="SSM takes letters, digits, spaces and _ . : / = + - @ in tags, which is less than EC2 takes.",
                todo="Give the tag another value, or leave --ssm-prefix out.",
            )


def _is_for_tags(character: str) -> bool:
    # The pattern of Tag in SSM's API: [\p{L}\p{Z}\p{N}_.:/=+\-@]*
    return character in "_.:/=+-@" or unicodedata.category(character)[0] in "LZN"


def _problem(name: str) -> str:
    if not _NAME.fullmatch(name):
        return "Names have letters, digits and . - _ between slashes."
    if name.count("/") > _MOST_LEVELS:
        return f"SSM has {_MOST_LEVELS} levels at most; variant, architecture, version and name take four of them."
    if len(name) > _LONGEST:
        return f"It is longer than {_LONGEST} characters."
    if name.lower().startswith(("/aws", "/ssm")):
        return "AWS keeps names that begin with “aws” or “ssm” for itself."
    return ""


def wanted(publication: Publication, image_id: str, region: str) -> tuple[Wanted, ...]:
    """The parameters that shall name the AMI, `image_id` and `image_version` first; none without a prefix."""
    return _wanted(publication, publication.subject.image_version, image_id, region)


def wanted_latest(publication: Publication, image_id: str, region: str) -> tuple[Wanted, ...]:
    """The parameters of `latest` once the version is promoted."""
    return _wanted(publication, LATEST, image_id, region)


def _wanted(publication: Publication, version: str, image_id: str, region: str) -> tuple[Wanted, ...]:
    """The parameters under the names of a version (or `latest`), with the values of the subject's own version."""
    if publication.ssm_prefix is None:
        return ()
    variables = {**_variables(publication.subject), "image_id": image_id, "region": region}
    named = {**variables, "image_version": version}
    return tuple(
        Wanted(_below(publication.ssm_prefix, name, named), _filled(value, variables), _data_type(value))
        for name, value in {**_PUBSYS, **publication.parameters}.items()
    )


def further_names(publication: Publication, version: str) -> tuple[str, ...]:
    """The names of a version's parameters beside pubsys's two, in the order of their templates."""
    variables = {**_variables(publication.subject), "image_version": version}
    prefix = publication.ssm_prefix or ""
    return tuple(_below(prefix, name, variables) for name in publication.parameters if name not in _PUBSYS)


def _variables(subject: Subject) -> dict[str, str]:
    return {
        "variant": subject.variant,
        "arch": subject.arch,
        "image_version": subject.image_version,
        "image_name": subject.image_name,
    }


def _below(prefix: str, template: str, variables: Mapping[str, str]) -> str:
    return f"{prefix.rstrip('/')}/{_filled(template, variables).lstrip('/')}"


def _filled(template: str, variables: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: variables[match[1]], template)


def _data_type(value: str) -> str:
    # What is exactly an AMI's id may be checked by SSM, and used by a launch template.
    return IMAGE if value == "{image_id}" else TEXT


def _check_template(name: str, publication: Publication) -> None:
    value = publication.parameters.get(name, "")
    for text, known in ((name, _IN_NAMES), (value, _IN_VALUES)):
        unknown = [word for word in _VARIABLE.findall(text) if word not in known]
        if unknown or "{" in _VARIABLE.sub("", text):
            raise ConfigurationError(
                f"“{text}” in [ami.ssm-parameters] is not a template that can be filled in",
                why=f"Known there: {', '.join(f'{{{word}}}' for word in known)}.",
                todo="Correct it.",
            )
    if "{image_version}" not in name:
        raise ConfigurationError(
            f"the SSM parameter “{name}” would be the same one for every version",
            why="A version's parameters are made once; `latest` is what moves, with --promote.",
            todo="Put {image_version} into its name.",
        )
