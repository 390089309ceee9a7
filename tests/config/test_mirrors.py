"""The section `[mirrors]`: what is taken, what takes whose place, and in which words the rest is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.config.mirrors import MirrorsSpec
from brqos.config.model import BuildSpec
from brqos.config.resolve import resolve
from brqos.errors import BrqosError, ConfigurationError

GITHUB = "https://github.com/bottlerocket-os/"
WHOLE = f"""
[mirrors]
kits = "registry.example.com/bottlerocket"
sdk = "localhost:5000"
sources = "http://cache.example.com/bottlerocket/"
twoliter = "file:///srv/twoliter"
tuf = "/srv/updates"
[mirrors.git]
"{GITHUB}" = "ssh://git@git.example.com/mirrors/"
[mirrors.images]
bottlerocket-core-kit = "10.0.0.7/kits/core-kit"
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str) -> MirrorsSpec:
    Path("brqos.toml").write_text(f'variant = "aws-k8s-1.34"\n{text}')
    return resolve({}, None).spec.mirrors


def refused(text: str) -> BrqosError:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    return caught.value


def test_a_file_with_all_of_it() -> None:
    mirrors = read(WHOLE)
    assert mirrors.make_settings == {
        "TWOLITER_REPO": "file:///srv/twoliter",
        "BUILDSYS_LOOKASIDE_CACHE": "http://cache.example.com/bottlerocket",
    }
    assert mirrors.tuf_metadata == "/srv/updates/2020-07-07/{variant}/{arch}"
    assert mirrors.tuf_targets == "/srv/updates/targets"
    assert mirrors.place_of(f"{GITHUB}bottlerocket.git") == "ssh://git@git.example.com/mirrors/bottlerocket.git"
    # What a record has is read again.
    spec = resolve({}, None).spec
    assert BuildSpec.model_validate_json(spec.model_dump_json()) == spec


def test_images_come_from_their_own_place_else_from_that_of_their_kind() -> None:
    mirrors = read(WHOLE)
    assert mirrors.image_of("bottlerocket-core-kit", sdk=False) == ("10.0.0.7/kits", "core-kit")
    assert mirrors.image_of("bottlerocket-kernel-kit", sdk=False) == ("registry.example.com/bottlerocket", None)
    assert mirrors.image_of("bottlerocket-sdk", sdk=True) == ("localhost:5000", None)


def test_the_sdk_is_beside_the_kits_unless_another_place_is_said() -> None:
    assert read('[mirrors]\nkits = "r.example.com/x"\n').image_of("sdk", sdk=True) == ("r.example.com/x", None)
    assert read('[mirrors]\nsdk = "r.example.com/x"\n').image_of("kit", sdk=False) is None


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_a_sparse_index_ends_with_one_slash(end: str) -> None:
    assert (
        read(f'[mirrors]\ncrates = "sparse+https://a.example.com/x{end}"\n').crates == "sparse+https://a.example.com/x/"
    )


def test_without_a_section_everything_comes_from_its_own_place() -> None:
    mirrors = read("")
    assert mirrors == MirrorsSpec()
    assert (mirrors.make_settings, mirrors.has_images, mirrors.tuf_metadata) == ({}, False, None)
    assert mirrors.place_of(f"{GITHUB}bottlerocket.git") == f"{GITHUB}bottlerocket.git"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('kits = "https://registry.example.com/x"', "has a scheme"),
        ('kits = "registry.example.com/x/"', "is not a registry"),
        ('kits = "bottlerocket"', "a dot or a port"),
        ('kits = "registry.example.com/Bottlerocket"', "small letters"),
        ('kits = "registry.example.com/x:v1"', "tag follows from the release"),
        ('kits = "me:hunter2@registry.example.com/x"', "docker login"),
        ('sdk = ""', "is not a registry"),
        ('images = { bottlerocket-core-kit = "registry.example.com" }', "bottlerocket-core-kit ="),
        ('images = { "core.kit" = "registry.example.com/a" }', "no name of a kit"),
        ('sources = "ftp://cache.example.com"', "https: or http:"),
        ('sources = "/srv/cache"', "https: or http:"),
        ('sources = "https://me:hunter2@cache.example.com"', "user name or password"),
        ('sources = "https://cache.example.com/?a=b"', "more than a path"),
        ('sources = "https://[cache"', "not a URL"),
        ('twoliter = "http://git.example.com/twoliter"', "https: or file:"),
        ('twoliter = "git.example.com"', "https: or file:"),
        ('crates = "https://crates.example.com/index/"', "does not begin with sparse+"),
        ('crates = "/srv/crates"', "not there in the containers"),
        ('crates = "sparse+http://crates.example.com/"', "https:"),
        ('crates = "sparse+https://me:hunter2@crates.example.com/"', "user name or password"),
        ('crates = "sparse+https://crates.example.com/?a=b"', "more than a path"),
        ("crates = 'sparse+https://crates.example.com/\"'", "not a URL"),
        ('crates = "sparse+"', "sparse+https://crates.example.com"),
        ('tuf = "http://mirror.example.com"', "or a path"),
        ('tuf = "mirror"', "or a path"),
        ('git = { "https://github.com/" = "https://git.example.com/x" }', "slash"),
        ('git = { "https://github.com/" = "https://me:hunter2@git.example.com/" }', "credential helper"),
        ('git = { "https://github.com/" = "https://token@git.example.com/" }', "credential helper"),
        ('git = { "https://github.com/" = "--upload-pack=x/" }', "not the beginning"),
        ('git = { "" = "https://git.example.com" }', "not the beginning"),
        ('git = { "https://github.com/" = "copies/" }', "absolute path"),
        ('git = { "https://github.com/" = "http://git.example.com/" }', "Anybody on the way"),
        ('git = { "https://github.com/" = "git://git.example.com/" }', "Anybody on the way"),
        ('git = { "https://github.com/" = "ext://sh/" }', "kind that brqos does not take"),
        ('kit = "registry.example.com"', "unknown key “mirrors.kit”"),
        ("kits = 5", "mirrors.kits"),
    ],
)
def test_refused_in_words(line: str, says: str) -> None:
    error = refused(f"[mirrors]\n{line}\n")
    assert says in str(error)
    assert error.todo
    assert "hunter2" not in str(error)


NAMES = st.text("ab/", min_size=1, max_size=4)


@given(table=st.dictionaries(NAMES, NAMES.map("/{}".format), max_size=5), repository=st.text("ab/", max_size=8))
def test_the_longest_beginning_that_fits_is_replaced(table: dict[str, str], repository: str) -> None:
    """Held against the rule as git-config(1) has it, written the long way: from the longest beginning down."""
    table = {key: value for key, value in table.items() if key.endswith("/") == value.endswith("/")}
    expected = repository
    for end in range(len(repository), 0, -1):
        if repository[:end] in table:
            expected = table[repository[:end]] + repository[end:]
            break
    assert MirrorsSpec(git=table).place_of(repository) == expected
