"""The documents about `brqos.toml`: the sample that `brqos init` writes, and its JSON schema."""

import ast
import inspect
from itertools import pairwise

from brqos.config.base import Model
from brqos.config.model import BuildSpec
from brqos.config.variants import shipped_flavor
from brqos.rendering import render
from brqos.variant import VariantName


def sample(variant: VariantName) -> str:
    """A `brqos.toml` with every key explained."""
    flavor = shipped_flavor(variant)
    release = flavor.default_release if flavor else "1.50.0"
    return render("brqos.toml", variant=variant.base, ref=f"v{release}")


def schema() -> dict[str, object]:
    """The JSON schema (draft 2020-12) of `brqos.toml`, made from the model.

    Unlike the model it asks for nothing: what the file leaves out may come from flags.
    """
    document = BuildSpec.model_json_schema(by_alias=True)
    explained = {"BuildSpec": document, **document["$defs"]}
    for model in _models():
        for name, text in _explanations(model).items():
            alias = model.model_fields[name].alias or name
            explained[model.__name__]["properties"][alias]["description"] = text
    document.pop("required", None)
    document["title"] = "brqos.toml"
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return document


def _models() -> list[type[Model]]:
    """BuildSpec and the models of its sections."""
    sections = [field.annotation for field in BuildSpec.model_fields.values()]
    return [BuildSpec, *(one for one in sections if isinstance(one, type) and issubclass(one, Model))]


def _explanations(model: type[Model]) -> dict[str, str]:
    """The docstring below each field.

    pydantic would read them too, but at every import, and only this document needs them.
    """
    (definition,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, text in pairwise(definition.body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            found[field.target.id] = inspect.cleandoc(text.value.value)
    return found
