"""The domain, pure: the kubelet settings that a Kubernetes version needs for MemoryQoS."""
