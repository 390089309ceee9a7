"""brqos: Bottlerocket AMIs whose kubelet has Kubernetes' MemoryQoS on."""

__version__ = "0.1.0"
