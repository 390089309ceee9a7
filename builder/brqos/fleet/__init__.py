"""From one build to many: what is to be built, and what upstream has that is newer."""
