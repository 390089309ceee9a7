import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest

from brqos.config.documents import sample, schema
from brqos.config.model import BuildSpec
from brqos.config.resolve import resolve
from brqos.variant import VariantName

TOP = Path(__file__).resolve().parents[2]


def uncommented() -> str:
    """The sample with every example switched on."""
    return re.sub(r'(?m)^# (?=[\w".-]+ = )', "", sample(VariantName.parse("aws-k8s-1.36")))


def test_the_sample_resolves_as_it_is_and_with_every_example_on(tmp_path: Path) -> None:
    for text in (sample(VariantName.parse("aws-k8s-1.29")), uncommented()):
        file = tmp_path / "brqos.toml"
        file.write_text(text, encoding="utf-8")
        assert resolve({}, file).spec.variant.startswith("aws-k8s-1.")


def keys(model: type) -> set[str]:
    found = set()
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and hasattr(inner, "model_fields"):
            found |= {f"{field.alias or name}.{key}" for key in keys(inner)}
        else:
            found.add(field.alias or name)
    return found


def has(data: object, path: list[str]) -> bool:
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return False
        data = data[key]
    return True


def test_the_sample_explains_every_key() -> None:
    data = tomllib.loads(uncommented())
    missing = [key for key in keys(BuildSpec) if not has(data, key.split("."))]
    assert missing == []


def test_the_schema_accepts_the_sample_and_refuses_a_misspelt_key() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    data = tomllib.loads(uncommented())
    validator.validate(data)
    validator.validate({})
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"kubelet": {"throtling-factor": 0.5}})


def test_the_published_schema_is_the_models() -> None:
    published = json.loads((TOP / "docs" / "brqos.schema.json").read_text(encoding="utf-8"))
    assert published == schema(), "run: scripts/brqos init --schema > docs/brqos.schema.json"
