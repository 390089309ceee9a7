"""A ClusterConfig for eksctl, with managed or self-managed nodegroups."""
