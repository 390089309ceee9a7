import shutil
from pathlib import Path

import pytest

from brqos import resources
from brqos.provenance.own_code import own_digest


@pytest.fixture
def digest_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The digest as an installation at some place would tell it."""
    package = Path(resources.__file__).parent
    data = {name: resources.data_directory(name) for name in ("templates", "variants")}

    def digest(installed: Path) -> str:
        monkeypatch.setattr(resources, "__file__", str(installed / "resources.py"))
        monkeypatch.setattr(
            resources,
            "data_directory",
            lambda name: installed / name if (installed / name).is_dir() else data[name],
        )
        own_digest.cache_clear()
        return own_digest()

    yield package, data, digest
    monkeypatch.undo()
    own_digest.cache_clear()


def test_a_wheel_and_a_checkout_of_the_same_code_agree(digest_of, tmp_path: Path) -> None:
    package, data, digest = digest_of
    wheel = tmp_path / "site-packages" / "brqos"
    shutil.copytree(package, wheel, ignore=shutil.ignore_patterns("__pycache__"))
    for name, place in data.items():
        shutil.copytree(place, wheel / name)
    before = digest(package)
    assert digest(wheel) == before
    # What Python compiles is no code of ours; everything else is.
    (wheel / "__pycache__").mkdir()
    (wheel / "__pycache__" / "x.py").write_text("1")
    assert digest(wheel) == before
    (wheel / "templates" / "kubelet-memory-qos.conf").write_text("other")
    assert digest(wheel) != before
    shutil.copy(data["templates"] / "kubelet-memory-qos.conf", wheel / "templates")
    assert digest(wheel) == before
    (wheel / "record.py").write_text("other")
    assert digest(wheel) != before
