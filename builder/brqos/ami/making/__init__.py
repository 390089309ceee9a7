"""From plans to AMIs that are available: registered or copied, nothing twice."""
