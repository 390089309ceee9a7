"""`brqos explain`: what MemoryQoS will do to workloads, on a version and a node."""

import contextlib
import gc
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli.options import Build, Json, Record
from brqos.cli.session import running
from brqos.errors import ConfigurationError

if TYPE_CHECKING:
    from brqos.console import Console
    from brqos.explain.compare import Change, Side, Wishes
    from brqos.explain.configuration import Configuration
    from brqos.explain.result import Explanation, Node
    from brqos.explain.workloads import Workload
    from brqos.kube.kubectl import Kubectl

_STANDARD_INPUT = Path("-")


def explain(
    file: Annotated[
        list[Path] | None,
        typer.Option("--filename", "-f", metavar="FILE", help="Manifest, folder of manifests, or -; may be repeated."),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Take the pods of the cluster, through kubectl.")] = False,
    node: Annotated[
        str | None,
        typer.Option("--node", metavar="NAME", help="Take version, settings and memory from this node of the cluster."),
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", metavar="NS", help="Namespace of the pods, or of objects that name none."),
    ] = None,
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="With --live: the pods of all namespaces.")
    ] = False,
    context: Annotated[str | None, typer.Option("--context", metavar="NAME", help="kubectl's context.")] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option("--kubeconfig", metavar="FILE", help="kubectl's configuration file.")
    ] = None,
    kubernetes: Annotated[
        str | None, typer.Option("--kubernetes", metavar="VERSION", help="Version of the kubelet, for example 1.29.")
    ] = None,
    gate: Annotated[
        str | None, typer.Option("--gate", metavar="on|off", help="The feature gate MemoryQoS; on by default.")
    ] = None,
    factor: Annotated[
        float | None,
        typer.Option("--factor", metavar="F", help="memoryThrottlingFactor; the version's own default otherwise."),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy", metavar="P", help="memoryReservationPolicy: TieredReservation, or None, the kubelet's default."
        ),
    ] = None,
    build: Build = None,
    record: Record = None,
    configz: Annotated[
        Path | None, typer.Option("--configz", metavar="FILE", help="Settings from a saved configz of a node.")
    ] = None,
    allocatable: Annotated[
        str | None,
        typer.Option("--allocatable", metavar="AMOUNT", help="Memory of the formulas: capacity less reservations."),
    ] = None,
    node_allocatable: Annotated[
        str | None,
        typer.Option("--node-allocatable", metavar="AMOUNT", help="Allocatable as `kubectl describe node` shows it."),
    ] = None,
    eviction_hard: Annotated[
        str | None,
        typer.Option("--eviction-hard", metavar="AMOUNT", help="evictionHard of memory.available; 100Mi by default."),
    ] = None,
    capacity: Annotated[
        str | None, typer.Option("--capacity", metavar="AMOUNT", help="Capacity as `kubectl describe node` shows it.")
    ] = None,
    kube_reserved: Annotated[
        str | None, typer.Option("--kube-reserved", metavar="AMOUNT", help="kubeReserved memory.")
    ] = None,
    system_reserved: Annotated[
        str | None, typer.Option("--system-reserved", metavar="AMOUNT", help="systemReserved memory.")
    ] = None,
    instance_type: Annotated[
        str | None,
        typer.Option("--instance-type", metavar="TYPE", help="Estimate the memory from the EC2 instance type."),
    ] = None,
    max_pods: Annotated[
        int | None,
        typer.Option("--max-pods", metavar="N", min=1, max=2000, help="With --instance-type: the kubelet's maxPods."),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option("--compare", metavar="WHAT", help="gate (off and on), or versions: 1.35,1.36,1.37."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page that shows all of it.")
    ] = None,
    json: Json = False,
) -> None:
    """Predict memory.min, low, high and max of workloads, and say why.

    The pods come from manifests (-f) or the cluster (--live), the settings from
    flags, a build record, a configz or a node, else they are the kubelet's own
    defaults. All pods are taken to be on one node.
    """
    with running(json_output=json) as console, _without_collector():
        from brqos.cli.explained_node import MemoryOptions, SettingsOptions, check, node_of
        from brqos.explain.node_memory import memory_of

        reserved = [
            memory_of(option, text) if text is not None else None
            for option, text in (("--kube-reserved", kube_reserved), ("--system-reserved", system_reserved))
        ]
        eviction = (
            memory_of("--eviction-hard", eviction_hard, "memory.available") if eviction_hard is not None else None
        )
        memory = MemoryOptions(
            allocatable, node_allocatable, capacity, instance_type, max_pods, eviction, reserved[0], reserved[1]
        )
        settings = SettingsOptions(kubernetes, gate, factor, policy, build, record, configz)
        check(file, memory, settings, live=live, node=node, all_namespaces=all_namespaces)
        kubectl = _kubectl(context, kubeconfig, namespace) if live or node is not None else None
        where, configuration, wishes = node_of(settings, memory, node, kubectl)
        workloads = _workloads(console, file, kubectl if live else None, node, namespace, all_namespaces)
        if compare is None:
            _one(console, workloads, where, html)
        else:
            _several(console, workloads, where, configuration, wishes, compare, html)


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """All that is read is held to the end: looking for garbage in it costs a fifth of the time and finds none."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _kubectl(context: str | None, kubeconfig: Path | None, namespace: str | None) -> "Kubectl":
    from brqos.kube.kubectl import Access, Kubectl

    return Kubectl(Access(context=context, kubeconfig=kubeconfig, namespace=namespace))


def _workloads(
    console: "Console",
    files: list[Path] | None,
    kubectl: "Kubectl | None",
    node: str | None,
    namespace: str | None,
    all_namespaces: bool,
) -> "tuple[Workload, ...]":
    if kubectl is not None:
        from brqos.explain.live import live_workloads

        return live_workloads(kubectl, node=node, namespace=namespace, all_namespaces=all_namespaces)
    from brqos.explain.documents import read_documents
    from brqos.explain.workloads import workloads_of

    given = files or []
    text = _standard_input() if _STANDARD_INPUT in given else ""
    found = workloads_of(read_documents(given, text), namespace=namespace)
    if found.passed_over:
        others = ", ".join(f"{count} x {kind}" for kind, count in sorted(found.passed_over.items()))
        console.note(f"Passed over what makes no pods: {others}")
    return found.items


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError("standard input is not text in UTF-8", why=str(error)) from None


def _one(console: "Console", workloads: "Sequence[Workload]", node: "Node", html: Path | None) -> None:
    from brqos.explain.json_text import json_text
    from brqos.explain.result import as_json, explain
    from brqos.explain.table import headline

    explanation = explain(workloads, node)
    if html is not None:
        _write_page(console, [("", explanation)], html)
    if console.json_output:
        console.text(json_text(as_json(explanation)))
        return
    for line in headline(explanation):
        console.line(line)
    _show(console, explanation)


def _show(console: "Console", explanation: "Explanation") -> None:
    from brqos.explain import table

    console.line("")
    console.table(table.CONTAINER_COLUMNS, table.container_rows(explanation))
    console.line(table.legend(explanation))
    console.line("")
    console.table(table.POD_COLUMNS, table.pod_rows(explanation))
    console.line("")
    console.table(table.LEVEL_COLUMNS, table.level_rows(explanation))
    console.line("")
    console.text("\n".join(["Why", *(f"  {line}" for line in table.reasons(explanation))]))
    for line in table.warning_lines(explanation):
        console.warn(line)


def _several(
    console: "Console",
    workloads: "Sequence[Workload]",
    node: "Node",
    configuration: "Configuration",
    wishes: "Wishes",
    what: str,
    html: Path | None,
) -> None:
    from dataclasses import asdict

    from brqos.explain import table
    from brqos.explain.compare import changes, compare, kubelets
    from brqos.explain.result import as_json

    sides = compare(workloads, node, kubelets(what, node.kubelet, configuration, wishes))
    found = changes(sides)
    if html is not None:
        _write_page(console, [(side.label, side.explanation) for side in sides], html, found)
    if console.json_output:
        console.data(
            {
                "compare": [{"label": side.label, **as_json(side.explanation)} for side in sides],
                "changes": [asdict(each) for each in found],
            }
        )
        return
    for side in sides:
        console.line(f"{side.label}: {table.headline(side.explanation)[0]}")
    console.line(table.headline(sides[0].explanation)[1])
    console.line("")
    console.table(table.comparison_columns(sides), table.comparison_rows(sides))
    console.line("")
    if found:
        console.table(table.CHANGE_COLUMNS, table.change_rows(found))
    else:
        console.line("Nothing changes for any of these containers.")
    _warn_of_sides(console, sides)


def _warn_of_sides(console: "Console", sides: "Sequence[Side]") -> None:
    for side in sides:
        for line in side.explanation.warnings:
            console.warn(f"{side.label}: {line}")


def _write_page(
    console: "Console", views: "list[tuple[str, Explanation]]", file: Path, changes: "Sequence[Change]" = ()
) -> None:
    from brqos.explain.page import page, write_page

    write_page(file, page(views, changes))
    console.note(f"The page is in {file}")
