"""The same workloads under several settings."""

import pytest

from brqos.errors import ConfigurationError, UsageError
from brqos.explain.compare import Wishes, changes, compare, kubelets
from brqos.explain.configuration import NOTHING, Configuration
from explain.inputs import FOUR_PODS, node, workloads

NO_WISHES = Wishes()


def sides_of(what: str, version: str = "1.35", wishes: Wishes = NO_WISHES) -> list[str]:
    where = node(version)
    sides = compare(workloads(FOUR_PODS), where, kubelets(what, where.kubelet, NOTHING, wishes))
    return [
        f"{each.pod} {each.before} to {each.after}: -{', '.join(each.lost)} +{', '.join(each.gained)}"
        for each in changes(sides)
    ]


def test_gate_off_and_on() -> None:
    assert sides_of("gate") == [
        "guaranteed gate off to gate on: - +memory.min 200Mi",
        "burstable gate off to gate on: - +memory.min 100Mi, throttling at memory.high 190Mi",
        "no-limit gate off to gate on: - +memory.min 100Mi, throttling at memory.high 6.31Gi",
    ]


def test_who_loses_what_from_1_35_to_1_36_to_1_37() -> None:
    assert sides_of("1.35,1.36,1.37") == [
        "guaranteed 1.35 to 1.36: -memory.min 200Mi +",
        "burstable 1.35 to 1.36: -memory.min 100Mi +",
        "no-limit 1.35 to 1.36: -memory.min 100Mi +",
        "burstable 1.36 to 1.37: -throttling at memory.high 190Mi +",
        "no-limit 1.36 to 1.37: -throttling at memory.high 6.31Gi +",
    ]


def test_with_tiers_hard_protection_becomes_soft() -> None:
    found = sides_of("1.35, 1.37", wishes=Wishes(factor=0.9, policy="TieredReservation"))
    assert found == [
        "burstable 1.35 to 1.37: -memory.min 100Mi becomes memory.low 100Mi: soft instead of hard +",
        "no-limit 1.35 to 1.37: -memory.min 100Mi becomes memory.low 100Mi: soft instead of hard +",
        "best-effort 1.35 to 1.37: - +throttling at memory.high 6.3Gi",
    ]
    back = sides_of("1.37,1.35", wishes=Wishes(factor=0.9, policy="TieredReservation"))
    assert "burstable 1.37 to 1.35: - +memory.low 100Mi becomes memory.min 100Mi: hard instead of soft" in back


def test_another_formula_moves_the_threshold() -> None:
    found = sides_of("1.26,1.27")
    assert "burstable 1.26 to 1.27: -memory.high 190Mi instead of 160Mi: throttled later +" in found
    assert "burstable 1.27 to 1.26: - +memory.high 160Mi instead of 190Mi: throttled earlier" in sides_of("1.27,1.26")


def test_settings_of_a_build_follow_each_version() -> None:
    stated = Configuration("x", factor=0.9, policy="TieredReservation")
    found = dict(kubelets("1.35,1.36", node("1.36").kubelet, stated, Wishes()))
    assert (found["1.35"].reservation_policy, found["1.36"].reservation_policy) == (None, "TieredReservation")


@pytest.mark.parametrize("what", ["", "1.35", "1.35,1.35", "gates", ","])
def test_what_cannot_be_compared_is_refused(what: str) -> None:
    with pytest.raises(UsageError, match="--compare does not take"):
        kubelets(what, node().kubelet, NOTHING, Wishes())


def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not a Kubernetes version"):
        kubelets("1.35,new", node().kubelet, NOTHING, Wishes())
