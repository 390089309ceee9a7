"""The four classes of upstream releases that differ in something that an overlay has to know (upstream.md)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from brqos.variant import KubernetesVersion, VariantName


class Layout(StrEnum):
    """A class of releases; each has one release that stands for it."""

    EARLY = "early"
    """v1.21: the first releases from kits; one kit, no FIPS, lock version 3."""
    MIDDLE = "middle"
    """v1.36: a kernel kit and FIPS variants, still no drop-in directory."""
    DROP_IN = "drop-in"
    """v1.50: the kubelet reads drop-ins; amispec symlinks from Kubernetes 1.33; lock version 4."""
    NATIVE = "native"
    """v1.66: MemoryQoS settings for Kubernetes 1.37; NVIDIA with FIPS."""

    @property
    def traits(self) -> "Traits":
        """What the releases of this class have."""
        return _TRAITS[self]

    @property
    def release(self) -> str:
        """The Bottlerocket release that the miniature says it is."""
        return self.traits.release

    @property
    def core_kit(self) -> str:
        """The version of the core kit that it pins."""
        return self.traits.core_kit

    @property
    def variants(self) -> tuple[VariantName, ...]:
        """The `aws-k8s-*` variants that it has unless others are asked for."""
        return tuple(
            VariantName(minor, flavor) for minor in self.traits.minors for flavor in self.traits.flavors_of(minor)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the trees of a layout have, and since which Kubernetes version."""

    release: str
    core_kit: str
    kernel_kit: str | None
    sdk: str
    twoliter: str
    schema: int
    lock: int
    sources_lock: int
    minors: tuple[KubernetesVersion, ...]
    shared: tuple[tuple[KubernetesVersion, ...], ...]
    """Kubernetes versions that one subpackage of settings-defaults serves; it is called like the last of them."""
    fips_since: KubernetesVersion | None
    nvidia_fips_since: KubernetesVersion | None
    drop_in_directory: bool
    amispec_since: KubernetesVersion | None

    def flavors_of(self, minor: KubernetesVersion) -> tuple[str, ...]:
        """The flavors that come with this Kubernetes version; the first is the plain one."""
        flavors = ["", "nvidia"]
        if self.fips_since is not None and minor >= self.fips_since:
            flavors.append("fips")
        if self.nvidia_fips_since is not None and minor >= self.nvidia_fips_since:
            flavors.append("nvidia-fips")
        return tuple(flavors)

    def serving(self, variant: VariantName) -> str:
        """The subpackage of settings-defaults that serves the variant; FIPS makes no difference there."""
        group = next((group for group in self.shared if variant.kubernetes in group), (variant.kubernetes,))
        return f"aws-k8s-{group[-1]}" + ("-nvidia" if variant.is_nvidia else "")

    def served(self, variants: Iterable[VariantName]) -> dict[str, list[VariantName]]:
        """The serving subpackages of these variants, in order, each with those that it serves."""
        found: dict[str, list[VariantName]] = {}
        for variant in sorted(variants, key=lambda name: (name.kubernetes, name.flavor)):
            found.setdefault(self.serving(variant), []).append(variant)
        return dict(sorted(found.items()))


def _minors(first: int, last: int) -> tuple[KubernetesVersion, ...]:
    return tuple(KubernetesVersion(1, minor) for minor in range(first, last + 1))


_TRAITS = {
    Layout.EARLY: Traits(
        release="1.21.0",
        core_kit="2.3.3",
        kernel_kit=None,
        sdk="0.43.0",
        twoliter="0.4.4",
        schema=1,
        lock=3,
        sources_lock=3,
        minors=_minors(24, 30),
        shared=(_minors(24, 25), _minors(27, 30)),
        fips_since=None,
        nvidia_fips_since=None,
        drop_in_directory=False,
        amispec_since=None,
    ),
    Layout.MIDDLE: Traits(
        release="1.36.0",
        core_kit="6.3.0",
        kernel_kit="2.1.0",
        sdk="0.60.0",
        twoliter="0.8.1",
        schema=1,
        lock=3,
        sources_lock=4,
        minors=_minors(26, 32),
        shared=(_minors(27, 31),),
        fips_since=KubernetesVersion(1, 28),
        nvidia_fips_since=None,
        drop_in_directory=False,
        amispec_since=None,
    ),
    Layout.DROP_IN: Traits(
        release="1.50.0",
        core_kit="10.9.0",
        kernel_kit="4.4.2",
        sdk="0.65.1",
        twoliter="0.12.0",
        schema=2,
        lock=4,
        sources_lock=4,
        minors=_minors(28, 34),
        shared=(_minors(28, 31),),
        fips_since=KubernetesVersion(1, 28),
        nvidia_fips_since=None,
        drop_in_directory=True,
        amispec_since=KubernetesVersion(1, 33),
    ),
    Layout.NATIVE: Traits(
        release="1.66.0",
        core_kit="17.0.0",
        kernel_kit="9.2.0",
        sdk="0.72.0",
        twoliter="0.24.0",
        schema=2,
        lock=4,
        sources_lock=4,
        minors=_minors(31, 37),
        shared=(_minors(28, 31),),
        fips_since=KubernetesVersion(1, 28),
        nvidia_fips_since=KubernetesVersion(1, 29),
        drop_in_directory=True,
        amispec_since=KubernetesVersion(1, 33),
    ),
}
