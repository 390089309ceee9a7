"""The change to upstream's tree: planned purely from what the tree says, applied as one commit."""
