"""eksctl's JSON schema, which is not in the repository: BRQOS_EKSCTL_SCHEMA names it, or it is beside the checkout."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

# Read when the tests are collected: the tests themselves run without any BRQOS_* variable.
_GIVEN = os.environ.get("BRQOS_EKSCTL_SCHEMA")
_PLACE = Path("shared/data/eksctl-schema.json")


def _find() -> Path | None:
    if _GIVEN:
        return Path(_GIVEN)
    return next((parent / _PLACE for parent in Path(__file__).parents if (parent / _PLACE).is_file()), None)


_PATH = _find()
_VALIDATOR = jsonschema.Draft7Validator(json.loads(_PATH.read_text())) if _PATH else None

needs_schema = pytest.mark.skipif(
    _VALIDATOR is None, reason=f"eksctl's schema is neither in BRQOS_EKSCTL_SCHEMA nor at {_PLACE} beside the checkout"
)


def complaints(document: Any) -> list[str]:
    """What eksctl's schema says against a document; empty where there is no schema."""
    return [error.message for error in _VALIDATOR.iter_errors(document)] if _VALIDATOR else []
