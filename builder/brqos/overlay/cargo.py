"""The edits that cargo sees: the variant's manifest, the workspace's members, and the lock file."""

import re
import tomllib

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, Table

from brqos.overlay.package import PACKAGE
from brqos.upstream.files import changed
from brqos.upstream.tree import UpstreamTree
from brqos.variant import VariantName, crate_name


def variant_manifest(tree: UpstreamTree, variant: VariantName) -> str:
    """`variants/<new>/Cargo.toml`: the base's own, with another name, one more package and one more dependency.

    The base's manifest is never replaced by a fixed list: packages, image features and kernel parameters change from
    release to release.
    """
    path = f"variants/{variant.base}/Cargo.toml"
    document = _parsed(tree, path)
    try:
        document["package"]["name"] = crate_name(variant.memory_qos)
        packages = document["package"]["metadata"]["build-variant"]["included-packages"]
        dependencies = document["build-dependencies"]
    except (KeyError, TOMLKitError) as error:
        raise changed(tree.label, path, f"it has no {error}") from None
    if not isinstance(packages, Array) or not isinstance(dependencies, Table):
        raise changed(tree.label, path, "included-packages is no array, or build-dependencies no table")
    _append_line(packages, PACKAGE)
    dependencies[PACKAGE] = tomlkit.value(f'{{ path = "../../packages/{PACKAGE}" }}')
    return tomlkit.dumps(document)


def workspace_manifest(tree: UpstreamTree, variant: VariantName) -> str:
    """The root `Cargo.toml` with the new package and the new variant among its members."""
    document = _parsed(tree, "Cargo.toml")
    try:
        members = document["workspace"]["members"]
    except (KeyError, TOMLKitError):
        members = None
    if not isinstance(members, Array):
        raise changed(tree.label, "Cargo.toml", "it lists no workspace members")
    for member in (f"packages/{PACKAGE}", f"variants/{variant.memory_qos}"):
        if member in members.unwrap():
            raise changed(tree.label, "Cargo.toml", f"it has the member {member} already")
        _append_line(members, member)
    return tomlkit.dumps(document)


def lock_file(tree: UpstreamTree, variant: VariantName) -> str:
    """The root `Cargo.lock` with an entry for each of the two new crates.

    Upstream builds with `--locked`, so this must be what cargo would write itself: packages sorted by name,
    dependencies sorted, the version of the format left alone (3 up to v1.36, 4 later).
    """
    path = "Cargo.lock"
    head, *blocks = re.split(r"(?m)^(?=\[\[package\]\]\n)", tree.files.text(path))
    entries = {_entry_name(tree, block): block for block in blocks}
    base, new = crate_name(variant.base), crate_name(variant.memory_qos)
    if base not in entries:
        raise changed(tree.label, path, f"it has no package {base}")
    if {new, PACKAGE} & entries.keys():
        raise changed(tree.label, path, f"it has {new} or {PACKAGE} already")
    dependencies = tomllib.loads(entries[base])["package"][0].get("dependencies", [])
    entries[new] = _lock_entry(new, [*dependencies, PACKAGE])
    entries[PACKAGE] = _lock_entry(PACKAGE, [])
    # cargo parts its entries with one empty line, and ends the file without one.
    return head + "\n".join(entries[name].rstrip("\n") + "\n" for name in sorted(entries))


def _entry_name(tree: UpstreamTree, block: str) -> str:
    match = re.search(r'(?m)^name = "([^"]+)"$', block)
    version = re.search(r'(?m)^version = "([^"]+)"$', block)
    if not match or not version:
        raise changed(tree.label, "Cargo.lock", "it has a package without name or version")
    # Crates of the registry may stand there in several versions.
    return match[1] if "\nsource = " not in block else f"{match[1]} {version[1]}"


def _lock_entry(name: str, dependencies: list[str]) -> str:
    lines = [f'[[package]]\nname = "{name}"\nversion = "0.1.0"']
    if dependencies:
        lines += ["dependencies = [", *(f' "{dependency}",' for dependency in sorted(dependencies)), "]"]
    return "\n".join(lines) + "\n"


def _parsed(tree: UpstreamTree, path: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(tree.files.text(path))
    except TOMLKitError as error:
        raise changed(tree.label, path, f"it is not TOML ({error})") from None


def _append_line(array: Array, value: str) -> None:
    """Add a line at the end of an array that has one value per line, indented as its last one."""
    lines = [line for line in array.as_string().splitlines() if line.lstrip().startswith(('"', "'"))]
    indent = re.match(r"\s*", lines[-1])[0] if lines else "    "  # type: ignore[index]
    array.add_line(value, indent=indent)
