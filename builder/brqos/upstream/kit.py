"""What the core kit says about one kubelet: its configuration template, and what it reads beside it."""

import re
from dataclasses import dataclass
from pathlib import Path

from brqos.upstream.files import read_files
from brqos.variant import KubernetesVersion


@dataclass(frozen=True, slots=True)
class KubeletPackage:
    """The package `kubernetes-<minor>` of a core kit: `template` is its `kubelet-config` (Handlebars), whole."""

    version: str
    commit: str
    label: str
    template: str
    has_drop_in_directory: bool

    @property
    def has_native_settings(self) -> bool:
        """Whether the template renders both MemoryQoS settings itself (Kubernetes 1.37, core kit 17.0.0)."""
        return all(f"settings.kubernetes.{name}" in self.template for name in NATIVE_SETTINGS)


NATIVE_SETTINGS = ("memory-throttling-factor", "memory-reservation-policy")


def read_kubelet_package(mirror: Path, pinned: str, commit: str, kubernetes: KubernetesVersion) -> KubeletPackage:
    """Read the package from a commit of the core kit; raises UpstreamError where the kit has no such kubelet.

    `pinned` is the version that the tree wants; the kit's own Twoliter.toml says which one this commit is.
    """
    directory = f"packages/kubernetes-{kubernetes}"
    version = _version(mirror, commit) or pinned
    label = f"the core kit {version} ({commit[:12]})"
    files = read_files(mirror, commit, [f"{directory}/kubelet-config", f"{directory}/kubelet-exec-start-conf"], label)
    start = files.resolved(f"{directory}/kubelet-exec-start-conf") or ""
    return KubeletPackage(
        version=version,
        commit=commit,
        label=label,
        template=files.text(f"{directory}/kubelet-config"),
        has_drop_in_directory="--config-dir=/etc/kubernetes/kubelet/config.d" in start,
    )


def _version(mirror: Path, commit: str) -> str | None:
    manifest = read_files(mirror, commit, ["Twoliter.toml"], "the core kit").resolved("Twoliter.toml") or ""
    match = re.search(r'(?m)^release-version = "v?([\d.]+)"', manifest)
    return match[1] if match else None
