import json
from pathlib import Path

import pytest

from brqos.errors import ConfigurationError
from brqos.provenance.inventory import read_inventory

from .builds import PACKAGES, package


def written(folder: Path, content: object) -> Path:
    file = folder / "application-inventory.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_a_list_as_upstream_writes_it(tmp_path: Path) -> None:
    found = read_inventory(written(tmp_path, {"Content": list(reversed(PACKAGES))}))
    assert [item.name for item in found.packages] == [item["Name"] for item in PACKAGES], "sorted, whatever the file is"
    assert found.has_own_versions
    assert (found.packages[2].version, found.packages[2].epoch) == ("37", "1")


def test_the_form_before_epochs(tmp_path: Path) -> None:
    old = {key: value for key, value in package("glibc", Release="(none)").items() if key != "Epoch"}
    found = read_inventory(written(tmp_path, {"Content": [old]}))
    assert not found.has_own_versions
    assert (found.packages[0].epoch, found.packages[0].release) == ("0", "")


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"Content": {}}', '{"Content": []}', '{"Content": ["x"]}', '{"Content": [{"Version": "1"}]}',
     "[" * 100_000, " " * (4 * 2**20 + 1)],
    ids=["empty", "list", "nothing", "no-list", "no-package", "text", "nameless", "deep", "huge"],
)  # fmt: skip
def test_what_is_no_such_list(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigurationError, match="not a list of packages"):
        read_inventory(written(tmp_path, content))


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_inventory(tmp_path / "none")
