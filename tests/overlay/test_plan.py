import tomllib

import pytest

from brqos.config.model import Delivery
from brqos.errors import ConfigurationError
from brqos.overlay.expectation import expected_delivery
from brqos.overlay.model import Operation
from brqos.rehearsal.miniature import Layout

pytestmark = pytest.mark.processes
ALL = [(layout, name.base) for layout in Layout for name in layout.variants]


@pytest.mark.parametrize(("layout", "variant"), ALL)
def test_every_variant_of_every_layout_gets_an_overlay(planning, layout: Layout, variant: str) -> None:
    planned = planning(layout, variant)
    overlay = planned.overlay
    expected = expected_delivery(overlay.variant.kubernetes, layout.release)
    assert overlay.delivery is expected
    paths = [file.path for file in overlay.files]
    assert paths == sorted(set(paths))
    if expected is Delivery.NATIVE:
        assert not paths
        return
    new = f"variants/{overlay.variant.memory_qos}"
    base = tomllib.loads(planned.tree.files.text(f"variants/{variant}/Cargo.toml"))
    made = tomllib.loads(planned.content(f"{new}/Cargo.toml"))
    assert made["package"]["name"] == overlay.variant.memory_qos.replace(".", "_")
    packages = made["package"]["metadata"]["build-variant"].pop("included-packages")
    theirs = base["package"]["metadata"]["build-variant"].pop("included-packages")
    assert packages == [*theirs, "kubelet-memory-qos"]
    assert made["build-dependencies"].pop("kubelet-memory-qos") == {"path": "../../packages/kubelet-memory-qos"}
    made["package"]["name"] = base["package"]["name"]
    assert made == base
    assert (f"{new}/amispec.toml" in paths) == (f"variants/{variant}/amispec.toml" in planned.tree.files)


@pytest.mark.parametrize(("layout", "variant"), ALL)
def test_the_lock_file_has_both_crates_and_stays_sorted(planning, layout: Layout, variant: str) -> None:
    planned = planning(layout, variant, None, bake=True)
    before = tomllib.loads(planned.tree.files.text("Cargo.lock"))
    after = tomllib.loads(planned.content("Cargo.lock"))
    names = [package["name"] for package in after["package"]]
    assert names == sorted(names)
    assert after["version"] == before["version"]
    added = [package for package in after["package"] if package not in before["package"]]
    assert [package["name"] for package in added] == [
        planned.overlay.variant.memory_qos.replace(".", "_"),
        "kubelet-memory-qos",
    ]
    assert "kubelet-memory-qos" in added[0]["dependencies"]
    assert added[0]["dependencies"] == sorted(added[0]["dependencies"])


@pytest.mark.parametrize(("layout", "variant"), ALL)
def test_what_serves_the_base_serves_the_new_variant_too(planning, layout: Layout, variant: str) -> None:
    planned = planning(layout, variant, None, bake=True)
    spec = planned.content("packages/settings-defaults/settings-defaults.spec")
    new = planned.overlay.variant.memory_qos
    block = next(part for part in spec.split("%package ") if f"settings-defaults({new})" in part)
    assert f"Provides: %{{_cross_os}}settings-defaults({variant})\n" in block
    requires = block[block.index("Requires:") : block.index("Provides:")]
    assert requires.count(f"variant({new})") == 1
    assert requires.count(f"variant({variant})") == 1


def test_planning_is_pure_the_same_input_gives_the_same_overlay(planning) -> None:
    assert planning(Layout.DROP_IN, "aws-k8s-1.33").overlay == planning(Layout.DROP_IN, "aws-k8s-1.33").overlay


def test_an_amispec_link_stays_a_link(planning) -> None:
    files = planning(Layout.DROP_IN, "aws-k8s-1.33").overlay.files
    link = next(file for file in files if file.path.endswith("amispec.toml"))
    assert link.operation is Operation.LINK
    assert link.content == "../shared/amispec-split.toml"


def test_baking_a_native_release_adds_a_drop_in(planning) -> None:
    overlay = planning(Layout.NATIVE, "aws-k8s-1.37", None, bake=True).overlay
    assert overlay.delivery is Delivery.DROP_IN
    assert "memoryReservationPolicy: TieredReservation" in overlay.files[2].content


@pytest.mark.parametrize(
    ("layout", "variant", "wish"),
    [
        (Layout.EARLY, "aws-k8s-1.29", Delivery.DROP_IN),
        (Layout.EARLY, "aws-k8s-1.29", Delivery.NATIVE),
        (Layout.NATIVE, "aws-k8s-1.37", Delivery.TEMPLATE),
        (Layout.NATIVE, "aws-k8s-1.36", Delivery.NATIVE),
    ],
)
def test_a_delivery_that_cannot_work_is_refused(planning, layout: Layout, variant: str, wish: Delivery) -> None:
    with pytest.raises(ConfigurationError, match="does not work for Bottlerocket"):
        planning(layout, variant, wish)


def test_a_template_can_be_wished_for_where_a_drop_in_would_do(planning) -> None:
    planned = planning(Layout.DROP_IN, "aws-k8s-1.34", Delivery.TEMPLATE)
    text = planned.content("packages/kubelet-memory-qos/kubelet-config-memory-qos")
    assert text.count("featureGates:") == 1
    assert "DynamicResourceAllocation: true" in text
