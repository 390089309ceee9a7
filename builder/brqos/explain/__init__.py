"""What MemoryQoS will do to workloads: manifests and a node's memory in, cgroup values and reasons out."""
