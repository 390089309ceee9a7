"""MemoryQoS' values in a real kernel: written as the kubelet writes them, read back, and at work."""
