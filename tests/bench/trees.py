"""What `generate` is measured on: a real release, or a miniature where none is given."""

import json
from dataclasses import dataclass
from pathlib import Path

from brqos.rehearsal.miniature import Layout, bottlerocket, core_kit, write_repository


@dataclass(frozen=True, slots=True)
class Trees:
    """The repositories and commits of one release, and its variants."""

    title: str
    bottlerocket: str
    commit: str
    core_kit: str
    core_kit_commit: str
    variants: tuple[str, ...]


def real(releases: Path, bottlerocket: Path, core_kit: Path) -> Trees:
    """The newest release of the list."""
    listed = json.loads(releases.read_text(encoding="utf-8"))["releases"]
    release = max(listed, key=lambda name: [int(part) for part in name.split(".")])
    found = listed[release]
    return Trees(
        f"Bottlerocket v{release}",
        str(bottlerocket),
        found["commit"],
        str(core_kit),
        found["core_kit_commit"],
        tuple(found["aws_k8s_variants"]),
    )


def miniature(folder: Path) -> Trees:
    """The miniature with the drop-in directory."""
    layout = Layout.DROP_IN
    return Trees(
        f"a miniature of v{layout.release}",
        str(folder / "bottlerocket"),
        write_repository(bottlerocket(layout), folder / "bottlerocket"),
        str(folder / "core-kit"),
        write_repository(core_kit(layout), folder / "core-kit"),
        tuple(variant.base for variant in layout.variants),
    )
