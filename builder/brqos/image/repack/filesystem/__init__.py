"""The file systems of Bottlerocket's partitions: read and changed without mounting anything."""
