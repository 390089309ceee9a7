"""Upstream's source -> a planned overlay -> a work tree with it."""

import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from brqos.config.mirrors import MirrorsSpec
from brqos.config.model import BuildSpec, Delivery
from brqos.config.variants import shipped_flavor
from brqos.locks import lock_of, locked
from brqos.memoryqos.settings import FIRST, KubeletSettings, kubelet_settings
from brqos.monitor import Monitor
from brqos.overlay.apply import commit_overlay
from brqos.overlay.model import Overlay
from brqos.overlay.plan import choose_delivery, needs_kubelet_package, plan_overlay
from brqos.upstream import cargo_config, override
from brqos.upstream.kit import KubeletPackage, read_kubelet_package
from brqos.upstream.mirror import Mirror, open_mirror
from brqos.upstream.placed import place
from brqos.upstream.tree import UpstreamTree, read_tree, version_of
from brqos.upstream.worktree import WorkTree, check_out, refuse_changed_checkout
from brqos.variant import KubernetesVersion


@dataclass(frozen=True, slots=True)
class Source:
    """A mirror, and the tree that was read from it."""

    mirror: Mirror
    tree: UpstreamTree


Kubelets = dict[tuple[object, ...], KubeletPackage]
"""The kubelet packages of core kits that were read already, by all that they depend on."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be built: nothing has been written yet, except to the cache of mirrors.

    `override` is the text of Twoliter.override, empty where kits and SDK come from upstream's registry; `cargo_config`
    that of `.cargo/config.toml`, empty where crates come from crates.io.
    """

    mirror: Mirror
    tree: UpstreamTree
    kubelet: KubeletPackage | None
    overlay: Overlay
    override: str = ""
    cargo_config: str = ""

    @property
    def is_native(self) -> bool:
        """Whether the official image does it with settings alone, so that nothing is to be built."""
        return self.overlay.delivery is Delivery.NATIVE


def settings_of(spec: BuildSpec) -> KubeletSettings:
    """The kubelet settings that the spec asks for; raises ConfigurationError for wishes that cannot work."""
    return kubelet_settings(
        spec.variant_name.kubernetes,
        throttling_factor=spec.kubelet.throttling_factor,
        reservation_policy=spec.kubelet.reservation_policy,
        feature_gates=spec.kubelet.feature_gates,
    )


def read_source(spec: BuildSpec, cache: Path, monitor: Monitor) -> Source:
    """Find the commit that the spec names, and read its tree."""
    wanted = spec.upstream
    if wanted.ref is None:
        raise ValueError("a resolved spec names its release")
    place = spec.mirrors.place_of(wanted.repository)
    mirror = open_mirror(wanted.repository, cache, offline=wanted.offline, monitor=monitor, place=place)
    commit = mirror.resolve(wanted.ref, monitor)
    refuse_changed_checkout(mirror.origin, commit)
    return Source(mirror, read_tree(mirror.path, mirror.repository, wanted.ref, commit))


def plan(spec: BuildSpec, cache: Path, monitor: Monitor) -> Planned:
    """Read upstream's source as the spec names it, and plan the overlay."""
    # Wrong wishes are refused before anything is fetched.
    settings_of(spec)
    return plan_variant(read_source(spec, cache, monitor), spec, cache, monitor)


def plan_variant(
    source: Source, spec: BuildSpec, cache: Path, monitor: Monitor, *, kubelets: Kubelets | None = None
) -> Planned:
    """Plan the overlay for one variant of a tree that is read already.

    `kubelets` keeps what was read of core kits, for the next variant.
    """
    settings, variant, tree = settings_of(spec), spec.variant_name, source.tree
    flavor = shipped_flavor(variant)
    tree.require(variant, last_release=f"v{flavor.last_release}" if flavor and flavor.last_release else None)
    kubelet = None
    # A core kit that somebody names is always read, so that what is reported is what was used.
    if needs_kubelet_package(tree, variant, spec.build.delivery) or spec.upstream.core_kit_ref is not None:
        kubelet = _kubelet_package(spec, tree, cache, monitor, {} if kubelets is None else kubelets)
    delivery = choose_delivery(tree, kubelet, spec.build.delivery, bake=spec.build.bake)
    overlay = plan_overlay(tree, kubelet, variant, settings, delivery)
    # Nothing is to be built of a native one, and so nothing of it fetched.
    mirrors = MirrorsSpec() if delivery is Delivery.NATIVE else spec.mirrors
    override_file, cargo_file = override.override_of(tree, mirrors), cargo_config.cargo_config_of(tree, mirrors)
    return Planned(source.mirror, tree, kubelet, overlay, override_file, cargo_file)


def generate_all(
    spec: BuildSpec, cache: Path, monitor: Monitor, folder: Path | None
) -> list[tuple[Planned, WorkTree | None]]:
    """Plan every variant that the tree has and, with a folder, write the work tree of each below it.

    All are planned before the first is written, so a release that is not as expected leaves nothing behind.
    """
    source = read_source(spec, cache, monitor)
    names, kubelets = source.tree.variants(), Kubelets()
    planned = [
        plan_variant(source, spec.model_copy(update={"variant": name}), cache, monitor, kubelets=kubelets)
        for name in names
        if KubernetesVersion.parse(name.split("-")[2]) >= FIRST
    ]

    def write(one: Planned) -> WorkTree | None:
        if folder is None or one.is_native:
            return None
        name = one.overlay.variant.memory_qos
        with work_tree(one, folder / name, monitor, purpose="generating") as tree:
            return tree

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(zip(planned, pool.map(write, planned), strict=True))


@contextlib.contextmanager
def work_tree(planned: Planned, path: Path, monitor: Monitor, *, purpose: str, wait: bool = True) -> Iterator[WorkTree]:
    """The overlay checked out at `path`, with the files of [mirrors] that are due; locked for as long as it is used.

    Raises LockedError where somebody else uses it and `wait` is false.
    """
    name = planned.overlay.variant.memory_qos
    with locked(lock_of(path), f"{purpose} {name}", wait=wait, monitor=monitor):
        tree = check_out(
            planned.mirror,
            planned.tree.commit,
            path,
            name,
            lambda repository: commit_overlay(planned.overlay, repository),
        )
        cargo_config.refuse_old_name(tree.path, planned.cargo_config)
        for wanted in (override.placed(planned.override), cargo_config.placed(planned.cargo_config)):
            place(tree.path, wanted, monitor)
        yield tree


def _kubelet_package(
    spec: BuildSpec, tree: UpstreamTree, cache: Path, monitor: Monitor, kubelets: Kubelets
) -> KubeletPackage:
    wanted, kubernetes = spec.upstream, spec.variant_name.kubernetes
    place = spec.mirrors.place_of(wanted.core_kit)
    key = (wanted.core_kit, place, wanted.core_kit_ref, wanted.offline, tree.core_kit, kubernetes)
    if key not in kubelets:
        kubelets[key] = _read_kubelet_package(spec, tree, cache, monitor)
    return kubelets[key]


def _read_kubelet_package(spec: BuildSpec, tree: UpstreamTree, cache: Path, monitor: Monitor) -> KubeletPackage:
    wanted = spec.upstream
    place = spec.mirrors.place_of(wanted.core_kit)
    mirror = open_mirror(wanted.core_kit, cache, offline=wanted.offline, monitor=monitor, place=place)
    commit = mirror.resolve(wanted.core_kit_ref or f"v{tree.core_kit}", monitor)
    kubelet = read_kubelet_package(mirror.path, tree.core_kit, commit, spec.variant_name.kubernetes)
    if version_of(kubelet.version) != version_of(tree.core_kit):
        monitor.warn(
            f"{tree.label} pins the core kit {tree.core_kit}, but {wanted.core_kit_ref} is {kubelet.version}: "
            "the kubelet's template may differ from that of the kit that is built with"
        )
    return kubelet
