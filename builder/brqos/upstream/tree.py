"""What a Bottlerocket tree says: its release, its kits, its variants, and how the kubelet gets its configuration."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError, UpstreamError
from brqos.upstream.files import TreeFiles, changed, read_files
from brqos.upstream.git import text
from brqos.upstream.mirror import without_credentials
from brqos.variant import VariantName

# All that planning an overlay, and the check of mirrors, look at; the rest of the tree is of no concern.
_PREFIXES = (
    "Cargo.toml",
    "Cargo.lock",
    "Makefile.toml",
    "Release.toml",
    "Twoliter.lock",
    "Twoliter.toml",
    "packages",
    "variants",
    "sources/Cargo.lock",
    "sources/settings-defaults",
    "sources/shared-defaults",
)
_SERVICES = "sources/shared-defaults/kubernetes-services.toml"
_DROP_IN_DIRECTORY = "/etc/kubernetes/kubelet/config.d/"
# The kubelets of core kit 10.0.0 are the first that run with --config-dir (its CHANGELOG).
_FIRST_KIT_WITH_DROP_IN_DIRECTORY = (10, 0, 0)


@dataclass(frozen=True, slots=True)
class UpstreamTree:
    """A release's source, read. `core_kit` is the version that Twoliter.toml pins, without a leading v."""

    repository: str
    ref: str
    commit: str
    committed_at: str
    release: str
    core_kit: str
    files: TreeFiles

    @property
    def label(self) -> str:
        """The tree in a sentence."""
        return self.files.label

    def variants(self) -> list[str]:
        """The names of the `aws-k8s-*` variants that this tree has."""
        names = {path.split("/")[1] for path in self.files.below("variants") if path.endswith("/Cargo.toml")}
        return sorted((name for name in names if name.startswith("aws-k8s-")), key=_in_order)

    def require(self, variant: VariantName, *, last_release: str | None = None) -> None:
        """Raise ConfigurationError if the tree does not have the variant; `last_release` is the last known that did."""
        if f"variants/{variant.base}/Cargo.toml" in self.files:
            return
        known = f"The last release with {variant.base} is {last_release}. " if last_release else ""
        raise ConfigurationError(
            f"{self.label} has no variant {variant.base}",
            why=f"{known}This tree has: {', '.join(self.variants()) or 'no aws-k8s variant at all'}.",
            todo=f"Use --ref {last_release}, or another variant." if last_release else "Use another variant or --ref.",
        )

    def has_drop_in_directory(self) -> bool:
        """Whether the kubelet of this tree reads `/etc/kubernetes/kubelet/config.d`.

        Two witnesses: the tree itself puts a file there (kubernetes-services.toml, since v1.44), or it pins a core kit
        that is new enough.
        """
        if f'path = "{_DROP_IN_DIRECTORY}' in (self.files.resolved(_SERVICES) or ""):
            return True
        return version_of(self.core_kit) >= _FIRST_KIT_WITH_DROP_IN_DIRECTORY

    def does_secure_boot(self, variant: VariantName) -> bool:
        """Whether the variant's image is signed for Secure Boot, so that its AMI needs UEFI data."""
        return bool(self._build_section(variant).get("image-features", {}).get("uefi-secure-boot", False))

    def require_architecture(self, variant: VariantName, arch: Architecture) -> None:
        """Raise ConfigurationError if the variant is not built for it; one that names none is built for all.

        Twoliter's buildsys reads `supported-arches` in the same way (its manifest.rs), and refuses the build late.
        """
        names = self._build_section(variant).get("supported-arches")
        if names and arch.value not in names:
            raise ConfigurationError(
                f"{self.label} builds {variant.base} for {', '.join(map(str, names))} only, not for {arch.value}",
                todo="Use another architecture.",
            )

    def image_gib(self, variant: VariantName) -> tuple[int, int]:
        """GiB of the OS and of the data image; 2 and 1 are twoliter's defaults (buildsys, ImageLayout)."""
        layout = self._build_section(variant).get("image-layout", {})
        return int(layout.get("os-image-size-gib", 2)), int(layout.get("data-image-size-gib", 1))

    def _build_section(self, variant: VariantName) -> dict[str, Any]:
        manifest = tomllib.loads(self.files.text(f"variants/{variant.base}/Cargo.toml"))
        section: dict[str, Any] = manifest.get("package", {}).get("metadata", {}).get("build-variant", {})
        return section

    def ami_spec(self, variant: VariantName) -> str | None:
        """The text of the variant's `amispec.toml` (twoliter >= 0.10 merges it over its defaults), or None."""
        return self.files.resolved(f"variants/{variant.base}/amispec.toml")


def read_tree(mirror: Path, repository: str, ref: str, commit: str) -> UpstreamTree:
    """Read the tree of a commit; raises UpstreamError if it is not Bottlerocket's, or older than its kits."""
    files = read_files(mirror, commit, _PREFIXES, f"Bottlerocket at {ref}")
    if "Release.toml" not in files or not files.below("variants"):
        raise UpstreamError(
            f"{without_credentials(repository)} at {ref} is not Bottlerocket's source",
            why="It has no Release.toml, or no variants/.",
            todo="Give --upstream the URL or path of bottlerocket-os/bottlerocket or a copy of it.",
        )
    release = _toml(files, "Release.toml").get("version")
    if not isinstance(release, str) or not re.fullmatch(r"\d+\.\d+\.\d+\S*", release):
        raise changed(files.label, "Release.toml", "it names no version")
    files = TreeFiles(f"Bottlerocket v{release} ({commit[:12]})", files.entries)
    return UpstreamTree(
        repository=repository,
        ref=ref,
        commit=commit,
        committed_at=text("show", "--no-patch", "--format=%ct +0000", commit, at=mirror),
        release=release,
        core_kit=_core_kit_version(files),
        files=files,
    )


def version_of(text: str) -> tuple[int, ...]:
    """`10.1.0` as numbers that compare; what is no number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in re.split(r"[.+-]", text.removeprefix("v"))[:3])


def _core_kit_version(files: TreeFiles) -> str:
    kits = _toml(files, "Twoliter.toml").get("kit") if "Twoliter.toml" in files else None
    named = [kit for kit in kits if isinstance(kit, dict)] if isinstance(kits, list) else []
    versions = [kit.get("version") for kit in named if str(kit.get("name", "")).endswith("core-kit")]
    if not versions:
        raise UpstreamError(
            f"{files.label} is built without kits",
            why="Releases up to v1.20.5 have all packages in their own tree; brqos knows those from v1.21.0 on.",
            todo="Use a newer release.",
        )
    if len(versions) > 1:
        raise changed(files.label, "Twoliter.toml", "it pins more than one core kit")
    return str(versions[0]).removeprefix("v")


def _toml(files: TreeFiles, path: str) -> dict[str, object]:
    try:
        return tomllib.loads(files.text(path))
    except tomllib.TOMLDecodeError as error:
        raise changed(files.label, path, f"it is not TOML ({error})") from None


def _in_order(name: str) -> tuple[tuple[int, ...], str]:
    fields = name.split("-")
    return version_of(fields[2]) if len(fields) > 2 else (), name
