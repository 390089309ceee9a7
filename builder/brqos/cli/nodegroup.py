"""`brqos nodegroup`: the eksctl file for a nodegroup that uses an AMI of ours."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli.options import Build, Json, Record
from brqos.cli.pairs import pairs
from brqos.cli.session import running
from brqos.errors import UsageError

if TYPE_CHECKING:
    from brqos.console import Console
    from brqos.nodes.request import NodegroupRequest

_STANDARD_OUTPUT = Path("-")


def nodegroup(
    ami: Annotated[
        str | None,
        typer.Option("--ami", metavar="ID", help="AMI to use, with --arch and --variant; else that of a build."),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option("--arch", metavar="ARCH", help="The AMI's architecture: x86_64 (amd64) or aarch64 (arm64)."),
    ] = None,
    variant: Annotated[
        str | None,
        typer.Option("--variant", metavar="NAME", help="The AMI's Bottlerocket variant, for example aws-k8s-1.29."),
    ] = None,
    build: Build = None,
    record: Record = None,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="NAME", help="EKS cluster that the nodes join.")
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", metavar="REGION", help="Region of the AMI and the cluster.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Name of the nodegroup; made from variant and AMI by default."),
    ] = None,
    self_managed: Annotated[
        bool, typer.Option("--self-managed", help="Make a self-managed nodegroup instead of an EKS managed one.")
    ] = False,
    instance_type: Annotated[
        list[str] | None,
        typer.Option("--instance-type", metavar="TYPE", help="EC2 instance type; repeat it for several."),
    ] = None,
    min_size: Annotated[int | None, typer.Option("--min-size", metavar="N", help="Least number of nodes.")] = None,
    max_size: Annotated[int | None, typer.Option("--max-size", metavar="N", help="Largest number of nodes.")] = None,
    desired: Annotated[int | None, typer.Option("--desired", metavar="N", help="Number of nodes at first.")] = None,
    volume_size: Annotated[
        int | None, typer.Option("--volume-size", metavar="GIB", help="Size of the data volume; at least 20, else 80.")
    ] = None,
    max_pods: Annotated[
        int | None,
        typer.Option("--max-pods", metavar="N", help="Most pods on a node; written where each kind wants it."),
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="Label of the nodes; may be repeated.")
    ] = None,
    taint: Annotated[
        list[str] | None,
        typer.Option("--taint", metavar="KEY=VALUE:EFFECT", help="Taint of the nodes; may be repeated."),
    ] = None,
    kube_reserved: Annotated[
        list[str] | None,
        typer.Option("--kube-reserved", metavar="KEY=AMOUNT", help="Kept for the kubelet, for example memory=500Mi."),
    ] = None,
    system_reserved: Annotated[
        list[str] | None,
        typer.Option("--system-reserved", metavar="KEY=AMOUNT", help="Kept for the system, for example memory=200Mi."),
    ] = None,
    eviction_hard: Annotated[
        list[str] | None,
        typer.Option(
            "--eviction-hard", metavar="SIGNAL=AMOUNT", help="Eviction threshold, for example memory.available=200Mi."
        ),
    ] = None,
    private_networking: Annotated[
        bool, typer.Option("--private-networking", help="Give the nodes no public addresses.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="File to write; - or nothing prints it on standard output."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it has other content.")] = False,
    json: Json = False,
) -> None:
    """Write the eksctl file for a nodegroup that uses an AMI made by brqos.

    The AMI is that of the latest build, or of --build or --record. Any other is
    given with --ami, --arch and --variant; no build and no AWS login is needed then.

    What eksctl, EKS or Bottlerocket would refuse is refused here, with the reason.
    """
    with running(json_output=json) as console:
        given = {
            "cluster": cluster,
            "region": region,
            "name": name,
            "self_managed": self_managed or None,
            "instance_types": tuple(instance_type or ()) or None,
            "min_size": min_size,
            "max_size": max_size,
            "desired_capacity": desired,
            "volume_size": volume_size,
            "max_pods": max_pods,
            "private_networking": private_networking or None,
            "labels": pairs("--label", label) or None,
            "taints": tuple(taint or ()) or None,
            "kube_reserved": pairs("--kube-reserved", kube_reserved) or None,
            "system_reserved": pairs("--system-reserved", system_reserved) or None,
            "eviction_hard": pairs("--eviction-hard", eviction_hard) or None,
        }
        wishes: dict[str, object] = {field: value for field, value in given.items() if value is not None}
        request = _request(ami, arch, variant, build, record, wishes)
        _emit(console, request, None if output == _STANDARD_OUTPUT else output, force=force)


def _request(
    ami: str | None,
    arch: str | None,
    variant: str | None,
    build: str | None,
    record: Path | None,
    wishes: dict[str, object],
) -> "NodegroupRequest":
    if ami is not None:
        if build is not None or record is not None:
            raise UsageError(
                "--ami does not go together with --build or --record",
                why="A build knows its own AMI.",
                todo="Keep one of them.",
            )
        return _request_for_ami(ami, arch, variant, wishes)
    if arch is not None or variant is not None:
        raise UsageError(
            "--arch and --variant need --ami",
            why="They tell what is in an AMI; a build knows that of its own.",
            todo="Add --ami, or leave them out.",
        )
    from brqos.pipeline.nodegroup import nodegroup_of_build

    return nodegroup_of_build(build=build, record=record, wishes=wishes)


def _request_for_ami(ami: str, arch: str | None, variant: str | None, wishes: dict[str, object]) -> "NodegroupRequest":
    from brqos.architecture import Architecture
    from brqos.nodes.request import request_for, spec_of
    from brqos.variant import VariantName

    if arch is None or variant is None:
        missing = " and ".join(option for option, value in (("--arch", arch), ("--variant", variant)) if value is None)
        raise UsageError(
            f"--ami needs {missing} too",
            why="An AMI's id does not tell what is in it, and the nodegroup has to fit.",
            todo="Add for example --arch x86_64 --variant aws-k8s-1.29, or use --build or --record instead of --ami.",
        )
    return request_for(
        spec_of(wishes), ami=ami, architecture=Architecture.parse(arch), variant=VariantName.parse(variant)
    )


def _emit(console: "Console", request: "NodegroupRequest", output: Path | None, *, force: bool) -> None:
    from brqos.image.progress import REHEARSAL_MARK
    from brqos.nodes.file import eksctl_file
    from brqos.nodes.write import write_file

    if request.rehearsal:
        console.mark = REHEARSAL_MARK
    file = eksctl_file(request)
    for warning in file.warnings:
        console.warn(warning)
    if output is not None:
        console.line(f"{output} ({write_file(output, file.text, force=force)})")
        console.note(f"Next: eksctl create nodegroup --config-file={output}")
    if console.json_output:
        console.data(
            {
                "nodegroup": None if output is None else str(output),
                "kind": request.kind,
                "name": request.name,
                "ami": request.ami,
                "cluster": request.cluster,
                "region": request.region,
                "instance_types": [type_.name for type_ in request.instance_types],
                "rehearsal": request.rehearsal,
                "document": file.document,
            }
        )
    elif output is None:
        console.text(file.text)
