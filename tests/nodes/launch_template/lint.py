"""cfn-lint, which holds a template against CloudFormation's own schemas; without it the test is skipped."""

import importlib
from functools import cache
from typing import Any

from conftest import missing


def complaints(template: str, region: str = "eu-central-1") -> list[str]:
    """What cfn-lint says against a template, warnings and mere advice included."""
    api, config = _modules()
    asked = config.ManualArgs(regions=[region], include_checks=["I", "W"])
    return [str(match) for match in api.lint(template, config=asked)]


@cache
def _modules() -> tuple[Any, Any]:
    try:
        return importlib.import_module("cfnlint.api"), importlib.import_module("cfnlint.config")
    except ImportError:
        missing("cfn-lint is not installed")
