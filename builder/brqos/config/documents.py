"""The documents about `brqos.toml`: the sample that `brqos init` writes, and its JSON schema."""

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
    document.pop("required", None)
    document["title"] = "brqos.toml"
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return document
