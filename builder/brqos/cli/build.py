"""`brqos build`: the whole way, from a Bottlerocket release to the nodegroup that uses the AMI."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli import options
from brqos.cli.pairs import pairs
from brqos.cli.session import running
from brqos.cli.spec import kubelet_flags, resolved, upstream_flags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brqos.config.model import BuildSpec
    from brqos.config.resolve import Resolved
    from brqos.console import Console
    from brqos.pipeline.generate import Planned
    from brqos.pipeline.surroundings import Surroundings
    from brqos.record import StoredBuild


def build(
    variant: options.Variant = None,
    arch: options.Arch = None,
    region: options.Regions = None,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="NAME", help="EKS cluster: also write its nodegroup file.")
    ] = None,
    rehearse: Annotated[
        bool,
        typer.Option("--rehearse", help="Go the whole way in seconds without network, Docker or AWS; nothing is real."),
    ] = False,
    upstream: options.Upstream = None,
    ref: options.Ref = None,
    core_kit: options.CoreKit = None,
    core_kit_ref: options.CoreKitRef = None,
    offline: options.Offline = None,
    factor: options.Factor = None,
    policy: options.Policy = None,
    feature_gate: options.FeatureGates = None,
    delivery: options.DeliveryOption = None,
    bake: options.Bake = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", help="Parallel `docker build` commands; upstream's 8 by default."),
    ] = None,
    sbkeys_profile: Annotated[
        Path | None,
        typer.Option("--sbkeys-profile", metavar="DIR", help="Secure Boot signing profile, outside the work tree."),
    ] = None,
    pretty_name: Annotated[
        str | None,
        typer.Option("--pretty-name", metavar="NAME", help="Name in os-release; it should say who modified the image."),
    ] = None,
    make_env: Annotated[
        list[str] | None,
        typer.Option("--make-env", metavar="KEY=VALUE", help="Anything else for `cargo make -e`; repeat it."),
    ] = None,
    profile: options.Profile = None,
    instance_type: Annotated[
        list[str] | None,
        typer.Option("--instance-type", metavar="TYPE", help="EC2 instance type of the nodegroup; repeat it."),
    ] = None,
    self_managed: Annotated[
        bool | None, typer.Option("--self-managed/--managed", help="Kind of the nodegroup; managed by default.")
    ] = None,
    confirm_public: options.ConfirmPublic = False,
    config: options.ConfigFile = None,
    show_config: Annotated[
        bool, typer.Option("--show-config", help="Print every effective value and where it came from, and end.")
    ] = False,
    dry_run: options.DryRun = False,
    force: Annotated[bool, typer.Option("--force", help="Repeat stages that are done already.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for a work tree that another build uses, or end at once.")
    ] = True,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Build an image with MemoryQoS on; with --region also register it as AMI, with --cluster write its nodegroup.

    A stage that is done and whose inputs have not changed is skipped: the same command goes on after a failure.
    """
    from brqos.image.progress import REHEARSAL_MARK as MARK

    with running(json_output=json_output, quiet=quiet, mark=MARK if rehearse else "") as console:
        configuration = resolved(
            config,
            {
                **upstream_flags(variant, upstream, ref, core_kit, core_kit_ref, offline),
                **kubelet_flags(factor, policy, feature_gate, delivery, bake),
                "arch": arch,
                "build.jobs": jobs,
                "build.sbkeys-profile": sbkeys_profile,
                "build.pretty-name": pretty_name,
                "build.make-env": pairs("--make-env", make_env) or None,
                "ami.regions": region or None,
                "ami.profile": profile,
                "nodegroup.cluster": cluster,
                "nodegroup.instance-types": instance_type or None,
                "nodegroup.self-managed": self_managed,
            },
        )
        if show_config:
            _show_configuration(console, configuration)
            return
        from brqos.ami.wishes import check_confirmed

        check_confirmed(configuration.spec.ami, confirmed=confirm_public)
        with _surroundings(configuration.spec, rehearse=rehearse) as around:
            _run(console, around, dry_run=dry_run, force=force, wait=wait)


def _run(console: "Console", around: "Surroundings", *, dry_run: bool, force: bool, wait: bool) -> None:
    from brqos.pipeline.build import check_before, run_build
    from brqos.pipeline.generate import plan

    # What can be refused at once is refused before anything is fetched or built.
    tools = check_before(around, console, tools=not dry_run)
    planned = plan(around.spec, around.cache, console)
    if planned.is_native:
        _show_native(console, planned, around)
        return
    if dry_run:
        _show_plan(console, planned, around)
        return
    stored = run_build(planned, around, console, tools=tools, force=force, wait=wait)
    if console.json_output:
        console.data(_result(stored))
    else:
        _show_result(console, stored)


@contextlib.contextmanager
def _surroundings(spec: "BuildSpec", *, rehearse: bool) -> "Iterator[Surroundings]":
    from brqos.pipeline.surroundings import real, rehearsed

    if rehearse:
        with rehearsed(spec) as around:
            yield around
    else:
        yield real(spec)


def _result(stored: "StoredBuild") -> dict[str, object]:
    record = stored.record
    return {
        "build": record.id,
        "variant": record.variant,
        "images": [
            {
                "role": image.role,
                "file": str(stored.path(image.file).absolute()),
                "sha256": image.sha256,
                "bytes": image.bytes,
            }
            for image in (record.result.images if record.result else ())
        ],
        "amis": {region: {"id": ami.id, "snapshots": ami.snapshots} for region, ami in record.amis.items()},
        "nodegroup": str(stored.path(record.nodegroup).absolute()) if record.nodegroup else None,
        "rehearsal": record.rehearsal,
        "record": str(stored.file.absolute()),
    }


def _show_result(console: "Console", stored: "StoredBuild") -> None:
    record = stored.record
    upstream = f"Bottlerocket v{record.upstream.release}, delivery {record.delivery}"
    console.line(f"{record.variant} for {record.spec.arch} on {upstream}")
    rows = [["  folder", str(stored.folder)]]
    for image in record.result.images if record.result else ():
        rows.append([f"  {image.role} image", str(image.file)])
        rows.append(["", f"SHA-256 {image.sha256}, {image.bytes / 2**20:.0f} MiB uncompressed"])
    rows += [[f"  {region}", f"{ami.id}, {ami.name}"] for region, ami in record.amis.items()]
    if record.nodegroup:
        rows.append(["  nodegroup", str(record.nodegroup)])
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        console.line(f"{name.ljust(width)}  {value}")
    console.line(_next_step(stored))


def _next_step(stored: "StoredBuild") -> str:
    record = stored.record
    if record.rehearsal:
        return "This was a rehearsal: no image that boots, no AMI, no cluster. For the real one leave out --rehearse."
    if record.nodegroup:
        return f"Next: eksctl create nodegroup --config-file {stored.path(record.nodegroup)}"
    if record.amis:
        return "Next: brqos nodegroup --cluster NAME"
    return "Next: brqos register --region REGION"


def _show_native(console: "Console", planned: "Planned", around: "Surroundings") -> None:
    settings = planned.overlay.settings
    if around.spec.ami.regions or around.spec.nodegroup.cluster:
        console.note("No AMI is registered and no nodegroup written: the official AMI is the one to use.")
    if console.json_output:
        console.data(
            {
                "build": None,
                "variant": planned.overlay.variant.base,
                "images": [],
                "amis": {},
                "nodegroup": None,
                "rehearsal": around.rehearsal,
                "delivery": planned.overlay.delivery,
                "settings": settings.native(),
            }
        )
        return
    console.line(f"Nothing needs to be built: {planned.tree.label} has settings for MemoryQoS. Give the official AMI:")
    for name, value in settings.native().items():
        console.line(f"  settings.kubernetes.{name} = {value}")
    console.line("To bake them into an image all the same, add --bake.")


def _show_plan(console: "Console", planned: "Planned", around: "Surroundings") -> None:
    import json

    from brqos.pipeline.preview import preview

    steps = preview(planned, around)
    if console.json_output:
        shown = [{"stage": step.stage, "does": step.does, "parameters": step.parameters} for step in steps]
        console.data({"dry_run": True, "steps": shown})
        return
    for step in steps:
        console.line(f"{step.stage:10} {step.does}")
        for key, value in (step.parameters or {}).items():
            console.line(f"{'':12} {key} = {json.dumps(value, ensure_ascii=False)}")
    console.line("Nothing was done (--dry-run).")


def _show_configuration(console: "Console", configuration: "Resolved") -> None:
    from brqos.config.resolve import effective_values

    rows = [(key, _without_secrets(key, value), origin) for key, value, origin in effective_values(configuration)]
    if console.json_output:
        console.data([{"key": key, "value": value, "origin": origin} for key, value, origin in rows])
        return
    console.table(
        ["KEY", "VALUE", "FROM"], [[key, "-" if value is None else str(value), origin] for key, value, origin in rows]
    )


def _without_secrets(key: str, value: object) -> object:
    from brqos.upstream.mirror import without_credentials

    # Values for `cargo make` may be secrets: a token for a registry, say.
    if key.startswith("build.make-env."):
        return "(set)"
    return without_credentials(value) if isinstance(value, str) else value
