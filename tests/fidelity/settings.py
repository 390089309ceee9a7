"""Bottlerocket settings that the kubelet's template is rendered for."""

from typing import Any

from fidelity.handlebars import settings_in

# What every node has: the defaults of the release, and what the cluster tells it.
_BASE: dict[str, Any] = {
    "cluster-domain": "cluster.local",
    "cluster-dns-ip": "10.100.0.10",
    "server-tls-bootstrap": True,
    "standalone-mode": False,
    "max-pods": 29,
}

_STANDALONE: dict[str, Any] = {
    "cluster-domain": "cluster.local",
    "server-tls-bootstrap": False,
    "standalone-mode": True,
}

_GPU: dict[str, Any] = {
    **_BASE,
    "cluster-dns-ip": ["10.100.0.10", "fd00::a"],
    "seccomp-default": True,
    "cpu-manager-policy": "static",
    "topology-manager-policy": "single-numa-node",
    "reserved-cpus": "0-1",
    "kube-reserved": {"cpu": "200m", "memory": "1Gi"},
    "eviction-hard": {"memory.available": "500Mi", "nodefs.available": "10%"},
    "pod-pids-limit": 4096,
    "static-pods-enabled": False,
}

# Zero is a value that somebody chose (`includeZero`), not the absence of one.
_ZEROS: dict[str, Any] = {
    **_BASE,
    "registry-qps": 0,
    "registry-burst": 0,
    "event-qps": 0,
    "event-burst": 0,
    "kube-api-qps": 0,
    "kube-api-burst": 0,
    "image-gc-high-threshold-percent": 0,
    "image-gc-low-threshold-percent": 0,
    "container-log-max-files": 0,
    "container-log-max-size": "0",
    "container-log-max-workers": 0,
    "memory-manager-reserved-memory": {"0": {"enabled": False, "memory": "1Gi"}},
    "cpu-cfs-quota-enforced": False,
}

_EVERYTHING: dict[str, Any] = {
    **_GPU,
    "allowed-unsafe-sysctls": ["net.core.somaxconn", "net.ipv4.ip_forward"],
    "cloud-provider": "external",
    "container-log-max-files": 5,
    "container-log-max-size": "10Mi",
    "container-log-max-workers": 2,
    "container-log-monitor-interval": "10s",
    "cpu-cfs-quota-enforced": True,
    "cpu-manager-policy-options": ["full-pcpus-only"],
    "cpu-manager-reconcile-period": "10s",
    "event-burst": 20,
    "event-qps": 10,
    "eviction-max-pod-grace-period": 30,
    "eviction-soft": {"memory.available": "1Gi"},
    "eviction-soft-grace-period": {"memory.available": "30s"},
    "ids-per-pod": 65536,
    "image-gc-high-threshold-percent": 85,
    "image-gc-low-threshold-percent": 80,
    "image-maximum-gc-age": "48h",
    "image-minimum-gc-age": "2m",
    "kube-api-burst": 20,
    "kube-api-qps": 10,
    "kube-reserved": {"cpu": "200m", "memory": "1Gi", "ephemeral-storage": "2Gi", "pid": "1000"},
    "max-parallel-image-pulls": 4,
    "memory-manager-policy": "Static",
    "memory-manager-reserved-memory": {
        "0": {"enabled": True, "memory": "1Gi", "hugepages-1Gi": "2Gi", "hugepages-2Mi": "4Mi"},
        "1": {"enabled": False, "memory": "2Gi"},
    },
    "memory-swap-behavior": "LimitedSwap",
    "node-labels": {"team": "spark"},
    "node-taints": {"gpu": ["true:NoSchedule"]},
    "provider-id": "aws:///us-west-2a/i-0123456789abcdef0",
    "registry-burst": 20,
    "registry-qps": 10,
    "server-certificate": "Y2VydGlmaWNhdGU=",
    "server-key": "a2V5",
    "shutdown-grace-period": "30s",
    "shutdown-grace-period-for-critical-pods": "10s",
    "single-process-oom-kill": True,
    "static-pods-enabled": True,
    "system-reserved": {"cpu": "10m", "memory": "100Mi", "ephemeral-storage": "1Gi"},
    "topology-manager-scope": "pod",
}

_NATIVE: dict[str, Any] = {"memory-throttling-factor": 0.9, "memory-reservation-policy": "TieredReservation"}

SETTINGS: dict[str, dict[str, Any]] = {
    name: {"kubernetes": kubernetes}
    for name, kubernetes in {
        "minimal": _BASE,
        "standalone": _STANDALONE,
        "gpu": _GPU,
        "zeros": _ZEROS,
        "everything": _EVERYTHING,
        "native": {**_BASE, **_NATIVE},
    }.items()
}
"""By name; `native` alone sets what Kubernetes 1.37 takes by itself, on top of the minimum."""


def uncovered(template: str) -> set[str]:
    """Settings that the template looks at and that no settings here have: half of it would go untested."""
    return {path for path in settings_in(template) if not any(_has(given, path) for given in SETTINGS.values())}


def _has(settings: dict[str, Any], path: str) -> bool:
    found: object = settings
    for name in path.split("."):
        if not isinstance(found, dict) or name not in found:
            return False
        found = found[name]
    return True
