"""What a build was made from, each with its digest: SLSA's resolvedDependencies."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from brqos.record import BuildRecord, InputRecord, RepackRecord
from brqos.upstream.pins import Pin

Descriptor = dict[str, Any]


def materials_of(record: BuildRecord) -> list[Descriptor]:
    """All of them in a fixed order; what is not known is not there."""
    made = record.repack
    return [*_brqos(record), *(_repacked(made, record) if made else _source(record))]


def oci_purl(pin: Pin) -> str:
    """The package URL of a kit or the SDK in its registry (purl-spec, types/oci-definition)."""
    repository, _, tag = pin.source.rpartition(":")
    if "/" in tag or not repository:
        repository, tag = pin.source, ""
    name = repository.rpartition("/")[2].lower()
    version = f"@sha256:{pin.sha256}"
    tagged = f"&tag={quote(tag, safe='')}" if tag else ""
    return f"pkg:oci/{quote(name, safe='')}{version}?repository_url={quote(repository, safe='/')}{tagged}"


def is_address(text: str) -> bool:
    """Whether it names a place that others can reach too: a path is this machine's own matter."""
    return ("://" in text or ("@" in text and ":" in text)) and not text.startswith("file:")


def _brqos(record: BuildRecord) -> Iterator[Descriptor]:
    if record.origin is not None:
        uri = f"pkg:pypi/brqos@{record.origin.brqos}"
        digest, of = {"sha256": record.origin.brqos_sha256}, "the list of its files, each with its SHA-256"
        yield _descriptor("brqos", digest, uri, version=record.origin.brqos, **{"digest-of": of})


def _source(record: BuildRecord) -> Iterator[Descriptor]:
    upstream, origin = record.upstream, record.origin
    commit = {"gitCommit": upstream.commit}
    yield _descriptor("bottlerocket", commit, _git(upstream.repository, upstream.commit), ref=upstream.ref)
    if record.core_kit is not None:
        kit = record.core_kit
        address = _git(record.spec.upstream.core_kit, kit.commit)
        yield _descriptor("core-kit source", {"gitCommit": kit.commit}, address, version=kit.version, read=True)
    if record.overlay_commit:
        yield _descriptor("overlay", {"gitCommit": record.overlay_commit}, "", parent=upstream.commit)
    pins = origin.pins if origin else None
    for pin in (*pins.kits, *([pins.sdk] if pins.sdk else [])) if pins else ():
        yield _descriptor(pin.name, {"sha256": pin.sha256}, oci_purl(pin), version=pin.version, vendor=pin.vendor)
    if pins and pins.twoliter:
        tool = pins.twoliter
        yield _descriptor("twoliter", _sha256(tool.sha256), tool.url, version=tool.version)


def _repacked(repack: RepackRecord, record: BuildRecord) -> Iterator[Descriptor]:
    for number, item in enumerate(repack.inputs):
        yield _input(item, ("os", "data")[number] if number < 2 else "", repack.official)
    if record.upstream.commit:
        # A short one, as the image itself says it: no git digest.
        said = {"release": record.upstream.release, "build-id": record.upstream.commit}
        yield {
            "name": "bottlerocket",
            "uri": f"pkg:generic/bottlerocket@{record.upstream.release}",
            "annotations": said,
        }


def _input(item: InputRecord, role: str, official: dict[str, Any] | None) -> Descriptor:
    fetched = official.get(role) if official else None
    if not isinstance(fetched, dict) or official is None:
        return _descriptor(item.file, {"sha256": item.sha256}, "", role=role, verified="no: given as a file")
    repository = official.get("repository")
    told = repository if isinstance(repository, dict) else {}
    address = str(fetched.get("address", ""))
    verified = {
        "by": "TUF",
        "target": fetched.get("target"),
        "file-sha256": fetched.get("file-sha256", fetched.get("file_sha256")),
        "repository": told,
    }
    uri = address if is_address(address) else ""
    return _descriptor(item.file, {"sha256": item.sha256}, uri, role=role, verified=verified)


def _git(repository: str, commit: str) -> str:
    """The address as SPDX writes places in git: `git+<URL>@<commit>`; empty for a path of this machine."""
    if not is_address(repository):
        return ""
    host, colon, path = repository.partition(":")
    # git's short form for SSH, user@host:path, is no URI.
    url = repository if "://" in repository or not colon else f"ssh://{host}/{path}"
    return f"git+{url.removeprefix('git+')}@{commit}"


def _sha256(digest: str | None) -> dict[str, str]:
    return {"sha256": digest} if digest else {}


def _descriptor(name: str, digest: dict[str, str], uri: str, **annotations: object) -> Descriptor:
    told: Descriptor = {"name": name}
    if uri:
        told["uri"] = uri
    if digest:
        told["digest"] = digest
    kept = {key: value for key, value in annotations.items() if value not in ("", None)}
    return {**told, "annotations": kept} if kept else told


def only_name(text: str) -> str:
    """An address as it is; of a path its last part."""
    return text if is_address(text) else PurePosixPath(text).name
