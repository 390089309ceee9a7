"""kubectl, spoken in one place; what a node and its kubelet say, read from its answers."""
