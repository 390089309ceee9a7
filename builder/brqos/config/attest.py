"""The section `[attest]`: bill of materials and provenance of a build, and who signs them."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from brqos.config.base import Model
from brqos.errors import ConfigurationError


class Signer(StrEnum):
    """What makes the signatures."""

    COSIGN = "cosign"
    KMS = "kms"


class AttestSpec(Model):
    """What is written about a build beside its images, and how it is signed."""

    enabled: bool = True
    """Write the bill of materials (CycloneDX) and the provenance (in-toto, SLSA) of each build."""
    sign: Signer | None = None
    """cosign or kms: sign both as soon as they are written; not signed where it is not given."""
    key: str | None = Field(default=None, min_length=1, max_length=2048)
    """For kms the key's ARN, id or alias; for cosign a key's file or address (awskms://…), or none at all (keyless)."""

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.key is not None and self.sign is None:
            raise ConfigurationError(
                "attest.key is given without attest.sign", todo='Write sign = "kms" or sign = "cosign" above it.'
            )
        if self.sign is Signer.KMS and self.key is None:
            raise ConfigurationError(
                "attest.sign is kms, and there is no attest.key",
                why="KMS signs with a key of yours.",
                todo='Write key = "arn:aws:kms:…" or key = "alias/brqos-attest" below it, or leave sign out.',
            )
        return self
