import pytest

from brqos.errors import UpstreamError
from brqos.overlay.spec import SPEC, edited_spec, serving_subpackage
from brqos.upstream.files import Entry, TreeFiles
from brqos.upstream.tree import UpstreamTree
from brqos.variant import VariantName

OS = "%{_cross_os}"
VARIANT = VariantName.parse("aws-k8s-1.29")


def tree(spec: str) -> UpstreamTree:
    files = TreeFiles("Bottlerocket v1.99.0", {SPEC: Entry("100644", spec.encode())})
    return UpstreamTree("here", "v1.99.0", "c" * 40, "0 +0000", "1.99.0", "10.0.0", files)


def package(requires: str, *names: str) -> str:
    provides = "".join(f"Provides: {OS}settings-defaults({name})\n" for name in ("any", *names))
    head = f"%package aws-k8s-1.31\nSummary: s\nRequires: {requires}\n"
    return f"{head}{provides}\n%description aws-k8s-1.31\n%{{summary}}.\n"


def requires_of(requires: str, *names: str) -> str:
    text = edited_spec(tree(package(requires, *names)), VARIANT)
    return text[text.index("Requires: ") + len("Requires: ") : text.index("\nProvides:")]


def test_a_single_requirement_becomes_a_choice() -> None:
    assert requires_of(f"{OS}variant(aws-k8s-1.29)", "aws-k8s-1.29") == (
        f"({OS}variant(aws-k8s-1.29) or {OS}variant(aws-k8s-1.29-memoryqos))"
    )


def test_a_choice_on_one_line_gets_one_more() -> None:
    both = f"({OS}variant(aws-k8s-1.28) or {OS}variant(aws-k8s-1.29))"
    assert requires_of(both, "aws-k8s-1.28", "aws-k8s-1.29") == (
        f"({OS}variant(aws-k8s-1.28) or {OS}variant(aws-k8s-1.29) or {OS}variant(aws-k8s-1.29-memoryqos))"
    )


@pytest.mark.parametrize("indent", ["           ", "  ", "\t"])
def test_a_choice_on_many_lines_gets_a_line_of_the_same_indentation(indent: str) -> None:
    plain, fips = f"{indent}{OS}variant(aws-k8s-1.29)      or\n", f"{indent}{OS}variant(aws-k8s-1.29-fips)\n"
    lines = f"(%{{shrink:\n{plain}{fips}{indent}%{{nil}}}})"
    assert requires_of(lines, "aws-k8s-1.29", "aws-k8s-1.29-fips") == (
        f"(%{{shrink:\n{indent}{OS}variant(aws-k8s-1.29-memoryqos) or\n"
        f"{indent}{OS}variant(aws-k8s-1.29)      or\n{indent}{OS}variant(aws-k8s-1.29-fips)\n{indent}%{{nil}}}})"
    )


def test_the_new_variant_is_provided_beside_its_base() -> None:
    text = edited_spec(tree(package(f"{OS}variant(aws-k8s-1.29)", "aws-k8s-1.29")), VARIANT)
    assert f"settings-defaults(aws-k8s-1.29)\nProvides: {OS}settings-defaults(aws-k8s-1.29-memoryqos)\n" in text


def test_the_serving_subpackage_is_found_by_what_it_provides() -> None:
    assert serving_subpackage(tree(package(f"{OS}variant(aws-k8s-1.29)", "aws-k8s-1.29")), VARIANT) == "aws-k8s-1.31"


@pytest.mark.parametrize(
    "spec",
    [
        "",
        package(f"{OS}variant(aws-k8s-1.28)", "aws-k8s-1.28"),
        package(f"{OS}variant(aws-k8s-1.28)", "aws-k8s-1.29"),
        package(f"{OS}variant(aws-k8s-1.29)", "aws-k8s-1.29") * 2,
        f"Provides: {OS}settings-defaults(aws-k8s-1.29)\n",
    ],
)
def test_a_spec_that_changed_is_refused_by_name(spec: str) -> None:
    with pytest.raises(UpstreamError, match=r"settings-defaults\.spec") as caught:
        serving_subpackage(tree(spec), VARIANT)
        edited_spec(tree(spec), VARIANT)
    assert "Bottlerocket v1.99.0" in caught.value.what
