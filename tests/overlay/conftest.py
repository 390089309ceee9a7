from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from brqos.config.model import Delivery
from brqos.memoryqos.settings import kubelet_settings
from brqos.overlay.model import Overlay
from brqos.overlay.plan import choose_delivery, needs_kubelet_package, plan_overlay
from brqos.rehearsal.miniature import Layout
from brqos.upstream.kit import KubeletPackage, read_kubelet_package
from brqos.upstream.mirror import Mirror
from brqos.upstream.tree import UpstreamTree, read_tree
from brqos.variant import VariantName


@dataclass(frozen=True)
class Planning:
    """A miniature tree, its kubelet where it was needed, and the overlay for one variant."""

    mirror: Mirror
    tree: UpstreamTree
    kubelet: KubeletPackage | None
    overlay: Overlay

    def content(self, path: str) -> str:
        return next(file.content for file in self.overlay.files if file.path == path)


@pytest.fixture
def planning(miniature) -> Callable[..., Planning]:
    def plan(layout: Layout, variant: str, wish: Delivery | None = None, *, bake: bool = False, **wishes) -> Planning:
        repositories, name = miniature(layout), VariantName.parse(variant)
        repository: Path = repositories.bottlerocket
        tree = read_tree(repository, "here", "develop", repositories.bottlerocket_commit)
        kubelet = None
        if needs_kubelet_package(tree, name, wish):
            kubelet = read_kubelet_package(
                repositories.core_kit, tree.core_kit, repositories.core_kit_commit, name.kubernetes
            )
        delivery = choose_delivery(tree, kubelet, wish, bake=bake)
        settings = kubelet_settings(name.kubernetes, **wishes)
        overlay = plan_overlay(tree, kubelet, name, settings, delivery)
        return Planning(Mirror(str(repository), repository, fixed=True), tree, kubelet, overlay)

    return plan
