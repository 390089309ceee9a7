"""The kubelet settings as text: a drop-in file, and the lines that go into a template.

The values are names, booleans and floats only, so JSON's notation for each scalar is YAML's too, and comments can stay.
"""

import json
from collections.abc import Mapping
from decimal import Decimal

from brqos.memoryqos.settings import KubeletSettings
from brqos.rendering import render

# Bare, these are booleans or null in YAML 1.1 or 1.2; “None” is none of them, but reads as if it were.
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"}


def scalar(value: object) -> str:
    """A scalar in a notation that YAML 1.1 and 1.2 read the same; a name stands bare where both read it as text."""
    if isinstance(value, str):
        return value if value.isalnum() and value.lower() not in _WORDS else json.dumps(value)
    if isinstance(value, float):
        # YAML 1.1 wants a dot in a mantissa, so 5e-5 would be read as text there: no exponents.
        return format(Decimal(repr(value)), "f")
    return json.dumps(value)


def field_lines(fields: Mapping[str, object]) -> list[str]:
    """`key: value` lines at the top level."""
    return [f"{key}: {scalar(value)}" for key, value in fields.items()]


def gate_lines(gates: Mapping[str, bool], indent: str = "  ") -> list[str]:
    """The lines below `featureGates:`."""
    return [f"{indent}{scalar(name)}: {scalar(value)}" for name, value in gates.items()]


def drop_in(settings: KubeletSettings, variant: str) -> str:
    """The drop-in file for `/etc/kubernetes/kubelet/config.d`."""
    return render(
        "kubelet-memory-qos.conf",
        variant=variant,
        effect=settings.effect(),
        gates=gate_lines(settings.feature_gates),
        fields=field_lines(settings.fields()),
    )
