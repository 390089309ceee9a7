"""`brqos prune`: removes what brqos made and nobody needs any more."""

import sys
from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli import options
from brqos.cli.session import running
from brqos.errors import AwsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brqos.ami.pruning.model import PruneItem, PrunePlan
    from brqos.ami.pruning.regions import Pruning
    from brqos.console import Console


def prune(
    keep: Annotated[
        int,
        typer.Option(
            "--keep",
            metavar="N",
            min=0,
            max=10000,
            help="So many available AMIs stay per region, variant and architecture: the one in use, the one to go back"
            " to, the one being tried out.",
        ),
    ] = 3,
    variant: Annotated[
        str | None, typer.Option("--variant", metavar="NAME", help="Only this variant, or what was made of it.")
    ] = None,
    arch: Annotated[
        str | None, typer.Option("--arch", metavar="ARCH", help="Only x86_64 (amd64) or aarch64 (arm64).")
    ] = None,
    region: options.Regions = None,
    profile: options.Profile = None,
    role: Annotated[
        str | None, typer.Option("--role", metavar="ARN", help="Role to assume; what its account has is looked at.")
    ] = None,
    older_than: Annotated[
        str,
        typer.Option(
            "--older-than",
            metavar="AGE",
            help="Only orphan snapshots of this age (36h, 7d, 2w): of younger ones the AMI may be on its way. A stopped"
            " upload can be gone on with for a day, from another machine too; give more where an AMI takes longer.",
        ),
    ] = "48h",
    include_protected: Annotated[
        bool,
        typer.Option(
            "--include-protected",
            help="Also AMIs that are protected from deregistration, whose protection is switched off. AWS refuses one"
            " with a cooldown for 24 hours after that; it goes with the next run.",
        ),
    ] = False,
    include_shared: Annotated[
        bool, typer.Option("--include-shared", help="Also shared AMIs, whose use by others cannot be seen.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where there is no terminal.")] = False,
    dry_run: options.DryRun = False,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Remove failed AMIs, AMIs beyond the newest ones, and the snapshots that no AMI holds.

    Only what carries brqos's tag is touched, and no AMI that is in use by an
    instance, a launch template, an Auto Scaling group, an SSM parameter or a
    recipe of Image Builder. SSM parameters that brqos made for an AMI's own
    version are no use of it, and go with it; those of `latest` are one. What
    only a cluster or a file names is not seen, such as an EC2NodeClass of
    Karpenter's without nodes, or a variable of Terraform's.
    """
    with running(json_output=json_output, quiet=quiet) as console:
        from brqos.ami.pruning.regions import look_everywhere, prune_everywhere
        from brqos.ami.pruning.rules import check_regions, check_role, prune_rules
        from brqos.aws.session import AwsSession

        if not (yes or dry_run or _can_ask()):
            raise UsageError(
                "there is no terminal here to ask in, and pruning cannot be undone",
                todo="Look with --dry-run first; then give --yes.",
            )
        rules = prune_rules(keep, older_than, variant, arch, protected=include_protected, shared=include_shared)
        check_role(role)
        session = AwsSession(profile, role=role)
        regions = check_regions(region or (), session)
        busy = _under_way()
        pruning = look_everywhere(regions, session, rules, console, under_way=busy)
        _show_plans(console, pruning.plans, dry_run=dry_run)
        try:
            if not dry_run and _wanted(console, pruning.plans, yes=yes):
                prune_everywhere(pruning, session, rules, console, under_way=busy)
        finally:
            # What was removed is worth knowing, whatever became of the rest.
            _show_result(console, pruning, dry_run=dry_run)
        _raise_failures(pruning)


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _under_way() -> frozenset[str]:
    from brqos.ami.upload.journal import journal_folder
    from brqos.ami.upload.unfinished import under_way

    return under_way(journal_folder())


def _show_plans(console: "Console", plans: "Sequence[PrunePlan]", *, dry_run: bool) -> None:
    from brqos.ami.pruning.words import summary

    for plan in plans:
        for warning in plan.warnings:
            console.warn(warning)
    rows = [_cells(item) for plan in plans for item in _telling(plan)]
    if rows:
        console.table(["REGION", "ID", "NAME", "CREATED (UTC)", "GIB", "", "BECAUSE"], rows)
    told = summary(item for plan in plans for item in plan.removals)
    if plans:
        console.line(f"{'Would remove' if dry_run else 'To remove:'} {told}" if told else "Nothing to remove.")


def _telling(plan: "PrunePlan") -> "list[PruneItem]":
    """All but the snapshots whose AMI is in the list and stays: its row speaks for them."""
    from brqos.ami.pruning.model import Kind

    amis = {item.id for item in plan.items if item.kind is Kind.AMI}
    return [item for item in plan.items if item.removed or item.kind is Kind.AMI or not amis & set(item.after)]


def _cells(item: "PruneItem") -> list[str]:
    created = f"{item.created.astimezone(UTC):%Y-%m-%d %H:%M}" if item.created else "-"
    verdict = f"{'!' if item.removed else '+'}{item.verdict.value}"
    return [item.region, item.id, item.name or "-", created, str(item.gib or "-"), verdict, item.reason]


def _wanted(console: "Console", plans: "Sequence[PrunePlan]", *, yes: bool) -> bool:
    removals = [item for plan in plans for item in plan.removals]
    if not removals or yes:
        return bool(removals)
    if console.json_output:
        # Whoever is asked has to see what about; standard output is for the result.
        for item in removals:
            console.note(f"{item.region} {item.kind.value} {item.id} {item.name}: {item.reason}")
    try:
        return typer.confirm("Remove all that? It cannot be undone.", err=True)
    except typer.Abort:
        raise KeyboardInterrupt from None


def _show_result(console: "Console", pruning: "Pruning", *, dry_run: bool) -> None:
    from brqos.ami.pruning.words import summary

    regions = pruning.regions.values()
    removed = [item for pruned in regions for item in pruned.removed]
    if not console.json_output:
        if not dry_run and any(pruned.plan.removals for pruned in regions):
            console.line(f"Removed {summary(removed)}." if removed else "Nothing was removed.")
        return
    planned = [item for plan in pruning.plans for item in plan.removals]
    kept = [item for pruned in regions for item in (pruned.plan.items if dry_run else pruned.kept)]
    failed = [_json(item) | {"error": str(error)} for pruned in regions for item, error in pruned.failed]
    failed += [{"region": region, "error": str(error)} for region, error in pruning.failures.items()]
    console.data(
        {
            "would_remove" if dry_run else "removed": [_json(item) for item in (planned if dry_run else removed)],
            "kept": [_json(item) for item in kept if not item.removed],
            "failed": failed,
        }
    )


def _json(item: "PruneItem") -> dict[str, object]:
    return {
        "kind": item.kind.value,
        "region": item.region,
        "id": item.id,
        "name": item.name,
        "variant": item.variant,
        "arch": item.arch,
        "created": item.created.astimezone(UTC).isoformat() if item.created else None,
        "gib": item.gib,
        "reason": item.reason,
    }


def _raise_failures(pruning: "Pruning") -> None:
    failed = [(item, error) for pruned in pruning.regions.values() for item, error in pruned.failed]
    lines = [f"{region}: {error}" for region, error in pruning.failures.items()]
    lines += [f"{item.id} in {item.region}: {error}" for item, error in failed]
    if not lines:
        return
    if len(lines) == 1 and pruning.failures:
        raise next(iter(pruning.failures.values()))
    from brqos.ami.pruning.words import counted

    what = [f"{counted(len(failed), 'thing')} could not be removed"] if failed else []
    what += [f"{', '.join(pruning.failures)} could not be pruned"] if pruning.failures else []
    raise AwsError(
        ", and ".join(what),
        why="\n".join(lines),
        todo="Correct that and run the same command again: it finds what is left.",
    )
