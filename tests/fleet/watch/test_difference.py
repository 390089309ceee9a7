from pathlib import Path

import pytest

from brqos.config.model import BuildSpec, Delivery
from brqos.fleet.watch.difference import Difference, difference
from brqos.monitor import Silent
from brqos.pipeline.generate import plan
from fleet.history import History, write_history

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return write_history(tmp_path_factory.mktemp("history"))


def between(history: History, variant: str, old: str, new: str, tmp_path: Path, **kubelet: object) -> Difference:
    def planned(ref: str, wishes: dict[str, object]):
        upstream = {"repository": str(history.bottlerocket), "core-kit": str(history.core_kit), "ref": ref}
        spec = BuildSpec.model_validate({"variant": variant, "arch": "x86_64", "upstream": upstream, "kubelet": wishes})
        return plan(spec, tmp_path, Silent())

    return difference(planned(old, {}), planned(new, dict(kubelet)))


def test_from_the_template_to_the_drop_in(history: History, tmp_path: Path) -> None:
    found = between(history, "aws-k8s-1.29", "v1.36.0", "v1.50.0", tmp_path)
    assert found.delivery == (Delivery.TEMPLATE, Delivery.DROP_IN)
    assert found.changes_delivery
    assert not found.changes_settings
    assert found.core_kit == ("6.3.0", "10.9.0")
    ways = {file.path: file.how for file in found.files}
    assert ways["packages/kubelet-memory-qos/kubelet-config-memory-qos"] == "removed"
    assert ways["packages/kubelet-memory-qos/900-memory-qos.conf"] == "added"
    assert ways["packages/kubelet-memory-qos/kubelet-memory-qos.spec"] == "changed"
    added = next(file for file in found.files if file.how == "added")
    assert (added.deletions, added.diff[0]) == (0, "--- /dev/null")
    assert added.insertions == sum(line.startswith("+") for line in added.diff) - 1


def test_of_upstreams_own_files_only_the_edit_is_compared(history: History, tmp_path: Path) -> None:
    found = between(history, "aws-k8s-1.34", "v1.50.0", "v1.66.0", tmp_path)
    manifest = next(file for file in found.files if file.path == "Cargo.toml")
    # Other releases have other variants, and so other members; what brqos adds is the same.
    assert (manifest.how, manifest.is_upstreams, manifest.diff) == ("changed", True, ())
    assert (manifest.insertions, manifest.deletions) == (0, 0)


def test_the_same_release_is_no_difference(history: History, tmp_path: Path) -> None:
    found = between(history, "aws-k8s-1.33", "v1.50.0", "v1.50.0", tmp_path)
    assert found.files == ()
    assert found.all_files > 5


def test_other_settings_are_told_with_their_lines(history: History, tmp_path: Path) -> None:
    found = between(history, "aws-k8s-1.34", "v1.50.0", "v1.50.0", tmp_path, throttling_factor=0.8)
    assert found.changes_settings
    (file,) = found.files
    assert file.insertions == file.deletions > 0
    assert any("0.8" in line for line in file.diff)
