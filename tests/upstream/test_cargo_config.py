"""Cargo's configuration in a work tree: what it says, and which trees go by it."""

import tomllib
from pathlib import Path

import pytest

from brqos.config.mirrors import MirrorsSpec
from brqos.errors import ConfigurationError
from brqos.rehearsal.miniature import Layout, bottlerocket
from brqos.upstream.cargo_config import TOKEN, cargo_config_of, refuse_old_name
from brqos.upstream.files import Entry, TreeFiles
from brqos.upstream.tree import UpstreamTree

INDEX = "sparse+https://crates.example.com/index/"
MIRRORS = MirrorsSpec(crates=INDEX)
CONFIG = """\
# Written by brqos from [mirrors] of its configuration; changes here are lost.

[source.crates-io]
replace-with = "brqos-mirror"

[registries.brqos-mirror]
index = "sparse+https://crates.example.com/index/"
credential-provider = ["cargo:token"]
"""


def tree(twoliter: str) -> UpstreamTree:
    entries = {"Makefile.toml": Entry("100644", f'[env]\nTWOLITER_VERSION = "{twoliter}"\n'.encode())}
    return UpstreamTree("here", "v1.50.0", "c" * 40, "0 +0000", "1.50.0", "10.9.0", TreeFiles("a tree", entries))


@pytest.mark.parametrize("twoliter", ["v0.4.4", "v0.7.3", "v0.8.1", "v0.12.0", "v0.18.0", "b0482f1"])
def test_the_file(twoliter: str) -> None:
    assert cargo_config_of(tree(twoliter), MIRRORS) == CONFIG
    assert cargo_config_of(tree(twoliter), MirrorsSpec(kits="registry.example.com/b")) == ""


@pytest.mark.parametrize("twoliter", ["v0.8.0", "0.8.0", "v0.8.0-rc1"])
def test_the_twoliter_that_writes_over_it_is_refused(twoliter: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot take crates") as caught:
        cargo_config_of(tree(twoliter), MIRRORS)
    assert "HTTPS_PROXY" in caught.value.todo
    assert cargo_config_of(tree(twoliter), MirrorsSpec()) == ""


def test_a_token_comes_by_the_variable_of_the_registry() -> None:
    (name,) = tomllib.loads(CONFIG)["registries"]
    # The Cargo Book, "Configuration", registries.<name>.token.
    assert f"CARGO_REGISTRIES_{name.upper().replace('-', '_')}_TOKEN" == TOKEN


def test_a_file_of_the_old_name_would_win(tmp_path: Path) -> None:
    refuse_old_name(tmp_path, CONFIG)
    (tmp_path / ".cargo").mkdir()
    (tmp_path / ".cargo/config").write_text("")
    refuse_old_name(tmp_path, "")
    with pytest.raises(ConfigurationError, match="brqos did not write it"):
        refuse_old_name(tmp_path, CONFIG)


@pytest.mark.parametrize("layout", list(Layout))
def test_the_miniatures_ignore_it(layout: Layout) -> None:
    assert "/.cargo" in bottlerocket(layout)[".gitignore"].text.splitlines()
