"""`packages/` of the Bottlerocket repository: the three packages that are not in a kit."""

from collections.abc import Sequence

from brqos.rehearsal.miniature import settings_defaults
from brqos.rehearsal.miniature.entry import Entry, fill
from brqos.rehearsal.miniature.layout import Traits
from brqos.variant import VariantName

_CRATE = """\
[package]
name = "@NAME@"
version = "0.1.0"
edition = "2021"
publish = false
build = "../build.rs"

[lib]
path = "../packages.rs"

[package.metadata.build-package]
source-groups = [
    "@NAME@"
]

[build-dependencies]

[dependencies]
"""

_BUILD = """\
use std::process::Command;

// Hands over to the tool that builds RPMs; the crate itself has nothing to compile.
fn main() {
    let status = Command::new("buildsys").arg("build-package").status();
    assert!(status.map(|s| s.success()).unwrap_or(false));
}
"""

_PLUGINS_SPEC = """\
%global _cross_first_party 1
%undefine _debugsource_packages

Name: %{_cross_os}settings-plugins
Version: 0.0
Release: 1%{?dist}
Summary: Settings plugins
License: Apache-2.0 OR MIT
URL: https://github.com/bottlerocket-os/bottlerocket
Requires: %{_cross_os}settings-plugin(any)

%description
%{summary}.

%package aws-k8s
Summary: Settings plugin of the family aws-k8s
Requires: %{_cross_os}variant-family(aws-k8s)
Provides: %{_cross_os}settings-plugin(any)
Provides: %{_cross_os}settings-plugin(aws-k8s)
Conflicts: (%{_cross_os}settings-plugin(any) or %{_cross_os}variant-flavor(nvidia))

%description aws-k8s
%{summary}.

%prep
%setup -T -c

%build

%install
install -d %{buildroot}%{_cross_libdir}/settings-plugins

%files
%dir %{_cross_libdir}/settings-plugins

%files aws-k8s
"""

_MIGRATIONS_SPEC = """\
%global _cross_first_party 1
%undefine _debugsource_packages

Name: %{_cross_os}settings-migrations
Version: 0.0
Release: 1%{?dist}
Summary: Settings migrations
License: Apache-2.0 OR MIT
URL: https://github.com/bottlerocket-os/bottlerocket

%description
%{summary}.

%prep
%setup -T -c

%build

%install
install -d %{buildroot}%{_cross_datadir}/migrations

%files
%dir %{_cross_datadir}/migrations
"""


def entries(traits: Traits, variants: Sequence[VariantName]) -> dict[str, Entry]:
    """The folder `packages/`."""
    specs = {
        "settings-defaults": settings_defaults.spec(traits, variants),
        "settings-migrations": _MIGRATIONS_SPEC,
        "settings-plugins": _PLUGINS_SPEC,
    }
    found = {
        "packages/.gitignore": Entry("*.patch.bz2\n*.src.rpm\n*.zip\n"),
        "packages/build.rs": Entry(_BUILD),
        "packages/packages.rs": Entry("// Cargo wants something to compile.\n"),
    }
    for name, text in specs.items():
        found[f"packages/{name}/Cargo.toml"] = Entry(fill(_CRATE, NAME=name))
        found[f"packages/{name}/{name}.spec"] = Entry(text)
    return found
