"""`brqos generate`: upstream's source with the variant in it, as a work tree or as a patch."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli import options
from brqos.cli.session import running
from brqos.cli.spec import kubelet_flags, resolved, upstream_flags
from brqos.errors import UsageError

if TYPE_CHECKING:
    from brqos.config.model import BuildSpec
    from brqos.console import Console
    from brqos.pipeline.generate import Planned
    from brqos.upstream.worktree import WorkTree

# With --all the configuration is resolved for one variant, whose name is then replaced by each that the tree has.
ANY_VARIANT = "aws-k8s-1.34"


def generate(
    variant: options.Variant = None,
    every: Annotated[
        bool,
        typer.Option("--all", help="Every aws-k8s variant of --ref, each in a folder of its own below --work-tree."),
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
    work_tree: Annotated[
        Path | None,
        typer.Option("--work-tree", metavar="DIR", help="Where to put the tree; a folder of the cache by default."),
    ] = None,
    patch: Annotated[
        str | None,
        typer.Option("--patch", metavar="FILE|-", help="Also write the change as a patch that `git am` takes."),
    ] = None,
    config: options.ConfigFile = None,
    dry_run: options.DryRun = False,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make the source tree of a Bottlerocket variant with MemoryQoS on, ready for `cargo make`."""
    with running(json_output=json_output, quiet=quiet) as console:
        from brqos.pipeline.generate import plan
        from brqos.pipeline.generate import work_tree as generated
        from brqos.resources import cache_directory
        from brqos.upstream.worktree import work_tree_path

        if patch == "-" and json_output:
            raise UsageError("--patch - and --json both want standard output", todo="Write the patch to a file.")
        if patch and dry_run:
            raise UsageError("--patch needs a commit, and --dry-run makes none", todo="Keep one of them.")
        if every:
            _check_all(variant, ref, patch)
            variant = ANY_VARIANT
        spec = resolved(
            config,
            {
                **upstream_flags(variant, upstream, ref, core_kit, core_kit_ref, offline),
                **kubelet_flags(factor, policy, feature_gate, delivery, bake),
            },
        ).spec
        if every:
            _generate_all(console, spec, None if dry_run or work_tree is None else work_tree.absolute())
            return
        planned = plan(spec, cache_directory(), console)
        tree = None
        if not dry_run and not planned.is_native:
            name = planned.overlay.variant.memory_qos
            path = work_tree.absolute() if work_tree else work_tree_path(cache_directory(), planned.tree.commit, name)
            with generated(planned, path, console, purpose="generating") as tree:
                pass
        if patch and tree:
            _write_patch(tree, patch, console)
        if json_output:
            console.data(_result(planned, tree))
        elif patch != "-":
            _show(console, planned, tree, dry_run=dry_run)
            if tree:
                _show_mirrors(console, spec, planned)


def _check_all(variant: str | None, ref: str | None, patch: str | None) -> None:
    if variant is not None or patch is not None:
        raise UsageError("--all goes together with neither --variant nor --patch", todo="Keep one of them.")
    if ref is None:
        raise UsageError("--all needs --ref", why="Each variant has a default release of its own.")


def _generate_all(console: "Console", spec: "BuildSpec", folder: Path | None) -> None:
    from brqos.pipeline.generate import generate_all
    from brqos.resources import cache_directory

    made = generate_all(spec, cache_directory(), console, folder)
    if console.json_output:
        console.data([_result(planned, tree) for planned, tree in made])
        return
    rows = [
        [planned.overlay.variant.memory_qos, planned.overlay.delivery, tree.commit if tree else "-"]
        for planned, tree in made
    ]
    console.table(["VARIANT", "DELIVERY", "COMMIT"], rows)
    console.line(f"{len(made)} variants" + (f" in {folder}" if folder else " planned; nothing was written"))


def _result(planned: "Planned", tree: "WorkTree | None") -> dict[str, object]:
    from brqos.upstream.mirror import without_credentials

    overlay, kubelet = planned.overlay, planned.kubelet
    return {
        "variant": overlay.variant.memory_qos,
        "base": overlay.variant.base,
        "kubernetes": str(overlay.variant.kubernetes),
        "delivery": overlay.delivery,
        "upstream": {
            "repository": without_credentials(planned.tree.repository),
            "ref": planned.tree.ref,
            "commit": planned.tree.commit,
            "release": planned.tree.release,
        },
        "core_kit": {"version": kubelet.version, "commit": kubelet.commit} if kubelet else None,
        "commit": tree.commit if tree else None,
        "work_tree": str(tree.path) if tree else None,
        "files": [{"path": file.path, "operation": file.operation, "sha256": file.sha256} for file in overlay.files],
        "kubelet_configuration": overlay.settings.configuration(),
    }


def _show(console: "Console", planned: "Planned", tree: "WorkTree | None", *, dry_run: bool) -> None:
    overlay = planned.overlay
    if planned.is_native:
        console.line(f"{planned.tree.label} needs no image of its own for {overlay.variant.base}.")
        console.line("Its kubelet takes MemoryQoS from two settings; give these to the official AMI:")
        for name, value in overlay.settings.native().items():
            console.line(f"  settings.kubernetes.{name} = {value}")
        console.line("To bake them into an image all the same, add --bake.")
        return
    console.line(f"{overlay.variant.memory_qos} on {planned.tree.label}, delivery {overlay.delivery}")
    console.line(f"On Kubernetes {overlay.variant.kubernetes} its kubelet {overlay.settings.effect()}.")
    console.table(["FILE", "", "WHY"], [[file.path, f"+{file.operation}", file.why] for file in overlay.files])
    if tree:
        console.line(f"Commit    {tree.commit}")
        console.line(f"Work tree {tree.path}")
    elif dry_run:
        console.line("Nothing was written (--dry-run).")


def _show_mirrors(console: "Console", spec: "BuildSpec", planned: "Planned") -> None:
    """What whoever builds the tree by hand has to know of [mirrors]."""
    from brqos.process import command_line
    from brqos.upstream import cargo_config, override
    from brqos.upstream.git import rewritten

    files = [f"kits and SDK by {override.FILE}"] if planned.override else []
    files += [f"crates by {cargo_config.FILE}"] if planned.cargo_config else []
    if files:
        console.line(f"Mirrors   {', '.join(files)}: in the tree, and no part of the commit")
    settings = [word for pair in spec.mirrors.make_settings.items() for word in ("-e", "=".join(pair))]
    variables = ["=".join(pair) for pair in rewritten(spec.mirrors.git, {}).items()]
    if settings or variables:
        console.line(f"          build it with {command_line([*variables, 'cargo', 'make', *settings])}")


def _write_patch(tree: "WorkTree", target: str, console: "Console") -> None:
    from brqos.files import write_atomically
    from brqos.overlay.apply import patch

    text = patch(tree.path, tree.commit)
    if target == "-":
        console.text(text)
    else:
        write_atomically(Path(target), text)
        console.note(f"Patch: {target} (apply it with `git am {target}`)")
