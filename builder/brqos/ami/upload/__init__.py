"""From images to completed snapshots: read, sent block by block, taken up again after an interruption."""
