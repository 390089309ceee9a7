"""The command line of `cargo make`, and what may not be set in it."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.image.order import BuildOrder

ORDER = BuildOrder(Path("/cache/trees/abc-aws-k8s-1.29-memoryqos"), "aws-k8s-1.29-memoryqos", Architecture.X86_64)


def test_least() -> None:
    assert ORDER.argv == (
        *("cargo", "make"),
        *("-e", "BUILDSYS_VARIANT=aws-k8s-1.29-memoryqos"),
        *("-e", "BUILDSYS_ARCH=x86_64"),
        *("-e", "BUILDSYS_SBKEYS_PROFILE=local"),
    )
    assert ORDER.profile_folder == ORDER.work_tree / "sbkeys" / "local"


def test_everything() -> None:
    order = replace(
        ORDER,
        arch=Architecture.AARCH64,
        jobs=3,
        pretty_name="ACME's Bottlerocket derivative",
        sbkeys_profile=Path("/keys/prod"),
        make_env={"BUILDSYS_UPSTREAM_SOURCE_FALLBACK": "true", "GOPROXY": "direct"},
        program=("python", "-m", "rehearsal"),
    )
    assert order.argv == (
        *("python", "-m", "rehearsal"),
        *("-e", "BUILDSYS_VARIANT=aws-k8s-1.29-memoryqos"),
        *("-e", "BUILDSYS_ARCH=aarch64"),
        *("-e", "BUILDSYS_JOBS=3"),
        *("-e", "BUILDSYS_SBKEYS_DIR=/keys"),
        *("-e", "BUILDSYS_SBKEYS_PROFILE=prod"),
        *("-e", "BUILDSYS_PRETTY_NAME=ACME's Bottlerocket derivative"),
        *("-e", "BUILDSYS_UPSTREAM_SOURCE_FALLBACK=true"),
        *("-e", "GOPROXY=direct"),
    )


def test_relative_profile_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"BUILDSYS_SBKEYS_DIR={tmp_path}/keys" in replace(ORDER, sbkeys_profile=Path("keys/prod")).argv


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("BUILDSYS_VARIANT", "--variant"),
        ("BUILDSYS_ARCH", "--arch"),
        ("BUILDSYS_JOBS", "--jobs"),
        ("BUILDSYS_PRETTY_NAME", "--pretty-name"),
        ("BUILDSYS_SBKEYS_PROFILE", "--sbkeys-profile"),
        ("BUILDSYS_VERSION_IMAGE", "finds them by that"),
        ("TWOLITER_VERSION", "--ref"),
        ("BUILDSYS_REGISTRY", "The release pins it"),
        ("NO-DASH", "--make-env NAME=VALUE"),
        ("1ST", "--make-env NAME=VALUE"),
        ("", "--make-env NAME=VALUE"),
    ],
)
def test_refused_keys(key: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        replace(ORDER, make_env={key: "x"})
    assert told in str(caught.value)
    assert not key or key in caught.value.what


def test_refused_value() -> None:
    with pytest.raises(ConfigurationError, match="line break"):
        replace(ORDER, make_env={"KEY": "a\nb"})


@pytest.mark.parametrize("path", ["/a b/c", "/a,b", "/a'b", "/$HOME"])
def test_paths_that_upstream_cannot_take(path: str) -> None:
    with pytest.raises(ConfigurationError, match="work tree"):
        replace(ORDER, work_tree=Path(path))
    with pytest.raises(ConfigurationError, match="signing profile"):
        replace(ORDER, sbkeys_profile=Path(path))


def test_secrets_are_passed_but_not_shown() -> None:
    order = replace(
        ORDER,
        make_env={"GITHUB_TOKEN": "s3cr3t-token", "HTTPS_PROXY": "http://me:pass@proxy:3128", "GOPROXY": "direct"},
    )
    assert order.environment == {"GITHUB_TOKEN": "s3cr3t-token", "HTTPS_PROXY": "http://me:pass@proxy:3128"}
    assert "GOPROXY=direct" in order.argv
    assert not [word for word in order.argv if "s3cr3t" in word or "pass" in word]
    assert "s3cr3t-token" not in order.shown
    assert "me:pass" not in order.shown
    assert "GOPROXY=direct" in order.shown
    assert (
        order.without_secrets("+ curl -H s3cr3t-token -x http://me:pass@proxy") == "+ curl -H *** -x http://***@proxy"
    )


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_][A-Z0-9_]{0,12}", fullmatch=True).filter(lambda k: not k.startswith(("BUILDSYS", "TWO"))),
        st.text(st.characters(blacklist_characters="\0\r\n", blacklist_categories=["Cs"]), max_size=12),
    )
)
def test_each_variable_is_one_pair_of_words(make_env: dict[str, str]) -> None:
    order = replace(ORDER, make_env=make_env)
    assert order.argv[2::2] == ("-e",) * (3 + len(make_env) - len(order.environment))
    assert dict(word.split("=", 1) for word in order.argv[9::2]) | order.environment == make_env
