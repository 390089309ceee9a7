"""Pipelines for the engines that teams already run: what they consist of, written from a fleet's configuration."""
