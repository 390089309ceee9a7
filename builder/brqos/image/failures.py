"""Why upstream's build failed, told by the words of its output, and what to do.

Each pattern is the real wording of the program that says it; where it was seen stands beside it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from brqos.errors import BrqosError, BuildError, ToolError
from brqos.image.progress import REHEARSAL_MARK


@dataclass(frozen=True, slots=True)
class Cause:
    """A known cause: how it is recognised, what it is, what to do, and which class of errors it belongs to."""

    name: str
    pattern: re.Pattern[str]
    what: str
    todo: str
    error: type[BrqosError] = BuildError


def _cause(name: str, pattern: str, what: str, todo: str, error: type[BrqosError] = BuildError) -> Cause:
    return Cause(name, re.compile(pattern), what, todo, error)


# In the order of trust: the first that matches any line is the cause, since a later failure often follows from it.
CAUSES: tuple[Cause, ...] = (
    _cause(
        "disk-full",
        # strerror(ENOSPC), and BuildKit's "failed to solve: ResourceExhausted: ...: no space left on device"
        # (guac#2832).
        r"[Nn]o space left on device",
        "the disk is full",
        "Free some space: `brqos clean` for what brqos keeps, `docker builder prune` for what Docker keeps. Upstream's "
        "build can take more than 80 GB.",
    ),
    _cause(
        "docker-permission",
        # Docker's CLI, with and without "Got" before it (vscode#251879, shellfish#23).
        r"permission denied while trying to connect to the (?:Docker daemon|docker API)",
        "this user may not speak to Docker",
        "Add the user to the group: `sudo usermod -aG docker $USER`, then log in again.",
        ToolError,
    ),
    _cause(
        "docker-down",
        # Docker's CLI, 28.2.
        r"Cannot connect to the Docker daemon at |Is the docker daemon running\?",
        "Docker is not running",
        "Start it (`sudo systemctl start docker`), or set DOCKER_HOST to where it runs on this machine.",
        ToolError,
    ),
    _cause(
        "docker-old",
        # twoliter's preflight.rs; Docker's own words for options of a Dockerfile or of its CLI that it does not know
        # yet.
        r"docker found in PATH does not meet the minimum version|the --(?:mount|chmod) option requires BuildKit"
        r"|unknown flag: --no-cache-filter",
        "Docker is too old",
        "Install Docker 23 or later: https://docs.docker.com/engine/install/",
        ToolError,
    ),
    _cause(
        "buildx-missing",
        # Docker's CLI, 28.2.
        r"BuildKit is enabled but the buildx component is missing or broken",
        "Docker has no buildx",
        "Install Docker's plug-in docker-buildx-plugin (docker-buildx where Docker is the distribution's).",
        ToolError,
    ),
    _cause(
        "tool-missing",
        # twoliter's Makefile.toml, setup-build, and its preflight.rs.
        r"required program '\w+' not found|Failed to find required tool `\w+` in PATH",
        "a program that upstream's build needs is missing",
        "`brqos doctor --for build` says what is missing and how to get it.",
        ToolError,
    ),
    _cause(
        "cargo-make-missing",
        # cargo (RustiveDump#2); before 1.7x it said "no such subcommand".
        r"error: no such (?:command|subcommand): `make`",
        "cargo-make is not installed",
        "`cargo install --locked cargo-make`",
        ToolError,
    ),
    _cause(
        "cargo-old",
        # cargo before 1.78 on a lock file of version 4.
        r"lock file version `?4`? (?:requires `-Znext-lockfile-bump`|was found, but this version of Cargo)",
        "cargo is too old for this release's lock file",
        "Install Rust 1.78 or later: `rustup update stable`.",
        ToolError,
    ),
    _cause(
        "source-cache",
        # buildsys' cache/error.rs (bottlerocket#2911, twoliter#158). A cache has <name>/<SHA-512>/<name> (cache.rs); S3
        # answers 403 for what is not there, other servers 404.
        r"Failed to fetch 'https?://\S+?/([^/']+)/[0-9a-f]{6,128}/\1': 40[34]",
        "a source is not in the cache (cache.bottlerocket.aws, or the copy that mirrors.sources names)",
        "Let the build take it from where it comes from: --make-env BUILDSYS_UPSTREAM_SOURCE_FALLBACK=true; or put it "
        "into the copy.",
    ),
    _cause(
        "source-unreachable",
        # buildsys' cache/error.rs (bottlerocket#1193).
        r"Failed to request 'https?://\S+?/([^/']+)/[0-9a-f]{6,128}/\1'",
        "the cache of sources cannot be reached",
        "Check the network and the proxy (HTTPS_PROXY); twoliter hands the proxy's variables on. A copy "
        "(mirrors.sources) with a certificate of an authority of your own has to be served by http: buildsys knows the "
        "public ones only.",
    ),
    _cause(
        "kit-versions",
        # twoliter's project/lock/mod.rs, resolve.
        r"cannot have multiple versions of the same kit",
        "two kits ask for different versions of a third",
        "Such a tree cannot be built: take a released tag with --ref, or a branch whose Twoliter.toml agrees with its "
        "kits.",
    ),
    _cause(
        "kit-lock",
        # twoliter's project/lock/mod.rs, load (it writes "occured").
        r"require an update to Twoliter\.lock|Twoliter\.lock does not exist",
        "Twoliter.lock does not go with Twoliter.toml or with the kits in the registry",
        "Take a released tag with --ref. If such a tag fails so, the kit in the registry was replaced; a mirror's kits "
        "and SDK have to be byte-for-byte copies (`crane copy`), which `brqos doctor` checks.",
    ),
    _cause(
        "override-file",
        # twoliter's project/mod.rs, check_and_load_overrides.
        r"failed to deserialize overrides file|failed to read overrides file",
        "Twoliter.override is not as twoliter wants it",
        "Remove that file of the work tree; brqos writes it again from [mirrors].",
    ),
    _cause(
        "cargo-lock",
        # cargo (twoliter#281); since 1.83 "cannot update the lock file ... because --locked was passed to prevent
        # this".
        r"the lock file \S+ needs to be updated but --locked was passed"
        r"|cannot update the lock file \S+ because --locked was passed",
        "Cargo.lock does not go with the tree's crates",
        "The work tree was changed, or upstream's layout was: `brqos clean`, then build again; if it stays so, please "
        "report the release. Cargo says the same where a registry that takes the place of crates.io (mirrors.crates) "
        "lacks a crate: `brqos doctor` asks it for one.",
    ),
    _cause(
        "crates-mirror",
        # cargo 1.81 to 1.95, with a registry in the place of crates.io that does not answer, that is none, or whose
        # crates are others; and its words for a configuration that it cannot read.
        r"failed to query replaced source registry `crates-io`|sparse registry url must end in a slash"
        r"|checksum for `[^`]+` changed between lock files|could not parse TOML configuration in `\S*/\.cargo/config"
        r"|could not find a configured source with the name `[^`]+` when attempting to lookup `crates-io`",
        "the crates cannot be had from the registry that takes the place of crates.io",
        "`brqos doctor` asks the one that mirrors.crates names; look into ~/.cargo/config.toml, too, which cargo reads "
        "as well. A file .cargo/config.toml of the work tree that cargo cannot read is to be removed.",
    ),
    _cause(
        "kit-cache",
        # bottlerocket#4195 (docker's words), twoliter#351 and project/lock/archive.rs (twoliter's words).
        r"file/dir not found \(index\.json\)|Unable to read from '?\S*external-kits/cache/\S*index\.json"
        r"|empty oci image",
        "a kit was fetched only in part",
        "Build again: brqos throws such parts away first. If it fails again, check the network to public.ecr.aws.",
    ),
    _cause(
        "registry-limit",
        # The registry's own words (bottlerocket-test-system#102).
        r"toomanyrequests: ",
        "public.ecr.aws limits how much may be pulled without a login",
        "Wait a while, or log in: `aws ecr-public get-login-password --region us-east-1 | docker login --username AWS "
        "--password-stdin public.ecr.aws`.",
    ),
    _cause(
        "sdk-pull",
        # twoliter's Makefile.toml, fetch-sdk.
        r"failed to pull '\S+bottlerocket-sdk\S*'|Twoliter could not validate '\S+'",
        "the SDK's image could not be pulled",
        "Check that public.ecr.aws, or the registry in [mirrors], can be reached, by Docker's daemon as well (it has a "
        "proxy setting and certificates of its own).",
    ),
    _cause(
        "kit-pull",
        # twoliter#284; since 0.4.2 its oci-cli-wrapper/src/crane.rs.
        r"failed to inspect manifest of resource at |failed to fetch manifest for resource at "
        r"|failed to fetch image config from |failed to pull image archive from ",
        "a kit could not be pulled from its registry",
        "Check that public.ecr.aws, or the registry in [mirrors], can be reached from here (`brqos doctor`), and the "
        "proxy (HTTPS_PROXY).",
    ),
    _cause(
        "licence",
        # cargo-deny's own words (fish-shell#12097), run by the task check-licenses.
        r"error\[rejected\]: failed to satisfy license requirements",
        "upstream's licence check failed",
        "If you have checked the licences yourself: --make-env BUILDSYS_ALLOW_FAILED_LICENSE_CHECK=true.",
    ),
    _cause(
        "sbkeys",
        # twoliter's Makefile.toml, build-sbkeys.
        r"Incomplete Secure Boot signing profile found in ",
        "the signing profile is not complete",
        "Give a complete profile with --sbkeys-profile; if it is sbkeys/local of the work tree, remove that folder and "
        "upstream makes it again.",
    ),
    _cause(
        "settings-defaults",
        # dnf, in the build of the variant.
        r"Unable to find a match: \S*settings-defaults",
        "no package of settings serves the new variant",
        "The overlay does not fit this release: please report the release and the variant.",
    ),
    _cause(
        "package-missing",
        # dnf, in the build of the variant.
        r"Unable to find a match: ",
        "a package that the variant includes is neither in the tree nor in its kits",
        "Is the tree a released one? A branch may name packages of kits that are not released yet.",
    ),
    _cause(
        "no-variant",
        # cargo.
        r"error: manifest path `\S*variants/\S+/Cargo\.toml` does not exist",
        "the tree has no such variant",
        "`brqos variants` says which release carries which variant.",
    ),
)

_NOISE = re.compile(
    r"^\s*$|^\s*cargo:rerun-if|^\s*Caused by:$|^warning: build failed, waiting|Error while executing command, exit code"
    r"|WARN - Build Failed|^\s*--- std(?:out|err)$|^-+$|INFO - (?:$|Build File|Task:|Profile:|Execute Command)"
)
_TELLING = re.compile(
    r"\b(?:error|ERROR|Error|failed|Failed|FAILED|fatal|Unable|cannot|Cannot|denied|not found|Incomplete)\b"
)
_SHOWN = 10


def diagnose(lines: Sequence[str]) -> Cause | None:
    """The known cause in the output of a failed build, or None."""
    for cause in CAUSES:
        if any(cause.pattern.search(line) for line in lines):
            return cause
    return None


def meaningful(lines: Sequence[str], cause: Cause | None = None) -> list[str]:
    """The lines of a failed build that are worth showing, in their order.

    Up to three that give the known cause away; else up to ten that tell of a failure; else the last ten.
    """
    kept = [line.removeprefix(REHEARSAL_MARK).rstrip() for line in lines]
    kept = [line for line in kept if not _NOISE.search(line)]
    if cause and (telling := [line for line in kept if cause.pattern.search(line)]):
        return list(dict.fromkeys(telling))[-3:]
    telling = [line for line in kept if _TELLING.search(line)]
    return list(dict.fromkeys(telling or kept))[-_SHOWN:]
