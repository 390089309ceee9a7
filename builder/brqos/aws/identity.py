"""Who is asking."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """The account (12 digits) and the ARN of the user or role."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return self.arn.split(":", 2)[1]
