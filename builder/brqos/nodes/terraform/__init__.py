"""A managed nodegroup for the Terraform module terraform-aws-eks."""
