"""What a build pins, as its record keeps it: kits and SDK of `Twoliter.lock`, and Makefile.toml's twoliter.

The lock's digests are of OCI manifests (brqos.upstream.locked_images). Which file of twoliter's release is fetched, and
held against which checksum, is upstream's tools/install-twoliter.sh; releases up to v1.22.0 fetch the same archive and
hold it against none. What is no released version, a branch or a commit, is compiled.
"""

import re
import tomllib

from pydantic import Field

from brqos.config.base import Model
from brqos.errors import UpstreamError
from brqos.upstream.files import TreeFiles
from brqos.upstream.locked_images import MAKEFILE, PinnedImage, pinned_images

_TWOLITER = "https://github.com/bottlerocket-os/twoliter"
_SHA256 = r"^[0-9a-f]{64}$"


class Pin(Model):
    """A kit or the SDK: `source` is where upstream has it (`public.ecr.aws/…:v1.2.3`), `sha256` its OCI manifest's."""

    name: str
    version: str
    vendor: str
    source: str
    sha256: str = Field(pattern=_SHA256)


class TwoliterPin(Model):
    """The twoliter that builds: its version with a leading v, and the SHA-256 of the archive, if it is known."""

    version: str
    url: str
    sha256: str | None = Field(default=None, pattern=_SHA256)


class Pins(Model):
    """What the tree pins; what it does not say is not there."""

    kits: tuple[Pin, ...] = ()
    sdk: Pin | None = None
    twoliter: TwoliterPin | None = None


def pins_of(files: TreeFiles, machine: str) -> Pins:
    """What a tree pins; `machine` is that of `uname -m`, which twoliter's archive is chosen by.

    A lock that cannot be read pins nothing: what a build was made with is told as far as it is known, and never a
    reason for a build to fail.
    """
    try:
        images = pinned_images(files)
    except UpstreamError:
        images = ()
    pins = [(image.is_sdk, _pin(image)) for image in images]
    return Pins(
        kits=tuple(sorted((pin for is_sdk, pin in pins if not is_sdk), key=lambda pin: (pin.vendor, pin.name))),
        sdk=next((pin for is_sdk, pin in pins if is_sdk), None),
        twoliter=_twoliter(files, machine.lower()),
    )


def _pin(image: PinnedImage) -> Pin:
    sha256 = image.digest.removeprefix("sha256:")
    return Pin(name=image.name, version=image.version, vendor=image.vendor, source=image.source, sha256=sha256)


def _twoliter(files: TreeFiles, machine: str) -> TwoliterPin | None:
    try:
        env = tomllib.loads(files.text(MAKEFILE)).get("env")
    except (UpstreamError, tomllib.TOMLDecodeError):
        return None
    if not isinstance(env, dict) or not isinstance(version := env.get("TWOLITER_VERSION"), str):
        return None
    sha256 = env.get(f"TWOLITER_SHA256_{machine.upper()}")
    if not isinstance(sha256, str) or re.fullmatch(_SHA256, sha256) is None:
        sha256 = None
    if sha256 is None and re.fullmatch(r"v\d+\.\d+\.\d+\S*", version) is None:
        return TwoliterPin(version=version, url=f"{_TWOLITER}/tree/{version}")
    archive = f"twoliter-{machine}-unknown-linux-musl.tar.xz"
    return TwoliterPin(version=version, url=f"{_TWOLITER}/releases/download/{version}/{archive}", sha256=sha256)
