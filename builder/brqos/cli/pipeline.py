# ruff: noqa: ARG001 - the many options are read by name, from Typer's context
"""`brqos pipeline`: a ready pipeline for the engine that a team already runs."""

from pathlib import Path
from typing import Annotated

import typer

from brqos.cli import options
from brqos.cli.pipeline_container import write_container
from brqos.cli.pipeline_file import Asked, run
from brqos.cli.session import running
from brqos.fleet.pipelines.wishes import Promotion, Service

pipeline = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Write a pipeline that builds, publishes, tries and promotes images: for GitHub, GitLab or AWS CodePipeline.",
)

Configs = Annotated[
    list[Path] | None,
    typer.Option("--config", metavar="FILE", help="Configuration file; ./brqos.toml by default; repeat it."),
]
Region = Annotated[
    str | None,
    typer.Option("--region", metavar="REGION", help="Region that jobs log in to; the first of the files by default."),
]
RoleArn = Annotated[
    str | None, typer.Option("--role-arn", metavar="ARN", help="Role that the jobs log in as, by OIDC.")
]
CanaryRoleArn = Annotated[
    str | None,
    typer.Option("--canary-role-arn", metavar="ARN", help="Another role for trying an image in the cluster."),
]
Account = Annotated[
    str | None, typer.Option("--account", metavar="ID", help="Account of the OIDC provider; the role's by default.")
]
Runner = Annotated[
    list[str] | None,
    typer.Option(
        "--runner", metavar="LABEL", help="Label (GitLab: tag) of the machine that builds from source; repeat it."
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", metavar="NAME", help="EKS cluster in which images are tried; that of the files if any."),
]
Promote = Annotated[
    Promotion, typer.Option("--promote", help="Who moves `latest` to a new AMI: a person, the canary, or nobody.")
]
Schedule = Annotated[
    str, typer.Option("--schedule", metavar="CRON", help="When upstream is looked at, in UTC, as five fields of cron.")
]
Brqos = Annotated[
    str | None,
    typer.Option(
        "--brqos",
        metavar="REQUIREMENT",
        help="What pip installs: brqos==1.0, or brqos@git+https://...@v1.0; . for this repository's scripts/brqos.",
    ),
]
Repository = Annotated[
    str | None, typer.Option("--repository", metavar="NAME", help="OWNER/NAME, for the trust policy of --iam.")
]
Branch = Annotated[str, typer.Option("--branch", metavar="NAME", help="Branch that publishes.")]
Rehearse = Annotated[
    bool, typer.Option("--rehearse", help="A pipeline that rehearses the builds: without network, Docker and AWS.")
]
Iam = Annotated[
    bool, typer.Option("--iam", help="Print the role's least policy and its trust policy instead, as JSON.")
]
OutputDir = Annotated[
    Path | None, typer.Option("--output-dir", metavar="DIR", help="With --iam: write them there, a file for each.")
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Say what the pipeline does and what it needs, and write nothing.")
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="File to write; - prints on standard output.")
]
Image = Annotated[
    str | None,
    typer.Option(
        "--image", metavar="NAME", help="Container image of the jobs, with brqos in it: see pipeline container."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that has other content.")]

_WEEKLY = "17 5 * * 1"


@pipeline.command("github")
def github(
    context: typer.Context,
    config: Configs = None,
    region: Region = None,
    role_arn: RoleArn = None,
    canary_role_arn: CanaryRoleArn = None,
    account: Account = None,
    runner: Runner = None,
    cluster: Cluster = None,
    promote: Promote = Promotion.BY_HAND,
    schedule: Schedule = _WEEKLY,
    brqos: Brqos = None,
    repository: Repository = None,
    branch: Branch = "main",
    rehearse: Rehearse = False,
    iam: Iam = False,
    output_dir: OutputDir = None,
    explain: Explain = False,
    output: Output = None,
    force: Force = False,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a workflow for GitHub Actions: .github/workflows/brqos.yml.

    Its jobs build what is not there yet, register each image once, try it on a
    node, promote it, and look weekly what upstream has. Comments in the file
    say why; what has to be there before its first run is told here.
    """
    with running(json_output=json_output or iam, quiet=quiet) as console:
        run(console, Asked(Service.GITHUB, context.params))


@pipeline.command("gitlab")
def gitlab(
    context: typer.Context,
    config: Configs = None,
    region: Region = None,
    role_arn: RoleArn = None,
    canary_role_arn: CanaryRoleArn = None,
    account: Account = None,
    runner: Runner = None,
    cluster: Cluster = None,
    promote: Promote = Promotion.BY_HAND,
    schedule: Schedule = _WEEKLY,
    brqos: Brqos = None,
    repository: Repository = None,
    branch: Branch = "main",
    host: Annotated[
        str, typer.Option("--host", metavar="NAME", help="Host of the GitLab, as the OIDC provider knows it.")
    ] = "gitlab.com",
    image: Image = None,
    rehearse: Rehearse = False,
    iam: Iam = False,
    output_dir: OutputDir = None,
    explain: Explain = False,
    output: Output = None,
    force: Force = False,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a pipeline for GitLab CI: brqos.gitlab-ci.yml, to be included.

    It has the same jobs as that for GitHub, one of each for every image of the
    files as they are now.
    """
    with running(json_output=json_output or iam, quiet=quiet) as console:
        run(console, Asked(Service.GITLAB, context.params))


@pipeline.command("codebuild")
def codebuild(
    context: typer.Context,
    config: Configs = None,
    connection: Annotated[
        str | None,
        typer.Option(
            "--connection",
            metavar="ARN",
            help="Connection to the repository (CodePipeline, Settings); without it the sources are uploaded as a zip.",
        ),
    ] = None,
    repository: Annotated[
        str | None, typer.Option("--repository", metavar="NAME", help="OWNER/NAME, for --connection.")
    ] = None,
    branch: Branch = "main",
    image: Image = None,
    canary_role_arn: CanaryRoleArn = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="ID", help="Account of the stack, for what --iam prints.")
    ] = None,
    cluster: Cluster = None,
    promote: Promote = Promotion.BY_HAND,
    schedule: Schedule = _WEEKLY,
    brqos: Brqos = None,
    rehearse: Rehearse = False,
    iam: Iam = False,
    output_dir: OutputDir = None,
    explain: Explain = False,
    output: Output = None,
    force: Force = False,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a pipeline for CodePipeline and CodeBuild: brqos.codebuild.yml.

    It is a CloudFormation template with all that it needs: the projects and
    their buildspecs, a role for each with the least that it has to do, the
    bucket for records, the schedule, and a person's approval. Sizes, image and
    network of the builds are those of the section codebuild in the files.
    """
    with running(json_output=json_output or iam, quiet=quiet) as console:
        run(console, Asked(Service.CODEBUILD, context.params))


@pipeline.command("container")
def container(
    output_dir: Annotated[
        Path, typer.Option("--output-dir", metavar="DIR", help="Folder for the recipe and what it needs.")
    ] = Path("brqos-container"),
    brqos: Annotated[
        str | None,
        typer.Option("--brqos", metavar="REQUIREMENT", help="What pip installs there; this version by default."),
    ] = None,
    force: Force = False,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write the recipe of a container image with brqos and what its engines use.

    For jobs of GitLab, GitHub and CodeBuild (--image), for machines without
    all those programs, and for closed networks: mirrors are build arguments.
    """
    with running(json_output=json_output, quiet=quiet) as console:
        write_container(console, output_dir, brqos, force=force)
