from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.verify.model import FILES
from brqos.verify.probe_pods import (
    IMAGE,
    ProbeClass,
    ProbeSpec,
    has_expired,
    lifetime,
    manifest,
    owner_of,
    planned,
    read_log,
    run_of,
)
from kube.kernel import Kernel

HEAD = "=== brqos-probe 1\n=== cgroup.controllers\ncpu memory pids\n"


def log_of(**values: str) -> str:
    files = {"min": "0", "low": "0", "high": "max", "max": "max", **values}
    return HEAD + "".join(f"=== memory.{name}\n{text}\n" for name, text in files.items()) + "=== end\n"


def test_four_probes_for_each_node_with_names_that_kubernetes_takes() -> None:
    probes = planned("0123456789", ["a", "b"])
    assert [(probe.node, probe.shape) for probe in probes] == [(n, shape) for n in "ab" for shape in ProbeClass]
    assert len({probe.name for probe in probes}) == 8
    assert all(len(probe.name) <= 63 for probe in planned("0123456789", ["n"] * 5000))


def test_a_probe_is_known_again_and_ends_by_itself() -> None:
    spec = ProbeSpec(timeout=100)
    pod = manifest(planned("run", ["a"])[0], spec, "run", "me", lifetime(spec, 4))
    assert (run_of(pod), owner_of(pod)) == ("run", "me")
    assert pod["spec"]["activeDeadlineSeconds"] == 168
    assert pod["spec"]["containers"][0]["image"] == IMAGE
    assert "imagePullSecrets" not in pod["spec"]
    made = datetime.fromisoformat("2026-01-01T00:00:00Z")
    pod["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    assert not has_expired(pod, made + timedelta(seconds=168))
    assert has_expired(pod, made + timedelta(seconds=169))
    assert not has_expired({"metadata": {"creationTimestamp": "soon"}}, made)


def test_a_log_is_read() -> None:
    printed = read_log(log_of(min="33554432", high="47812608"))
    assert printed.cgroup is not None
    assert printed.cgroup_v2 is True
    assert printed.cgroup.values.by_file() == dict(zip(FILES, (33554432, 0, 47812608, "max"), strict=True))


@pytest.mark.parametrize(
    ("log", "words", "v2"),
    [
        ("", "does not begin", None),
        ("sh: not found\n", "does not begin", None),
        (log_of().removesuffix("=== end\n"), "ends in the middle", None),
        ("=== brqos-probe 1\n=== end\n", "no cgroup v2", False),
        ("=== brqos-probe 1\n=== cgroup.controllers\ncpu\n=== end\n", "memory controller is not on", False),
        (HEAD + "=== end\n", "no private cgroup namespace", True),
        (log_of(min="-1"), "does not hold a number", True),
        (log_of(high="1e9"), "does not hold a number", True),
    ],
)
def test_a_wrong_log_is_told_apart(log: str, words: str, v2: bool | None) -> None:
    printed = read_log(log)
    assert printed.cgroup is None
    assert words in printed.trouble
    assert printed.cgroup_v2 is v2


@given(st.text(max_size=200), st.integers(0, 400))
def test_no_log_is_too_strange(noise: str, cut: int) -> None:
    for log in (noise, log_of()[:cut] + noise, log_of()[:cut]):
        printed = read_log(log)
        assert printed.cgroup is not None or printed.trouble


def test_the_fake_kernel_agrees_with_values_seen_on_nodes() -> None:
    def high(request: str, limit: str) -> str:
        resources = {"requests": {"memory": request}, "limits": {"memory": limit}}
        pod = {"spec": {"containers": [{"resources": resources}]}}
        return Kernel().files(pod, pod["spec"]["containers"][0])["memory.high"]

    assert high("64Mi", "128Mi") == "127504384"
    assert high("256Mi", "512Mi") == "510025728"
    assert high("1Gi", "4Gi") == "3972841472"
