"""The stand-in for `cargo make` reads the override file as twoliter does, and refuses what twoliter refuses."""

from pathlib import Path

import pytest

from brqos.rehearsal.miniature import Layout, bottlerocket
from brqos.rehearsal.override import check_urls, resolving
from brqos.rehearsal.tree import RefusedError
from brqos.upstream.override import FILE


def tree(folder: Path, override: str | None, layout: Layout = Layout.DROP_IN) -> Path:
    entries = bottlerocket(layout)
    for name in ("Twoliter.lock", "Makefile.toml"):
        (folder / name).write_text(entries[name].text)
    if override is not None:
        (folder / FILE).write_text(override)
    return folder


def test_each_overridden_image_is_told(tmp_path: Path) -> None:
    text = '[bottlerocket]\nbottlerocket-sdk.name = "sdk"\nbottlerocket-core-kit.registry = "r.example.com/x"\n'
    lines = list(resolving(tree(tmp_path, text)))
    assert [line.partition("overridden-to: ")[2] for line in lines] == [
        "r.example.com/x/bottlerocket-core-kit:v10.9.0)'.",
        "public.ecr.aws/bottlerocket/sdk:v0.65.1)'.",
    ]


@pytest.mark.parametrize("text", ["[bottlerocket", "bottlerocket = 1\n", "[a.b]\nregistry = 5\n", "[a]\nb = 1\n"])
def test_a_file_that_does_not_fit_ends_the_build(tmp_path: Path, text: str) -> None:
    with pytest.raises(RefusedError, match="failed to deserialize overrides file"):
        list(resolving(tree(tmp_path, text)))


def test_a_registry_with_a_scheme_cannot_be_fetched_from(tmp_path: Path) -> None:
    text = '[bottlerocket.bottlerocket-sdk]\nregistry = "https://r.example.com"\n'
    with pytest.raises(RefusedError, match="failed to fetch manifest"):
        list(resolving(tree(tmp_path, text)))


def test_an_old_twoliter_does_not_look_at_it(tmp_path: Path) -> None:
    assert list(resolving(tree(tmp_path, "[nonsense", Layout.EARLY))) == []
    (tmp_path / FILE).unlink()
    assert list(resolving(tmp_path)) == []


def test_variables_have_to_be_urls() -> None:
    check_urls({"BUILDSYS_LOOKASIDE_CACHE": "https://a.example.com", "BUILDSYS_VARIANT": "x"})
    with pytest.raises(RefusedError, match="relative URL without a base"):
        check_urls({"TWOLITER_REPO": "/srv/twoliter"})
