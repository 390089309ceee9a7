"""Whether an AMI was published as it was asked for: permissions, marks, parameters. Pure."""

from collections.abc import Iterable, Mapping

from brqos.ami.inspection.result import Row, Verdict
from brqos.ami.publication import Publication
from brqos.ami.publishing.marks import deprecation_time, is_protected, same_time
from brqos.ami.publishing.parameter_names import Wanted
from brqos.ami.publishing.sharing import wanted_grants, wanted_readers
from brqos.aws.ec2 import DescribedImage
from brqos.aws.image_attributes import Grants
from brqos.aws.parameters import Parameter


def permissions_row(publication: Publication, found: Grants) -> Row:
    """Whether the AMI can be launched by those it was shared with; public without being asked for is a difference."""
    return _grants_row("launch permissions", wanted_grants(publication), found)


def readers_row(role: str, publication: Publication, found: Grants) -> Row:
    """The same for who may read a snapshot."""
    return _grants_row(f"{role} snapshot, permissions", wanted_readers(publication), found)


def _grants_row(check: str, expected: Grants, found: Grants) -> Row:
    extras = found - expected
    others = [name for name in extras.names if name != "all"]
    return Row(
        check=check,
        expected=_named(expected),
        found=_named(found),
        verdict=Verdict.DIFFERENT if expected - found or extras.public else Verdict.OK,
        note=f"Also shared with {', '.join(others)}, which was not asked for now." if others else "",
    )


def mark_rows(publication: Publication, image: DescribedImage) -> list[Row]:
    """The deprecation and the protection, those that were asked for."""
    rows = []
    if publication.deprecate_after_days is not None:
        at = deprecation_time(image.created, publication.deprecate_after_days) if image.created else None
        found = f"{image.deprecated_at:%Y-%m-%d %H:%M}" if image.deprecated_at else "none"
        verdict = Verdict.OK if at and same_time(at, image.deprecated_at) else Verdict.DIFFERENT
        rows.append(
            Row(
                check="deprecation",
                expected=f"{at:%Y-%m-%d %H:%M}"
                if at
                else f"{publication.deprecate_after_days} days after its creation",
                found=found,
                verdict=verdict if at else Verdict.UNKNOWN,
                note="" if at else "AWS does not tell when the AMI was made.",
            )
        )
    if publication.protect:
        rows.append(
            Row(
                check="deregistration protection",
                expected="enabled",
                found=image.protection,
                verdict=Verdict.OK if is_protected(image) else Verdict.DIFFERENT,
            )
        )
    return rows


def parameter_rows(wishes: Iterable[Wanted], found: Mapping[str, Parameter]) -> list[Row]:
    """The parameters, each with its value."""
    rows = []
    for wish in wishes:
        there = found.get(wish.name)
        other_type = there is not None and there.data_type != wish.data_type
        rows.append(
            Row(
                check=wish.name,
                expected=wish.value,
                found=there.value if there else "not there",
                verdict=Verdict.OK if there is not None and there.value == wish.value else Verdict.DIFFERENT,
                note=f"Its data type is {there.data_type}, not {wish.data_type}." if there and other_type else "",
            )
        )
    return rows


def _named(grants: Grants) -> str:
    return ", ".join(grants.names) or "none"
