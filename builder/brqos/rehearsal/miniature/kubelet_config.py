"""The kubelet's configuration as a Handlebars template with a TOML front matter, in the shape that upstream gives it.

Only some of upstream's settings are here, but each construct that an overlay may trip over: nested blocks, an `else`,
lists, quoted and bare values, `includeZero`, sub-expressions, dashes in names, and `featureGates` at
upstream's place.
"""

from dataclasses import dataclass

from brqos.rehearsal.miniature.layout import Traits
from brqos.variant import KubernetesVersion

_FRONT = """\
[required-extensions]
kubernetes = { version = "v1", helpers = ["kube_reserve_cpu", "kube_reserve_memory"] }
std = { version = "v1", helpers = [@HELPERS@] }
+++
"""

_HEAD = """\
---
kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
{{#if settings.kubernetes.standalone-mode}}
address: 127.0.0.1
authentication:
  anonymous:
    enabled: true
authorization:
  mode: AlwaysAllow
{{else}}
address: 0.0.0.0
authentication:
  anonymous:
    enabled: false
  webhook:
    enabled: true
authorization:
  mode: Webhook
{{/if}}
clusterDomain: {{settings.kubernetes.cluster-domain}}
{{#if settings.kubernetes.cluster-dns-ip}}
clusterDNS:
{{#each settings.kubernetes.cluster-dns-ip}}
- {{this}}
{{else}}
- {{settings.kubernetes.cluster-dns-ip}}
{{/each}}
{{/if}}
{{#if settings.kubernetes.eviction-hard}}
evictionHard:
  {{#each settings.kubernetes.eviction-hard}}
  {{@key}}: "{{this}}"
  {{/each}}
{{/if}}
{{#if settings.kubernetes.registry-qps includeZero=true}}
registryPullQPS: {{settings.kubernetes.registry-qps}}
{{/if}}
kubeReserved:
  cpu: "{{kube_reserve_cpu settings.kubernetes.kube-reserved.cpu}}"
  {{#if settings.kubernetes.max-pods}}
  memory: "{{kube_reserve_memory settings.kubernetes.max-pods settings.kubernetes.kube-reserved.memory}}"
  {{/if}}
  ephemeral-storage: "{{default "1Gi" settings.kubernetes.kube-reserved.ephemeral-storage}}"
{{#unless settings.kubernetes.reserved-cpus}}
kubeReservedCgroup: "/runtime"
{{/unless}}
cpuManagerPolicy: {{default "none" settings.kubernetes.cpu-manager-policy}}
{{#if settings.kubernetes.cpu-manager-policy-options}}
cpuManagerPolicyOptions:
{{#each settings.kubernetes.cpu-manager-policy-options}}
    {{this}}: "true"
{{/each}}
{{/if}}
cgroupDriver: systemd
cgroupRoot: "/"
"""

_MIDDLE = """\
protectKernelDefaults: true
serializeImagePulls: false
seccompDefault: {{default false settings.kubernetes.seccomp-default}}
{{#if (and (default "" settings.kubernetes.server-certificate) (default "" settings.kubernetes.server-key))}}
tlsCertFile: "/etc/kubernetes/pki/kubelet-server.crt"
{{else}}
serverTLSBootstrap: {{settings.kubernetes.server-tls-bootstrap}}
{{/if}}
tlsCipherSuites:
- TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
maxPods: {{default 110 settings.kubernetes.max-pods}}
"""

_STATIC_PODS = """\
{{#if_not_null settings.kubernetes.static-pods-enabled}}
{{#if settings.kubernetes.static-pods-enabled}}
staticPodPath: "/etc/kubernetes/static-pods/"
{{/if}}
{{else}}
staticPodPath: "/etc/kubernetes/static-pods/"
{{/if_not_null}}
"""

_RESERVED_MEMORY = """\
{{#if settings.kubernetes.memory-manager-reserved-memory}}
{{#if (any_enabled settings.kubernetes.memory-manager-reserved-memory)}}
reservedMemory:
{{#each settings.kubernetes.memory-manager-reserved-memory}}
{{#if this.enabled}}
  - numaNode: {{@key}}
    limits:
{{#if this.memory}}
      memory: {{this.memory}}
{{/if}}
{{/if}}
{{/each}}
{{/if}}
{{/if}}
"""

_NATIVE = """\
{{#if settings.kubernetes.memory-reservation-policy}}
memoryReservationPolicy: {{settings.kubernetes.memory-reservation-policy}}
{{/if}}
{{#if settings.kubernetes.memory-throttling-factor}}
memoryThrottlingFactor: {{settings.kubernetes.memory-throttling-factor}}
{{/if}}
"""

_SWAP = """\
failSwapOn: false
{{#if settings.kubernetes.memory-swap-behavior}}
memorySwap:
  swapBehavior: {{settings.kubernetes.memory-swap-behavior}}
{{/if}}
"""


@dataclass(frozen=True, slots=True)
class _Block:
    """A part of the template, with the first and the last minor version of Kubernetes 1 that has it."""

    text: str
    since: int = 0
    until: int = 999
    drop_ins_only: bool = False


def _gates(*names: str) -> str:
    return "featureGates:\n" + "".join(f"  {name}: true\n" for name in names)


_BLOCKS = (
    _Block(_HEAD),
    _Block(_gates("RotateKubeletServerCertificate", "CSIMigration", "CSIMigrationAWS"), until=26),
    _Block(_gates("RotateKubeletServerCertificate"), since=27, until=27),
    _Block(_MIDDLE),
    _Block(_STATIC_PODS, drop_ins_only=True),
    _Block(_RESERVED_MEMORY),
    _Block(_NATIVE, since=37),
    _Block(_SWAP, since=30, drop_ins_only=True),
    _Block(_gates("DynamicResourceAllocation"), since=33, until=33),
    _Block(_gates("DynamicResourceAllocation", "MutableCSINodeAllocatableCount"), since=34),
)


def kubelet_config(traits: Traits, minor: KubernetesVersion) -> str:
    """The template `packages/kubernetes-<minor>/kubelet-config`."""
    blocks = [
        block.text
        for block in _BLOCKS
        if block.since <= minor.minor <= block.until and (traits.drop_in_directory or not block.drop_ins_only)
    ]
    helpers = ["any_enabled", "if_not_null", "default"] if traits.drop_in_directory else ["any_enabled", "default"]
    front = _FRONT.replace("@HELPERS@", ", ".join(f'"{name}"' for name in helpers))
    return front + "".join(blocks)
