"""`brqos attest`: what a build is made of and where it comes from, written, signed and verified."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from brqos.cli import options
from brqos.cli.session import running
from brqos.errors import UsageError


def attest(
    build: options.Build = None,
    record: options.Record = None,
    sign: Annotated[
        str | None,
        typer.Option("--sign", metavar="cosign|kms", help="Sign both documents; attest.sign of brqos.toml by default."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="KEY",
            help="KMS: ARN, id or alias. cosign: a file, or an address such as awskms:///… To verify: also a public key"
            " (PEM).",
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Change nothing: hold documents, signatures, images and AMIs together.")
    ] = False,
    image: Annotated[
        Path | None,
        typer.Option("--image", metavar="FILE", help="With --verify: this image, instead of those of the build."),
    ] = None,
    signed: Annotated[
        bool, typer.Option("--signed", help="With --verify: documents that are not signed are a failure.")
    ] = False,
    identity: Annotated[
        str | None,
        typer.Option("--identity", metavar="NAME", help="With --verify: who signed with cosign without a key."),
    ] = None,
    issuer: Annotated[
        str | None, typer.Option("--issuer", metavar="URL", help="With --identity: the OpenID provider that knows it.")
    ] = None,
    no_aws: Annotated[bool, typer.Option("--no-aws", help="With --verify: do not ask AWS.")] = False,
    tag: Annotated[
        bool | None,
        typer.Option(
            "--tag/--no-tag", help="Put the documents' hashes on the AMIs as tags; done where there is a login."
        ),
    ] = None,
    profile: options.Profile = None,
    config: options.ConfigFile = None,
    dry_run: options.DryRun = False,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a build's bill of materials (CycloneDX) and provenance (in-toto, SLSA), or verify them.

    `brqos build` and `brqos register` do it by themselves; this does it again,
    signs them, or with --verify checks a build, which may come from another
    machine: its folder is all that is needed.
    """
    with running(json_output=json_output, quiet=quiet) as console:
        of_verify = {
            "--image": image,
            "--signed": signed,
            "--identity": identity,
            "--issuer": issuer,
            "--no-aws": no_aws,
        }
        of_writing = {"--sign": sign, "--tag/--no-tag": tag is not None, "--dry-run": dry_run}
        _check_together(verify, of_verify, of_writing)
        from brqos.cli.attesting import Attesting
        from brqos.record import find

        work = Attesting(console, find(build, record), config, profile)
        if verify:
            if (identity is None) != (issuer is None) or (identity and key):
                raise UsageError("--identity and --issuer go together, and without --key", todo="Give both, or --key.")
            work.verify(key=key, identity=identity, issuer=issuer, image=image, signed=signed, with_aws=not no_aws)
        else:
            work.write(sign=sign, key=key, tag=tag, dry_run=dry_run)


def _check_together(verify: bool, of_verify: Mapping[str, object], of_writing: Mapping[str, object]) -> None:
    wrong = [flag for flag, value in (of_writing if verify else of_verify).items() if value]
    if wrong:
        raise UsageError(
            f"{', '.join(wrong)} {'cannot be combined with' if verify else 'needs'} --verify",
            todo="Leave one or the other out." if verify else "Add --verify, or leave it out.",
        )
