"""Whether this machine has what the work needs, and how to get what it has not."""
