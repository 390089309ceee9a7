"""The chain of signatures from the firmware to the root file system: the user's own keys, or none at all."""
