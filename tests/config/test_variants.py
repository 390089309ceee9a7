import json
import os
from pathlib import Path

import pytest

from brqos.config.variants import shipped_flavor, shipped_variants
from brqos.upstream.tree import version_of
from brqos.variant import VariantName


def test_all_ten_are_there_with_three_flavors_each() -> None:
    assert [shipped.kubernetes for shipped in shipped_variants()] == [f"1.{minor}" for minor in range(28, 38)]
    assert all(set(shipped.flavors) == {"plain", "nvidia", "fips"} for shipped in shipped_variants())


def test_every_default_is_a_release_that_carries_the_variant_and_that_can_be_built() -> None:
    for shipped in shipped_variants():
        for flavor in shipped.flavors.values():
            default = version_of(flavor.default_release)
            assert version_of(flavor.first_release) <= default <= version_of(flavor.newest_release)
            assert default >= (1, 21, 0)


def test_tried_means_the_default_is_within_what_was_tried() -> None:
    tried = shipped_flavor(VariantName.parse("aws-k8s-1.29"))
    untried = shipped_flavor(VariantName.parse("aws-k8s-1.37"))
    assert tried is not None
    assert tried.default_is_tried
    assert untried is not None
    assert not untried.default_is_tried


def releases_file() -> Path | None:
    named = os.environ.get("BRQOS_FIDELITY_RELEASES")
    candidates = [Path(named)] if named else []
    candidates += [top / "shared" / "data" / "upstream-releases.json" for top in Path(__file__).resolve().parents]
    return next((path for path in candidates if path.is_file()), None)


def test_the_releases_agree_with_upstreams_own_history() -> None:
    file = releases_file()
    if file is None:
        pytest.skip("no upstream-releases.json at hand (BRQOS_FIDELITY_RELEASES)")
    carried: dict[str, set[str]] = {}
    for release, facts in json.loads(file.read_text(encoding="utf-8"))["releases"].items():
        for name in facts["aws_k8s_variants"]:
            carried.setdefault(name, set()).add(release)
    for shipped in shipped_variants():
        for flavor_name, flavor in shipped.flavors.items():
            name = shipped.name.base + ("" if flavor_name == "plain" else f"-{flavor_name}")
            if flavor.tried is not None:
                assert set(flavor.tried) <= carried[name], name
