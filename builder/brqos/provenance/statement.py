"""The documents as in-toto statements (in-toto/attestation, spec/v1/statement.md); the same record, the same bytes.

The provenance is SLSA's (slsa.dev, spec/v1.0/provenance). The only times in it are those of the build's own stage, so
that writing it again, on whatever machine, gives the same bytes.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from brqos.image.notice import NOTICE
from brqos.provenance.builder import UNKNOWN
from brqos.provenance.materials import is_address, materials_of, only_name
from brqos.provenance.subjects import subjects_of
from brqos.record import BuildRecord
from brqos.stages import Stage

STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
SBOM = "https://cyclonedx.org/bom"
"""The predicate's type of a CycloneDX document (in-toto/attestation, spec/predicates/cyclonedx.md)."""

Document = dict[str, Any]
# Nodegroups, mirrors and logins make no other image; a login's names are nobody else's matter.
_OF_THE_IMAGE = {"variant", "arch", "upstream", "kubelet", "build", "repack", "ami"}
_LOGINS = {"profile", "role", "region-profiles", "region-roles"}


def provenance_statement(record: BuildRecord, byproducts: Sequence[Document]) -> Document:
    """The provenance; `byproducts` are descriptors of what was left beside the images."""
    origin, done = record.origin, record.stages.get(Stage.BUILD)
    metadata: Document = {"invocationId": origin.invocation} if origin and origin.invocation else {}
    if done is not None:
        metadata |= {"startedOn": _time(done.started), "finishedOn": _time(done.finished)}
    predicate = {
        "buildDefinition": {
            "buildType": f"urn:brqos:build:{record.engine.value}:v1",
            "externalParameters": parameters_of(record),
            "internalParameters": _internal(record),
            "resolvedDependencies": materials_of(record),
        },
        "runDetails": {
            "builder": {
                "id": origin.builder if origin else UNKNOWN,
                "version": {"brqos": record.brqos, **dict(sorted(record.tools.items()))},
            },
            "metadata": metadata,
            "byproducts": list(byproducts),
        },
    }
    return _statement(record, PROVENANCE, predicate)


def sbom_statement(record: BuildRecord, bom: Mapping[str, Any]) -> Document:
    """The bill of materials as a statement about the same subjects."""
    return _statement(record, SBOM, bom)


def written(document: Mapping[str, Any]) -> str:
    """A document as it is written."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def parameters_of(record: BuildRecord) -> Document:
    """What was asked for, without secrets, logins, and the places of this machine."""
    spec: Document = record.spec.model_dump(mode="json", include=_OF_THE_IMAGE, exclude_none=True)
    spec["ami"] = {key: value for key, value in spec["ami"].items() if key not in _LOGINS}
    upstream = spec["upstream"]
    upstream.update({key: only_name(upstream[key]) for key in ("repository", "core-kit")})
    if profile := spec["build"].get("sbkeys-profile"):
        spec["build"]["sbkeys-profile"] = Path(profile).name
    repack = spec["repack"]
    for key, value in repack.items():
        if isinstance(value, str) and "/" in value and not is_address(value):
            repack[key] = Path(value).name
    return spec


def _internal(record: BuildRecord) -> Document:
    told: Document = {
        "build": record.id,
        "variant": record.variant,
        "delivery": record.delivery.value,
        "kubelet-configuration": record.kubelet_configuration,
        "files": [item.model_dump(mode="json") for item in record.files],
    }
    if record.result is not None:
        told["image-version"] = record.result.image_version
        told["secure-boot"] = record.result.secure_boot
    if record.repack is not None:
        told |= {"changes": list(record.repack.changes), "checks": list(record.repack.checks)}
    if record.rehearsal:
        told["rehearsal"] = NOTICE.strip()
    return told


def _statement(record: BuildRecord, kind: str, predicate: Mapping[str, Any]) -> Document:
    return {"_type": STATEMENT, "subject": subjects_of(record), "predicateType": kind, "predicate": predicate}


def _time(moment: datetime) -> str:
    """RFC 3339 in UTC, as the specification wants it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
