"""The core kit's repository: per Kubernetes version, the package that owns the kubelet's configuration."""

from collections.abc import Sequence

from brqos.rehearsal.miniature.entry import Entry, fill
from brqos.rehearsal.miniature.kubelet_config import kubelet_config
from brqos.rehearsal.miniature.layout import Traits
from brqos.variant import KubernetesVersion, crate_name

_CRATE = """\
[package]
name = "@NAME@"
version = "0.1.0"
edition = "2021"
publish = false
build = "../build.rs"

[lib]
path = "../packages.rs"
"""

_SPEC = """\
Name: %{_cross_os}kubernetes-@MINOR@
Version: @MINOR@.0
Release: 1%{?dist}
Summary: Container cluster management
License: Apache-2.0
URL: https://github.com/kubernetes/kubernetes

Source4: kubelet-config
Source8: kubernetes-tmpfiles.conf

%description
%{summary}.

%package -n %{_cross_os}kubelet-@MINOR@
Summary: Container cluster node agent

%description -n %{_cross_os}kubelet-@MINOR@
%{summary}.

%prep
%setup -T -c

%install
install -d %{buildroot}%{_cross_templatedir} %{buildroot}%{_cross_tmpfilesdir}
install -m 0644 %{S:4} %{buildroot}%{_cross_templatedir}/kubelet-config
install -p -m 0644 %{S:8} %{buildroot}%{_cross_tmpfilesdir}/kubernetes.conf

%files -n %{_cross_os}kubelet-@MINOR@
%{_cross_templatedir}/kubelet-config
%{_cross_tmpfilesdir}/kubernetes.conf
"""

_EXEC_START = """\
[required-extensions]
kubernetes = "v1"
std = { version = "v1", helpers = ["join_map", "join_node_taints"] }
+++
[Service]
ExecStart=
ExecStart=/usr/bin/kubelet \\
    --config=/etc/kubernetes/kubelet/config \\
@DROP_INS@    --node-labels="${NODE_LABELS}"
"""

_ENV = """\
[required-extensions]
kubernetes = "v1"
std = { version = "v1", helpers = ["join_map"] }
+++
NODE_LABELS={{join_map "=" "," "fail-if-missing" settings.kubernetes.node-labels}}
@ALPHA@"""


def entries(traits: Traits, minors: Sequence[KubernetesVersion], version: str) -> dict[str, Entry]:
    """The whole tree."""
    vendor = 'project-vendor = "Bottlerocket"\n' if traits.schema > 1 else ""
    names = [f"kubernetes-{minor}" for minor in minors]
    members = "\n".join(f'    "packages/{name}",' for name in names)
    found = {
        ".gitignore": Entry("/build\n**/target/\n*.tar.*\n"),
        "CHANGELOG.md": Entry(f"# v{version}\n\nA miniature.\n"),
        "Cargo.toml": Entry(f'[workspace]\nresolver = "2"\nmembers = [\n{members}\n]\n'),
        "Twoliter.toml": Entry(
            f'schema-version = {traits.schema}\nrelease-version = "{version}"\n{vendor}\n'
            f'[sdk]\nname = "bottlerocket-sdk"\nversion = "{traits.sdk}"\nvendor = "bottlerocket"\n'
        ),
        "packages/build.rs": Entry("fn main() {}\n"),
        "packages/packages.rs": Entry("// Cargo wants something to compile.\n"),
    }
    for minor in minors:
        found |= _kubernetes(traits, minor)
    return found


def _kubernetes(traits: Traits, minor: KubernetesVersion) -> dict[str, Entry]:
    folder = f"packages/kubernetes-{minor}"
    config_d = "/etc/kubernetes/kubelet/config.d"
    with_drop_ins = traits.drop_in_directory
    alpha = with_drop_ins and minor < KubernetesVersion(1, 30)
    return {
        f"{folder}/Cargo.toml": Entry(fill(_CRATE, NAME=crate_name(f"kubernetes-{minor}"))),
        f"{folder}/kubelet-config": Entry(kubelet_config(traits, minor)),
        f"{folder}/kubelet-env": Entry(fill(_ENV, ALPHA="KUBELET_CONFIG_DROPIN_DIR_ALPHA=1\n" if alpha else "")),
        f"{folder}/kubelet-exec-start-conf": Entry(
            fill(_EXEC_START, DROP_INS=f"    --config-dir={config_d} \\\n" if with_drop_ins else "")
        ),
        f"{folder}/kubernetes-{minor}.spec": Entry(fill(_SPEC, MINOR=minor)),
        f"{folder}/kubernetes-tmpfiles.conf": Entry(
            "d /etc/kubernetes/kubelet - - - -\n" + (f"d {config_d} - - - -\n" if with_drop_ins else "")
        ),
    }
