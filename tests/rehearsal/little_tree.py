"""A work tree with one variant of ours in it, just large enough to be rehearsed."""

from pathlib import Path

from brqos import process

VARIANT = "aws-k8s-1.29-memoryqos"
DROP_IN = "featureGates:\n  MemoryQoS: true\n"

_VARIANT = """[package]
name = "{crate}"
version = "0.1.0"
[package.metadata.build-variant.image-features]
uefi-secure-boot = true
[package.metadata.build-variant]
included-packages = [{packages}]
[build-dependencies]
settings-defaults = {{ path = "../../packages/settings-defaults" }}
{more}"""


def write_tree(folder: Path) -> Path:
    """Write the files; no git yet."""
    files = {
        "Release.toml": 'version = "1.50.0"\n',
        "Cargo.lock": "version = 4\n"
        + _locked("aws-k8s-1_29")
        + _locked("aws-k8s-1_29-memoryqos", "kubelet-memory-qos", "settings-defaults")
        + _locked("kubelet-memory-qos")
        + _locked("settings-defaults"),
        "variants/aws-k8s-1.29/Cargo.toml": _VARIANT.format(
            crate="aws-k8s-1_29", packages='"release", "kubelet-1.29"', more=""
        ),
        f"variants/{VARIANT}/Cargo.toml": _VARIANT.format(
            crate="aws-k8s-1_29-memoryqos",
            packages='"release", "kubelet-1.29", "kubelet-memory-qos"',
            more='kubelet-memory-qos = { path = "../../packages/kubelet-memory-qos" }\n',
        ),
        "packages/settings-defaults/Cargo.toml": '[package]\nname = "settings-defaults"\n',
        "packages/settings-defaults/settings-defaults.spec": "Name: %{_cross_os}settings-defaults\n"
        f"Provides: %{{_cross_os}}settings-defaults({VARIANT})\n",
        "packages/kubelet-memory-qos/Cargo.toml": '[package]\nname = "kubelet-memory-qos"\n',
        "packages/kubelet-memory-qos/kubelet-memory-qos.spec": "Name: %{_cross_os}kubelet-memory-qos\n",
        "packages/kubelet-memory-qos/900-memory-qos.conf": DROP_IN,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def commit(folder: Path) -> str:
    """Make a git repository of it; the short commit."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@brqos.invalid", "-c", "core.abbrev=12")
    process.run(["git", "init", "--quiet", folder])
    process.run(["git", "-C", folder, "config", "core.abbrev", "12"])
    process.run(["git", "-C", folder, "add", "--all"])
    process.run(["git", *who, "-C", folder, "commit", "--quiet", "--message", "x"])
    return process.run(["git", "-C", folder, "rev-parse", "--short=12", "HEAD"]).text.strip()


def _locked(name: str, *needs: str) -> str:
    dependencies = f"dependencies = [{', '.join(repr(need) for need in needs)}]\n" if needs else ""
    return f'[[package]]\nname = "{name}"\nversion = "0.1.0"\n{dependencies}'
