"""What upstream's build would refuse in a tree, as far as it can be seen without building: in upstream's own words."""

import re
import tomllib
from pathlib import Path

from brqos.errors import UpstreamError
from brqos.image.manifest import VariantManifest, read_manifest
from brqos.variant import SUFFIX, crate_name


class RefusedError(Exception):
    """Upstream's build would fail here; the lines are what it would print."""

    def __init__(self, *lines: str) -> None:
        super().__init__(lines[-1])
        self.lines = lines


def examined(tree: Path, variant: str) -> VariantManifest:
    """The variant's manifest, once everything that it names is there; raises RefusedError."""
    try:
        manifest = read_manifest(tree, variant)
    except UpstreamError as error:
        raise RefusedError(f"error: manifest path `variants/{variant}/Cargo.toml` does not exist") from error
    _check_lock(tree, variant, manifest)
    _check_settings(tree, variant)
    _check_packages(tree, manifest)
    return manifest


def sources(tree: Path, manifest: VariantManifest) -> dict[str, bytes]:
    """The files that the variant's own local packages put into RPMs: `packages/<name>/<file>` -> bytes."""
    found = {}
    for package in manifest.included_packages:
        folder = tree / "packages" / package
        if not (folder / f"{package}.spec").is_file():
            continue
        for file in sorted(folder.iterdir()):
            if file.is_file() and file.name != "Cargo.toml" and file.suffix != ".spec":
                found[file.relative_to(tree).as_posix()] = file.read_bytes()
    return found


def _check_lock(tree: Path, variant: str, manifest: VariantManifest) -> None:
    lock = tree / "Cargo.lock"
    locked = {package["name"] for package in tomllib.loads(lock.read_text(encoding="utf-8")).get("package", [])}
    needed = [(crate_name(variant), tree / "variants" / variant)]
    for folder in manifest.build_dependencies:
        file = folder / "Cargo.toml"
        if not file.is_file():
            raise RefusedError(
                f"error: failed to load manifest for dependency `{folder.name}`",
                f"  failed to read `{folder.resolve()}/Cargo.toml`",
                "  No such file or directory (os error 2)",
            )
        needed.append((tomllib.loads(file.read_text(encoding="utf-8"))["package"]["name"], folder))
    if any(name not in locked for name, _ in needed):
        raise RefusedError(
            f"error: the lock file {lock} needs to be updated but --locked was passed to prevent this",
            "If you want to try to generate the lock file without accessing the network, remove the --locked flag and "
            "use --offline instead.",
        )


def _check_settings(tree: Path, variant: str) -> None:
    spec = tree / "packages" / "settings-defaults" / "settings-defaults.spec"
    wanted = f"Provides: %{{_cross_os}}settings-defaults({variant})"
    lines = spec.read_text(encoding="utf-8").splitlines() if spec.is_file() else []
    if wanted not in (" ".join(line.split()) for line in lines):
        raise RefusedError("Error: Unable to find a match: bottlerocket-settings-defaults")


def _check_packages(tree: Path, manifest: VariantManifest) -> None:
    known = _from_kits(tree) | local_packages(tree)
    for package in manifest.included_packages:
        if package not in known:
            raise RefusedError(f"Error: Unable to find a match: bottlerocket-{package}")


def _from_kits(tree: Path) -> set[str]:
    # The kits themselves are not here; what upstream's own variants include is in them, or is a package of the tree.
    found: set[str] = set()
    for folder in sorted((tree / "variants").iterdir()):
        if (folder / "Cargo.toml").is_file() and not folder.name.endswith(f"-{SUFFIX}"):
            found.update(read_manifest(tree, folder.name).included_packages)
    return found


def local_packages(tree: Path) -> set[str]:
    """The packages that the tree itself has, without their prefix."""
    names = re.compile(r"^Name:\s*%\{_cross_os\}(\S+)", re.MULTILINE)
    return {
        name
        for spec in sorted((tree / "packages").glob("*/*.spec"))
        for name in names.findall(spec.read_text(encoding="utf-8"))
    }
