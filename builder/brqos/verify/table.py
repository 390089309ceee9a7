"""The report as rows of a table: expected and observed side by side, in bytes. Pure."""

from collections.abc import Iterator

from brqos.verify.model import FILES, Check, Compared, Finding, NodeReport, Report, Status

_SIGNS = {
    Status.PASSED: "+ok",
    Status.WARNING: "~warning",
    Status.SKIPPED: "-",
    Status.UNANSWERED: "!no answer",
    Status.FAILED: "!FAILED",
}
COLUMNS = ("CHECK", "", "EXPECTED", "OBSERVED")


def rows(node: NodeReport) -> list[list[str]]:
    """The rows of one node; a cell's first sign is its colour (see Console.table)."""
    return [row for check in node.checks for row in _check(check)]


def _check(check: Check) -> Iterator[list[str]]:
    yield [check.subject.question, _SIGNS[check.status], "", ""]
    for finding in check.findings:
        yield [f"  {finding.what}", _SIGNS[finding.status], finding.expected, finding.observed]
    for entry in check.compared:
        yield from _compared(entry)


def _compared(entry: Compared) -> Iterator[list[str]]:
    if entry.observed is None:
        # Prediction alone is the business of `brqos explain`; here only what stood in the way is worth a line.
        if entry.remark:
            yield [f"  {entry.name}", _SIGNS[entry.status], "", entry.remark]
        return
    qos = f" ({entry.qos_class})" if entry.qos_class and entry.qos_class not in entry.name else ""
    yield [f"  {entry.name}{qos}", _SIGNS[entry.status], "", entry.remark]
    expected = entry.expected.by_file() if entry.expected else {}
    observed = entry.observed.by_file()
    for file in FILES:
        wrong = file in entry.differing
        status = ("~" if entry.status is Status.WARNING else "!") + "differs" if wrong else ""
        yield [f"    {file}", status, str(expected.get(file, "-")), str(observed[file])]


def remarks(node: NodeReport) -> list[Finding]:
    """The findings that need words: why it is so, and what to do."""
    grave = (Status.FAILED, Status.UNANSWERED, Status.WARNING)
    return [
        finding
        for check in node.checks
        for finding in check.findings
        if finding.status in grave and (finding.why or finding.todo)
    ]


def summary(report: Report) -> str:
    """One line for all nodes."""
    by_status = {status: sum(node.status is status for node in report.nodes) for status in Status}
    words = {
        Status.PASSED: "as predicted",
        Status.WARNING: "with warnings",
        Status.SKIPPED: "not looked at",
        Status.UNANSWERED: "without an answer",
        Status.FAILED: "not as predicted",
    }
    parts = [f"{count} {words[status]}" for status, count in by_status.items() if count]
    return f"{len(report.nodes)} node(s): {', '.join(parts)}"
