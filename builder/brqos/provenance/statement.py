"""The documents as in-toto statements (in-toto/attestation, spec/v1/statement.md); the same record, the same bytes.

The provenance is SLSA's (slsa.dev, spec/v1.0/provenance). The only times in it are those of the build's own stage, so
that writing it again, on whatever machine, gives the same bytes.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from brqos.config.model import Engine
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
# AMIs, nodegroups and mirrors make no other image. What AMIs there are is told by the subjects; how they are shared,
# and with whose login, is nobody else's matter, and another run may do it otherwise.
_OF_THE_IMAGE = {"variant", "arch", "upstream", "kubelet", "build"}


def provenance_statement(record: BuildRecord, byproducts: Sequence[Document]) -> Document:
    """The provenance; `byproducts` are descriptors of what was left beside the images."""
    origin, done = record.origin, record.stages.get(Stage.BUILD)
    metadata: Document = {"invocationId": origin.invocation} if origin and origin.invocation else {}
    if done is not None:
        metadata |= {"startedOn": _time(done.started), "finishedOn": _time(done.finished)}
    predicate = {
        "buildDefinition": {
            "buildType": f"urn:brqos:build:{record.engine.value}:v1",
            "externalParameters": _parameters(record),
            "internalParameters": _internal(record),
            "resolvedDependencies": materials_of(record),
        },
        "runDetails": {
            "builder": {
                "id": origin.builder if origin else UNKNOWN,
                "version": _versions(record),
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
    engine = {"repack"} if record.engine is Engine.REPACK else set()
    spec: Document = record.spec.model_dump(mode="json", include=_OF_THE_IMAGE | engine, exclude_none=True)
    upstream = spec["upstream"]
    upstream.update({key: only_name(upstream[key]) for key in ("repository", "core-kit")})
    if profile := spec["build"].get("sbkeys-profile"):
        spec["build"]["sbkeys-profile"] = Path(profile).name
    repack = spec.get("repack", {})
    for key, value in repack.items():
        if isinstance(value, str) and "/" in value and not is_address(value):
            repack[key] = Path(value).name
    return spec


def _parameters(record: BuildRecord) -> Document:
    origin = record.origin
    return dict(origin.parameters) if origin and origin.parameters is not None else parameters_of(record)


def _versions(record: BuildRecord) -> dict[str, str]:
    origin = record.origin
    tools = origin.tools if origin and origin.tools is not None else record.tools
    return {"brqos": origin.brqos if origin else record.brqos, **dict(sorted(tools.items()))}


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
