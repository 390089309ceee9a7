"""The spec file of settings-defaults: one subpackage per crate of defaults, each naming the variants that it serves."""

from collections.abc import Sequence

from brqos.rehearsal.miniature.entry import fill
from brqos.rehearsal.miniature.layout import Traits
from brqos.rehearsal.miniature.variants import OTHER_VARIANTS
from brqos.variant import VariantName

_SPEC = """\
%global _cross_first_party 1
%undefine _debugsource_packages

%global cargo_clean %{__cargo_cross_env} %{__cargo} clean

%global _cross_defaultsdir %{_cross_datadir}/storewolf

Name: %{_cross_os}settings-defaults
Version: 0.0
Release: 1%{?dist}
Summary: Settings defaults
License: Apache-2.0 OR MIT
URL: https://github.com/bottlerocket-os/bottlerocket
BuildRequires: %{_cross_os}glibc-devel
Requires: %{_cross_os}settings-defaults(any)

%description
%{summary}.

@SUBPACKAGES@
%prep
%setup -T -c
%cargo_prep

%build
declare -a projects
for defaults in \\
@NAMES@
  ;
do
  projects+=( "-p" "settings-defaults-$(echo "${defaults}" | sed -e 's,\\.,_,g')" )
done

# The folder of the output cannot be foretold: what an earlier build left must not be found.
%cargo_clean --manifest-path %{_builddir}/sources/Cargo.toml \\
  "${projects[@]}" \\
  %{nil}

%cargo_build --manifest-path %{_builddir}/sources/Cargo.toml \\
  "${projects[@]}" \\
  %{nil}

%install
install -d %{buildroot}%{_cross_defaultsdir}
install -d %{buildroot}%{_cross_tmpfilesdir}

for defaults in \\
@NAMES@
  ;
do
  crate="$(echo "${defaults}" | sed -e 's,\\.,_,g')"
  for f in $(find "${HOME}/.cache" -name "settings-defaults-${crate}.toml") ; do
    install -p -m 0644 "${f}" "%{buildroot}%{_cross_defaultsdir}/${defaults}.toml"
  done
  echo \\
    "L+ /etc/storewolf/defaults.toml - - - - %{_cross_defaultsdir}/${defaults}.toml" > \\
    "%{buildroot}%{_cross_tmpfilesdir}/storewolf-defaults-${defaults}.conf"
done

%files
%dir %{_cross_defaultsdir}

@FILES@"""

_SUBPACKAGE = """\
%package @NAME@
Summary: Settings defaults for @NAME@
Requires: @REQUIRES@
Provides: %{_cross_os}settings-defaults(any)
@PROVIDES@
Conflicts: %{_cross_os}settings-defaults(any)

%description @NAME@
%{summary}.
"""

_FILES = """\
%files @NAME@
%{_cross_defaultsdir}/@NAME@.toml
%{_cross_tmpfilesdir}/storewolf-defaults-@NAME@.conf
"""


def subpackages(traits: Traits, variants: Sequence[VariantName]) -> dict[str, list[str]]:
    """The subpackages in the order of the spec file, each with the variants that it serves."""
    kubernetes = {name: [v.base for v in served] for name, served in traits.served(variants).items()}
    first, *rest = OTHER_VARIANTS
    return {first: [first], **kubernetes, **{name: [name] for name in rest}}


def spec(traits: Traits, variants: Sequence[VariantName]) -> str:
    """The spec file."""
    found = subpackages(traits, variants)
    return fill(
        _SPEC,
        SUBPACKAGES="\n".join(_subpackage(traits, name, served) for name, served in found.items()),
        NAMES="\n".join(f"  {name} \\" for name in found),
        FILES="\n".join(fill(_FILES, NAME=name) for name in found),
    )


def _subpackage(traits: Traits, name: str, served: list[str]) -> str:
    return fill(
        _SUBPACKAGE,
        NAME=name,
        REQUIRES=_requires(traits, name, served),
        PROVIDES="\n".join(f"Provides: %{{_cross_os}}settings-defaults({variant})" for variant in served),
    )


def _requires(traits: Traits, name: str, served: list[str]) -> str:
    """One of the three ways in which upstream writes it: bare, on one line, or shrunk from several."""
    words = [f"%{{_cross_os}}variant({variant})" for variant in served]
    grouped = traits.kernel_kit is not None and name.startswith("aws-k8s-")
    if len(words) == 1 and not grouped:
        return words[0]
    if len(words) == 2 and not grouped:
        return f"({' or '.join(words)})"
    width = max(map(len, words))
    lines = [f"           {word.ljust(width)} or" for word in words[:-1]] + [f"           {words[-1]}"]
    # Upstream's last line is indented by ten or by eleven blanks.
    last = " " * (10 if name.endswith("-nvidia") else 11)
    return "\n".join(["(%{shrink:", *lines, f"{last}%{{nil}}}})"])
