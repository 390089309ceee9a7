"""The pin in a file, changed: every other byte stays."""

from pathlib import Path

import pytest

from brqos.config.documents import sample
from brqos.errors import ConfigurationError
from brqos.fleet.watch.bump import edited
from brqos.variant import VariantName

HERE = Path("brqos.toml")
FILE = """\
# ours
variant = "aws-k8s-1.34"   # the base

[kubelet]
throttling-factor = 0.80

[upstream]  # where from
  ref = 'v1.50.0'  # Ann looked at it
offline = true
"""


def test_comments_order_and_spaces_stay() -> None:
    assert edited(FILE, "upstream.ref", "v1.66.0", HERE) == FILE.replace("'v1.50.0'", '"v1.66.0"')


def test_line_ends_stay() -> None:
    text = FILE.replace("\n", "\r\n")
    assert edited(text, "upstream.ref", "v1.66.0", HERE) == text.replace("'v1.50.0'", '"v1.66.0"')


@pytest.mark.parametrize(
    "text",
    [
        'upstream.ref = "v1.50.0" # dotted\n',
        'upstream = { ref = "v1.50.0", offline = true } # inline\n',
        '"upstream" = { "ref" = "v1.50.0" }\n',
    ],
)
def test_other_ways_to_write_a_table(text: str) -> None:
    assert edited(text, "upstream.ref", "v1.66.0", HERE) == text.replace("v1.50.0", "v1.66.0")


@pytest.mark.parametrize("text", ['variant = "aws-k8s-1.34"\n', 'variant = "aws-k8s-1.34"', "", "[kubelet]\n# none\n"])
def test_a_file_without_the_section_gets_one(text: str) -> None:
    changed = edited(text, "upstream.ref", "v1.66.0", HERE)
    assert changed.startswith(text)
    assert '[upstream]\nref = "v1.66.0"\n' in changed


def test_the_sample_gets_its_first_pin_in_its_section() -> None:
    text = sample(VariantName.parse("aws-k8s-1.34"))
    changed = edited(text, "upstream.ref", "v1.66.0", HERE)
    lines = changed.splitlines()
    at = lines.index('ref = "v1.66.0"')
    assert lines.index("[upstream]") < at < lines.index("[kubelet]")
    assert changed.replace('ref = "v1.66.0"\n', "") == text


def test_what_cannot_be_changed_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot be changed"):
        edited("upstream = 3\n", "upstream.ref", "v1.66.0", HERE)
