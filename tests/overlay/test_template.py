import re

import pytest

from brqos.errors import UpstreamError
from brqos.memoryqos.settings import KubeletSettings, kubelet_settings
from brqos.overlay.template import merged_template
from brqos.upstream.kit import KubeletPackage
from brqos.variant import KubernetesVersion

HEAD = '[required-extensions]\nstd = { version = "v1", helpers = ["default"] }\n+++\n---\nkind: KubeletConfiguration\n'
API = "apiVersion: kubelet.config.k8s.io/v1beta1\n"


def kubelet(body: str) -> KubeletPackage:
    return KubeletPackage("9.0.0", "a" * 40, "the core kit 9.0.0", HEAD + body, has_drop_in_directory=False)


def settings(**gates: bool) -> KubeletSettings:
    return kubelet_settings(KubernetesVersion(1, 26), feature_gates=gates)


def merged(body: str, **gates: bool) -> str:
    return merged_template(kubelet(body), settings(**gates)).removeprefix(HEAD)


def test_without_gates_a_block_is_added_where_nothing_is_conditional() -> None:
    assert merged(f"{API}{{{{#if a}}}}\naddress: 0.0.0.0\n{{{{/if}}}}\nmaxPods: 3\n", B=True) == (
        f"{API}memoryThrottlingFactor: 0.9\nfeatureGates:\n  B: true\n  MemoryQoS: true\n"
        "{{#if a}}\naddress: 0.0.0.0\n{{/if}}\nmaxPods: 3\n"
    )


def test_upstreams_gates_stay_in_their_order_and_ours_follow() -> None:
    body = f"{API}featureGates:\n  RotateKubeletServerCertificate: true\n  CSIMigration: true\nmaxPods: 3\n"
    assert merged(body, CSIMigration=False) == (
        f"{API}memoryThrottlingFactor: 0.9\nfeatureGates:\n  RotateKubeletServerCertificate: true\n"
        "  CSIMigration: false\n  MemoryQoS: true\nmaxPods: 3\n"
    )


def test_the_blocks_own_indentation_is_kept_at_the_end_of_the_file() -> None:
    assert merged(f"{API}featureGates:\n    A: true").endswith("featureGates:\n    A: true\n    MemoryQoS: true\n")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f"{API}featureGates:\n  A: true\nfeatureGates:\n  B: true\n", "more than one featureGates block"),
        (f"{API}{{{{#if x}}}}\nfeatureGates:\n  A: true\n{{{{/if}}}}\n", "conditional"),
        (f"{API}featureGates:\n  A: true\n{{{{#if x}}}}\n  B: true\n{{{{/if}}}}\n", "partly conditional"),
        (f"{API}featureGates:\n  A: {{{{settings.a}}}}\n", "mong its featureGates"),
        (f"{API}featureGates:\n  A: true\nmemoryThrottlingFactor: 0.5\n", "sets memoryThrottlingFactor itself"),
        ("maxPods: 3\n", "0 lines are"),
        (f"{API}{API}", "2 lines are"),
    ],
)
def test_a_template_that_we_do_not_understand_is_refused(body: str, reason: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        merged(body)
    assert re.search(reason, caught.value.why)
    assert "core kit 9.0.0" in caught.value.what
