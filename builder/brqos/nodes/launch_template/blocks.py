"""Texts of several lines as YAML's literal blocks, in which TOML stays readable."""

from typing import Any

from ruamel.yaml.comments import TaggedScalar
from ruamel.yaml.tag import Tag


def with_blocks(value: Any) -> Any:  # noqa: ANN401
    """The same data for emit.to_yaml, where each text of several lines is one literal block (`|`).

    Only for texts that end with one line break and have no character that YAML would refuse or change.
    """
    match value:
        case dict():
            return {key: with_blocks(item) for key, item in value.items()}
        case list():
            return [with_blocks(item) for item in value]
        case str() if "\n" in value:
            block = TaggedScalar(value, style="|", tag=None)
            block.yaml_set_ctag(Tag(suffix="tag:yaml.org,2002:str"))
            return block
        case _:
            return value
