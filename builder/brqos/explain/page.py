"""One page that shows everything: self-contained, no network, for a screen, a phone and paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from brqos import __version__
from brqos.errors import ConfigurationError
from brqos.explain.compare import Change, shown
from brqos.explain.result import ExplainedContainer, Explanation
from brqos.explain.table import headline, level_rows, pod_name, pod_rows, warning_lines
from brqos.files import write_atomically
from brqos.memoryqos.kubelet import Amount, CgroupMemory
from brqos.memoryqos.quantity import readable
from brqos.rendering import render

_MARK = "<!doctype html>\n<!-- brqos explain -->"
_FILES = ("min", "low", "high", "max")


@dataclass(frozen=True, slots=True)
class Bar:
    """The parts of a container's bar in percent of its node's memory, and where its marks are."""

    hard: float
    soft: float
    free: float
    throttled: float
    unlimited: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A value: for people, and as the number by which it sorts (`max` above all)."""

    text: str
    number: int
    exact: str


@dataclass(frozen=True, slots=True)
class Row:
    """One container."""

    pod: str
    container: str
    kind: str
    qos: str
    replicas: int
    cells: tuple[Cell, ...]
    bar: Bar
    why: str
    warnings: tuple[str, ...]
    label: str


@dataclass(frozen=True, slots=True)
class View:
    """One explanation; `label` tells it from the others of a comparison."""

    label: str
    headline: list[str]
    memory: str
    rows: list[Row]
    pods: list[list[str]]
    levels: list[list[str]]
    warnings: list[str]


def page(views: Sequence[tuple[str, Explanation]], changes: Sequence[Change] = ()) -> str:
    """The page of one explanation, or of the sides of a comparison, each with its label, and what changes between."""
    made = [_view(label, one) for label, one in views]
    return render("explain.html", views=made, changes=changes, version=__version__)


def write_page(file: Path, content: str) -> None:
    """Write the page; raises ConfigurationError rather than replace a file that is none of ours."""
    try:
        with file.open(encoding="utf-8") as before:
            ours = before.read(len(_MARK)) == _MARK
    except FileNotFoundError:
        ours = True
    except (OSError, UnicodeDecodeError):
        ours = False
    if not ours:
        raise ConfigurationError(
            f"{file} is there already and is no page of brqos", todo="Name another file with --html, or remove it."
        )
    write_atomically(file, content)


def _view(label: str, explanation: Explanation) -> View:
    allocatable = explanation.node.kubelet.allocatable
    return View(
        label,
        headline(explanation),
        readable(allocatable),
        [_row(each, allocatable) for each in explanation.containers],
        pod_rows(explanation),
        level_rows(explanation),
        warning_lines(explanation),
    )


def _row(each: ExplainedContainer, allocatable: int) -> Row:
    values = [_cell(name, getattr(each.memory, name)) for name in _FILES]
    return Row(
        pod_name(each),
        each.container.name,
        each.container.kind.value,
        each.qos.value,
        each.workload.replicas,
        tuple(values),
        bar(each.memory, allocatable),
        each.prediction.why,
        each.warnings,
        ", ".join(f"memory.{name} {cell.text}" for name, cell in zip(_FILES, values, strict=True)),
    )


def _cell(name: str, amount: Amount) -> Cell:
    if amount == "max":
        return Cell("max", 2**63, "max")
    text = shown(amount) if amount else "0"
    return Cell(text, int(amount), f"memory.{name} = {amount} bytes")


def bar(memory: CgroupMemory, allocatable: int) -> Bar:
    """The parts, which add up to at most 100: hard (min), soft (low), free up to high, throttled up to max."""

    def share(amount: Amount) -> float:
        return 100.0 if isinstance(amount, str) else min(100.0, 100 * amount / allocatable)

    hard = share(memory.min)
    soft = max(share(memory.low), hard)
    end = max(share(memory.max), soft)
    high = min(max(share(memory.high), soft), end)
    return Bar(
        round(hard, 3),
        round(soft - hard, 3),
        round(high - soft, 3),
        round(end - high, 3),
        unlimited=memory.max == "max",
    )
