"""`brqos register`: from images to one AMI per region."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli.options import Build, DryRun, Json, Profile, Quiet, Record, Regions
from brqos.cli.session import running
from brqos.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brqos.ami.plan import AmiRequest
    from brqos.ami.request import ImageFiles
    from brqos.ami.result import Registration
    from brqos.aws.session import AwsSession
    from brqos.config.model import AmiSpec
    from brqos.console import Console
    from brqos.image.model import Image


def register(
    image: Annotated[
        Path | None,
        typer.Option("--image", metavar="FILE", help="OS image, .img or .img.lz4; else those of a build."),
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
    profile: Profile = None,
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
        typer.Option("--uefi-data", metavar="FILE", help="The signing profile's efi-vars.aws, for Secure Boot."),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="Tag of AMI and snapshots; may be repeated.")
    ] = None,
    description: Annotated[
        str | None, typer.Option("--description", metavar="TEXT", help="Description of the AMI.")
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make an AMI in each region of the images of a build, or of image files.

    The images are those of the latest build, or of --build or --record, or the
    files given with --image; their names tell what is in them, or the flags do.

    What is there already is taken: the same image is never uploaded twice to a
    region, and a name that stands for something else is refused.
    """
    of_files: dict[str, object] = {
        "--data-image": data_image,
        "--arch": arch,
        "--variant": variant,
        "--image-version": image_version,
        "--uefi-data": uefi_data,
    }
    with running(json_output=json, quiet=quiet) as console:
        tags = _tags(tag or [])
        if image is None:
            _refuse(of_files, "go together with --image only: a build knows all that")
            from brqos.ami.request import ami_spec

            wishes = ami_spec(
                regions=tuple(region or ()), profile=profile, name=name, description=description, tags=tags
            )
            _register_build(console, build, record, wishes, dry_run)
            return
        _refuse({"--build": build, "--record": record}, "and --image do not go together")
        from brqos.ami.request import ami_spec, image_files, require_files
        from brqos.aws.session import AwsSession

        require_files(image, data_image)
        files = image_files(image, data_image, variant=variant, arch=arch, version=image_version)
        session = AwsSession(profile)
        spec = ami_spec(
            regions=tuple(region or ()) or (_configured_region(session),),
            profile=profile,
            name=name,
            description=description,
            tags=tags,
        )
        if files.found:
            console.note(f"Using the data image beside it: {files.data}")
        _check_before_reading(spec, session, dry_run)
        _register_files(console, session, _request(console, files, uefi_data, spec), dry_run)


def _check_before_reading(spec: "AmiSpec", session: "AwsSession", dry_run: bool) -> None:
    """Refuse at once what would else be refused after the images have been read, which takes a while."""
    from brqos.ami.tags import check_tags

    check_tags(spec.tags, "--tag")
    for region in () if dry_run else spec.regions:
        session.identity(region)


def _request(console: "Console", files: "ImageFiles", uefi_data: Path | None, spec: "AmiSpec") -> "AmiRequest":
    from brqos.ami.plan import AmiRequest
    from brqos.ami.request import read_uefi_data
    from brqos.image.hashing import hash_image
    from brqos.image.notice import has_partition_table, refuse_rehearsed_image

    for file in files.by_role.values():
        refuse_rehearsed_image(file)
    if not has_partition_table(files.os):
        console.warn(f"{files.os} has no GPT: it does not look like the image of a disk, and will not boot")
    data = read_uefi_data(uefi_data) if uefi_data else None
    if data is None:
        console.note("Without --uefi-data the AMI starts with Secure Boot off.")
    return AmiRequest(
        images=tuple(hash_image(role, file, console) for role, file in files.by_role.items()),
        variant=files.variant,
        arch=files.arch,
        image_version=files.version,
        spec=spec,
        secure_boot=data is not None,
        uefi_data=data,
    )


def _register_files(console: "Console", session: "AwsSession", request: "AmiRequest", dry_run: bool) -> None:
    from brqos.ami.plan import plan_amis
    from brqos.ami.register import RegionsFailedError, register_all
    from brqos.ami.result import Registration
    from brqos.locks import locked, named_lock

    registration = Registration(images=request.images, plans=plan_amis(request))
    if dry_run:
        _show_plan(console, registration)
        return
    try:
        with locked(named_lock(registration.images[0].sha256), "registering that image", wait=True, monitor=console):
            amis = register_all(registration.plans, session, console)
    except RegionsFailedError as error:
        # What was made is worth knowing, and a script has to hear of it as well.
        failures = {region: str(failure) for region, failure in error.failures.items()}
        _show_result(console, registration.model_copy(update={"amis": error.amis}), failures)
        raise
    _show_result(console, registration.model_copy(update={"amis": amis}))


def _register_build(
    console: "Console", build: str | None, record: Path | None, wishes: "AmiSpec", dry_run: bool
) -> None:
    from brqos.ami.register import RegionsFailedError
    from brqos.locks import lock_of, locked
    from brqos.pipeline.publish import register_build, registration_of_build

    # Only what was asked for goes before what the build's own spec says.
    given = {key: value for key in type(wishes).model_fields if (value := getattr(wishes, key))}
    stored, around, registration = registration_of_build(build, record, given)
    if dry_run:
        _show_plan(console, registration)
        return
    failures: dict[str, str] = {}
    try:
        with locked(lock_of(stored.folder), f"registering {stored.record.id}", wait=True, monitor=console):
            # Somebody else may have registered it while we waited.
            stored.reload()
            register_build(stored, around, console, check_images=True)
    except RegionsFailedError as error:
        failures = {region: str(failure) for region, failure in error.failures.items()}
        raise
    finally:
        # What was made is worth knowing, whatever became of the other regions.
        amis = {region: ami for region, ami in stored.record.amis.items() if region in around.spec.ami.regions}
        if amis:
            _show_result(console, registration.model_copy(update={"amis": amis}), failures)


def _configured_region(session: "AwsSession") -> str:
    region = session.default_region()
    if region is None:
        raise UsageError(
            "no AWS region is given", todo="Give one with --region, for example eu-west-1; repeat it for several."
        )
    return region


def _tags(given: list[str]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for text in given:
        key, separator, value = text.partition("=")
        if not separator or not key or key in tags:
            raise UsageError(
                f"--tag {text} is not a new KEY=VALUE",
                why="The key is there already." if key in tags else "",
                todo="Write it like --tag Team=platform, each key once.",
            )
        tags[key] = value
    return tags


def _refuse(flags: dict[str, object], why: str) -> None:
    if given := [flag for flag, value in flags.items() if value is not None]:
        raise UsageError(f"{', '.join(given)} {why}", todo="Leave one or the other out.")


def _show_result(console: "Console", registration: "Registration", failures: dict[str, str] | None = None) -> None:
    if console.json_output:
        amis = registration.amis.items()
        console.data(
            {
                "name": registration.name,
                "images": _images(registration.images),
                "amis": {region: ami.model_dump(mode="json", exclude={"inputs"}) for region, ami in amis},
                "rehearsal": registration.rehearsal,
                **({"failures": failures} if failures else {}),
            }
        )
        return
    console.line(registration.name)
    for region, ami in registration.amis.items():
        snapshots = ", ".join(f"{role} {snapshot}" for role, snapshot in ami.snapshots.items())
        console.line(f"  {region}  {ami.id}  ({snapshots}){'' if ami.created else '  was there already'}")


def _show_plan(console: "Console", registration: "Registration") -> None:
    calls = [call for plan in registration.plans for call in plan.calls()]
    if console.json_output:
        console.data(
            {
                "name": registration.name,
                "images": _images(registration.images),
                "calls": [call.model_dump(mode="json") for call in calls],
                "rehearsal": registration.rehearsal,
            }
        )
        return
    import json as encoder

    for plan in registration.plans:
        console.line(f"{plan.region}: {plan.name}")
        for call in plan.calls():
            console.line(f"  {call.service} {call.operation}")
            for key, value in call.parameters.items():
                console.line(f"    {key} = {encoder.dumps(value, ensure_ascii=False)}")


def _images(images: "Sequence[Image]") -> list[dict[str, object]]:
    return [
        {"role": image.role.value, "file": str(image.file), "sha256": image.sha256, "bytes": image.bytes}
        for image in images
    ]
