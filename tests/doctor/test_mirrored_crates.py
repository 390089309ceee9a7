"""A copy of crates.io is asked as cargo asks it, for a crate that the release pins."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from brqos.doctor.mirrored_crates import _address, _prefix, check_crates
from brqos.doctor.model import Check, Status
from brqos.image.official.transport import Patience
from brqos.upstream.files import Entry, TreeFiles
from brqos.upstream.tree import UpstreamTree
from image.official.server import Handler, Server, serving

IMPATIENT = Patience(connect_seconds=2, read_seconds=2, whole_seconds=2, tries=1)
DATA = b"a crate"
CHECKSUM = hashlib.sha256(DATA).hexdigest()
# As Bottlerocket v1.50.0 has its first package of crates.io; before it are the tree's own, and those from git.
LOCK = f"""\
version = 4

[[package]]
name = "abuild"
version = "0.1.0"

[[package]]
name = "bottlerocket-defaults-helper"
version = "0.1.1"
source = "git+https://github.com/bottlerocket-os/bottlerocket-settings-sdk?tag=x#eed641b1"

[[package]]
name = "addr2line"
version = "0.24.2"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "{CHECKSUM}"
"""


@dataclass
class Registry:
    """A sparse registry in a folder, and the server of it."""

    folder: Path
    server: Server

    def put(self, path: str, text: str | bytes) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)

    def index(self, *entries: dict[str, Any]) -> None:
        self.put("index/ad/dr/addr2line", "".join(f"{json.dumps(entry)}\n" for entry in entries))


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """All that there is to want."""
    with serving(tmp_path) as server:
        made = Registry(tmp_path, server)
        made.put("index/config.json", json.dumps({"dl": f"{server.url}/dl", "api": None}))
        made.index({"vers": "0.24.1", "cksum": "0" * 64}, {"vers": "0.24.2", "cksum": CHECKSUM})
        made.put("dl/addr2line/0.24.2/download", DATA)
        yield made


@pytest.fixture
def check(registry: Registry) -> Callable[..., Check]:
    def ask(lock: str | None = LOCK) -> Check:
        files = TreeFiles("a tree", {"sources/Cargo.lock": Entry("100644", lock.encode())} if lock is not None else {})
        tree = UpstreamTree("here", "v1.50.0", "c" * 40, "0 +0000", "1.50.0", "10.9.0", files)
        return check_crates(f"sparse+{registry.server.url}/index/", tree, IMPATIENT)

    return ask


@pytest.mark.loopback
def test_a_whole_mirror_is_asked_for_three_files(check, registry: Registry) -> None:
    assert check().version == f"{registry.server.url}/index/ (has addr2line 0.24.2)"
    assert [path for path, _ in registry.server.asked] == [
        "/index/config.json",
        "/index/ad/dr/addr2line",
        "/dl/addr2line/0.24.2/download",
    ]


@pytest.mark.loopback
@pytest.mark.parametrize("lock", [None, "version = 4\n", "[[package", "package = 5\n"])
def test_without_a_crate_to_ask_for_an_answer_is_enough(lock: str | None, check) -> None:
    assert check(lock).version.endswith("(it answers)")


@pytest.mark.loopback
@pytest.mark.parametrize("config", ["{", "[]", "{}", '{"dl": 5}', '{"dl": "crates"}', '{"dl": "https://[a"}'])
def test_what_is_no_registry(config: str, check, registry: Registry) -> None:
    registry.put("index/config.json", config)
    assert (check().version, check().stops) == ("no registry", True)


@pytest.mark.loopback
def test_a_copy_of_the_index_alone_sends_on_to_crates_io(check, registry: Registry) -> None:
    registry.put("index/config.json", '{"dl": "https://elsewhere.crates.io/crates"}')
    assert check().version == "sends on to elsewhere.crates.io"
    assert check().stops


@pytest.mark.loopback
def test_a_crate_that_is_not_there(check, registry: Registry) -> None:
    (registry.folder / "dl/addr2line/0.24.2/download").unlink()
    assert "/dl/addr2line/0.24.2/download is not there" in check().remedy
    registry.index({"vers": "0.24.1", "cksum": CHECKSUM})
    assert "bring the mirror up to date" in check().remedy
    (registry.folder / "index/ad/dr/addr2line").unlink()
    assert (check().version, check().stops) == ("has no addr2line 0.24.2", True)


@pytest.mark.loopback
def test_another_crate(check, registry: Registry) -> None:
    registry.index({"vers": "0.24.2", "cksum": "1" * 64})
    assert check().version == "another addr2line 0.24.2"
    registry.put("index/ad/dr/addr2line", "<html>")
    assert check().version == "no registry"


@pytest.mark.loopback
def test_a_mirror_that_wants_a_token_is_no_reason_to_stop(check, registry: Registry) -> None:
    def refuse(handler: Handler, _: bytes) -> None:
        handler.answer(401)

    registry.server.tricks["config.json"] = refuse
    assert check().status is Status.WARNING
    assert not check().stops
    assert "CARGO_REGISTRIES_BRQOS_MIRROR_TOKEN" in check().remedy


@pytest.mark.loopback
def test_a_place_where_nobody_listens() -> None:
    check = check_crates("sparse+http://127.0.0.1:1/index/", None, IMPATIENT)
    assert check.stops
    assert "refuses the connection" in check.version


# The Cargo Book, "Index Files".
@pytest.mark.parametrize(
    ("name", "folder"), [("a", "1"), ("ab", "2"), ("abc", "3/a"), ("cargo", "ca/rg"), ("MyCrate", "My/Cr")]
)
def test_the_folder_of_a_name(name: str, folder: str) -> None:
    assert _prefix(name) == folder


# The Cargo Book, "Index Configuration".
@pytest.mark.parametrize(
    ("template", "address"),
    [
        ("https://a.example.com/dl/", "https://a.example.com/dl/MyCrate/1.0.0/download"),
        ("https://a.example.com/{crate}-{version}.crate", "https://a.example.com/MyCrate-1.0.0.crate"),
        ("https://a.example.com/{prefix}/{lowerprefix}", "https://a.example.com/My/Cr/my/cr"),
        ("https://a.example.com/{sha256-checksum}", "https://a.example.com/00ff"),
    ],
)
def test_where_a_crate_is(template: str, address: str) -> None:
    assert _address(template, "MyCrate", "1.0.0", "00ff") == address
