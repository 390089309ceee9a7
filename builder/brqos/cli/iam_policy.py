"""`brqos iam-policy`: the least permissions for the work, as documents that can be pasted into AWS."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brqos.ami.policy.request import Partition
from brqos.ami.policy.rules import PolicyStage
from brqos.cli.options import Quiet, Regions
from brqos.cli.session import running
from brqos.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brqos.ami.policy.codebuild import CodeBuildNames
    from brqos.console import Console

_STANDARD_OUTPUT = Path("-")
# What `brqos register` does; all else is for those who ask for it.
_ON_WISH = {PolicyStage.PRUNE, PolicyStage.NODES, PolicyStage.ATTEST, PolicyStage.CODEBUILD, PolicyStage.ASSUME}
_BY_DEFAULT = tuple(stage for stage in PolicyStage if stage not in _ON_WISH)


def iam_policy(
    stages: Annotated[
        list[PolicyStage] | None,
        typer.Option(
            "--for",
            metavar="STAGE",
            help="upload, register, copy, share, mark, parameters, verify, prune, nodes, attest, codebuild or assume;"
            " repeat it for several. All that `brqos register` does by default.",
        ),
    ] = None,
    region: Regions = None,
    partition: Annotated[
        Partition | None,
        typer.Option("--partition", help="Partition of AWS; that of the regions and ARNs by default, else aws."),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(
            "--account",
            metavar="ID",
            help="Account whose SSM parameters, clusters, launch templates and CodeBuild project are meant; else any.",
        ),
    ] = None,
    ssm_prefix: Annotated[
        str | None,
        typer.Option("--ssm-prefix", metavar="/PATH", help="Prefix of the SSM parameters that name the AMIs."),
    ] = None,
    kms_key: Annotated[
        list[str] | None,
        typer.Option("--kms-key", metavar="ARN", help="KMS key that encrypts the snapshots; repeat it for several."),
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option("--role", metavar="ARN", help="Role that may be assumed; repeat it for several.")
    ] = None,
    signing_key: Annotated[
        list[str] | None,
        typer.Option("--signing-key", metavar="ARN", help="KMS key that attests builds; repeat it for several."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="File whose section codebuild names its project and roles."),
    ] = None,
    unprotect: Annotated[
        bool, typer.Option("--unprotect", help="Let pruning switch deregistration protection off.")
    ] = False,
    key_policy: Annotated[
        bool,
        typer.Option("--key-policy", help="Print what nodes need in the policy of --kms-key instead."),
    ] = False,
    grants: Annotated[
        bool, typer.Option("--grants", help="Print the commands that each --share-account has to run instead.")
    ] = False,
    share_account: Annotated[
        list[str] | None,
        typer.Option(
            "--share-account",
            metavar="ID",
            help="Another account with nodes that use --kms-key; repeat it for several.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="File to write; - or nothing prints on standard output."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it has other content.")] = False,
    quiet: Quiet = False,
) -> None:
    """Print the least IAM policy that the chosen stages need, as JSON.

    It is narrowed by regions and by brqos's own tags wherever AWS allows it;
    where it does not, a line on standard error says so. Nothing is asked of AWS.

    codebuild is for whoever runs `brqos build --on codebuild`, follows such a
    run or stops it; what the builds may do is given to their own role by it.

    With --key-policy it prints what Auto Scaling needs of a KMS key to launch
    nodes from an encrypted AMI; accounts that the AMI is shared with need a
    grant too, which --grants prints.
    """
    with running(quiet=quiet) as console:
        of_stages: dict[str, object] = {
            "--for": stages,
            "--region": region,
            "--partition": partition,
            "--ssm-prefix": ssm_prefix,
            "--role": role,
            "--signing-key": signing_key,
            "--config": config,
            "--unprotect": unprotect,
        }
        _check_kind(of_stages, share_account, key_policy=key_policy, grants=grants)
        if key_policy or grants:
            accounts = [*(share_account or ()), *((account,) if account not in (None, "*") else ())]
            text = _for_keys(console, kms_key or (), accounts, grants=grants)
        else:
            given: dict[str, Any] = {
                "regions": region or (),
                "partition": partition,
                "account": account,
                "ssm_prefix": ssm_prefix,
                "kms_keys": kms_key or (),
                "roles": role or (),
                "signing_keys": signing_key or (),
                "unprotect": unprotect,
            }
            text = _for_stages(console, stages, given, config)
        _emit(console, text, None if output == _STANDARD_OUTPUT else output, force=force)


def _check_kind(
    of_stages: dict[str, object], share_accounts: list[str] | None, *, key_policy: bool, grants: bool
) -> None:
    if key_policy and grants:
        raise UsageError("--key-policy and --grants print different things", todo="Ask for them one after the other.")
    if (key_policy or grants) and (given := [option for option, value in of_stages.items() if value]):
        raise UsageError(
            f"{', '.join(given)} and {'--key-policy' if key_policy else '--grants'} do not go together",
            why="What nodes need of a key follows from the key and the accounts alone.",
            todo="Leave one or the other out.",
        )
    if share_accounts and not (key_policy or grants):
        raise UsageError(
            "--share-account needs --key-policy or --grants",
            why="Sharing with an account needs no permission that names it.",
            todo="Add one of them, or leave --share-account out.",
        )
    if grants and not share_accounts:
        raise UsageError(
            "--grants needs --share-account",
            why="In the key's own account its policy is enough: --key-policy prints it.",
            todo="Name the accounts with --share-account.",
        )


def _for_stages(
    console: "Console", stages: list[PolicyStage] | None, given: dict[str, Any], config: Path | None
) -> str:
    from brqos.ami.policy.policy import LONGEST, notes_for, policy_for, size_of
    from brqos.ami.policy.request import policy_request

    chosen = stages or list(_BY_DEFAULT)
    if stages is None and given["ssm_prefix"] is None:
        chosen.remove(PolicyStage.PARAMETERS)
        console.note("Without --ssm-prefix no SSM parameters are written, so the policy allows none.")
    request = policy_request(chosen, **given, codebuild=_codebuild(console, chosen, config))
    policy = policy_for(request)
    for note in notes_for(request):
        console.note(note)
    if (size := size_of(policy)) > LONGEST:
        console.warn(
            f"the policy has {size} characters, and a managed policy at most {LONGEST}: make two of it, each with some"
            " of the stages (--for) or regions, and attach both"
        )
    return _json(policy)


def _codebuild(console: "Console", stages: list[PolicyStage], config: Path | None) -> "CodeBuildNames | None":
    """What is called how at CodeBuild, if that is a part of the policy; raises ConfigurationError and UsageError."""
    if PolicyStage.CODEBUILD not in stages:
        if config is not None:
            raise UsageError(
                "--config does not go together with these stages",
                why="It is read for the names below [codebuild] only.",
                todo="Add --for codebuild, or leave --config out.",
            )
        return None
    from brqos.fleet.codebuild.names import names_of
    from brqos.fleet.codebuild.place import spec_of

    if config is None:
        console.note("CodeBuild's project, roles and bucket have the names that brqos gives; --config takes yours.")
    return names_of(spec_of([] if config is None else [config]))


def _for_keys(console: "Console", keys: "Sequence[str]", accounts: "Sequence[str]", *, grants: bool) -> str:
    from brqos.ami.policy.keys import grant_commands, key_policy_for, key_use, notes_for_keys

    use = key_use(keys, accounts)
    if not grants:
        for note in notes_for_keys(use):
            console.note(note)
        return _json(key_policy_for(use))
    console.note("Each account's commands need credentials of that account, with kms:CreateGrant on the keys.")
    return "\n".join(f"# {account}\n" + "\n".join(commands) for account, commands in grant_commands(use).items()) + "\n"


def _json(document: dict[str, Any]) -> str:
    import json

    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _emit(console: "Console", text: str, output: Path | None, *, force: bool) -> None:
    from brqos.files import write_atomically

    if output is None:
        console.text(text)
        return
    if output.is_file() and not force and output.read_text(encoding="utf-8", errors="replace") != text:
        raise ConfigurationError(
            f"{output} exists and has other content",
            why="It may have been changed by hand.",
            todo="Give another name with --output, or --force to replace the file.",
        )
    write_atomically(output, text)
    console.note(f"Wrote {output}.")
