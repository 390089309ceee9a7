"""Cases made of the miniatures: what brqos makes of each layout, and ways to spoil it."""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from brqos.rehearsal.miniature import Layout
from brqos.variant import VariantName
from conftest import MiniatureRepositories, missing
from fidelity.case import Case, Pair, Source
from fidelity.handlebars import Renderer, default_cache, modules_folder
from fidelity.rpm import write_macros
from fidelity.runner import Bench
from fidelity.settings import SETTINGS
from fidelity.surface import generate

# Asked for while the tests are collected: later the home is an empty one.
_MODULES = modules_folder(default_cache())

# All that the miniatures' template can render.
_ALWAYS = {
    "kind", "apiVersion", "address", "authentication", "authorization", "clusterDomain", "clusterDNS", "evictionHard",
    "registryPullQPS", "kubeReserved", "kubeReservedCgroup", "cpuManagerPolicy", "cpuManagerPolicyOptions",
    "cgroupDriver", "cgroupRoot", "featureGates", "protectKernelDefaults", "serializeImagePulls", "seccompDefault",
    "tlsCertFile", "serverTLSBootstrap", "tlsCipherSuites", "maxPods", "staticPodPath", "reservedMemory", "failSwapOn",
    "memorySwap", "memoryThrottlingFactor",
}  # fmt: skip
FIELDS = {f"1.{n}": frozenset(_ALWAYS | ({"memoryReservationPolicy"} if n >= 36 else set())) for n in range(24, 38)}


@pytest.fixture(scope="session")
def made(
    miniature: Callable[[Layout], MiniatureRepositories], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Layout, str], Case]:
    """What brqos makes of a layout's variant, once per session; not to be changed."""
    folder = tmp_path_factory.mktemp("made")

    @cache
    def case(layout: Layout, variant: str) -> Case:
        found = miniature(layout)
        pair = Pair(
            release=layout.release,
            variant=VariantName.parse(variant),
            upstream=Source(found.bottlerocket, found.bottlerocket_commit),
            core_kit=Source(found.core_kit, found.core_kit_commit),
            core_kit_version=layout.core_kit,
        )
        environment = {"XDG_CACHE_HOME": str(folder / "cache")}
        return generate(pair, folder / f"{layout.value}-{variant}", environment)

    return case


@pytest.fixture(scope="session")
def macros(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The RPM macros that stand in for the SDK's."""
    return write_macros(tmp_path_factory.mktemp("macros") / "macros", None)


@pytest.fixture
def bench(macros: Path, cargo: Path, tool: Callable[[str], Path], tmp_path: Path) -> Bench:
    """All that the checks need, tools included."""
    for program in ("rpmspec", "rpmbuild", "rpm"):
        tool(program)
    return Bench(tmp_path, macros, _renderer(tool), FIELDS)


def _renderer(tool: Callable[[str], Path]) -> Renderer:
    tool("node")
    if not _MODULES.exists():
        missing("Handlebars is not installed (scripts/fidelity --prepare does it)")
    return _shared_renderer()


@cache
def _shared_renderer() -> Renderer:
    return Renderer(_MODULES, list(SETTINGS.values()))


@pytest.fixture
def spoiled(tmp_path: Path) -> Callable[..., Case]:
    """A copy of a case with changes in its files: `spoiled(case, {path: new text, or None to remove})`."""

    def copy(case: Case, changes: dict[str, str | None]) -> Case:
        tree = tmp_path / "spoiled"
        shutil.copytree(case.work_tree, tree, symlinks=True)
        for path, text in changes.items():
            target = tree / path
            if text is None:
                target.unlink()
            else:
                target.unlink(missing_ok=True)
                target.write_text(text, encoding="utf-8")
        return Case(case.pair, {**case.surface, "work_tree": str(tree)}, tree)

    return copy
