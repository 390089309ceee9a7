"""One architecture, three spellings: Bottlerocket's, EC2's and Kubernetes'."""

import platform
from enum import StrEnum

from brqos.errors import ConfigurationError


class Architecture(StrEnum):
    """A processor architecture; its value is Bottlerocket's own word for it."""

    X86_64 = "x86_64"
    AARCH64 = "aarch64"

    @property
    def ec2(self) -> str:
        """EC2's name, as RegisterImage and DescribeInstanceTypes take it."""
        return {"x86_64": "x86_64", "aarch64": "arm64"}[self.value]

    @property
    def kubernetes(self) -> str:
        """Kubernetes' name, as in the node label `kubernetes.io/arch`."""
        return {"x86_64": "amd64", "aarch64": "arm64"}[self.value]

    @classmethod
    def parse(cls, text: str) -> "Architecture":
        """Any of the spellings in use; raises ConfigurationError for another."""
        match text.strip().lower():
            case "x86_64" | "amd64" | "x86-64":
                return cls.X86_64
            case "aarch64" | "arm64":
                return cls.AARCH64
        raise ConfigurationError(
            f"“{text}” is not an architecture that Bottlerocket is built for",
            todo="Use x86_64 (also written amd64) or aarch64 (also written arm64).",
        )

    @classmethod
    def of_this_machine(cls) -> "Architecture":
        """What upstream's build takes when it is told nothing (`uname -m`)."""
        return cls.parse(platform.machine())
