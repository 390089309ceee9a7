"""Manifests for Karpenter: an EC2NodeClass and a NodePool for each image."""
