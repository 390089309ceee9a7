"""Running upstream's build, and taking over what it made."""

import contextlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from brqos import process
from brqos.errors import BuildError
from brqos.image import containers, kits, sbkeys
from brqos.image.failures import diagnose, meaningful
from brqos.image.find import find_images
from brqos.image.hashing import hash_image
from brqos.image.manifest import VariantManifest, local_crates, read_manifest
from brqos.image.model import INVENTORY, BuildResult
from brqos.image.order import CARGO_MAKE, BuildOrder
from brqos.image.progress import BuildProgress
from brqos.monitor import Monitor, Task
from brqos.variant import crate_name

# Where a failure is looked for: buildsys' output of a failed package can be thousands of lines long.
_KEPT_LINES = 20_000
# Colours and rewritten progress bars are of no use in a log; the check for a newer cargo-make needs the network.
_ENVIRONMENT = {"CARGO_TERM_COLOR": "never", "BUILDKIT_PROGRESS": "plain", "CARGO_MAKE_DISABLE_UPDATE_CHECK": "1"}


def build_images(order: BuildOrder, *, image_version: str, log: Path, monitor: Monitor) -> BuildResult:
    """Build the variant in its work tree and return its images, hashed; they stay in the tree's build folder.

    `image_version` is `<release>-<short commit>`, as the work tree's `git describe` gives it; every line of the build
    goes to `log` (secrets hidden). Raises ConfigurationError for an unusable signing profile, ToolError for a missing
    tool, BuildError for a build that fails or leaves something else, UpstreamError for a tree without the variant. On
    an interrupt all processes of the build are stopped before KeyboardInterrupt goes on.
    """
    manifest = read_manifest(order.work_tree, order.variant)
    if process.stop_left_over(order.work_tree):
        monitor.note("Stopped what an earlier build, which was killed, had left running in this work tree.")
    sbkeys.announce(order, monitor)
    for folder in kits.repair(order.work_tree):
        monitor.note(f"Thrown away, since it was fetched only in part: {folder.relative_to(order.work_tree)}")
    _run(order, log, monitor)
    return _result(order, manifest, image_version, monitor)


def _run(order: BuildOrder, log: Path, monitor: Monitor) -> None:
    progress = BuildProgress(local_crates(order.work_tree, order.variant), crate_name(order.variant))
    tail: deque[str] = deque(maxlen=_KEPT_LINES)
    monitor.note(f"Log of the build: {log}")
    kits.fetching(order.work_tree)
    with (
        _opened(log) as lines,
        monitor.task(f"Building {order.variant} for {order.arch.value}", progress.total) as task,
    ):
        lines.write(f"$ cd {order.work_tree}\n$ {order.shown}\n")

        def on_line(line: str) -> None:
            shown = order.without_secrets(line)
            lines.write(shown + "\n")
            # Whoever follows the log, or finds it after a crash of the machine, sees it up to here.
            lines.flush()
            tail.append(shown)
            _report(shown, progress, order, task)

        try:
            status = process.stream(
                order.argv, cwd=order.work_tree, env={**_ENVIRONMENT, **order.environment}, on_line=on_line
            )
        except KeyboardInterrupt:
            _say_stopped(order, log, lines, monitor)
            raise
        lines.write(f"# ended with status {status}\n")
        if status != 0:
            raise _failure(order, status, tail, log)
        kits.fetched(order.work_tree)
        task.advance(progress.finish())


@contextlib.contextmanager
def _opened(log: Path) -> Iterator[IO[str]]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8", errors="replace") as lines:
        yield lines


def _report(line: str, progress: BuildProgress, order: BuildOrder, task: Task) -> None:
    fetched_before = progress.kits_are_there
    step = progress.step(line)
    if progress.kits_are_there and not fetched_before:
        kits.fetched(order.work_tree)
    if step:
        if step.advance:
            task.advance(step.advance)
        task.describe(step.text)


def _say_stopped(order: BuildOrder, log: Path, lines: IO[str], monitor: Monitor) -> None:
    lines.write("# interrupted; all its processes are stopped\n")
    removed = containers.remove_left_over(order.work_tree) if order.program == CARGO_MAKE else ()
    with_them = f" and {len(removed)} of its containers" if removed else ""
    monitor.note(
        f"The build is stopped, all its processes{with_them} with it. What is built already is kept. Log: {log}"
    )


def _failure(order: BuildOrder, status: int, tail: deque[str], log: Path) -> Exception:
    lines = list(tail)
    cause = diagnose(lines)
    told = meaningful(lines, cause)
    why = "\n".join([*told, f"The whole log: {log}"])
    if cause is None:
        return BuildError(
            f"the build of {order.variant} failed (status {status})",
            why=why,
            todo=f"The cause is none that brqos knows. To repeat it by hand, in {order.work_tree}:\n{order.shown}",
        )
    return cause.error(f"the build of {order.variant} failed: {cause.what}", why=why, todo=cause.todo)


def _result(order: BuildOrder, manifest: VariantManifest, image_version: str, monitor: Monitor) -> BuildResult:
    found = find_images(order.work_tree, order.arch, order.variant, image_version, split=manifest.split)
    images = tuple(hash_image(role, file, monitor) for role, file in found.items())
    inventory = images[0].file.with_name(INVENTORY)
    return BuildResult(
        image_version=image_version,
        images=images,
        secure_boot=manifest.secure_boot,
        uefi_data=sbkeys.read_uefi_data(order.profile_folder) if manifest.secure_boot else None,
        ami_spec=manifest.ami_spec,
        sbkeys_profile=str(order.profile_folder),
        inventory=inventory if inventory.is_file() else None,
    )
