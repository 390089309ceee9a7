"""cfn-lint, which holds a template against CloudFormation's own schemas."""

from cfnlint import api
from cfnlint.config import ManualArgs


def complaints(template: str, region: str = "eu-central-1") -> list[str]:
    """What cfn-lint says against a template, warnings and mere advice included."""
    asked = ManualArgs(regions=[region], include_checks=["I", "W"])
    return [str(match) for match in api.lint(template, config=asked)]
