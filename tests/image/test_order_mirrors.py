"""Where things come from is told to the build, and is no part of what is built."""

from dataclasses import replace
from pathlib import Path

import pytest

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.image.order import BuildOrder
from brqos.pipeline.identity import source_inputs

PLAIN = BuildOrder(Path("/cache/trees/abc"), "aws-k8s-1.34-memoryqos", Architecture.X86_64)
MIRRORED = replace(
    PLAIN,
    mirrors={"BUILDSYS_LOOKASIDE_CACHE": "https://cache.example.com/b"},
    variables={"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "url.a.insteadOf", "GIT_CONFIG_VALUE_0": "b"},
)


def test_settings_go_by_the_command_line_and_variables_by_the_environment() -> None:
    assert "BUILDSYS_LOOKASIDE_CACHE=https://cache.example.com/b" in MIRRORED.argv
    assert MIRRORED.environment == MIRRORED.variables
    typed = "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=url.a.insteadOf GIT_CONFIG_VALUE_0=b cargo make"
    assert MIRRORED.shown.startswith(typed)


def test_the_inputs_are_those_of_an_unmirrored_build() -> None:
    assert source_inputs(MIRRORED, "c" * 40, rehearsal=False) == source_inputs(PLAIN, "c" * 40, rehearsal=False)


def test_two_places_for_one_thing_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="BUILDSYS_LOOKASIDE_CACHE is in make-env") as caught:
        replace(MIRRORED, make_env={"BUILDSYS_LOOKASIDE_CACHE": "https://other.example.com"})
    assert caught.value.todo == "Keep one of them."
