"""`brqos verify`: proof on live nodes, or on a copied cgroup tree."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli.options import Build, Json, Profile, Quiet, Record
from brqos.cli.session import running
from brqos.errors import ClusterDisagreesError, ClusterUnreachableError, UsageError

if TYPE_CHECKING:
    from brqos.console import Console
    from brqos.kube.kubectl import Access
    from brqos.memoryqos.kubelet import Kubelet
    from brqos.record import StoredBuild
    from brqos.verify.model import Report, Wanted
    from brqos.verify.nodes import Scope


def verify(
    node: Annotated[
        list[str] | None, typer.Option("--node", metavar="NAME", help="A node to verify; repeat it for several.")
    ] = None,
    selector: Annotated[
        str | None, typer.Option("--selector", "-l", metavar="LABELS", help="Verify the nodes with these labels.")
    ] = None,
    nodegroup: Annotated[
        str | None, typer.Option("--nodegroup", metavar="NAME", help="Verify the nodes of this nodegroup or nodepool.")
    ] = None,
    build: Build = None,
    record: Record = None,
    context: Annotated[
        str | None, typer.Option("--context", metavar="NAME", help="kubectl's context; its current one by default.")
    ] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option("--kubeconfig", metavar="FILE", help="kubectl's configuration file.")
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", metavar="NAME", help="Where probe pods are made; the context's by default."),
    ] = None,
    probe_only: Annotated[
        bool, typer.Option("--probe-only", help="Only make the probe pods and compare their values.")
    ] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="Make no pods at all.")] = False,
    execute: Annotated[
        bool, typer.Option("--exec", help="Read the containers that are there, by kubectl exec of cat.")
    ] = False,
    image: Annotated[
        str | None,
        typer.Option("--image", metavar="IMAGE", help="Image of the probes, with sh and cat; busybox by default."),
    ] = None,
    pull_secret: Annotated[
        str | None, typer.Option("--pull-secret", metavar="NAME", help="Secret to pull the probes' image with.")
    ] = None,
    probe_timeout: Annotated[
        float | None,
        typer.Option("--probe-timeout", metavar="SECONDS", min=1, help="How long a probe may take; 120 by default."),
    ] = None,
    request_timeout: Annotated[
        float, typer.Option("--request-timeout", metavar="SECONDS", min=1, help="How long one answer may take.")
    ] = 20.0,
    profile: Profile = None,
    aws: Annotated[
        bool, typer.Option("--aws/--no-aws", help="Ask EC2 for the instance's AMI, where there is a login.")
    ] = True,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the result as JUnit XML, too.")
    ] = None,
    rbac: Annotated[
        bool, typer.Option("--rbac", help="Print the permissions that are needed, as YAML, and do nothing.")
    ] = False,
    cgroup_root: Annotated[
        Path | None,
        typer.Option("--cgroup-root", metavar="DIR", help="Compare a copy of /sys/fs/cgroup, without a cluster."),
    ] = None,
    pods: Annotated[
        Path | None,
        typer.Option("--pods", metavar="FILE", help="The pods of that copy: kubectl get pods -A -o json."),
    ] = None,
    kubernetes: Annotated[
        str | None, typer.Option("--kubernetes", metavar="VERSION", help="Kubernetes version of that copy.")
    ] = None,
    allocatable: Annotated[
        str | None,
        typer.Option(
            "--allocatable", metavar="AMOUNT", help="Capacity less the reserved parts; read from the copy by default."
        ),
    ] = None,
    factor: Annotated[
        float | None, typer.Option("--factor", metavar="F", help="memoryThrottlingFactor of that copy's kubelet.")
    ] = None,
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="P", help="memoryReservationPolicy of that copy's kubelet.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Prove on live nodes that MemoryQoS does what was predicted.

    Six checks: is it the image of the build, is it on, can it work, did it take
    effect (four small probe pods on each node, removed afterwards), do the
    workloads have it (--exec), is it hurting. Without --node, --selector or
    --nodegroup all nodes with an image made by brqos are verified.

    Ends with 8 where a node is not as predicted, 9 where it could not be asked.
    """
    with running(json_output=json, quiet=quiet) as console:
        probing: dict[str, object] = {"--image": image, "--pull-secret": pull_secret, "--probe-timeout": probe_timeout}
        _check_modes(probe_only, read_only, execute, probing)
        if rbac:
            _print_rbac(console, namespace, probe=not read_only, inspect=not probe_only, execute=execute)
            return
        offline: dict[str, object] = {
            "--pods": pods,
            "--kubernetes": kubernetes,
            "--allocatable": allocatable,
            "--factor": factor,
            "--policy": policy,
        }
        wanted = _wanted(console, build, record)
        if cgroup_root is not None:
            live = {"--selector": selector, "--nodegroup": nodegroup, "--context": context, "--kubeconfig": kubeconfig}
            modes = {"--probe-only": probe_only or None, "--read-only": read_only or None, "--exec": execute or None}
            _refuse({**live, **probing, **modes}, "with --cgroup-root", "A copy is compared without any cluster.")
            report = _offline(console, cgroup_root, node or [], offline, wanted)
        else:
            _refuse(offline, "without --cgroup-root", "Live nodes tell that themselves.")
            _check_selection(node, selector, nodegroup)
            from brqos.kube.kubectl import Access

            access = Access(context, kubeconfig, namespace, request_timeout)
            scope = _scope(probe_only, read_only, execute, probing)
            report = _live(console, access, (node or [], selector, nodegroup), wanted, scope, (aws, profile))
        _show(console, report, junit)


def _check_modes(probe_only: bool, read_only: bool, execute: bool, probing: dict[str, object]) -> None:
    if probe_only and read_only:
        raise UsageError("--probe-only and --read-only leave nothing to do", todo="Keep one of them.")
    if probe_only and execute:
        raise UsageError(
            "--exec does not go together with --probe-only",
            why="It reads the workloads, which --probe-only leaves out.",
            todo="Keep one of them.",
        )
    if read_only:
        _refuse(probing, "with --read-only", "No probe is made then.")


def _check_selection(node: list[str] | None, selector: str | None, nodegroup: str | None) -> None:
    if node:
        _refuse({"--selector": selector, "--nodegroup": nodegroup}, "with --node", "The nodes are named already.")


def _refuse(options: dict[str, object], where: str, why: str) -> None:
    if given := [option for option, value in options.items() if value is not None]:
        raise UsageError(f"{', '.join(given)} cannot be used {where}", why=why, todo="Leave one or the other out.")


def _print_rbac(console: "Console", namespace: str | None, *, probe: bool, inspect: bool, execute: bool) -> None:
    from brqos.verify.rbac import rbac

    text = rbac(namespace or "default", probe=probe, inspect=inspect, execute=execute)
    if console.json_output:
        console.data({"yaml": text})
    else:
        console.text(text)


def _wanted(console: "Console", build: str | None, record: Path | None) -> "Wanted | None":
    """What the record says; without one named, the latest real build of this folder, else nothing."""
    from brqos.record import find, stored_builds

    if build is not None or record is not None:
        return _wanted_of(find(build, record))
    stored = next((each for each in stored_builds() if not each.record.rehearsal), None)
    if stored is None:
        console.note("No build record here: nodes are held against what brqos makes in general (see --record).")
        return None
    console.note(f"Nodes are held against the build {stored.record.id} (--build or --record names another).")
    return _wanted_of(stored)


def _wanted_of(stored: "StoredBuild") -> "Wanted":
    from brqos.verify.model import Wanted

    record = stored.record
    settings = record.kubelet_configuration
    return Wanted.model_validate(
        {
            "build": record.id,
            "variant": record.variant,
            "release": record.upstream.release,
            "kubernetes": str(record.spec.variant_name.kubernetes),
            "architecture": record.spec.arch.value,
            "throttling_factor": settings.get("memoryThrottlingFactor", record.spec.kubelet.throttling_factor),
            "reservation_policy": settings.get("memoryReservationPolicy"),
            "delivery": record.delivery.value,
            "amis": () if record.rehearsal else tuple(ami.id for ami in record.amis.values()),
        }
    )


def _scope(probe_only: bool, read_only: bool, execute: bool, probing: dict[str, object]) -> "Scope":
    from brqos.verify.nodes import Scope
    from brqos.verify.probe_pods import IMAGE, ProbeSpec

    secret, timeout = probing["--pull-secret"], probing["--probe-timeout"]
    spec = ProbeSpec(
        image=str(probing["--image"] or IMAGE),
        pull_secret=None if secret is None else str(secret),
        timeout=timeout if isinstance(timeout, float) else 120.0,
    )
    return Scope(probe=None if read_only else spec, inspect=not probe_only, execute=execute)


def _live(
    console: "Console",
    access: "Access",
    chosen: tuple[list[str], str | None, str | None],
    wanted: "Wanted | None",
    scope: "Scope",
    aws: tuple[bool, str | None],
) -> "Report":
    from brqos.aws.session import AwsSession
    from brqos.kube.kubectl import Kubectl
    from brqos.verify.instances import AwsInstances, NoInstances
    from brqos.verify.nodes import verify_nodes
    from brqos.verify.selection import chosen_nodes

    kubectl = Kubectl(access)
    nodes = chosen_nodes(kubectl, *chosen)
    ask_aws, profile = aws
    instances = AwsInstances(AwsSession(profile)) if ask_aws else NoInstances()
    return verify_nodes(kubectl, nodes, wanted, scope, instances, console)


def _offline(
    console: "Console", root: Path, nodes: list[str], given: dict[str, object], wanted: "Wanted | None"
) -> "Report":
    from brqos.verify.offline import read_pods, verify_tree

    pods = given["--pods"]
    if not isinstance(pods, Path):
        raise UsageError(
            "--cgroup-root needs --pods too",
            why="The tree knows pods by their uid only; requests and limits are in the pods.",
            todo="Make the file with: kubectl get pods --all-namespaces --output=json > pods.json",
        )
    if len(nodes) > 1:
        raise UsageError("a cgroup tree is of one node", todo="Give --node once, or leave it out.")
    items = read_pods(pods)
    kubelet = _kubelet_of_copy(console, root, given, wanted)
    return verify_tree(root, items, kubelet, nodes[0] if nodes else None)


def _kubelet_of_copy(console: "Console", root: Path, given: dict[str, object], wanted: "Wanted | None") -> "Kubelet":
    from brqos.errors import ConfigurationError
    from brqos.memoryqos.kubelet import kubelet
    from brqos.memoryqos.quantity import parse_bytes
    from brqos.variant import KubernetesVersion
    from brqos.verify.offline import allocatable_of, settings_of_copy

    version = given["--kubernetes"] or (wanted.kubernetes if wanted else None)
    if version is None:
        raise UsageError(
            "--cgroup-root needs --kubernetes, or a build record",
            why="What the kubelet writes differs from version to version.",
            todo="Add for example --kubernetes 1.29, or --record FILE.",
        )
    kubernetes = KubernetesVersion.parse(str(version))
    text = given["--allocatable"]
    allocatable = allocatable_of(root) if text is None else parse_bytes(str(text))
    if allocatable is None:
        if text is not None:
            raise ConfigurationError(
                f"--allocatable: “{text}” is not an amount in Kubernetes' notation", todo="Write for example 7Gi."
            )
        raise UsageError(
            "--cgroup-root needs --allocatable here",
            why="The tree's kubepods has no memory.max to read it from.",
            todo="Give capacity - kubeReserved - systemReserved, for example --allocatable 7Gi.",
        )
    if text is None:
        console.note(f"Allocatable is {allocatable}, as kubepods' memory.max has it.")
    factor = given["--factor"]
    settings = settings_of_copy(kubernetes, factor if isinstance(factor, float) else None, given["--policy"], wanted)
    return kubelet(
        kubernetes,
        allocatable=allocatable,
        throttling_factor=settings.throttling_factor,
        reservation_policy=settings.reservation_policy,
        fused=wanted is not None and wanted.architecture == "aarch64",
    )


def _show(console: "Console", report: "Report", file: Path | None) -> None:
    from brqos.verify.model import Status
    from brqos.verify.table import COLUMNS, remarks, rows, summary

    if file is not None:
        from brqos.files import write_atomically
        from brqos.verify.junit import junit

        write_atomically(file, junit(report))
    if console.json_output:
        console.data(report.data())
    for node in report.nodes:
        console.line(f"{node.node}", "bold")
        console.table(COLUMNS, rows(node))
        for finding in remarks(node):
            console.line(f"  {finding.what}: {finding.observed or finding.status.value}")
            for line in (*finding.why.splitlines(), *finding.todo.splitlines()):
                console.line(f"    {line}")
        console.line("")
    console.line(summary(report))
    if report.status is Status.FAILED:
        raise ClusterDisagreesError(
            f"MemoryQoS is not as predicted ({summary(report)})", todo="The lines marked FAILED tell where, and why."
        )
    if report.status is Status.UNANSWERED:
        raise ClusterUnreachableError(
            f"not all could be asked ({summary(report)})",
            todo="The lines marked “no answer” tell what, and what to do.",
        )
