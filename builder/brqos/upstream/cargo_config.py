"""Cargo's configuration in a work tree: another registry in the place of crates.io.

Upstream's Makefile.toml sets CARGO_HOME to the tree's `.cargo`, which its .gitignore names (v1.21.0 to v1.50.0), so
every cargo of the build reads `.cargo/config.toml`. Twoliter fetches the crates on this machine, and builds without a
network from what it fetched: up to 0.7.3 by `cargo fetch --locked`, from 0.8.1 on (Bottlerocket v1.35.0) by `cargo
vendor --locked --respect-source-config`, whose own configuration goes to another file (its Makefile.toml,
fetch-sources). Cargo.lock stays as it is and names crates.io, and the copies have to have the checksums in it (The
Cargo Book, "Source Replacement"; tried with cargo 1.81 and 1.95).

The registry is one of `[registries]`, not of `[source]`, so that a token for it can come out of the environment
(brqos writes none). Cargo asks for a provider to be named where a registry wants one; cargo before 1.74 ignores that.
"""

import re
from pathlib import Path

from brqos.config.mirrors import MirrorsSpec
from brqos.errors import ConfigurationError
from brqos.upstream.locked_images import twoliter_version
from brqos.upstream.placed import MARK, PlacedFile
from brqos.upstream.tree import UpstreamTree

FILE = ".cargo/config.toml"
REGISTRY = "brqos-mirror"
TOKEN = "CARGO_REGISTRIES_BRQOS_MIRROR_TOKEN"  # noqa: S105 - the name of a variable
# Cargo prefers the name of old, and reads only one of both (The Cargo Book, "Configuration").
_OLD_NAME = ".cargo/config"
# It writes its own configuration over that file (twoliter#486); no release of Bottlerocket was built with it.
_OVERWRITING = re.compile(r"v?0\.8\.0(?:-\S*)?")


def cargo_config_of(tree: UpstreamTree, mirrors: MirrorsSpec) -> str:
    """The text of the file that a tree needs, empty where crates come from crates.io.

    Raises ConfigurationError for a tree whose twoliter would overwrite it, UpstreamError for one without Makefile.toml.
    """
    if mirrors.crates is None:
        return ""
    version = twoliter_version(tree.files)
    if _OVERWRITING.fullmatch(version):
        raise ConfigurationError(
            f"{tree.label} cannot take crates from another registry",
            why=f"It is built with twoliter {version}, which writes its own {FILE}.",
            todo="Use a released tag: none has this twoliter. Or take crates out of [mirrors] and let crates.io be "
            "reached through a proxy (HTTPS_PROXY).",
        )
    return cargo_config_text(mirrors.crates)


def cargo_config_text(index: str) -> str:
    """The file for a registry, named by its index (`sparse+https://host/path/`)."""
    return (
        f'{MARK}\n\n[source.crates-io]\nreplace-with = "{REGISTRY}"\n\n'
        f'[registries.{REGISTRY}]\nindex = "{index}"\ncredential-provider = ["cargo:token"]\n'
    )


def placed(text: str) -> PlacedFile:
    """The file as it is put into a work tree."""
    return PlacedFile(FILE, text, "crates")


def refuse_old_name(work_tree: Path, text: str) -> None:
    """Raise ConfigurationError where a file of the other name would be read instead of ours."""
    old = work_tree / _OLD_NAME
    if text and old.exists():
        raise ConfigurationError(
            f"there is a file {old}, and brqos did not write it",
            why=f"Cargo would read it instead of {FILE}, which [mirrors] crates asks for.",
            todo="Remove it, or take crates out of [mirrors].",
        )
