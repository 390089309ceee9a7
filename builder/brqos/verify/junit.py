"""The report as JUnit XML, as CI systems read it: a suite per node, a case per finding and compared cgroup. Pure."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

from brqos.verify.model import Compared, Finding, NodeReport, Report, Status, Subject

# What XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ELEMENTS = {Status.FAILED: "failure", Status.UNANSWERED: "error", Status.SKIPPED: "skipped"}


@dataclass(frozen=True, slots=True)
class _Case:
    name: str
    status: Status
    message: str
    text: str


def junit(report: Report) -> str:
    """FAILED is a failure, UNANSWERED an error, SKIPPED skipped; a WARNING passes and says so in its output."""
    root = ET.Element("testsuites", {"name": "brqos verify"})
    for node in report.nodes:
        root.append(_suite(node))
    if report.left:
        left = _Case("probe pods removed", Status.UNANSWERED, "some are left", "\n".join(report.left))
        suite = ET.SubElement(root, "testsuite", {"name": "removal", **_counts([left])})
        suite.append(_element("removal", left))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(node: NodeReport) -> ET.Element:
    cases = [(check.subject, case) for check in node.checks for case in _cases(check.findings, check.compared)]
    suite = ET.Element("testsuite", {"name": _xml(node.node), **_counts([case for _, case in cases])})
    for subject, case in cases:
        suite.append(_element(f"{node.node}.{Subject(subject).value}", case))
    return suite


def _counts(cases: list[_Case]) -> dict[str, str]:
    def count(status: Status) -> str:
        return str(sum(case.status is status for case in cases))

    return {
        "tests": str(len(cases)),
        "failures": count(Status.FAILED),
        "errors": count(Status.UNANSWERED),
        "skipped": count(Status.SKIPPED),
    }


def _cases(findings: tuple[Finding, ...], compared: tuple[Compared, ...]) -> Iterator[_Case]:
    for finding in findings:
        lines = [f"expected: {finding.expected}", f"observed: {finding.observed}", finding.why, finding.todo]
        yield _Case(finding.what, finding.status, finding.observed or finding.why, "\n".join(filter(None, lines)))
    for entry in compared:
        message = ", ".join(entry.differing) or entry.remark
        yield _Case(entry.name, entry.status, message, "\n".join([*_values(entry), entry.remark, entry.why]))


def _values(entry: Compared) -> list[str]:
    expected = entry.expected.by_file() if entry.expected else {}
    observed = entry.observed.by_file() if entry.observed else {}
    files = expected or observed
    return [f"{file}: expected {expected.get(file, '-')}, observed {observed.get(file, '-')}" for file in files]


def _element(classname: str, case: _Case) -> ET.Element:
    element = ET.Element("testcase", {"classname": _xml(classname), "name": _xml(case.name), "time": "0"})
    tag = _ELEMENTS.get(case.status)
    if tag is not None:
        ET.SubElement(element, tag, {"message": _xml(case.message)}).text = _xml(case.text)
    elif case.status is Status.WARNING:
        ET.SubElement(element, "system-out").text = _xml(f"warning: {case.text}")
    return element


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
