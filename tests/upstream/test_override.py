"""Twoliter's override file: which tables it has, and which trees know it."""

import pytest

from brqos.config.mirrors import MirrorsSpec
from brqos.errors import ConfigurationError, UpstreamError
from brqos.rehearsal.miniature import Layout, bottlerocket
from brqos.upstream.files import Entry, TreeFiles
from brqos.upstream.locked_images import is_older, pinned_images, twoliter_version
from brqos.upstream.override import FILE, override_of, unused
from brqos.upstream.tree import UpstreamTree

from .locks import LOCK

MIRRORS = MirrorsSpec(
    kits="registry.example.com/bottlerocket",
    images={"bottlerocket-sdk": "sdk.example.com/x/the-sdk", "misspelt": "a.b/c"},
)
OVERRIDE = """\
# Written by brqos from [mirrors] of its configuration; changes here are lost.

[bottlerocket.bottlerocket-sdk]
registry = "sdk.example.com/x"
name = "the-sdk"

[bottlerocket.bottlerocket-kernel-kit]
registry = "registry.example.com/bottlerocket"

[bottlerocket.bottlerocket-core-kit]
registry = "registry.example.com/bottlerocket"
"""


def tree(lock: str = LOCK, twoliter: str = "v0.12.0") -> UpstreamTree:
    files = {"Twoliter.lock": lock, "Makefile.toml": f'[env]\nTWOLITER_VERSION = "{twoliter}"\n'}
    entries = {path: Entry("100644", text.encode()) for path, text in files.items()}
    return UpstreamTree("here", "v1.50.0", "c" * 40, "0 +0000", "1.50.0", "10.9.0", TreeFiles("a tree", entries))


def test_the_file() -> None:
    assert override_of(tree(), MIRRORS) == OVERRIDE


def test_a_digest_is_that_of_the_manifest_in_hex() -> None:
    sdk, _, kit = pinned_images(tree().files)
    assert sdk.digest == "sha256:cde05aac6817858354b094c31616458c405eb489d63e554143ca22da3d3f20a9"
    assert (sdk.is_sdk, kit.is_sdk, kit.tag) == (True, False, "v10.9.0")


def test_without_other_registries_there_is_no_file() -> None:
    git_only = MirrorsSpec(git={"https://a.example.com/": "https://b.example.com/"})
    assert override_of(tree(lock="", twoliter="v0.4.4"), git_only) == ""
    assert override_of(tree(), MirrorsSpec(images={"misspelt": "registry.example.com/x"})) == ""


def test_names_that_the_release_does_not_pin_are_found() -> None:
    assert unused(pinned_images(tree().files), MIRRORS) == ["misspelt"]


@pytest.mark.parametrize("version", ["v0.4.5", "0.4.4", "v0.3.9"])
def test_a_twoliter_that_does_not_know_the_file_is_refused(version: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        override_of(tree(twoliter=version), MIRRORS)
    assert "v1.23.0" in caught.value.why


@pytest.mark.parametrize("version", ["v0.4.6", "v0.12.0", "v1.0.0", "develop", "b0482f1"])
def test_newer_ones_and_branches_are_taken(version: str) -> None:
    assert override_of(tree(twoliter=version), MIRRORS)
    assert not is_older(version, (0, 4, 6))


@pytest.mark.parametrize(
    "lock",
    [
        "[sdk",
        "schema-version = 2\n",
        LOCK.replace("[[kit]]", "[kit]"),
        LOCK.replace("zeBarGgX", "zeBar"),
        LOCK.replace('name = "bottlerocket-core-kit"', 'name = "a]b"'),
        LOCK.replace('vendor = "bottlerocket"\n', ""),
    ],
)
def test_a_lock_that_is_none_is_upstreams_change(lock: str) -> None:
    with pytest.raises(UpstreamError, match=r"Twoliter\.lock"):
        override_of(tree(lock=lock), MIRRORS)


@pytest.mark.parametrize("layout", list(Layout))
def test_the_miniatures_have_what_is_read(layout: Layout) -> None:
    files = TreeFiles("m", {path: Entry("100644", entry.text.encode()) for path, entry in bottlerocket(layout).items()})
    images = pinned_images(files)
    assert [image.is_sdk for image in images].count(True) == 1
    assert twoliter_version(files).startswith("v0.")
    # Git ignores the file from the release on whose twoliter knows it.
    knows = not is_older(twoliter_version(files), (0, 4, 6))
    assert (FILE in files.text(".gitignore")) is knows
