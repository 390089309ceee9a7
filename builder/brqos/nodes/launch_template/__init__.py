"""An EC2 launch template and the EKS managed nodegroup that uses it, as CloudFormation or made by API."""
