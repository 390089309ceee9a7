"""HCL as it is written: its look, and its texts. That `terraform fmt` agrees is tried in test_terraform.py."""

import pytest

from brqos.nodes.terraform.hcl import Block, Expression, FirstOf, Text, Value, identifier, to_hcl, to_json


def written(**arguments: Value) -> list[str]:
    """The lines between the braces."""
    return to_hcl([Block("module", ("m",), arguments)]).splitlines()[1:-1]


def test_a_block_has_labels_and_aligned_arguments() -> None:
    block = Block("data", ("aws_eks_cluster", "prod"), {"name": "prod", "retries": 3, "deep": True})
    assert (
        to_hcl([block]) == 'data "aws_eks_cluster" "prod" {\n  name    = "prod"\n  retries = 3\n  deep    = true\n}\n'
    )


def test_a_long_value_stands_alone_between_empty_lines() -> None:
    assert written(a=1, labels={"x": "y"}, longer=2, z=3) == [
        "  a = 1",
        "",
        "  labels = {",
        '    x = "y"',
        "  }",
        "",
        "  longer = 2",
        "  z      = 3",
    ]


def test_remarks_and_paragraphs_begin_a_column_of_their_own() -> None:
    block = Block("m", ("x",), {"a": 1, "bb": 2, "ccc": 3}, remarks={"bb": "Why.\n\nAnd more."}, paragraphs=["ccc"])
    assert to_hcl([block], head="Head.\n\nMore.").splitlines() == [
        *("# Head.", "#", "# More.", ""),
        *('m "x" {', "  a = 1", "", "  # Why.", "  #", "  # And more.", "  bb = 2", "", "  ccc = 3", "}"),
    ]


def test_a_remark_about_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="gone"):
        to_hcl([Block("m", ("x",), {"a": 1}, remarks={"gone": "?"})])


def test_a_map_quotes_all_keys_or_none() -> None:
    assert written(m={"team": 1, "a.b": 2}) == ["  m = {", '    "team" = 1', '    "a.b"  = 2', "  }"]
    assert written(m={"for": 1})[1] == '    "for" = 1'
    assert written(m={"null": 1})[1] == '    "null" = 1'
    assert written(m={"${x}": 1})[1] == '    "$${x}" = 1'
    assert written(m={}) == ["  m = {}"]


def test_a_map_in_a_map_ends_the_column() -> None:
    assert written(m={"a": 1, "b": {"c": 2}, "dd": 3}) == [
        *("  m = {", "    a = 1", "    b = {", "      c = 2", "    }", "    dd = 3", "  }"),
    ]


def test_short_lists_are_one_line() -> None:
    assert written(a=["x", "y"], bb=1) == ['  a  = ["x", "y"]', "  bb = 1"]
    long = [f"subnet-0123456789abcdef{number}" for number in range(2)]
    assert written(a=long) == ["  a = [", f'    "{long[0]}",', f'    "{long[1]}",', "  ]"]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("plain", '"plain"'),
        ('say "x"', r'"say \"x\""'),
        ("a\\b", r'"a\\b"'),
        ("a\nb\tc\r", r'"a\nb\tc\r"'),
        ("\b\f\x00\x7f", r'"\u0008\u000c\u0000\u007f"'),
        ("${x} %{y}", '"$${x} %%{y}"'),
        ("$${x}", '"$$${x}"'),
        ("$x %y $", '"$x %y $"'),
        ("grün", '"grün"'),
    ],
)
def test_texts_are_quoted(text: str, quoted: str) -> None:
    assert written(a=text) == [f"  a = {quoted}"]


def test_lines_stand_indented_and_end_with_one() -> None:
    assert written(a=Text("x = 1\n\n[y]\nz = '${v}'\n")) == [
        *("  a = <<-EOT", "    x = 1", "", "    [y]", "    z = '$${v}'", "  EOT"),
    ]


def test_only_line_feeds_break_lines() -> None:
    text = to_hcl([Block("module", ("m",), {"a": Text("x = 'a\u2028b\x85c'\n")})])
    assert "<<-EOT\n    x = 'a\u2028b\x85c'\n  EOT\n" in text


def test_expressions_stand_bare_and_in_json_in_braces() -> None:
    one, two = Expression("data.x.y"), Expression("data.x.z")
    block = Block(
        "module", ("m",), {"a": one, "b": FirstOf((one, two)), "c": ["${x}", 1], "d": {"${k}": Text("%{v}\n")}}
    )
    assert to_hcl([block]).splitlines()[1:7] == [
        *("  a = data.x.y", "", "  b = coalesce(", "    data.x.y,", "    data.x.z,", "  )"),
    ]
    assert to_json([block]) == {
        "module": {
            "m": {
                "a": "${data.x.y}",
                "b": "${coalesce(data.x.y, data.x.z)}",
                "c": ["$${x}", 1],
                "d": {"$${k}": "%%{v}\n"},
            }
        }
    }


def test_json_gathers_blocks_of_a_kind() -> None:
    blocks = [
        Block("data", ("t", "a"), {"x": 1}),
        Block("data", ("t", "b"), {"x": False}),
        Block("m", ("c",), {"y": "z"}),
    ]
    assert to_json(blocks) == {"data": {"t": {"a": {"x": 1}, "b": {"x": False}}}, "m": {"c": {"y": "z"}}}


def test_identifiers_are_terraforms_and_unlike_names_stay_unlike() -> None:
    assert identifier("memoryqos-1-29") == "memoryqos_1_29"
    assert identifier("1a") == "_1a"
    names = ["a-b", "ab", "A-b", "1a", "nodes-1a"]
    assert len({identifier(name) for name in names}) == len(names)
