"""The node configuration that puts an AMI to use, and the rules that its readers do not check themselves."""
