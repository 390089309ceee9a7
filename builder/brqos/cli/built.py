"""What a build is told by: its result, its plan, its configuration."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brqos.config.resolve import Resolved
    from brqos.console import Console
    from brqos.pipeline.generate import Planned
    from brqos.pipeline.preview import Step
    from brqos.pipeline.surroundings import Surroundings
    from brqos.record import StoredBuild


def result_of(stored: "StoredBuild") -> dict[str, object]:
    """A finished build as data."""
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
        "attestations": _attestations(stored),
        "rehearsal": record.rehearsal,
        "record": str(stored.file.absolute()),
    }


def _attestations(stored: "StoredBuild") -> dict[str, object] | None:
    """The build's documents, None where none are written."""
    from brqos.pipeline.attest import is_signed
    from brqos.provenance.documents import PROVENANCE_FILE, SBOM_FILE

    attested = stored.record.attested
    if attested is None:
        return None
    return {
        "sbom": {"file": str(stored.path(SBOM_FILE).absolute()), "sha256": attested.sbom_sha256},
        "provenance": {"file": str(stored.path(PROVENANCE_FILE).absolute()), "sha256": attested.provenance_sha256},
        "signed": is_signed(stored),
    }


def show_result(console: "Console", stored: "StoredBuild") -> None:
    """Print a finished build, and what comes next."""
    record = stored.record
    upstream = f"Bottlerocket v{record.upstream.release}, delivery {record.delivery}"
    if record.repack is not None:
        upstream += ", repacked" if record.repack.signed else ", repacked without signatures (no Secure Boot)"
    console.line(f"{record.variant} for {record.spec.arch} on {upstream}")
    rows = [["  folder", str(stored.folder)]]
    for image in record.result.images if record.result else ():
        rows.append([f"  {image.role} image", str(image.file)])
        rows.append(["", f"SHA-256 {image.sha256}, {image.bytes / 2**20:.0f} MiB uncompressed"])
    rows += [[f"  {region}", f"{ami.id}, {ami.name}"] for region, ami in record.amis.items()]
    if record.nodegroup:
        rows.append(["  nodegroup", str(record.nodegroup)])
    if record.attested is not None:
        from brqos.provenance.documents import PROVENANCE_FILE, SBOM_FILE

        rows += [["  SBOM", str(SBOM_FILE)], ["  provenance", str(PROVENANCE_FILE)]]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        console.line(f"{name.ljust(width)}  {value}")
    console.line(_next_step(stored))


def _next_step(stored: "StoredBuild") -> str:
    record = stored.record
    if record.rehearsal:
        return "This was a rehearsal: no image that boots, no AMI, no cluster. For the real one leave out --rehearse."
    if record.nodegroup:
        file = stored.path(record.nodegroup)
        if record.spec.nodegroup.effective_kind.by_eksctl:
            return f"Next: eksctl create nodegroup --config-file {file}"
        return f"Next: {file} says at its head how it is used"
    if record.amis:
        return "Next: brqos nodegroup --cluster NAME"
    return "Next: brqos register --region REGION"


def show_native(console: "Console", planned: "Planned", around: "Surroundings") -> None:
    """Print that nothing is to be built, and the settings that do the job."""
    settings = planned.overlay.settings
    if around.spec.ami.regions or around.spec.nodegroup.cluster:
        console.note("No AMI is registered and no nodegroup written: the official AMI is the one to use.")
        console.note(
            f"Its nodes: brqos nodegroup --official --variant {planned.overlay.variant.base} --arch ... --cluster ..."
        )
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


def show_steps(console: "Console", steps: "Sequence[Step]") -> None:
    """Print what each stage would do."""
    if console.json_output:
        shown = [{"stage": step.stage, "does": step.does, "parameters": step.parameters} for step in steps]
        console.data({"dry_run": True, "steps": shown})
        return
    for step in steps:
        console.line(f"{step.stage:10} {step.does}")
        for key, value in (step.parameters or {}).items():
            console.line(f"{'':12} {key} = {json.dumps(value, ensure_ascii=False)}")
    console.line("Nothing was done (--dry-run).")


def show_configuration(console: "Console", configuration: "Resolved") -> None:
    """Print every value and where it came from."""
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
