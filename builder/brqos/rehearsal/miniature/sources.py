"""`sources/` of the Bottlerocket repository: the defaults of the settings, mostly as links into one shared folder."""

from collections.abc import Sequence

from brqos.rehearsal.miniature import settings_defaults
from brqos.rehearsal.miniature.entry import Entry, fill, symlink
from brqos.rehearsal.miniature.layout import Traits
from brqos.variant import KubernetesVersion, VariantName, crate_name

_SDK = "https://github.com/bottlerocket-os/bottlerocket-settings-sdk"
_SDK_TAG = "bottlerocket-settings-models-v0.16.0"

_WORKSPACE = """\
[workspace]
resolver = "1"
members = [
@MEMBERS@
]

[workspace.dependencies.bottlerocket-defaults-helper]
git = "@SDK@"
tag = "@TAG@"
version = "0.1.1"

[profile.release]
debug = true
"""

_CRATE = """\
[package]
name = "settings-defaults-@CRATE@"
version = "0.1.0"
edition = "2021"
license = "Apache-2.0 OR MIT"
publish = false
build = "../build-defaults.rs"

[lib]
path = "../defaults-toml.rs"

[build-dependencies]
bottlerocket-defaults-helper.workspace = true
"""

_SERVICES = """\
[services.kubernetes]
configuration-files = [
  "kubelet-env",
  "kubelet-config",
  "kubelet-exec-start-conf",
@SNAPSHOTTER_NAME@]
restart-commands = [
  "/usr/bin/systemctl try-restart kubelet.service"
]

[configuration-files.kubelet-env]
path = "/etc/kubernetes/kubelet/env"
template-path = "/usr/share/templates/kubelet-env"

[configuration-files.kubelet-config]
path = "/etc/kubernetes/kubelet/config"
template-path = "/usr/share/templates/kubelet-config"
mode = "0600"

@SNAPSHOTTER@[configuration-files.kubelet-exec-start-conf]
path = "/etc/systemd/system/kubelet.service.d/exec-start.conf"
template-path = "/usr/share/templates/kubelet-exec-start-conf"
mode = "0600"

[metadata.settings.kubernetes.static-pods]
affected-services = ["static-pods"]
"""

_SNAPSHOTTER = """\
[configuration-files.k8s-snapshotter-conf]
path = "/etc/kubernetes/kubelet/config.d/001-snapshotter.conf"
template-path = "/usr/share/templates/k8s-snapshotter-conf"
mode = "0600"
overwrite-path-if-present = false

"""

_SHARED = {
    "defaults": '[settings.motd]\nvalue = "A miniature"\n',
    "kubernetes-aws": '[settings.kubernetes]\ncloud-provider = "external"\nserver-tls-bootstrap = true\n',
    "kubernetes-containerd": '[services.containerd]\nconfiguration-files = ["containerd-config-toml"]\n',
    "kubernetes-containerd-nvidia": '[services.containerd]\nconfiguration-files = ["containerd-config-toml-nvidia"]\n',
    "kubernetes-kubelet-env-nvidia": (
        "# A later file wins: only the template is another one.\n[configuration-files.kubelet-env]\n"
        'template-path = "/usr/share/templates/kubelet-env-nvidia"\n'
    ),
    "lockdown-integrity": '[settings.kernel]\nlockdown = "integrity"\n',
    "lockdown-none": '[settings.kernel]\nlockdown = "none"\n',
    "boot": "[settings.boot]\nreboot-to-reconcile = false\n",
}

_OTHER = ("10-defaults", "60-lockdown-integrity", "90-boot")


def entries(traits: Traits, variants: Sequence[VariantName]) -> dict[str, Entry]:
    """The folder `sources/`."""
    crates = list(settings_defaults.subpackages(traits, variants))
    members = "\n".join(f'    "settings-defaults/{name}",' for name in crates)
    found = {
        "sources/Cargo.lock": Entry(_lock(traits.sources_lock, crates)),
        "sources/Cargo.toml": Entry(fill(_WORKSPACE, MEMBERS=members, SDK=_SDK, TAG=_SDK_TAG)),
        "sources/settings-defaults/build-defaults.rs": Entry(
            "fn main() {\n    bottlerocket_defaults_helper::generate_defaults_toml().unwrap();\n}\n"
        ),
        "sources/settings-defaults/defaults-toml.rs": Entry(
            "// All that this crate makes comes of its build script.\n"
        ),
        "sources/shared-defaults/kubernetes-services.toml": Entry(_services(traits)),
    }
    found |= {f"sources/shared-defaults/{name}.toml": Entry(text) for name, text in _SHARED.items()}
    served = traits.served(variants)
    for name in crates:
        folder = f"sources/settings-defaults/{name}"
        found[f"{folder}/Cargo.toml"] = Entry(fill(_CRATE, CRATE=crate_name(name)))
        for link in _links(served[name]) if name in served else _OTHER:
            shared = link.partition("-")[2]
            found[f"{folder}/defaults.d/{link}.toml"] = symlink(f"../../../shared-defaults/{shared}.toml")
    return found


def _services(traits: Traits) -> str:
    with_drop_ins = traits.drop_in_directory
    return fill(
        _SERVICES,
        SNAPSHOTTER_NAME='  "k8s-snapshotter-conf",\n' if with_drop_ins else "",
        SNAPSHOTTER=_SNAPSHOTTER if with_drop_ins else "",
    )


def _links(served: Sequence[VariantName]) -> tuple[str, ...]:
    nvidia = served[0].is_nvidia
    links = [
        "10-defaults",
        "50-kubernetes-aws",
        "51-kubernetes-containerd-nvidia" if nvidia else "51-kubernetes-containerd",
        "52-kubernetes-services",
        "60-lockdown-none" if nvidia else "60-lockdown-integrity",
        "90-boot",
    ]
    if nvidia and served[0].kubernetes >= KubernetesVersion(1, 35):
        links.append("59-kubernetes-kubelet-env-nvidia")
    return tuple(sorted(links))


def _lock(version: int, crates: Sequence[str]) -> str:
    head = (
        "# This file is automatically @generated by Cargo.\n"
        f"# It is not intended for manual editing.\nversion = {version}\n"
        f'\n[[package]]\nname = "bottlerocket-defaults-helper"\nversion = "0.1.1"\n'
        f'source = "git+{_SDK}?tag={_SDK_TAG}#{"0" * 40}"\n'
    )
    return head + "".join(
        f'\n[[package]]\nname = "settings-defaults-{crate_name(name)}"\nversion = "0.1.0"\n'
        'dependencies = [\n "bottlerocket-defaults-helper",\n]\n'
        for name in sorted(crates, key=crate_name)
    )
