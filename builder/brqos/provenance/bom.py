"""The bill of materials of an image as CycloneDX 1.6 JSON; pure, and the same for the same record and inventory.

The packages are upstream's own list of them. What was compiled into a package is not in that list, so the document says
of itself that it is incomplete; without the list it says that it is not known what is in the image, and lists none.
"""

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from brqos.provenance.bom_parts import Parts, parts_of
from brqos.provenance.inventory import Inventory
from brqos.record import BuildRecord

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom

# A serial number is a name for a content: of this space (RFC 9562, version 5).
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:brqos:sbom")
# What a reader wants to see first; the library sorts by the alphabet.
_FIRST = {"bomFormat": 0, "specVersion": 1, "serialNumber": 2, "version": 3, "metadata": 4}.keys()
_NO_SERIAL = uuid.UUID(int=0)


def bom_of(record: BuildRecord, inventory: Inventory | None, *, why_none: str, made: datetime) -> dict[str, Any]:
    """The document as data; `why_none` says why there is no inventory, `made` is the time that it bears."""
    from cyclonedx.output.json import JsonV1Dot6

    parts = parts_of(record, inventory, why_none=why_none)
    text = JsonV1Dot6(_bom(parts, made)).output_as_string()
    document: dict[str, Any] = json.loads(text)
    # cyclonedx-python-lib has no compositions yet.
    document["compositions"] = [
        {"aggregate": "incomplete" if inventory else "unknown", "assemblies": [parts.main.bom_ref.value]}
    ]
    document["serialNumber"] = uuid.uuid5(_SPACE, json.dumps(document, sort_keys=True)).urn
    return {key: document[key] for key in (*_FIRST, *sorted(document.keys() - _FIRST))}


def _bom(parts: Parts, made: datetime) -> "Bom":
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.lifecycle import LifecyclePhase, PredefinedLifecycle
    from cyclonedx.model.tool import ToolRepository

    metadata = BomMetaData(
        tools=ToolRepository(components=[parts.tool]),
        component=parts.main,
        timestamp=made.astimezone(UTC),
        lifecycles=[PredefinedLifecycle(LifecyclePhase.BUILD)],
        properties=parts.remarks,
    )
    bom = Bom(components=[*parts.contained, *parts.used], metadata=metadata, serial_number=_NO_SERIAL, version=1)
    bom.register_dependency(parts.main, [*parts.contained, *parts.used])
    for component in (*parts.contained, *parts.used):
        bom.register_dependency(component, list(parts.within.get(component.bom_ref.value or "", ())))
    return bom
