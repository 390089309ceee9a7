"""`brqos register`: from images to one AMI per region, shared, marked, named and verified."""

from pathlib import Path
from typing import Annotated

import typer

from brqos.cli.ami_flags import AmiFlags
from brqos.cli.options import Build, ConfigFile, ConfirmPublic, DryRun, Json, Quiet, Record, Regions
from brqos.cli.session import running
from brqos.errors import UsageError


def register(
    image: Annotated[
        Path | None,
        typer.Option(
            "--image", metavar="FILE", help="OS image, .img or .img.lz4; by default those of the latest build."
        ),
    ] = None,
    data_image: Annotated[
        Path | None,
        typer.Option("--data-image", metavar="FILE", help="Data image; the one beside --image by default."),
    ] = None,
    build: Build = None,
    record: Record = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="NAME", help="Name of the AMI; bottlerocket-VARIANT-ARCH-vVERSION-COMMIT by default."
        ),
    ] = None,
    region: Regions = None,
    profile: Annotated[
        list[str] | None,
        typer.Option(
            "--profile",
            metavar="[REGION=]NAME",
            help="Profile of the AWS configuration, for all regions or for one; repeat it for several.",
        ),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role",
            metavar="[REGION=]ARN",
            help="Role to assume, for all regions or for one; the AMIs are made in its account; repeat it for several.",
        ),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option("--arch", metavar="ARCH", help="The image's architecture: x86_64 (amd64) or aarch64 (arm64)."),
    ] = None,
    variant: Annotated[
        str | None, typer.Option("--variant", metavar="NAME", help="The image's Bottlerocket variant.")
    ] = None,
    image_version: Annotated[
        str | None, typer.Option("--image-version", metavar="VERSION", help="The image's version, RELEASE-COMMIT.")
    ] = None,
    uefi_data: Annotated[
        Path | None,
        typer.Option(
            "--uefi-data",
            metavar="FILE",
            help="The signing profile's efi-vars.aws; without it Secure Boot is off (a build has its own).",
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="KEY=VALUE", help="Tag of AMI and snapshots; repeat it for several."),
    ] = None,
    description: Annotated[
        str | None, typer.Option("--description", metavar="TEXT", help="Description of the AMI.")
    ] = None,
    kms_key: Annotated[
        list[str] | None,
        typer.Option(
            "--kms-key",
            metavar="REGION=ARN",
            help="KMS key that the region's snapshots are encrypted with; repeat it for several.",
        ),
    ] = None,
    omit_zero_blocks: Annotated[
        str | None,
        typer.Option(
            "--omit-zero-blocks",
            metavar="os|data|both",
            help="Do not send blocks of zeros. Faster, but on an encrypted volume (also one encrypted at launch) they"
            " then read as garbage: the OS image's dm-verity ignores that, the data image has no such guard.",
        ),
    ] = None,
    direct_upload: Annotated[
        bool | None,
        typer.Option(
            "--direct-upload/--no-direct-upload", help="Upload to every region instead of copying from the first."
        ),
    ] = None,
    share_account: Annotated[
        list[str] | None,
        typer.Option("--share-account", metavar="ID", help="Account that may launch it; repeat it for several."),
    ] = None,
    share_org: Annotated[
        list[str] | None,
        typer.Option(
            "--share-org", metavar="ARN", help="Organization whose accounts may launch it; repeat it for several."
        ),
    ] = None,
    share_ou: Annotated[
        list[str] | None,
        typer.Option(
            "--share-ou", metavar="ARN", help="Organizational unit that may launch it; repeat it for several."
        ),
    ] = None,
    share_snapshots: Annotated[
        bool | None,
        typer.Option(
            "--share-snapshots/--no-share-snapshots", help="Let the accounts copy the AMI too, not only launch it."
        ),
    ] = None,
    public: Annotated[
        bool | None, typer.Option("--public/--no-public", help="Let everybody launch it; needs --confirm-public.")
    ] = None,
    confirm_public: ConfirmPublic = False,
    deprecate_after: Annotated[
        str | None,
        typer.Option("--deprecate-after", metavar="AGE", help="Age at which it is deprecated: 90d, 26w, 2y."),
    ] = None,
    protect: Annotated[
        bool | None, typer.Option("--protect/--no-protect", help="Protect it from deregistration.")
    ] = None,
    ssm_prefix: Annotated[
        str | None,
        typer.Option(
            "--ssm-prefix",
            metavar="/PATH",
            help="Name it by SSM parameters below /PATH: image_id and image_version, by variant, arch and version.",
        ),
    ] = None,
    promote: Annotated[
        bool | None,
        typer.Option(
            "--promote/--no-promote",
            help="Then make it the `latest` below /PATH of its variant and arch, if every region is verified.",
        ),
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Only make the version before the current one `latest` again.")
    ] = False,
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="The version that --rollback goes back to.")
    ] = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Only compare what is published with what is asked for, and change nothing."),
    ] = False,
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Delete the unfinished snapshots of an interrupted upload, and begin anew."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Look again at regions that are done by the record.")] = False,
    config: ConfigFile = None,
    amis_file: Annotated[
        Path | None,
        typer.Option(
            "--amis-file", metavar="FILE", help="Also write pubsys's amis.json; a build has it in its folder."
        ),
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make an AMI in each region of the images of a build, or of image files, and publish it.

    The images are those of the latest build, or of --build or --record, or the
    files given with --image; their names tell what is in them, or the flags do.
    The AMI of the first region is uploaded, the others are copies of it. All
    wishes can also stand in brqos.toml, in its section ami; a flag wins over it,
    and --no-promote and the like over a `true`.

    What is there already is taken: the same command goes on after a failure at
    the block where it ended, nothing is uploaded twice, and a name that stands
    for something else is refused.
    """
    with running(json_output=json, quiet=quiet) as console:
        flags = AmiFlags(
            region=region, profile=profile, role=role, name=name, description=description, tag=tag, kms_key=kms_key,
            omit_zero_blocks=omit_zero_blocks, direct_upload=direct_upload, share_account=share_account,
            share_org=share_org, share_ou=share_ou, share_snapshots=share_snapshots, public=public,
            deprecate_after=deprecate_after, protect=protect, ssm_prefix=ssm_prefix, promote=promote,
        )  # fmt: skip
        _refuse_together({"--verify": verify, "--dry-run": dry_run}, "cannot be combined: neither changes anything")
        _refuse_together({"--verify": verify, "--rollback": rollback, "--restart": restart}, "cannot be combined")
        if to is not None and not rollback:
            raise UsageError("--to stands alone", todo="It names the version that --rollback goes back to.")
        from brqos.cli.registering import Registering

        work = Registering(
            console, flags, config, verify=verify, restart=restart, force=force, dry_run=dry_run,
            confirmed=confirm_public, amis_file=amis_file,
        )  # fmt: skip
        what = {"--arch": arch, "--variant": variant}
        of_files: dict[str, object] = {
            "--data-image": data_image, "--image-version": image_version, "--uefi-data": uefi_data,
        }  # fmt: skip
        if rollback:
            _refuse({**of_files, "--image": image}, "cannot be combined with --rollback")
            from brqos.cli.rollback import roll_back

            roll_back(
                console, flags, config, build=build, record=record, variant=variant, arch=arch, to=to, dry_run=dry_run
            )
        elif image is None:
            without = "cannot be given without --image: a build knows that"
            _refuse({**what, **of_files}, without, todo="Add --image FILE, or leave that out.")
            work.of_build(build, record)
        else:
            _refuse({"--build": build, "--record": record}, "cannot be combined with --image")
            from brqos.ami.request import image_files, require_files

            require_files(image, data_image)
            files = image_files(image, data_image, variant=variant, arch=arch, version=image_version)
            work.of_files(files, uefi_data)


def _refuse(flags: dict[str, object], why: str, *, todo: str = "Leave one or the other out.") -> None:
    if given := [flag for flag, value in flags.items() if value is not None]:
        raise UsageError(f"{', '.join(given)} {why}", todo=todo)


def _refuse_together(flags: dict[str, bool], why: str) -> None:
    if len(given := [flag for flag, value in flags.items() if value]) > 1:
        raise UsageError(f"{' and '.join(given)} {why}", todo="Give one of them.")
