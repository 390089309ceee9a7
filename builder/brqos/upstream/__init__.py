"""Upstream's source: mirrors, commits, work trees, and what a tree says."""
