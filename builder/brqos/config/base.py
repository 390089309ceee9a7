"""The base of all models: frozen, strict, written with dashes."""

from pydantic import BaseModel, ConfigDict

REGION_PATTERN = r"[a-z]{2}(-[a-z]+)+-\d{1,2}"


class Model(BaseModel):
    """Frozen; unknown keys are refused; keys are written with dashes in TOML and JSON."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=lambda name: name.replace("_", "-"),
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )
