"""What an inspection found: rows for a table or JSON, and whether everything is as it was asked for."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from pydantic import Field

from brqos.aws.errors import AwsCallError
from brqos.config.base import Model


class Verdict(StrEnum):
    """`unknown` is what could not be asked, or is not told."""

    OK = "ok"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


class Row(Model):
    """One check in one region."""

    check: str
    expected: str
    found: str
    verdict: Verdict
    note: str = ""


class Inspection(Model):
    """The rows of every region."""

    regions: dict[str, tuple[Row, ...]] = Field(default_factory=dict)

    def having(self, verdict: Verdict) -> dict[str, tuple[Row, ...]]:
        """The regions with rows of that verdict, and those rows."""
        rows = {region: tuple(row for row in rows if row.verdict is verdict) for region, rows in self.regions.items()}
        return {region: found for region, found in rows.items() if found}

    def agrees_in(self, region: str) -> bool:
        """Whether everything of one region was asked and is as it should be."""
        rows = self.regions.get(region, ())
        return bool(rows) and all(row.verdict is Verdict.OK for row in rows)

    @property
    def agreed(self) -> bool:
        """Whether everything was asked and is as it should be, in one region at least."""
        return all(row.verdict is Verdict.OK for rows in self.regions.values() for row in rows) and bool(self.regions)


def compared(check: str, expected: str, found: str, note: str = "") -> Row:
    """The row for two texts that have to be equal."""
    return Row(
        check=check,
        expected=expected,
        found=found,
        verdict=Verdict.OK if expected == found else Verdict.DIFFERENT,
        note=note,
    )


def unknown(check: str, expected: str, why: str) -> Row:
    """The row for what could not be asked."""
    return Row(check=check, expected=expected, found="?", verdict=Verdict.UNKNOWN, note=why)


def asked(check: str, expected: str, look: Callable[[], Iterable[Row]]) -> list[Row]:
    """The rows that `look` gives, or an unknown one where AWS does not answer."""
    try:
        return list(look())
    except AwsCallError as error:
        return [unknown(check, expected, ": ".join(part for part in (error.what, error.why) if part))]


def told(rows: Mapping[str, tuple[Row, ...]]) -> str:
    """The rows as lines of text."""
    return "\n".join(
        f"{region}: {row.check} is {row.found}, expected {row.expected}" + (f" ({row.note})" if row.note else "")
        for region, found in rows.items()
        for row in found
    )
