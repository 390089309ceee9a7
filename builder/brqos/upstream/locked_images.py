"""What a tree pins of what is fetched for its build: kits and SDK by Twoliter.lock, twoliter by Makefile.toml."""

import base64
import binascii
import re
import tomllib
from dataclasses import dataclass
from typing import Any

from brqos.upstream.files import TreeFiles, changed

LOCK = "Twoliter.lock"
MAKEFILE = "Makefile.toml"


@dataclass(frozen=True, slots=True)
class PinnedImage:
    """A kit or the SDK; `source` is where upstream has it (with its tag), `digest` the `sha256:...` of its manifest."""

    name: str
    version: str
    vendor: str
    source: str
    digest: str
    is_sdk: bool = False

    @property
    def tag(self) -> str:
        """The tag that twoliter asks the registry for (its vendor.rs, image_uri_for)."""
        return f"v{self.version}"


def pinned_images(files: TreeFiles) -> tuple[PinnedImage, ...]:
    """The SDK and all kits, those that other kits ask for among them; raises UpstreamError for a lock that says less.

    In the file digests are in base64 (twoliter's lock/image.rs, calculate_digest).
    """
    lock = _toml(files, LOCK)
    kits = lock.get("kit")
    if not isinstance(lock.get("sdk"), dict) or not isinstance(kits, list):
        raise changed(files.label, LOCK, "it names no SDK, or no kits")
    return (_image(files, lock["sdk"], is_sdk=True), *(_image(files, kit, is_sdk=False) for kit in kits))


def twoliter_version(files: TreeFiles) -> str:
    """The version of twoliter, `v0.12.0`, or whatever else of git's stands there; empty where nothing does."""
    version = _toml(files, MAKEFILE).get("env", {}).get("TWOLITER_VERSION", "")
    return version if isinstance(version, str) else ""


def is_older(version: str, than: tuple[int, int, int]) -> bool:
    """Whether a released version is older; a branch or a commit counts as new."""
    match = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)\S*", version)
    return match is not None and (int(match[1]), int(match[2]), int(match[3])) < than


def _image(files: TreeFiles, entry: Any, *, is_sdk: bool) -> PinnedImage:  # noqa: ANN401 - whatever TOML has
    keys = ("name", "version", "vendor", "source", "digest")
    values = {key: entry.get(key) for key in keys} if isinstance(entry, dict) else {}
    texts = {key: value for key, value in values.items() if isinstance(value, str) and value}
    if texts.keys() != set(keys) or not all(re.fullmatch(r"[A-Za-z0-9_-]+", texts[key]) for key in ("name", "vendor")):
        raise changed(files.label, LOCK, f"an entry has not all of {', '.join(keys)}")
    try:
        digest = base64.b64decode(texts["digest"], validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 32:
        raise changed(files.label, LOCK, f"the digest of {texts['name']} is no SHA-256 in base64")
    return PinnedImage(**{**texts, "digest": f"sha256:{digest.hex()}"}, is_sdk=is_sdk)


def _toml(files: TreeFiles, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(files.text(path))
    except tomllib.TOMLDecodeError as error:
        raise changed(files.label, path, f"it is not TOML ({error})") from None
