"""Files become builds: every pair once, under a name of its own that stays."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.architecture import Architecture
from brqos.config.matrix import MatrixExclusion, MatrixSpec
from brqos.errors import ConfigurationError
from brqos.fleet.expand import Only, expand, pairs_of

X86, ARM = Architecture.X86_64, Architecture.AARCH64
VARIANTS = [f"aws-k8s-1.{minor}{flavor}" for minor in range(28, 36) for flavor in ("", "-nvidia", "-fips")]
some_variants = st.lists(st.sampled_from(VARIANTS), unique=True, min_size=1, max_size=8)
some_archs = st.sampled_from([[X86], [ARM], [X86, ARM], [ARM, X86]])
variants, archs = st.just([]) | some_variants, st.just([]) | some_archs


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, *lines: str) -> Path:
    file = Path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def refused(*lines: str, name: str = "brqos.toml") -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        expand([write(name, *lines)])
    return caught.value


@given(variants, archs, st.data())
def test_a_section_is_all_pairs_less_those_excluded(
    chosen: list[str], machines: list[Architecture], data: st.DataObject
) -> None:
    every = [(one, other) for one in chosen or ["aws-k8s-1.40"] for other in machines or [ARM]]
    out = data.draw(st.lists(st.sampled_from(every), max_size=4))
    exclude = tuple(MatrixExclusion(variant=one, arch=other) for one, other in out)
    matrix = MatrixSpec(variants=tuple(chosen), archs=tuple(machines), exclude=exclude)
    found = pairs_of(matrix, "aws-k8s-1.40", ARM)
    assert found == [pair for pair in every if pair not in out]
    assert len(set(found)) == len(found)


@given(some_variants, some_archs, st.data())
def test_half_an_exclusion_takes_a_whole_row(
    chosen: list[str], machines: list[Architecture], data: st.DataObject
) -> None:
    variant, arch = data.draw(st.sampled_from(chosen)), data.draw(st.sampled_from(machines))
    for exclusion in (MatrixExclusion(variant=variant), MatrixExclusion(arch=arch)):
        matrix = MatrixSpec(variants=tuple(chosen), archs=tuple(machines), exclude=(exclusion,))
        found = pairs_of(matrix, "", X86)
        assert len(found) == len(chosen) * len(machines) - (
            len(machines) if exclusion.variant is not None else len(chosen)
        )


@given(st.lists(st.tuples(some_variants, some_archs), min_size=1, max_size=3))
def test_ids_are_unique_plain_and_independent_of_the_others(files: list[tuple[list[str], list[Architecture]]]) -> None:
    paths = [
        write(
            f"images/Team {number}.toml",
            "[upstream]\nref = 'v1.50.0'",
            f"[matrix]\nvariants = {chosen}\narchs = {[arch.value for arch in machines]}",
        )
        for number, (chosen, machines) in enumerate(files)
    ]
    entries = expand(paths)
    assert len({entry.id for entry in entries}) == len(entries) == sum(len(a) * len(b) for a, b in files)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9._-]*", entry.id) for entry in entries)
    alone = [entry.id for path in paths for entry in expand([path])]
    assert alone == [entry.id for entry in entries]


def test_without_the_section_a_file_is_its_own_build() -> None:
    (entry,) = expand([write("brqos.toml", "variant = 'aws-k8s-1.29-memoryqos'", "arch = 'arm64'")])
    assert entry.id == "aws-k8s-1.29-aarch64"
    assert entry.argv == ("build", "--config", "brqos.toml", "--variant", "aws-k8s-1.29", "--arch", "aarch64")
    (entry,) = expand([write("images/prod.toml", "variant = 'aws-k8s-1.29'")])
    assert entry.id == f"images-prod-aws-k8s-1.29-{Architecture.of_this_machine()}"
    assert expand([write("x/brqos.toml", "variant = 'aws-k8s-1.29'", "arch = 'arm64'")])[0].id.startswith("x-aws")


def test_each_variant_has_its_own_release_and_the_rest_of_the_file() -> None:
    file = write(
        "brqos.toml", "[matrix]", 'variants = ["aws-k8s-1.29", "aws-k8s-1.37"]', "[ami]", 'regions = ["eu-west-1"]'
    )
    entries = expand([file])
    assert len({entry.spec.upstream.ref for entry in entries}) == 2
    assert {entry.spec.ami.regions for entry in entries} == {("eu-west-1",)}
    assert expand([file], offline=True)[0].spec.upstream.offline


def test_only_some_are_wanted() -> None:
    file = write("brqos.toml", "[matrix]", 'variants = ["aws-k8s-1.29", "aws-k8s-1.30"]', 'archs = ["amd64", "arm64"]')
    assert [entry.id for entry in expand([file], only=Only(frozenset({"aws-k8s-1.30"}), frozenset({ARM})))] == [
        "aws-k8s-1.30-aarch64"
    ]
    with pytest.raises(ConfigurationError, match=r"no file has a build of aws-k8s-1\.31"):
        expand([file], only=Only(frozenset({"aws-k8s-1.31"})))


def test_all_left_out_is_no_error() -> None:
    file = write("brqos.toml", 'variant = "aws-k8s-1.29"', "[matrix]", 'exclude = [{ variant = "aws-k8s-1.29" }]')
    assert expand([file]) == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("[matrix]",), "brqos.toml names no variant"),
        (("[matrix]", 'variants = ["aws-ecs-2"]'), "“aws-ecs-2”"),
        (("[matrix]", 'variants = "aws-k8s-1.29"'), "matrix.variants = 'aws-k8s-1.29' is refused"),
        (("[matrix]", 'variants = ["aws-k8s-1.29", "aws-k8s-1.29-memoryqos"]'), "aws-k8s-1.29 twice"),
        (("[matrix]", 'variants = ["aws-k8s-1.29"]', 'archs = ["arm64", "aarch64"]'), "aarch64 twice"),
        (("[matrix]", 'variants = ["aws-k8s-1.29"]', 'archs = ["riscv"]'), "“riscv”"),
        (("[matrix]", 'variants = ["aws-k8s-1.29"]', "exclude = [{}]"), "an entry of matrix.exclude is empty"),
        (
            ("[matrix]", 'variants = ["aws-k8s-1.29"]', 'exclude = [{ variant = "aws-k8s-1.30" }]'),
            'matrix.exclude has { variant = "aws-k8s-1.30" }, and there is no such build',
        ),
        (("[matrix]", 'variants = ["aws-k8s-1.29"]', 'exclude = [{ varient = "x" }]'), "matrix.exclude.0.varient"),
        (("[matrix]", 'variant = ["aws-k8s-1.29"]'), "unknown key “matrix.variant”"),
        (("[matrix]", 'variants = ["aws-k8s-1.29"]', "[ami]", "promote = true"), "--promote needs"),
        (("[matrix]", 'variants = ["aws-k8s-1.29"]', "[kubelet]", "throttling-factor = 7.0"), "brqos.toml: "),
        (
            ("[matrix]", 'variants = ["aws-k8s-1.29", "aws-k8s-1.30"]', "[repack]", 'image = "x.img"'),
            "repack.image is one image",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_the_file(lines: tuple[str, ...], said: str) -> None:
    error = refused(*lines)
    assert said in error.what
    assert "brqos.toml" in error.what


def test_files_that_get_into_each_others_way() -> None:
    one = write("a/b.toml", 'variant = "aws-k8s-1.29"')
    with pytest.raises(ConfigurationError, match=r"given twice, the other time as a/b\.toml"):
        expand([one, Path("a/../a/b.toml")])
    with pytest.raises(ConfigurationError, match=r"a/b\.toml and a-b\.toml both have a build that would be called"):
        expand([one, write("a-b.toml", 'variant = "aws-k8s-1.29"')])
    with pytest.raises(ConfigurationError, match=r"there is no configuration file none\.toml"):
        expand([one, Path("none.toml")])
