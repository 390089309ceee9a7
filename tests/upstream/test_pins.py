from brqos.rehearsal.miniature import Layout, bottlerocket
from brqos.upstream.files import Entry, TreeFiles
from brqos.upstream.pins import pins_of

from .locks import LOCK

MAKEFILE = """\
[env]
TWOLITER_VERSION = "v0.12.0"
TWOLITER_SHA256_AARCH64 = "7033bc61f60cb437232b534c07e14bc605cee94c194bba74afe401183496e031"
TWOLITER_SHA256_X86_64 = "ad7fc2173fcea2d555e9c2bc9bc9641ad195626a02ab770e17591781eac0df6e"
"""


def tree(**files: str) -> TreeFiles:
    names = {"lock": "Twoliter.lock", "makefile": "Makefile.toml"}
    return TreeFiles("a tree", {names[key]: Entry("100644", text.encode()) for key, text in files.items()})


def test_a_real_lock() -> None:
    pins = pins_of(tree(lock=LOCK, makefile=MAKEFILE), "x86_64")
    assert [kit.name for kit in pins.kits] == ["bottlerocket-core-kit", "bottlerocket-kernel-kit"]
    # base64 -d | xxd -p
    assert pins.kits[0].sha256 == "f8e23210474218bd84f3e1995337049e7b2982074b9a357547a547d51dc2d028"
    assert pins.sdk is not None
    assert pins.sdk.sha256 == "cde05aac6817858354b094c31616458c405eb489d63e554143ca22da3d3f20a9"
    assert pins.twoliter is not None
    assert pins.twoliter.sha256 == "ad7fc2173fcea2d555e9c2bc9bc9641ad195626a02ab770e17591781eac0df6e"
    assert pins.twoliter.url.endswith("/v0.12.0/twoliter-x86_64-unknown-linux-musl.tar.xz")
    other = pins_of(tree(lock=LOCK, makefile=MAKEFILE), "aarch64").twoliter
    assert other is not None
    assert other.sha256 == "7033bc61f60cb437232b534c07e14bc605cee94c194bba74afe401183496e031"


def test_what_a_tree_does_not_say_is_not_there() -> None:
    for files in (tree(), tree(lock="[", makefile="["), tree(lock="", makefile="[env]\nX = 1\n")):
        pins = pins_of(files, "x86_64")
        assert (pins.kits, pins.sdk, pins.twoliter) == ((), None, None)


def test_a_twoliter_without_a_checksum() -> None:
    # v1.22.0 fetches the archive and compares nothing (its tools/install-twoliter.sh).
    fetched = pins_of(tree(makefile='[env]\nTWOLITER_VERSION = "v0.4.5"\n'), "x86_64").twoliter
    assert fetched is not None
    assert (fetched.version, fetched.sha256) == ("v0.4.5", None)
    assert fetched.url.endswith("/releases/download/v0.4.5/twoliter-x86_64-unknown-linux-musl.tar.xz")
    compiled = pins_of(tree(makefile='[env]\nTWOLITER_VERSION = "b0482f1"\n'), "x86_64").twoliter
    assert compiled is not None
    assert compiled.url.endswith("/tree/b0482f1")


def test_a_rehearsal_s_lock_is_read_too() -> None:
    entries = bottlerocket(Layout.DROP_IN, names=["aws-k8s-1.34"], release="1.50.0")
    files = TreeFiles("a miniature", {path: Entry("100644", item.text.encode()) for path, item in entries.items()})
    assert [kit.name for kit in pins_of(files, "x86_64").kits] == ["bottlerocket-core-kit", "bottlerocket-kernel-kit"]
