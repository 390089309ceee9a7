"""What a variant's own files in the tree say about its image."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brqos.errors import UpstreamError


@dataclass(frozen=True, slots=True)
class VariantManifest:
    """The parts of `variants/<name>/Cargo.toml` and its neighbours that building and registering need.

    `split` tells whether data has an image of its own (upstream's default partition plan); `ami_spec` is the text of
    `amispec.toml`, which variants from Kubernetes 1.33 on have.
    """

    name: str
    included_packages: tuple[str, ...]
    build_dependencies: tuple[Path, ...]
    secure_boot: bool
    split: bool
    ami_spec: str | None


def read_manifest(work_tree: Path, variant: str) -> VariantManifest:
    """Read a variant of the tree; raises UpstreamError if it is not there or not readable."""
    folder = work_tree / "variants" / variant
    file = folder / "Cargo.toml"
    data = _read(file)
    section = _table(data.get("package", {}).get("metadata", {}).get("build-variant", {}))
    layout = _table(section.get("image-layout", {}))
    ami_spec = folder / "amispec.toml"
    return VariantManifest(
        name=variant,
        included_packages=tuple(section.get("included-packages", ())),
        build_dependencies=tuple(
            folder / entry["path"] for entry in data.get("build-dependencies", {}).values() if "path" in entry
        ),
        secure_boot=bool(_table(section.get("image-features", {})).get("uefi-secure-boot", False)),
        split=layout.get("partition-plan", "split") == "split",
        ami_spec=ami_spec.read_text(encoding="utf-8") if ami_spec.is_file() else None,
    )


def read_release(work_tree: Path) -> str:
    """The version in Release.toml, `1.50.0`; raises UpstreamError."""
    version = _read(work_tree / "Release.toml").get("version")
    if not isinstance(version, str):
        raise UpstreamError(f"{work_tree / 'Release.toml'} has no version")
    return version


def local_crates(work_tree: Path, variant: str) -> frozenset[str]:
    """The crates of the tree that building the variant needs, from Cargo.lock; empty where they cannot be known.

    In upstream's trees a crate is a package, a kit or a variant; cargo names each when it begins to build it.
    """
    try:
        packages = _read(work_tree / "Cargo.lock").get("package", [])
        crate = _read(work_tree / "variants" / variant / "Cargo.toml")["package"]["name"]
    except (UpstreamError, KeyError, TypeError):
        return frozenset()
    # A crate of the tree itself has no source in the lock.
    needs = {p["name"]: [d.split()[0] for d in p.get("dependencies", [])] for p in packages if "source" not in p}
    found: set[str] = set()
    waiting = [crate] if crate in needs else []
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [other for other in needs[name] if other in needs]
    return frozenset(found)


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UpstreamError(
            f"{file} cannot be read",
            why=str(error),
            todo="Is this a tree of Bottlerocket, with the overlay of `brqos generate`?",
        ) from error
