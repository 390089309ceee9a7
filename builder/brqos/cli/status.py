"""`brqos status`: the builds of this folder, and how far each is."""

from typing import TYPE_CHECKING

from brqos.cli import options
from brqos.cli.session import running
from brqos.stages import Stage

if TYPE_CHECKING:
    from brqos.console import Console
    from brqos.record import StoredBuild


def status(
    build: options.Build = None,
    record: options.Record = None,
    json_output: options.Json = False,
) -> None:
    """Show the builds of this folder, or one of them in full."""
    with running(json_output=json_output) as console:
        from brqos.record import BUILDS, broken_records, find, stored_builds

        if build is not None or record is not None:
            stored = find(build, record)
            if json_output:
                console.data(stored.record.model_dump(mode="json"))
            else:
                _show_one(console, stored)
            return
        builds = list(stored_builds())
        for broken in broken_records():
            console.warn(f"{broken.what}: {broken.why}")
        if json_output:
            console.data([stored.record.model_dump(mode="json") for stored in builds])
            return
        _show_unfinished(console)
        if not builds:
            console.line(f"No builds in {BUILDS}/ yet. Begin with: brqos build --variant aws-k8s-1.29 --rehearse")
            return
        console.table(["BUILD", "UPDATED (UTC)", "DONE UP TO", "AMIS"], [_cells(stored) for stored in builds])


def _show_unfinished(console: "Console") -> None:
    """Uploads that a run on this machine was interrupted in; the builds' folders know nothing of them."""
    from brqos.ami.upload.journal import blocks_done, journal_folder, journals

    for file, begun in journals(journal_folder()):
        if begun.snapshot:
            console.note(
                f"Unfinished: {begun.image} to {begun.region}, {blocks_done(file)} of {begun.blocks} blocks in"
                f" {begun.snapshot}. The same `brqos register` goes on with it."
            )


def _cells(stored: "StoredBuild") -> list[str]:
    record = stored.record
    amis = ", ".join(f"{region} {ami.id}" for region, ami in record.amis.items())
    # A rehearsal's name says that it is one.
    name = f"~{record.id}" if record.rehearsal else record.id
    last = [stage.value for stage in Stage if stage in record.stages][-1:]
    return [name, f"{record.updated:%m-%d %H:%M}", *(last or ["-"]), amis or "-"]


def _show_one(console: "Console", stored: "StoredBuild") -> None:
    record = stored.record
    rows = [
        ["build", f"{record.id}{' (rehearsal: nothing in it is real)' if record.rehearsal else ''}"],
        ["variant", f"{record.variant} for {record.spec.arch}, delivery {record.delivery}"],
        ["upstream", f"v{record.upstream.release}, {record.upstream.commit}"],
    ]
    if record.repack is None:
        rows.append(["overlay", record.overlay_commit])
    else:
        rows.append(["repacked", "with signatures of your own" if record.repack.signed else "~without signatures"])
        rows += [["from", f"{item.file} (SHA-256 {item.sha256})"] for item in record.repack.inputs]
    for image in record.result.images if record.result else ():
        rows.append([f"{image.role} image", f"{stored.path(image.file)} (SHA-256 {image.sha256})"])
    for region, ami in record.amis.items():
        rows.append([region, f"{ami.id} with {', '.join(ami.snapshots.values())}"])
    if record.nodegroup:
        rows.append(["nodegroup", str(stored.path(record.nodegroup))])
    if record.log:
        rows.append(["log", str(stored.path(record.log))])
    for stage in Stage:
        if stage is Stage.GENERATE and record.repack is not None:
            # A repacked image has no source.
            continue
        done = record.stages.get(stage)
        rows.append([stage, f"+done in {done.seconds:.0f} s" if done else "~not done"])
    console.table(["", ""], rows)
