"""Proof on a live node: what it is, what its kubelet says, and what the kernel holds, against the prediction."""
