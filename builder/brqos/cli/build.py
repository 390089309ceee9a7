"""`brqos build`: the whole way, from a Bottlerocket release to the nodegroup that uses the AMI."""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli import options, repack_options
from brqos.cli.build_results import How, delivery_to
from brqos.cli.built import result_of, show_configuration, show_native, show_result, show_steps
from brqos.cli.pairs import pairs
from brqos.cli.repacking import run_repacking
from brqos.cli.session import running
from brqos.cli.spec import kubelet_flags, resolved, upstream_flags
from brqos.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brqos.config.model import BuildSpec
    from brqos.config.resolve import Resolved
    from brqos.console import Console
    from brqos.pipeline.results import Delivery
    from brqos.pipeline.surroundings import Surroundings


def build(
    context: typer.Context,
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
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine",
            metavar="ENGINE",
            help="source: upstream's own build (the default); repack: change a built image, in seconds without Docker.",
        ),
    ] = None,
    image: repack_options.Image = None,
    data_image: repack_options.DataImage = None,
    from_release: repack_options.FromRelease = None,
    unsigned: repack_options.Unsigned = None,
    switch_updates_off: repack_options.SwitchUpdatesOff = None,
    stream: repack_options.Stream = None,
    tuf_root: repack_options.TufRoot = None,
    tuf_root_sha512: repack_options.TufRootSha512 = None,
    metadata_url: repack_options.MetadataUrl = None,
    targets_url: repack_options.TargetsUrl = None,
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
    image_only: Annotated[
        bool,
        typer.Option("--image-only", help="End with the image, unsigned, whatever regions and cluster the file has."),
    ] = False,
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            metavar="WHERE",
            help="codebuild: all builds of the configuration files at once, as batch builds of AWS CodeBuild.",
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="With --on: follow the builds, or end when they are started.")
    ] = True,
    results: Annotated[
        str | None,
        typer.Option(
            "--results",
            metavar="s3://BUCKET/PREFIX",
            help="Put what the build leaves there when it ends, well or badly: log, images, and last its record.",
        ),
    ] = None,
    images: Annotated[
        bool, typer.Option("--images", help="With --results or --on: also images that AMIs came of in every region.")
    ] = False,
    expect: Annotated[
        str | None,
        typer.Option(
            "--expect", metavar="ID", help="End at once if it is not this build (its id, or its overlay's commit)."
        ),
    ] = None,
    confirm_public: options.ConfirmPublic = False,
    config: Annotated[
        list[Path] | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Configuration file; ./brqos.toml where there is one. With --on it may be repeated.",
        ),
    ] = None,
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
        if on is not None:
            _elsewhere(console, on, context)
            return
        _check_alone(config, images=images, follow=follow, results=results)
        if image_only:
            _check_image_only(region, cluster)
        configuration = resolved(
            config[0] if config else None,
            {
                **upstream_flags(variant, upstream, ref, core_kit, core_kit_ref, offline),
                **kubelet_flags(factor, policy, feature_gate, delivery, bake),
                "arch": arch,
                **repack_options.repack_flags(
                    engine, image, data_image, from_release, unsigned, switch_updates_off, stream
                ),
                **repack_options.mirror_flags(metadata_url, targets_url, tuf_root, tuf_root_sha512),
                "build.jobs": jobs,
                "build.sbkeys-profile": sbkeys_profile,
                "build.pretty-name": pretty_name,
                "build.make-env": pairs("--make-env", make_env) or None,
                "ami.regions": region or None,
                "ami.profile": profile,
                "nodegroup.cluster": cluster,
                "nodegroup.instance-types": instance_type or None,
                **_kind(self_managed),
            },
            image=image,
        )
        if image_only:
            configuration = _without_publishing(configuration)
        if show_config:
            show_configuration(console, configuration)
            return
        from brqos.ami.wishes import check_confirmed

        check_confirmed(configuration.spec.ami, confirmed=confirm_public)
        # Whoever publishes the image signs, and whoever only builds it needs no right to.
        how = How(dry_run=dry_run, force=force, wait=wait, signs=not image_only)
        with delivery_to(
            results, configuration.spec, console, expect=expect, images=images, rehearse=rehearse, dry_run=dry_run
        ) as left:
            if repack_options.is_repack(configuration):
                run_repacking(console, configuration.spec, how, left, rehearse=rehearse)
                return
            with _surroundings(configuration.spec, rehearse=rehearse) as around:
                # A rehearsal's surroundings name a region and a cluster of its own where there are none.
                _run(console, around if how.signs else around.image_only(), how, left)


def _elsewhere(console: "Console", on: str, context: typer.Context) -> None:
    from brqos.cli.on_codebuild import ENGINES, asked_of, build_on_codebuild

    if on not in ENGINES:
        raise UsageError(f"--on {on}: builds are made here, or on {', '.join(ENGINES)}", todo="Write --on codebuild.")
    build_on_codebuild(console, asked_of(context.params))


def _check_alone(config: list[Path] | None, *, images: bool, follow: bool, results: str | None) -> None:
    """Refuse what only goes together with --on."""
    if config and len(config) > 1:
        raise UsageError("here one build is made, of one --config", todo="Keep one, or add --on codebuild.")
    if not follow:
        raise UsageError("--no-follow needs --on codebuild", todo="Leave it out.")
    if images and results is None:
        raise UsageError("--images needs --results or --on codebuild", todo="Leave it out: images stay where they are.")


def _check_image_only(region: list[str] | None, cluster: str | None) -> None:
    if region or cluster:
        raise UsageError(
            "--image-only does not go together with --region or --cluster",
            why="It ends with the image; they are about what follows.",
            todo="Keep one of them.",
        )


def _without_publishing(configuration: "Resolved") -> "Resolved":
    spec = configuration.spec
    ami, nodegroup = spec.ami.model_copy(update={"regions": ()}), spec.nodegroup.model_copy(update={"cluster": None})
    return replace(configuration, spec=spec.model_copy(update={"ami": ami, "nodegroup": nodegroup}))


def _kind(self_managed: bool | None) -> dict[str, object]:
    if self_managed is None:
        return {}
    # A file's self-managed = true would contradict the flag.
    return {"nodegroup.kind": "eksctl" if self_managed else "eksctl-managed", "nodegroup.self-managed": False}


def _run(console: "Console", around: "Surroundings", how: How, delivery: "Delivery") -> None:
    from brqos.pipeline.build import check_before, run_build
    from brqos.pipeline.generate import plan
    from brqos.pipeline.preview import preview

    # What can be refused at once is refused before anything is fetched or built.
    tools = check_before(around, console, tools=not how.dry_run)
    planned = plan(around.spec, around.cache, console)
    if planned.is_native:
        delivery.native = True
        show_native(console, planned, around)
        return
    if how.dry_run:
        show_steps(console, preview(planned, around))
        return
    stored = run_build(planned, around, console, tools=tools, force=how.force, wait=how.wait, delivery=delivery)
    if console.json_output:
        console.data(result_of(stored))
    else:
        show_result(console, stored)


@contextlib.contextmanager
def _surroundings(spec: "BuildSpec", *, rehearse: bool) -> "Iterator[Surroundings]":
    from brqos.pipeline.surroundings import real, rehearsed

    if rehearse:
        with rehearsed(spec) as around:
            yield around
    else:
        yield real(spec)
