"""CloudWatch Logs: what builds print."""
