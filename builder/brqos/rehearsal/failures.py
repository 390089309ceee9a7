"""Real failures' words, so that what happens after them can be rehearsed (BRQOS_REHEARSAL_FAIL=<name>)."""

from pathlib import Path

_SDK = "public.ecr.aws/bottlerocket/bottlerocket-sdk:v0.65.1"
_PACKAGE = "kubelet-memory-qos"

# The names are those of brqos.image.failures; `unknown` is one that it does not know.
WORDS: dict[str, tuple[str, ...]] = {
    "disk-full": (
        f"error: failed to run custom build command for `{_PACKAGE} v0.1.0 ({{tree}}/packages/{_PACKAGE})`",
        (
            "  ERROR: failed to build: failed to solve: ResourceExhausted: write /var/lib/docker/overlay2/l/x: "
            "no space left on device"
        ),
    ),
    "docker-permission": (
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "
            '"http://%2Fvar%2Frun%2Fdocker.sock/_ping": dial unix /var/run/docker.sock: connect: permission denied'
        ),
        f"failed to pull '{_SDK}'",
    ),
    "docker-down": (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        f"failed to pull '{_SDK}'",
    ),
    "docker-old": ("Error: docker found in PATH does not meet the minimum version requirements for twoliter: >=23",),
    "buildx-missing": ("ERROR: BuildKit is enabled but the buildx component is missing or broken.",),
    "tool-missing": ("required program 'lz4' not found",),
    "cargo-make-missing": ("error: no such command: `make`",),
    "cargo-old": (
        "error: failed to parse lock file at: {tree}/Cargo.lock",
        "Caused by:",
        "  lock file version 4 requires `-Znext-lockfile-bump`",
    ),
    "source-cache": (
        (
            "  Failed to fetch 'https://cache.bottlerocket.aws/acl-2.3.2.tar.gz/31aeb39958d8/acl-2.3.2.tar.gz': 403 "
            "Forbidden"
        ),
    ),
    "source-unreachable": (
        (
            "  Failed to request 'https://cache.bottlerocket.aws/acl-2.3.2.tar.gz/31aeb39958d8/acl-2.3.2.tar.gz': "
            "error sending "
            "request for url"
        ),
    ),
    "kit-versions": (
        (
            "Error: cannot have multiple versions of the same kit (bottlerocket-core-kit-10.9.0@bottlerocket != "
            "bottlerocket-core-kit-10.8.0@bottlerocket"
        ),
    ),
    "kit-lock": (
        "Error: changes have occured to Twoliter.toml or the remote kit images that require an update to Twoliter.lock",
    ),
    "override-file": ("Error: failed to deserialize overrides file",),
    "cargo-lock": (
        "error: the lock file {tree}/Cargo.lock needs to be updated but --locked was passed to prevent this",
    ),
    "crates-mirror": (
        "error: failed to sync",
        "Caused by:",
        "  failed to query replaced source registry `crates-io`",
        "Caused by:",
        "  config.json not found in registry",
    ),
    "kit-cache": (
        "Error: Unable to read from '{tree}/build/external-kits/cache/sha256-b075d3764a0e/index.json'",
        "Caused by:",
        "    No such file or directory (os error 2)",
    ),
    "registry-limit": (
        "Error response from daemon: toomanyrequests: Rate exceeded",
        f"failed to pull '{_SDK}'",
    ),
    "sdk-pull": (f"failed to pull '{_SDK}'",),
    "kit-pull": (
        "Error: failed to inspect manifest of resource at public.ecr.aws/bottlerocket/bottlerocket-core-kit:v10.9.0",
    ),
    "licence": ("error[rejected]: failed to satisfy license requirements",),
    "sbkeys": ("Incomplete Secure Boot signing profile found in {tree}/sbkeys/local.", "Missing 3 files."),
    "settings-defaults": ("Error: Unable to find a match: bottlerocket-settings-defaults",),
    "package-missing": ("Error: Unable to find a match: bottlerocket-kubelet-1.99",),
    "no-variant": ("error: manifest path `variants/aws-k8s-1.99/Cargo.toml` does not exist",),
    "unknown": (
        "error: failed to run custom build command for `release v0.1.0`",
        "  thread 'main' panicked at src/x.rs:1",
    ),
}


def words(name: str, tree: Path) -> tuple[str, ...]:
    """What the failing program would print; raises KeyError for an unknown name."""
    return tuple(line.replace("{tree}", str(tree)) for line in WORDS[name])
