"""The components of a bill of materials: the image, its packages, brqos's own package and file, and what built it.

The image is a container of what is in it, and the one operating system is Bottlerocket's release: scanners know by its
name and version which advisories there are (Trivy's pkg/sbom/io/decode.go, Syft's cyclonedxutil/helpers/decoder.go).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from brqos.image.model import Image, ImageRole
from brqos.image.notice import NOTICE
from brqos.overlay.package import PACKAGE
from brqos.provenance.inventory import Inventory, Package
from brqos.provenance.materials import oci_purl
from brqos.record import BuildRecord, FileRecord
from brqos.upstream.pins import Pin

if TYPE_CHECKING:
    from cyclonedx.model import ExternalReference, HashType, Property
    from cyclonedx.model.component import Component, ComponentScope
    from packageurl import PackageURL

_DISTRIBUTION = "bottlerocket"
_OUR_LICENCE = "Apache-2.0"
_ADDRESS = re.compile(r"https?://[!-~]+")


@dataclass(frozen=True, slots=True)
class Parts:
    """`contained` is in the image, `used` was needed to build it; `within` has by reference what a component holds."""

    main: "Component"
    tool: "Component"
    contained: "tuple[Component, ...]"
    used: "tuple[Component, ...]"
    within: "Mapping[str, tuple[Component, ...]]"
    remarks: "tuple[Property, ...]" = field(default=())


def parts_of(record: BuildRecord, inventory: Inventory | None, *, why_none: str) -> Parts:
    """All components of a build; `why_none` says why there is no inventory."""
    images = _images(record)
    files = tuple(_file(item) for item in installed_files(record))
    packages = tuple(_packages(record, inventory)) if inventory else ()
    ours = [item for item in packages if is_ours(item.name)]
    system = _system(record)
    within = {system.bom_ref.value or "": packages, **{item.bom_ref.value or "": files for item in ours}}
    return Parts(
        main=_main(record),
        tool=_tool(record),
        contained=(system, *images, *packages, *files),
        used=tuple(_used(record)),
        within=within,
        remarks=tuple(_remarks(record, inventory, why_none)),
    )


def is_ours(name: str) -> bool:
    """Whether it is the package that the overlay adds; upstream's list may have it with or without its prefix."""
    return name.removeprefix("bottlerocket-") == PACKAGE


def installed_files(record: BuildRecord) -> tuple[FileRecord, ...]:
    """The files that brqos put into the image: those of its package, or what was changed in a repacked one."""
    if record.repack is not None:
        return record.files
    ours = (item for item in record.files if PurePosixPath(item.path).parts[:2] == ("packages", PACKAGE))
    return tuple(item for item in ours if not item.path.endswith(("/Cargo.toml", ".spec")))


def _main(record: BuildRecord) -> "Component":
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    result = record.result
    version = result.image_version if result else record.upstream.release
    images = {image.role: image for image in result.images} if result else {}
    os_image = images.get(ImageRole.OS)
    arch = record.spec.arch.value
    return Component(
        name=record.variant,
        version=version,
        type=ComponentType.CONTAINER,
        bom_ref=f"image:{record.variant}-{arch}-{version}",
        description=f"{record.spec.build.pretty_name}: Bottlerocket {record.upstream.release} for {arch} whose kubelet "
        "has MemoryQoS on",
        purl=PackageURL("generic", _DISTRIBUTION, record.variant, version, {"arch": arch}),
        hashes=_hashes(os_image.sha256) if os_image else (),
        properties=_properties(
            {
                "build": record.id,
                "engine": record.engine.value,
                "delivery": record.delivery.value,
                "upstream-commit": record.upstream.commit,
                "overlay-commit": record.overlay_commit,
            }
        ),
    )


def _system(record: BuildRecord) -> "Component":
    from cyclonedx.model.component import Component, ComponentType

    release = record.upstream.release
    return Component(
        name=_DISTRIBUTION,
        version=release,
        type=ComponentType.OPERATING_SYSTEM,
        bom_ref=f"os:{_DISTRIBUTION}@{release}",
        description="The release that the image is derived from",
    )


def _tool(record: BuildRecord) -> "Component":
    from cyclonedx.model.component import Component, ComponentType

    version = record.origin.brqos if record.origin else record.brqos
    digest = record.origin.brqos_sha256 if record.origin else None
    return Component(
        name="brqos", version=version, type=ComponentType.APPLICATION, bom_ref=f"tool:brqos@{version}",
        hashes=_hashes(digest) if digest else (),
    )  # fmt: skip


def _images(record: BuildRecord) -> "tuple[Component, ...]":
    result = record.result
    by_role = {image.role: image for image in result.images} if result else {}
    return tuple(_image(by_role[role]) for role in ImageRole if role in by_role)


def _image(image: Image) -> "Component":
    from cyclonedx.model.component import Component, ComponentType

    sizes = {"role": image.role.value, "bytes": str(image.bytes), "file-sha256": image.file_sha256}
    return Component(
        name=image.file.name.removesuffix(".lz4"),
        type=ComponentType.FILE,
        bom_ref=f"file:{image.role.value}-image",
        hashes=_hashes(image.sha256),
        properties=_properties(sizes),
    )


def _packages(record: BuildRecord, inventory: Inventory) -> "Iterator[Component]":
    seen: Counter[str] = Counter()
    for package in inventory.packages:
        purl = _purl(record, package)
        named = purl.to_string() if purl else f"package:{package.name}"
        seen[named] += 1
        # References have to be unique; a list may still name a package twice.
        yield _package(package, purl, named if seen[named] == 1 else f"{named}#{seen[named]}")


def _purl(record: BuildRecord, package: Package) -> "PackageURL | None":
    """The package's URL; None for a name that makes none, in a list of somebody else's."""
    from packageurl import PackageURL

    qualifiers = {
        "arch": package.architecture,
        "distro": f"{_DISTRIBUTION}-{record.upstream.release}",
        # purl-spec, types/rpm-definition: the epoch is a qualifier and no part of the version.
        "epoch": package.epoch if package.epoch != "0" else "",
    }
    used = {key: value for key, value in qualifiers.items() if value}
    if not package.name.strip("/").strip():
        return None
    return PackageURL("rpm", _DISTRIBUTION, package.name, _version(package) or None, used)


def _version(package: Package) -> str:
    return "-".join(filter(None, (package.version, package.release)))


def _package(package: Package, purl: "PackageURL | None", reference: str) -> "Component":
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.contact import OrganizationalEntity

    ours = is_ours(package.name)
    supplier = "brqos" if ours else package.publisher
    # Upstream's list has no licences; of our own package it is known (templates/kubelet-memory-qos.spec).
    licences = [LicenseFactory().make_from_string(_OUR_LICENCE)] if ours else []
    return Component(
        name=package.name,
        version=_version(package) or None,
        type=ComponentType.LIBRARY,
        bom_ref=reference,
        purl=purl,
        supplier=OrganizationalEntity(name=supplier) if supplier else None,
        description=package.summary or None,
        licenses=licences,
        external_references=_website(package.url),
        properties=_properties({"rpm-group": package.kind, "added-by": "brqos" if ours else ""}),
    )


def _website(url: str) -> "list[ExternalReference]":
    """The package's site, if it has one that is an address: the list may be somebody else's."""
    from cyclonedx.exception.model import InvalidUriException
    from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri

    if _ADDRESS.fullmatch(url) is None:
        return []
    try:
        return [ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(url))]
    except InvalidUriException:
        return []


def _file(item: FileRecord) -> "Component":
    from cyclonedx.model.component import Component, ComponentType

    return Component(
        name=PurePosixPath(item.path).name,
        type=ComponentType.FILE,
        bom_ref=f"file:{item.path}",
        hashes=_hashes(item.sha256),
        properties=_properties({"path": item.path, "operation": item.operation, "added-by": "brqos"}),
    )


def _used(record: BuildRecord) -> "Iterator[Component]":
    from cyclonedx.model.component import Component, ComponentType

    pins = record.origin.pins if record.origin else None
    if pins is None:
        return
    for pin in pins.kits:
        yield _pin(pin, "kit")
    if pins.sdk is not None:
        yield _pin(pins.sdk, "sdk")
    if pins.twoliter is not None:
        tool = pins.twoliter
        yield Component(
            name="twoliter",
            version=tool.version,
            type=ComponentType.APPLICATION,
            bom_ref=f"tool:twoliter@{tool.version}",
            scope=_excluded(),
            hashes=_hashes(tool.sha256) if tool.sha256 else (),
            properties=_properties({"used-as": "build tool", "address": tool.url}),
        )


def _pin(pin: Pin, use: str) -> "Component":
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    purl = oci_purl(pin)
    return Component(
        name=pin.name,
        version=pin.version,
        group=pin.vendor or None,
        type=ComponentType.CONTAINER,
        bom_ref=purl,
        purl=PackageURL.from_string(purl),
        scope=_excluded(),
        hashes=_hashes(pin.sha256),
        properties=_properties({"used-as": use}),
    )


def _excluded() -> "ComponentScope":
    from cyclonedx.model.component import ComponentScope

    return ComponentScope.EXCLUDED


def _remarks(record: BuildRecord, inventory: Inventory | None, why_none: str) -> "Iterator[Property]":
    told = {
        "rehearsal": NOTICE.strip() if record.rehearsal else "",
        "inventory": f"SHA-256 {inventory.sha256}" if inventory else f"missing: {why_none}",
        "inventory-versions": ""
        if inventory is None or inventory.has_own_versions
        else "packages of the core kit have the kit's version, and the kit's commit as release",
        "inventory-lacks": PACKAGE if inventory and _should_have_ours(record, inventory) else "",
    }
    yield from _properties(told)


def _should_have_ours(record: BuildRecord, inventory: Inventory) -> bool:
    return record.repack is None and not any(is_ours(item.name) for item in inventory.packages)


def _properties(values: "Mapping[str, str]") -> "tuple[Property, ...]":
    from cyclonedx.model import Property

    return tuple(Property(name=f"brqos:{key}", value=value) for key, value in values.items() if value)


def _hashes(sha256: str) -> "tuple[HashType, ...]":
    from cyclonedx.model import HashAlgorithm, HashType

    return (HashType(alg=HashAlgorithm.SHA_256, content=sha256),)
