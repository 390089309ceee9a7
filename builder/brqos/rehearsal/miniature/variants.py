"""`variants/` of the Bottlerocket repository."""

from collections.abc import Iterable

from brqos.rehearsal.miniature.entry import Entry, fill, symlink
from brqos.rehearsal.miniature.layout import Traits
from brqos.variant import KubernetesVersion, VariantName, crate_name

OTHER_VARIANTS = ("aws-dev", "vmware-k8s-1.30")
"""Variants that are none of EKS's; they are there to be left alone."""

UPSTREAM_PACKAGES = ("settings-defaults", "settings-migrations", "settings-plugins")
"""The packages that are in the tree and not in a kit; every variant builds them all."""

_CRATE = """\
[package]
# The variant @VARIANT@; a crate's name cannot have a dot in it, so this one is spelled differently.
name = "@CRATE@"
version = "0.1.0"
edition = "2021"
publish = false
build = "../build.rs"
# A changed README is no reason to build again.
exclude = ["README.md"]
@LAYOUT@
[package.metadata.build-variant.image-features]
@FEATURES@

[package.metadata.build-variant]
included-packages = [
@PACKAGES@
]
kernel-parameters = [
    "console=tty0",
    "console=ttyS0,115200n8",
    "quiet",
]

[lib]
path = "../variants.rs"

[build-dependencies]
@DEPENDENCIES@
"""

_BUILD = """\
use std::process::Command;

// Hands over to the tool that builds variants; the crate itself has nothing to compile.
fn main() {
    let status = Command::new("buildsys").arg("build-variant").status();
    assert!(status.map(|s| s.success()).unwrap_or(false));
}
"""

_AMISPEC = """\
imds-support = "v2.0"

# gp2 is what a snapshot gets if nothing is said here
[block-device-mappings."/dev/xvda".ebs]
volume-type = "gp3"

[block-device-mappings."/dev/xvdb".ebs]
volume-type = "gp3"
"""

_IMAGE_SIZE = """
[package.metadata.build-variant.image-layout]
os-image-size-gib = 4
"""


def entries(traits: Traits, variants: Iterable[VariantName]) -> dict[str, Entry]:
    """The folder `variants/`."""
    found = {
        "variants/README.md": Entry("# Variants\n\nA variant is a list of packages and the settings of its image.\n"),
        "variants/build.rs": Entry(_BUILD),
        "variants/variants.rs": Entry("// Cargo wants something to compile.\n"),
    }
    if traits.amispec_since is not None:
        found["variants/shared/amispec-split.toml"] = Entry(_AMISPEC)
    for name in OTHER_VARIANTS:
        found[f"variants/{name}/Cargo.toml"] = Entry(_crate(name, {}, _flat(["release", "kernel-6.1"]), ""))
    for variant in variants:
        folder = f"variants/{variant.base}"
        found[f"{folder}/Cargo.toml"] = Entry(_kubernetes(traits, variant))
        if traits.amispec_since is not None and variant.kubernetes >= traits.amispec_since:
            found[f"{folder}/amispec.toml"] = symlink("../shared/amispec-split.toml")
    return found


def _crate(name: str, features: dict[str, bool], packages: str, layout: str) -> str:
    flags = {"grub-set-private-var": True, **features}
    return fill(
        _CRATE,
        VARIANT=name,
        CRATE=crate_name(name),
        LAYOUT=layout,
        FEATURES="\n".join(f"{flag} = {str(on).lower()}" for flag, on in flags.items()),
        PACKAGES=packages,
        DEPENDENCIES="\n".join(
            f'{name} = {{ path = "../../packages/{name}" }}'
            for name in ("settings-defaults", "settings-plugins", "settings-migrations")
        ),
    )


def _kubernetes(traits: Traits, variant: VariantName) -> str:
    minor = variant.kubernetes
    features: dict[str, bool] = {}
    if minor >= KubernetesVersion(1, 28):
        features |= {"uefi-secure-boot": True, "xfs-data-partition": True, "systemd-networkd": True}
    if "fips" in variant.flavor.split("-"):
        features["fips"] = True
    if traits.amispec_since is not None and minor >= traits.amispec_since:
        features["external-kmod-development"] = False
    kernel = "6.12" if minor >= KubernetesVersion(1, 33) else "6.1"
    # The lists grew over the years, and their comments with them: at the margin, indented, or none.
    if minor < KubernetesVersion(1, 28):
        packages = _flat(["aws-iam-authenticator", "cni", f"kernel-{kernel}", f"kubelet-{minor}", "release"])
    else:
        packages = _sections(variant, kernel, indent="    " if variant.is_nvidia else "")
    return _crate(variant.base, features, packages, _IMAGE_SIZE if variant.is_nvidia else "")


def _flat(packages: list[str]) -> str:
    return "\n".join(f'    "{name}",' for name in packages)


def _sections(variant: VariantName, kernel: str, indent: str) -> str:
    sections = {
        "core": ["release", f"kernel-{kernel}"],
        "k8s": ["cni", "cni-plugins", f"kubelet-{variant.kubernetes}", "aws-iam-authenticator"],
    }
    if variant.is_nvidia:
        sections["nvidia"] = ["nvidia-container-toolkit-k8s", "nvidia-k8s-device-plugin"]
    return "\n".join(f"{indent}# {title}\n{_flat(packages)}" for title, packages in sections.items())
