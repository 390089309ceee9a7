"""Whole trees: the Bottlerocket repository of a layout, and the core kit that it pins."""

from collections.abc import Iterable

from brqos.rehearsal.miniature import kits, packages, sources, variants, workspace
from brqos.rehearsal.miniature.entry import Entry
from brqos.rehearsal.miniature.layout import Layout
from brqos.variant import VariantName


def bottlerocket(layout: Layout, *, names: Iterable[str] | None = None, release: str | None = None) -> dict[str, Entry]:
    """The Bottlerocket repository: path to entry, sorted by path.

    `names` are the `aws-k8s-*` variants that it shall have (the layout's own where none are given), `release` the
    version that Release.toml and Twoliter.toml name. Raises ConfigurationError for a name that is no such variant.
    """
    chosen = _chosen(layout, names)
    traits = layout.traits
    tree = {
        **workspace.entries(traits, chosen, release or traits.release),
        **variants.entries(traits, chosen),
        **packages.entries(traits, chosen),
        **sources.entries(traits, chosen),
    }
    return dict(sorted(tree.items()))


def core_kit(layout: Layout, *, names: Iterable[str] | None = None, version: str | None = None) -> dict[str, Entry]:
    """The core kit's repository at the version that the layout pins, with a kubelet for each of the variants."""
    minors = sorted({variant.kubernetes for variant in _chosen(layout, names)})
    return dict(sorted(kits.entries(layout.traits, minors, version or layout.core_kit).items()))


def _chosen(layout: Layout, names: Iterable[str] | None) -> tuple[VariantName, ...]:
    if names is None:
        return layout.variants
    return tuple(VariantName.parse(name) for name in dict.fromkeys(names))
