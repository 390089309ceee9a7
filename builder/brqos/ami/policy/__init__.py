"""Which permissions the calls need: as a policy, and asked of EC2."""
