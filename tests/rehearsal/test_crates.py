"""The stand-in for cargo goes by `.cargo/config.toml`, and refuses in its words."""

from pathlib import Path

import pytest

from brqos.rehearsal.crates import updating
from brqos.rehearsal.tree import RefusedError
from brqos.upstream.cargo_config import FILE, cargo_config_text

REPLACED = '[source.crates-io]\nreplace-with = "x"\n'


def tree(folder: Path, config: str) -> Path:
    (folder / ".cargo").mkdir()
    (folder / FILE).write_text(config)
    return folder


def test_without_the_file_nothing_is_told(tmp_path: Path) -> None:
    assert list(updating(tmp_path)) == []
    assert list(updating(tree(tmp_path, "source = 5\n[net]\nretry = 3\n"))) == []


def test_ours_is_told(tmp_path: Path) -> None:
    config = cargo_config_text("sparse+https://crates.example.com/index/")
    assert list(updating(tree(tmp_path, config))) == ["    Updating `brqos-mirror` index"]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("[source", "could not parse TOML configuration in"),
        (REPLACED, "could not find a configured source with the name `x`"),
        (f'{REPLACED}[registries.x]\nindex = "sparse+https://a.example.com"\n', "must end in a slash"),
        (f'{REPLACED}[source.x]\nregistry = "sparse+https://a.example.com"\n', "must end in a slash"),
    ],
)
def test_a_wrong_one_ends_the_build(config: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        list(updating(tree(tmp_path, config)))
    assert says in "\n".join(caught.value.lines)
