"""The pairs of release and variant, and a sample of them that leaves out no release and no shape."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from brqos.variant import VariantName
from fidelity.case import Pair, Source

SPEC = "packages/settings-defaults/settings-defaults.spec"


def pairs_of(releases: Path, bottlerocket: Path, core_kit: Path) -> list[Pair]:
    """All pairs of a list of releases (the JSON file's own text says how it is built), oldest release first."""
    listed = json.loads(releases.read_text(encoding="utf-8"))["releases"]
    return [
        Pair(
            release=release,
            variant=VariantName.parse(variant),
            upstream=Source(bottlerocket, found["commit"]),
            core_kit=Source(core_kit, found["core_kit_commit"]),
            core_kit_version=found["core_kit"],
            version_is_stand_in=found.get("core_kit_commit_is_stand_in", False),
        )
        for release, found in sorted(listed.items(), key=lambda item: _version(item[0]))
        for variant in found["aws_k8s_variants"]
    ]


def shape_of(pair: Pair) -> tuple[str, ...]:
    """All of a pair that an overlay's edits depend on: two pairs of one shape are changed in the same way."""
    folder = f"variants/{pair.variant.base}"
    others = sorted(path for path in pair.upstream.files(folder) if not path.endswith("/Cargo.toml"))
    return (
        pair.variant.flavor or "plain",
        pair.delivery,
        f"lock {_lock_version(pair)}",
        f"requires {_requires_form(pair)}",
        f"packages {_list_form(pair.upstream.text(f'{folder}/Cargo.toml'))}",
        f"siblings {len(others)}",
        f"template {pair.core_kit.files(pair.kubelet_package)[f'{pair.kubelet_package}/kubelet-config']}",
    )


def sample(pairs: Iterable[Pair]) -> list[Pair]:
    """A small choice in which each release and each shape occurs."""
    chosen: list[Pair] = []
    releases: set[str] = set()
    shapes: set[tuple[str, ...]] = set()
    left: list[Pair] = []
    for pair in pairs:
        if (shape := shape_of(pair)) not in shapes:
            shapes.add(shape)
            releases.add(pair.release)
            chosen.append(pair)
        else:
            left.append(pair)
    for pair in left:
        if pair.release not in releases:
            releases.add(pair.release)
            chosen.append(pair)
    return chosen


def _version(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def _lock_version(pair: Pair) -> str:
    match = re.search(r"^version = (\d+)$", pair.upstream.text("Cargo.lock"), re.MULTILINE)
    return match[1] if match else "none"


def _requires_form(pair: Pair) -> str:
    block = re.search(
        rf"^Requires: ((?:(?!^Requires:|^%package).)*?)^Provides:(?:(?!^%package).)*?"
        rf"^Provides: %\{{_cross_os\}}settings-defaults\({re.escape(pair.variant.base)}\)$",
        pair.upstream.text(SPEC),
        re.MULTILINE | re.DOTALL,
    )
    if block is None:
        return "unknown"
    # The names do not matter, only how they are put together and whether ours is the last of them.
    last = block[1].rfind(f"({pair.variant.base})") > block[1].rfind(" or")
    outline = "shrunk" if "%{shrink:" in block[1] else "single line" if "(%{" in block[1] else "bare"
    return (
        f"{outline} {'last' if last else 'not last'} {len(set(re.findall(r'^ *(?=%{nil})', block[1], re.MULTILINE)))}"
    )


def _list_form(manifest: str) -> str:
    lines = manifest.partition("included-packages = [\n")[2].partition("\n]")[0].splitlines()
    return " ".join(sorted({re.sub(r"\S.*", "#" if "#" in line else "x", line).replace(" ", ".") for line in lines}))
