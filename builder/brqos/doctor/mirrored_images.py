"""Whether registries have the kits and the SDK of a release, byte for byte.

Twoliter asks for a tag, hashes the manifest that comes, and compares that with Twoliter.lock (0.5.0, lock/image.rs); so
does this, and sees whether the manifests that an index lists are there as well.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from brqos.config.mirrors import MirrorsSpec
from brqos.doctor.model import Check, Status
from brqos.doctor.registry import NoManifestError, RefusedError, Registry
from brqos.image.official.transport import Patience, TransferError
from brqos.stages import Stage
from brqos.upstream.locked_images import PinnedImage, pinned_images
from brqos.upstream.override import unused
from brqos.upstream.tree import UpstreamTree

_FOR_BUILD = (Stage.BUILD,)


def check_images(tree: UpstreamTree, mirrors: MirrorsSpec, patience: Patience) -> list[Check]:
    """A check for each kit and the SDK that come from a mirror, and for names that the release does not pin."""
    images = pinned_images(tree.files)
    places = [(image, _place(image, mirrors)) for image in images]
    mirrored = [(image, place) for image, place in places if place is not None]
    with ThreadPoolExecutor(4) as pool:
        checks = list(pool.map(lambda pair: _check(pair[0], pair[1], patience), mirrored))
    return [*checks, *(_unused(name, images) for name in unused(images, mirrors))]


def _place(image: PinnedImage, mirrors: MirrorsSpec) -> str | None:
    found = mirrors.image_of(image.name, sdk=image.is_sdk)
    return f"{found[0]}/{found[1] or image.name}" if found else None


def _check(image: PinnedImage, place: str, patience: Patience) -> Check:
    copy = f"crane copy {image.source} {place}:{image.tag}"
    host, _, repository = place.partition("/")

    def missing(found: str, remedy: str) -> Check:
        return Check(image.name, Status.MISSING, _FOR_BUILD, found, image.tag, remedy)

    try:
        registry = Registry(host, patience)
        manifest = registry.manifest(repository, image.tag)
        if manifest.digest != image.digest:
            remedy = f"{place}:{image.tag} is {manifest.digest}, not {image.digest} as Twoliter.lock has it: {copy}"
            return missing("another image", remedy)
        for digest in manifest.listed:
            registry.manifest(repository, digest)
    except NoManifestError:
        return missing(f"not (whole) in {place}", f"Copy it, for all architectures: {copy}")
    except RefusedError as error:
        if error.login:
            # With a helper for logins, krane may know one that was not asked here.
            remedy = f"docker login {host}; a login that a credential helper has is not asked for here"
            return Check(image.name, Status.WARNING, _FOR_BUILD, f"refused by {host}: {error}", image.tag, remedy)
        return missing(f"{error} ({host})", "Check the registry that [mirrors] names.")
    except TransferError as error:
        return missing(f"{error} ({host})", "Check the registry's address, the network and the proxy (HTTPS_PROXY).")
    return Check(image.name, Status.FOUND, _FOR_BUILD, f"{place}:{image.tag}")


def _unused(name: str, images: Sequence[PinnedImage]) -> Check:
    known = ", ".join(image.name for image in images)
    remedy = f"This release has none of that name, but {known}."
    return Check(f"mirrors.images {name}", Status.WARNING, _FOR_BUILD, "not used", remedy=remedy, optional=True)
