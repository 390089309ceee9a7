"""The section `[matrix]`: the builds that one file stands for, for `brqos matrix`."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from brqos.architecture import Architecture
from brqos.config.base import Model
from brqos.errors import ConfigurationError
from brqos.variant import VariantName


def _parsed_variant(value: object) -> object:
    return VariantName.parse(value).base if isinstance(value, str) else value


def _parsed_arch(value: object) -> object:
    return Architecture.parse(value) if isinstance(value, str) else value


Variant = Annotated[str, BeforeValidator(_parsed_variant)]
Arch = Annotated[Architecture, BeforeValidator(_parsed_arch)]


class MatrixExclusion(Model):
    """Builds that are left out: of this variant, for this architecture, or where both are given just that one."""

    variant: Variant | None = Field(default=None, description="The variant; any where it is not given.")
    arch: Arch | None = Field(default=None, description="The architecture; any where it is not given.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.variant is None and self.arch is None:
            raise ConfigurationError(
                "an entry of matrix.exclude is empty",
                why="It would leave out everything.",
                todo='Write it like exclude = [{ variant = "aws-k8s-1.34-fips", arch = "aarch64" }].',
            )
        return self

    def covers(self, variant: str, arch: Architecture) -> bool:
        """Whether that build is left out by it."""
        return self.variant in {None, variant} and self.arch in {None, arch}

    def __str__(self) -> str:
        named = [f'{key} = "{value}"' for key, value in (("variant", self.variant), ("arch", self.arch)) if value]
        return f"{{ {', '.join(named)} }}"


class MatrixSpec(Model):
    """Which builds one file stands for: every variant for every architecture, less the ones left out."""

    variants: tuple[Variant, ...] = ()
    """The variants; the file's own where none is given."""
    archs: tuple[Arch, ...] = ()
    """The architectures; the file's own where none is given."""
    exclude: tuple[MatrixExclusion, ...] = ()
    """Builds that are left out, each by its variant, its architecture or both."""

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        for key, values in (("variants", self.variants), ("archs", self.archs)):
            for value in values:
                if tuple(values).count(value) > 1:
                    raise ConfigurationError(
                        f"matrix.{key} has {value} twice",
                        why="A name and that of the image made of it (-memoryqos), or two spellings, are the same.",
                        todo="Leave one of them out.",
                    )
        return self
